//! Tools: what an agent may call, and for ordinary ones the request that does it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Errors;

/// One callable operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `vendor_resource_verb`, `^[a-zA-Z][a-zA-Z0-9_-]{0,47}$`.
    pub name: String,
    /// Other names by which users already know it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// A few words.
    pub title: String,
    /// What it does, when to use it, what comes back; for a model.
    pub description: String,
    /// Words to filter by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What the call does to the vendor's data.
    pub hints: Hints,
    /// OAuth scopes that the account must have granted: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Sets of scopes any one of which will do instead of `scopes`, for vendors with wider and
    /// narrower scopes for the same thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_scopes: Vec<String>,
    /// JSON Schema 2020-12 of the input in the portable subset: an object with `properties`,
    /// no `$ref`, no root combinators. `limit` and `cursor` are added by the host to tools
    /// with paging, `response_format` to those with `response.concise`.
    pub input: Value,
    /// JSON Schema of the output, when it is promised; the host checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// What the tool answers: the vendor's data, or parts for a reader and questions to the user.
    #[serde(default, skip_serializing_if = "Shape::is_data")]
    pub result: Shape,
    /// Whether `input` keeps to the portable subset. `false` is for a schema that cannot be said in
    /// it: clients get the schema as it is written, and some models refuse the tool.
    #[serde(default = "super::yes", skip_serializing_if = "super::is_true")]
    pub portable: bool,
    /// The request that runs the tool; none when the tool is code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What becomes of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// How the tool pages; none when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// For tools in code: what they may send, as `METHOD endpoint:/path/{*}` with `{name}` for
    /// one segment and `{*}` for the rest. Declared tools may send their own request, and what is
    /// named here besides: where the vendor's next pages have another path than the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
}

impl Tool {
    /// The members that this tool leaves out unless the call says `response_format: "detailed"`;
    /// empty for a tool that has no such choice.
    #[must_use]
    pub fn concise(&self) -> &[String] {
        self.response
            .as_ref()
            .map_or(&[], |response| response.concise.as_slice())
    }
}

/// The parameter that the host adds to tools with `response.concise`: [`CONCISE`] or [`DETAILED`].
pub const RESPONSE_FORMAT: &str = "response_format";
/// The format that leaves the members of `response.concise` out, and the default.
pub const CONCISE: &str = "concise";
/// The format that gives all.
pub const DETAILED: &str = "detailed";

/// What a tool's result is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Data, in the vendor's own shape or as `response` makes it.
    #[default]
    Data,
    /// Parts for a reader, or questions to the user, in the words of MCP (revision 2026-07-28): an
    /// object with `content` (blocks of type `text`, `image`, `audio`, `resource`, `resource_link`),
    /// and where there is something to say `structuredContent` and `isError`; or with
    /// `inputRequests` (`elicitation/create` in form mode, `sampling/createMessage`) and
    /// `requestState`. The answers to questions come with the next call of the tool, in the
    /// contract's `context.ext`: `input_responses`, `request_state`, `client_capabilities`. MCP
    /// clients get parts as parts; the other doors answer the object as it is.
    Content,
}

impl Shape {
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's skip_serializing_if passes a reference"
    )]
    fn is_data(&self) -> bool {
        *self == Self::Data
    }
}

/// What a call does to the vendor's data (the tool annotations of MCP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hints {
    /// Changes nothing.
    pub read_only: bool,
    /// May remove or overwrite something, or cannot be taken back (a mail sent).
    pub destructive: bool,
    /// Calling again with the same input changes nothing more.
    pub idempotent: bool,
}

/// The request of a declared tool. Texts are templates ([`crate::template`]):
///
/// * `{name}` is the input's `name`, `{a.b}` a member of an object; `{page.token}` and
///   `{page.size}` are the page to fetch; `{config.name}` is the account's configuration.
/// * In a path, a value is percent-encoded as one segment; it has to be there and not empty. `{name...}`
///   as the last segment is a value of several segments (`docs/my plan.md`), each encoded.
/// * In a body, a text that is one placeholder and nothing else becomes the value with its type,
///   and `{name...}` as an element of an array becomes the elements of an array.
/// * What has no value is left out: a query parameter, a header, an object member, an array
///   element. An object or array inside the body goes when it has placeholders and none of them
///   has a value, its constants with it. `null` in a body is a value.
/// * Arrays and objects inside a longer text are written as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Endpoint name.
    pub endpoint: String,
    /// HTTP method.
    pub method: String,
    /// Path below the endpoint.
    pub path: String,
    /// Query parameters; an array value repeats the parameter unless `query_join` joins it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Value>,
    /// What joins array values in the query (`,`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_join: Option<String>,
    /// How objects, and arrays that hold them, are written in the query and in a form.
    #[serde(default, skip_serializing_if = "Nested::is_json")]
    pub nested: Nested,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// How the body is written.
    #[serde(default)]
    pub body_format: BodyFormat,
}

/// How a declared body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// The bytes of a file that the host holds: `body` is one placeholder, for a parameter of the
    /// format `valetkey-file`. The content type is the file's unless a header says another.
    File,
}

/// How objects are written where there are only names and texts: in a query and in a form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Nested {
    /// As JSON: `a={"b":1}`.
    #[default]
    Json,
    /// With their path in the name: `a[b]=1`, `a[0][c]=2`.
    Brackets,
}

impl Nested {
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's skip_serializing_if passes a reference"
    )]
    fn is_json(&self) -> bool {
        *self == Self::Json
    }
}

/// What becomes of a declared tool's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// JSON pointer to the part that is the result; none for the whole body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Member names to drop from the result, at any depth, that say nothing to a model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// Member names to leave out of the result, at any depth, unless the call says
    /// `response_format: "detailed"`: what a model rarely needs (avatars, addresses of the API,
    /// permissions). The host adds that parameter to the tool's input and names the first of these
    /// in its description. For tools in code as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concise: Vec<String>,
    /// Lists of the result that the vendor leaves out when they are empty, by member name; they
    /// are put in as empty ones. A list that is not named here and not there is an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// JSON pointer to what is there only when the call failed, for vendors whose failures have the
    /// status of a success (`/error`, `/errors/0`); null, `false` and an empty text count as not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What to answer when the vendor's success has no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<Value>,
    /// Keeps the body as a file; the result is `{ "file": { id, name, content_type, size, sha256 } }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<KeptFile>,
}

/// How a declared tool's answer is kept as a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeptFile {
    /// What it is called: a template over the input; none for the vendor's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media types that are kept (`image/*`, `application/pdf`); empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_types: Vec<String>,
    /// The most that is kept, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// The `format` of a parameter that is the id of a file which the host holds.
pub const FILE_FORMAT: &str = "valetkey-file";

/// How a tool pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// JSON pointer to the items in the tool's result.
    pub items: String,
    /// The largest page that the vendor gives.
    pub max_page_size: u32,
    /// How many items a call answers when it names no `limit`.
    pub default_limit: u32,
    /// For declared tools: name of a paginator of the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paginator: Option<String>,
}

/// How the vendor pages, as seen in its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Paginator {
    /// The answer holds the next page's token.
    Cursor {
        /// JSON pointer to it.
        next: String,
        /// JSON pointer into the body to what is `false` on the last page (`/pageInfo/hasNextPage`), for
        /// vendors that name a token there too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
    },
    /// Pages begin at an offset; the next token is the offset plus the items of this page,
    /// until a page is shorter than asked for.
    Offset {
        /// JSON pointer into the body to the number of all items. Where it is there, it tells the end instead:
        /// a full last page is then known to be the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<String>,
    },
    /// Pages are numbered from `first`, until a page is shorter than asked for.
    Page {
        /// The first page's number.
        first: u32,
        /// JSON pointer into the body to the number of all pages. Where it is there, it tells the end instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pages: Option<String>,
        /// Whether the vendor's `Link` header tells the end instead: a page without `rel="next"` is the last.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        link: bool,
    },
    /// A `Link` header with `rel="next"` (RFC 8288), its target absolute or relative as with `next_url`.
    LinkHeader,
    /// The answer holds the next page's URL: absolute, or relative (RFC 3986) to the endpoint
    /// (`/v1/things?after=7`) or to the tool's own request (`?after=7`).
    NextUrl {
        /// JSON pointer to it.
        next: String,
    },
}

/// The part of the manifest that the guest SDK needs to run a declared tool: what the host puts
/// into `context.declaration`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    /// The request; none for a tool that is code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What becomes of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// How it pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paginator: Option<Paginator>,
    /// JSON pointer to the items in the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// How to read the vendor's errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<UnreadErrors>,
}

/// How to read a vendor's errors, as JSON that is parsed when the vendor refuses: a call that
/// succeeds does not pay for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnreadErrors(Box<RawValue>);

impl UnreadErrors {
    /// Parsed; none when the JSON is not what [`Errors`] writes.
    #[must_use]
    pub fn read(&self) -> Option<Errors> {
        serde_json::from_str(self.0.get()).ok()
    }
}

impl From<&Errors> for UnreadErrors {
    fn from(errors: &Errors) -> Self {
        Self(serde_json::value::to_raw_value(errors).expect("errors are plain data"))
    }
}

impl PartialEq for UnreadErrors {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}
