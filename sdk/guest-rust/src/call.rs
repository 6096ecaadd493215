//! One call: what a tool's function may ask and send.

use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use valetkey_manifest::Errors;
use valetkey_manifest::tool::{DETAILED, Declaration};

use crate::body::{self, Multipart};
use crate::content::Answers;
use crate::fault::Fault;
use crate::files::{File, Wanted};
use crate::http::{Request, Response};
use crate::page::Page;
use crate::{Output, engine};

/// The other side of the contract. The component's glue implements it over the host's imports,
/// [`crate::testing::Vendor`] over canned answers.
pub trait Host {
    /// Sends one request; any status is an answer.
    ///
    /// # Errors
    /// There is no answer: refused, unreachable, out of time, too large.
    fn send(&self, request: Request) -> Result<Response, Fault>;
    /// Sends several side by side; answers in the order of the requests.
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, Fault>>;
    /// What is known of a file of this user.
    ///
    /// # Errors
    /// There is none of this id.
    fn describe(&self, file: &str) -> Result<File, Fault>;
    /// As `send`, with the bytes of a file as the body.
    ///
    /// # Errors
    /// As `send`, or there is no such file.
    fn send_file(&self, request: Request, file: &str) -> Result<Response, Fault>;
    /// As `send`; the body of a success becomes a file.
    ///
    /// # Errors
    /// As `send`, or the body cannot be kept.
    fn receive(&self, request: Request, wanted: Wanted) -> Result<(Response, Option<File>), Fault>;
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> u64;
    /// Milliseconds left until the call's deadline.
    fn remaining_ms(&self) -> u64;
    /// Random bytes, at most 1,024.
    fn random(&self, length: u32) -> Vec<u8>;
    /// Writes to the execution's record.
    fn log(&self, level: &str, message: &str);
    /// `oauth2`, `api_key`, `basic`, `bearer` or `none`.
    fn credential_kind(&self) -> String;
    /// What the vendor granted.
    fn granted_scopes(&self) -> Vec<String>;
    /// One value of the account's configuration.
    fn account_config(&self, name: &str) -> Option<String>;
}

/// One tool call.
pub struct Call<'a> {
    host: &'a dyn Host,
    declaration: Option<Declaration>,
    /// The execution's id, for log lines.
    pub execution_id: String,
    /// The page to fetch.
    pub page: Page,
    /// What the user answered to this tool's questions, for a tool whose result is content.
    pub answers: Answers,
}

impl<'a> Call<'a> {
    /// A call over `host`. The component's glue makes it; native tests do, too.
    #[must_use]
    pub fn new(host: &'a dyn Host, declaration: Option<Declaration>, page: Page) -> Self {
        Self {
            host,
            declaration,
            execution_id: String::new(),
            page,
            answers: Answers::default(),
        }
    }

    /// Runs the tool's declared request with `input`. Functions that only prepare the input or
    /// finish the answer of one request call it.
    ///
    /// # Errors
    /// The fault that the answer means, or `unknown_tool` when the manifest declares no request.
    pub fn declared(&self, input: &Value) -> Result<Output, Fault> {
        let (declaration, declared) = self
            .declaration
            .as_ref()
            .and_then(|declaration| Some((declaration, declaration.request.as_ref()?)))
            .ok_or_else(|| {
                Fault::new(
                    "unknown_tool",
                    "This tool has neither a `request` in connector.toml nor a function in the connector.",
                )
            })?;
        let config = |name: &str| self.host.account_config(name);
        let mut request = engine::request(
            declared,
            declaration.paginator.as_ref(),
            input,
            &self.page,
            &config,
        )?;
        if let Some(kept) = declaration
            .response
            .as_ref()
            .and_then(|response| response.file.as_ref())
        {
            let wanted = engine::wanted(kept, input, &self.page, &config);
            // Any type but what the declaration asks for itself.
            if !declared
                .headers
                .keys()
                .any(|name| name.eq_ignore_ascii_case("accept"))
            {
                request.headers.retain(|(name, _)| name != "accept");
            }
            let (response, file) = self.host.receive(request, wanted)?;
            return engine::kept(declaration, &response, file.as_ref());
        }
        let response = match engine::file(declared, input)? {
            Some(file) => self.host.send_file(request, &file)?,
            None => self.host.send(request)?,
        };
        engine::output(declaration, &self.page, response)
    }

    /// A tool's result without what is left out of short ones.
    pub(crate) fn shortened(&self, output: Output, input: &str) -> Result<Output, Fault> {
        /// The one parameter that counts here.
        #[derive(Deserialize)]
        struct Format {
            response_format: Option<String>,
        }
        let response = self
            .declaration
            .as_ref()
            .and_then(|declared| declared.response.as_ref());
        let concise = response.map_or(&[][..], |response| response.concise.as_slice());
        if concise.is_empty() {
            return Ok(output);
        }
        let format: Format = crate::parse(input)?;
        if format.response_format.as_deref() == Some(DETAILED) {
            return Ok(output);
        }
        Ok(Output {
            data: engine::without(&output.data, concise),
            ..output
        })
    }

    /// What is known of a file of this user, by an id of the tool's input.
    ///
    /// # Errors
    /// There is none of this id.
    pub fn file(&self, id: &str) -> Result<File, Fault> {
        self.host.describe(id)
    }

    /// A `GET` of `path` below an endpoint.
    pub fn get(&self, endpoint: &str, path: impl Into<String>) -> RequestBuilder<'_> {
        self.request("GET", endpoint, path)
    }

    /// A `POST`.
    pub fn post(&self, endpoint: &str, path: impl Into<String>) -> RequestBuilder<'_> {
        self.request("POST", endpoint, path)
    }

    /// A `PUT`.
    pub fn put(&self, endpoint: &str, path: impl Into<String>) -> RequestBuilder<'_> {
        self.request("PUT", endpoint, path)
    }

    /// A `PATCH`.
    pub fn patch(&self, endpoint: &str, path: impl Into<String>) -> RequestBuilder<'_> {
        self.request("PATCH", endpoint, path)
    }

    /// A `DELETE`.
    pub fn delete(&self, endpoint: &str, path: impl Into<String>) -> RequestBuilder<'_> {
        self.request("DELETE", endpoint, path)
    }

    /// A request by any method. `path` is percent-encoded already; [`crate::segment`] does it.
    pub fn request(&self, method: &str, endpoint: &str, path: impl Into<String>) -> RequestBuilder<'_> {
        let headers = vec![("accept".to_owned(), "application/json".to_owned())];
        RequestBuilder {
            call: self,
            request: Request {
                method: method.to_owned(),
                endpoint: endpoint.to_owned(),
                path: path.into(),
                headers,
                ..Request::default()
            },
        }
    }

    /// Sends requests side by side and waits for all. Answers come in the order of the requests;
    /// a status that is no success is a fault.
    #[must_use]
    pub fn send_all<'r>(
        &self,
        requests: impl IntoIterator<Item = RequestBuilder<'r>>,
    ) -> Vec<Result<Response, Fault>> {
        let requests = requests.into_iter().map(|builder| builder.request).collect();
        let answers = self.host.send_all(requests);
        answers
            .into_iter()
            .map(|answer| answer.and_then(|response| self.success(response)))
            .collect()
    }

    /// Sends a GraphQL query and answers its `data`.
    ///
    /// # Errors
    /// No answer, or the first of the answer's `errors`.
    pub fn graphql<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        path: &str,
        query: &str,
        variables: &impl Serialize,
    ) -> Result<T, Fault> {
        #[derive(Deserialize)]
        struct Refusal {
            errors: Option<Vec<IgnoredAny>>,
        }
        #[derive(Deserialize)]
        #[serde(bound = "T: DeserializeOwned")]
        struct Answer<T> {
            data: Option<T>,
        }
        let question = json!({ "query": query, "variables": variables });
        let response = self.post(endpoint, path).json(&question).send()?;
        if response
            .json::<Refusal>()?
            .errors
            .is_some_and(|errors| !errors.is_empty())
        {
            return Err(self.fault(&response));
        }
        let answer: Answer<T> = response.json()?;
        answer
            .data
            .ok_or_else(|| response.not_json(&serde_json::Error::custom("there is no `data`")))
    }

    /// The fault that an answer means, read as the manifest's `errors` say.
    #[must_use]
    pub fn fault(&self, response: &Response) -> Fault {
        Fault::from_response(response, self.errors().as_ref())
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.host.now_ms()
    }

    /// Milliseconds left until the deadline.
    #[must_use]
    pub fn remaining_ms(&self) -> u64 {
        self.host.remaining_ms()
    }

    /// Random bytes, at most 1,024.
    #[must_use]
    pub fn random(&self, length: u32) -> Vec<u8> {
        self.host.random(length)
    }

    /// Writes a line to the execution's record; `level` is `debug`, `info`, `warn` or `error`.
    pub fn log(&self, level: &str, message: &str) {
        self.host.log(level, message);
    }

    /// Tells whoever waits for this call how far it is: `done` of `total` in any unit, growing from
    /// one word to the next. Goes into no record; costs nothing where nobody listens.
    pub fn progress(&self, done: f64, total: Option<f64>, words: &str) {
        let measure = total.map_or_else(|| done.to_string(), |total| format!("{done}/{total}"));
        self.host.log("progress", &format!("{measure} {words}"));
    }

    /// The kind of the account's credential.
    #[must_use]
    pub fn credential_kind(&self) -> String {
        self.host.credential_kind()
    }

    /// The scopes that the vendor granted.
    #[must_use]
    pub fn granted_scopes(&self) -> Vec<String> {
        self.host.granted_scopes()
    }

    /// One value of the account's configuration.
    #[must_use]
    pub fn config(&self, name: &str) -> Option<String> {
        self.host.account_config(name)
    }

    fn errors(&self) -> Option<Errors> {
        self.declaration.as_ref()?.errors.as_ref()?.read()
    }

    fn success(&self, response: Response) -> Result<Response, Fault> {
        if response.is_success() {
            Ok(response)
        } else {
            Err(self.fault(&response))
        }
    }
}

/// A request being put together.
pub struct RequestBuilder<'a> {
    call: &'a Call<'a>,
    request: Request,
}

impl RequestBuilder<'_> {
    /// Goes to a URL that the vendor handed out (an upload link, a next page) in the place of a path, which has
    /// to be empty. The host takes it only where its origin and base path are those of the endpoint; the rules of
    /// `allow` hold for what follows.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.request.url = Some(url.into());
        self
    }

    /// Adds a query parameter; the host encodes it.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.request.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a query parameter for each value, none for an absent one.
    #[must_use]
    pub fn query_all<V: ToString>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values
            .into_iter()
            .map(|value| (name.to_owned(), value.to_string()));
        self.request.query.extend(values);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.request.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A JSON body.
    ///
    /// # Panics
    /// The value is not JSON (a map with keys that are no strings).
    #[must_use]
    pub fn json(self, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("a request body is plain data");
        self.body("application/json", body)
    }

    /// An `application/x-www-form-urlencoded` body; a name may come more than once.
    #[must_use]
    pub fn form<N: AsRef<str>, V: ToString>(self, pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        self.body("application/x-www-form-urlencoded", body::form(pairs))
    }

    /// A `multipart/form-data` body.
    #[must_use]
    pub fn multipart(self, parts: &Multipart) -> Self {
        let random = self.call.random(16);
        let boundary: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let content_type = format!("multipart/form-data; boundary={boundary}");
        self.body(&content_type, parts.encode(&boundary))
    }

    /// A body of any type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.request
            .headers
            .push(("content-type".to_owned(), content_type.to_owned()));
        self.request.body = Some(body);
        self
    }

    /// Sends it. A status that is no success is a fault with the vendor's words.
    ///
    /// # Errors
    /// No answer, or the vendor refused.
    pub fn send(self) -> Result<Response, Fault> {
        let response = self.call.host.send(self.request)?;
        self.call.success(response)
    }

    /// Sends it with the bytes of a file as its body, which never pass through the connector.
    ///
    /// # Errors
    /// No answer, no such file, or the vendor refused.
    pub fn send_file(self, file: &str) -> Result<Response, Fault> {
        let response = self.call.host.send_file(self.request, file)?;
        self.call.success(response)
    }

    /// Sends it and has the answer's body kept as a file.
    ///
    /// # Errors
    /// No answer, the vendor refused, or the body cannot be kept.
    pub fn receive(self, wanted: Wanted) -> Result<File, Fault> {
        let (response, file) = self.call.host.receive(self.request, wanted)?;
        let response = self.call.success(response)?;
        file.ok_or_else(|| {
            Fault::new(
                "vendor_unavailable",
                format!("The vendor answered {} without a body to keep.", response.status),
            )
        })
    }

    /// Sends it; any status is an answer.
    ///
    /// # Errors
    /// No answer.
    pub fn exchange(self) -> Result<Response, Fault> {
        self.call.host.send(self.request)
    }
}
