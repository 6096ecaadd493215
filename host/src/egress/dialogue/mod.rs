//! A conversation with a token endpoint whose steps a connector's code decides, and whose secrets
//! that code never holds. The code names values by number: what the host gave it to work with, what
//! it had the host make of that, and parts of what the endpoint answered. The texts stay here, and so
//! does the address: a request goes to the endpoint that the operator confirmed, or to another path
//! that the manifest declares at the same origin.
//!
//! `accounts` begins a conversation and takes its outcome; `capability` hands over what a guest asks
//! for. No function that a guest reaches answers a text.

mod answer;
mod value;
mod xml;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::redact::Redactor;
use super::{Egress, TokenRequest, TokenTransportError, endpoint, gate};
use crate::error::{Fault, Kind};
use crate::secret::Secret;

use value::Held;

/// Bytes of a text that a guest has made: as long as a token may be, and its surroundings.
const TEXT_BYTES: usize = 64 * 1024;
/// Values of one conversation.
const VALUES: usize = 512;
/// Bytes of a word that an answer is compared with: long enough for codes, too short for tokens.
const WORD_BYTES: usize = 64;

/// Which function of `auth` is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A code is exchanged.
    Exchange,
    /// A refresh token is presented.
    Refresh,
    /// The account's inputs are presented.
    Issue,
}

impl Step {
    /// The name of the function.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Refresh => "refresh",
            Self::Issue => "issue",
        }
    }
}

/// Where the tokens are, in numbers of the conversation: what a guest answers.
#[derive(Debug, Clone)]
pub struct Found {
    /// The access token.
    pub access: u32,
    /// The refresh token.
    pub refresh: Option<u32>,
    /// How long the access token is good.
    pub lifetime: Option<u32>,
    /// What the lifetime is counted in, a word of the contract.
    pub lifetime_unit: String,
    /// The scopes granted.
    pub scopes: Option<u32>,
    /// The part with further facts about the account.
    pub about: Option<u32>,
}

/// Where a conversation may go.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The token endpoint, the account's configuration filled in.
    pub url: String,
    /// Further paths at its origin.
    pub paths: Vec<String>,
    /// Whether the connection is marked for development.
    pub development: bool,
    /// Cap on each answer's body, in bytes.
    pub max_response_bytes: usize,
    /// Each request at most.
    pub timeout: Duration,
    /// The whole conversation.
    pub deadline: Instant,
}

/// A piece of a text.
#[derive(Debug, Clone)]
pub enum Piece {
    /// A guest's own text.
    Text(String),
    /// A value of the conversation.
    Held(u32),
}

/// A name and the pieces of its value.
pub type Parameter = (String, Vec<Piece>);

/// A request as a guest asks for it.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// `GET` or `POST`.
    pub method: String,
    /// None for the token endpoint itself.
    pub path: Option<String>,
    /// Query parameters, not encoded.
    pub query: Vec<Parameter>,
    /// Headers.
    pub headers: Vec<Parameter>,
    /// Fields of a form, not encoded.
    pub form: Vec<Parameter>,
    /// Another body.
    pub body: Option<Vec<Piece>>,
}

/// How far a conversation came: what decides whether a single-use token may be presented again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// Nothing was asked.
    Silent,
    /// Nothing ever reached the endpoint; why.
    NotSent(String),
    /// A request was sent and its answer never came whole.
    Unknown,
    /// Every request was answered; this is the last answer.
    Answered {
        /// Its status.
        status: u16,
        /// Its `retry-after`.
        retry_after: Option<Duration>,
    },
}

/// One conversation. Shared by the guest's session and by whoever takes its outcome.
pub struct Dialogue {
    egress: Arc<Egress>,
    terms: Terms,
    given: BTreeMap<String, u32>,
    state: Mutex<State>,
}

struct State {
    held: Vec<Held>,
    /// The values that are whole answers.
    answers: Vec<u32>,
    course: Course,
}

impl Dialogue {
    /// A conversation in which a guest may use `given`, by their names.
    #[must_use]
    pub fn new(egress: Arc<Egress>, terms: Terms, given: Vec<(String, Secret)>) -> Self {
        let mut names = BTreeMap::new();
        let mut held = Vec::with_capacity(given.len() + 8);
        for (name, secret) in given {
            if let Ok(number) = u32::try_from(held.len()) {
                names.insert(name, number);
                held.push(Held::Given(secret));
            }
        }
        Self {
            egress,
            terms,
            given: names,
            state: Mutex::new(State {
                held,
                answers: Vec::new(),
                course: Course::Silent,
            }),
        }
    }

    /// What the host gave under a name.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<u32> {
        self.given.get(name).copied()
    }

    /// One text of several pieces.
    ///
    /// # Errors
    /// A number without a value, a part that is no text, or too long a text.
    pub fn join(&self, pieces: &[Piece]) -> Result<u32, Fault> {
        let mut state = self.state();
        let made = state.text(pieces)?;
        state.keep(Held::Made(made))
    }

    /// A text in another form.
    ///
    /// # Errors
    /// As [`Self::join`], and for an encoding that is not known.
    pub fn encode(&self, encoding: &str, text: &[Piece]) -> Result<u32, Fault> {
        let mut state = self.state();
        let made = state.text(text)?.encoded(encoding)?;
        state.keep(Held::Made(made))
    }

    /// A hash, or with `key` a keyed one.
    ///
    /// # Errors
    /// As [`Self::join`], and for an algorithm or encoding that is not known.
    pub fn hash(
        &self,
        algorithm: &str,
        encoding: &str,
        key: Option<&[Piece]>,
        message: &[Piece],
    ) -> Result<u32, Fault> {
        let mut state = self.state();
        let key = key.map(|key| state.text(key)).transpose()?;
        let made = state.text(message)?.hashed(algorithm, encoding, key.as_ref())?;
        state.keep(Held::Made(made))
    }

    /// The part of an answer at a JSON pointer.
    ///
    /// # Errors
    /// A number that is no part of an answer.
    pub fn at(&self, value: u32, pointer: &str) -> Result<Option<u32>, Fault> {
        let mut state = self.state();
        let Held::Answered(answer) = state.get(value)? else {
            return Err(misuse("only answers have parts"));
        };
        match answer.pointer(pointer).cloned() {
            None | Some(Value::Null) => Ok(None),
            Some(part) => state.keep(Held::Answered(part)).map(Some),
        }
    }

    /// Whether a part of an answer is a word. Whole words and short ones alone, and never what the
    /// host gave: comparing must not spell out a secret.
    ///
    /// # Errors
    /// A number that is no text of an answer, or too long a word.
    pub fn equals(&self, value: u32, word: &str) -> Result<bool, Fault> {
        if word.len() > WORD_BYTES {
            return Err(misuse("a word to compare with has at most 64 bytes"));
        }
        let state = self.state();
        let Held::Answered(answer) = state.get(value)? else {
            return Err(misuse("only parts of answers are compared"));
        };
        let text = answer::scalar(answer).ok_or_else(|| misuse("a part with members is not compared"))?;
        Ok(text == word && !state.is_given(&text))
    }

    /// Sends one request; answers the status and the number of the body.
    ///
    /// # Errors
    /// It may not go there, or there is no answer.
    pub async fn send(&self, question: Question) -> Result<(u16, u32), Fault> {
        let request = self.request(&question)?;
        let method = if question.method == "GET" {
            Method::GET
        } else {
            Method::POST
        };
        let before = {
            let mut state = self.state();
            // Until the answer is there: the guest may be ended at any moment.
            std::mem::replace(&mut state.course, Course::Unknown)
        };
        let sent = self.egress.ask_token_endpoint(method, request).await;
        let mut state = self.state();
        match sent {
            Ok(answer) => {
                let status = answer.status.as_u16();
                state.course = Course::Answered {
                    status,
                    retry_after: answer.retry_after,
                };
                let content = answer::read(&answer).map_err(misuse)?;
                let number = state.keep(Held::Answered(content))?;
                state.answers.push(number);
                Ok((status, number))
            }
            Err(error) => Err(state.unanswered(before, &error)),
        }
    }

    /// How far it came.
    #[must_use]
    pub fn course(&self) -> Course {
        self.state().course.clone()
    }

    /// The text of a value that came from the endpoint and holds nothing of what the host gave; each
    /// caller says in a comment where it goes.
    #[must_use]
    pub fn granted_text(&self, value: u32) -> Option<Secret> {
        match self.state().get(value).ok()? {
            Held::Answered(answer) => answer::scalar(answer).map(Secret::new),
            Held::Made(made) if made.of_answer && !made.of_given => Some(Secret::new(made.text.to_string())),
            Held::Made(_) | Held::Given(_) => None,
        }
    }

    /// A part of an answer as it is.
    #[must_use]
    pub fn answered(&self, value: u32) -> Option<Value> {
        match self.state().get(value).ok()? {
            Held::Answered(answer) => Some(answer.clone()),
            Held::Made(_) | Held::Given(_) => None,
        }
    }

    /// Everything that the endpoint answered, request by request.
    #[must_use]
    pub fn answers(&self) -> Vec<Value> {
        let numbers = self.state().answers.clone();
        numbers
            .into_iter()
            .filter_map(|number| self.answered(number))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, question: &Question) -> Result<TokenRequest, Fault> {
        if !matches!(question.method.as_str(), "GET" | "POST") {
            return Err(denied("asks by GET or POST"));
        }
        let has_body = question.body.is_some() || !question.form.is_empty();
        if question.body.is_some() && !question.form.is_empty() {
            return Err(denied("sends a form or another body, not both"));
        }
        if has_body && question.method == "GET" {
            return Err(denied("sends no body with GET"));
        }
        let state = self.state();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut body = Zeroizing::new(Vec::new());
        if let Some(pieces) = &question.body {
            body.extend_from_slice(state.text(pieces)?.text.as_bytes());
        } else if !question.form.is_empty() {
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            );
            body.extend_from_slice(state.pairs(&question.form)?.as_bytes());
        }
        for (name, pieces) in &question.headers {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| denied("names a header that is none"))?;
            if name != AUTHORIZATION && gate::is_host_header(name.as_str()) {
                return Err(denied("sets a header that belongs to the host"));
            }
            let mut value = HeaderValue::from_str(&state.text(pieces)?.text)
                .map_err(|_| denied("puts into a header what no header carries"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let left = self.terms.deadline.saturating_duration_since(Instant::now());
        Ok(TokenRequest {
            url: self.url(&state, question)?,
            headers,
            body: std::mem::take(&mut *body).into(),
            development: self.terms.development,
            max_response_bytes: self.terms.max_response_bytes,
            timeout: self.terms.timeout.min(left),
        })
    }

    /// The endpoint's URL, or the declared path at its origin, with the query.
    fn url(&self, state: &State, question: &Question) -> Result<String, Fault> {
        let mut url = match &question.path {
            None => self.terms.url.clone(),
            Some(path) => {
                if !self.terms.paths.contains(path) {
                    return Err(denied(
                        "asks at a path that its manifest does not declare under `coded.paths`",
                    ));
                }
                let origin = endpoint::origin(&self.terms.url, self.terms.development)
                    .map_err(|problem| denied("has a token endpoint that is no URL").because(problem))?;
                format!("{}://{}{path}", origin.scheme, origin.authority)
            }
        };
        if !question.query.is_empty() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&state.pairs(&question.query)?);
        }
        Ok(url)
    }
}

impl State {
    fn get(&self, value: u32) -> Result<&Held, Fault> {
        usize::try_from(value)
            .ok()
            .and_then(|index| self.held.get(index))
            .ok_or_else(|| misuse("it names a value that the host never gave out"))
    }

    fn keep(&mut self, held: Held) -> Result<u32, Fault> {
        let number = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        if self.held.len() >= VALUES {
            return Err(misuse("it had more than 512 values made"));
        }
        self.held.push(held);
        Ok(number)
    }

    /// The fault of a request without an answer, and what it means for the conversation.
    fn unanswered(&mut self, before: Course, error: &TokenTransportError) -> Fault {
        let texts: Vec<&str> = self.held.iter().filter_map(Held::secret_text).collect();
        let why = Redactor::new(&texts)
            .clean_text(error.to_string().into())
            .into_owned();
        let sent = matches!(error, TokenTransportError::OutcomeUnknown(_));
        self.course = match before {
            _ if sent => Course::Unknown,
            // The request before was answered, and may have used up what it presented.
            Course::Answered { .. } | Course::Unknown => Course::Unknown,
            Course::Silent | Course::NotSent(_) => Course::NotSent(why.clone()),
        };
        Fault::new(
            Kind::VendorUnavailable,
            "The vendor's token endpoint gave no answer. Try again later.",
        )
        .reason("token_endpoint")
        .because(why)
    }
}

/// The guest asked for what it may not send; nothing was sent.
fn denied(what: &str) -> Fault {
    Fault::new(
        Kind::EgressDenied,
        format!("The connector's `auth` {what}; nothing was sent. Report it to the connector's author."),
    )
    .reason("auth")
}

/// The guest, or the endpoint through it, broke the contract.
fn misuse(what: &str) -> Fault {
    Fault::new(
        Kind::ConnectorOutputInvalid,
        format!("The connector's `auth` does not keep to its contract: {what}. Report it to the connector's author."),
    )
    .reason("auth")
}
