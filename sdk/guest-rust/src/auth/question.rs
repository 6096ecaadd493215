//! Requests to a token endpoint as they are written, and their answers.

use super::Conversation;
use super::pieces::{Held, Parameter, Piece, Text};
use super::words::Encoding;
use crate::Fault;

/// A request to the token endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// `GET` or `POST`.
    pub method: &'static str,
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

/// A request that is being written.
pub struct QuestionBuilder<'t, 'h> {
    talk: &'t Conversation<'h>,
    question: Question,
    json: Vec<(String, Text)>,
}

impl<'t, 'h> QuestionBuilder<'t, 'h> {
    pub(super) fn new(talk: &'t Conversation<'h>, method: &'static str) -> Self {
        Self {
            talk,
            question: Question {
                method,
                ..Question::default()
            },
            json: Vec::new(),
        }
    }

    /// Another path at the endpoint's origin, one of `coded.paths` of the manifest.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.question.path = Some(path.to_owned());
        self
    }

    /// A query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.question.query.push((name.to_owned(), value.into().pieces()));
        self
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.question
            .headers
            .push((name.to_owned(), value.into().pieces()));
        self
    }

    /// A field of a form.
    #[must_use]
    pub fn form(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.question.form.push((name.to_owned(), value.into().pieces()));
        self
    }

    /// A member of a JSON object, a text.
    #[must_use]
    pub fn json(mut self, name: &str, value: impl Into<Text>) -> Self {
        self.json.push((name.to_owned(), value.into()));
        self
    }

    /// A body of another sort. What is put between the connector's own words is not encoded: see
    /// [`Conversation::encode`].
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Text>) -> Self {
        self.question.body = Some(body.into().pieces());
        self.header("content-type", content_type)
    }

    /// Sends it.
    ///
    /// # Errors
    /// It may not go there, or there is no answer.
    pub fn send(mut self) -> Result<Answer<'t, 'h>, Fault> {
        if !self.json.is_empty() {
            let mut body = Vec::with_capacity(self.json.len() * 2 + 1);
            let mut before = "{";
            for (name, value) in std::mem::take(&mut self.json) {
                body.push(Piece::Text(format!(
                    "{before}{}:\"",
                    serde_json::Value::from(name)
                )));
                body.push(Piece::Held(self.talk.encode(Encoding::Json, value)?));
                before = "\",";
            }
            body.push(Piece::from("\"}"));
            self = self.body("application/json", body);
        }
        let (status, content) = self.talk.host.send(self.question)?;
        Ok(Answer {
            talk: self.talk,
            status,
            content: Held::of(content),
        })
    }
}

/// An answer, of which the connector knows the status and where things are.
pub struct Answer<'t, 'h> {
    talk: &'t Conversation<'h>,
    /// The endpoint's status.
    pub status: u16,
    /// The whole body.
    pub content: Held,
}

impl Answer<'_, '_> {
    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The part at a JSON pointer; none when nothing is there.
    ///
    /// # Errors
    /// The host refuses.
    pub fn find(&self, pointer: &str) -> Result<Option<Held>, Fault> {
        Ok(self.talk.host.at(self.content.number(), pointer)?.map(Held::of))
    }

    /// The part at a JSON pointer.
    ///
    /// # Errors
    /// Nothing is there: the endpoint did not grant what was asked for.
    pub fn at(&self, pointer: &str) -> Result<Held, Fault> {
        self.find(pointer)?.ok_or_else(|| Fault {
            status: Some(self.status),
            ..Fault::new(
                "vendor_rejected",
                format!("The token endpoint's answer has nothing at `{pointer}`."),
            )
        })
    }

    /// Whether the part at a JSON pointer is this whole word of at most 64 bytes.
    ///
    /// # Errors
    /// The part has members.
    pub fn is(&self, pointer: &str, word: &str) -> Result<bool, Fault> {
        match self.find(pointer)? {
            Some(part) => self.talk.host.equals(part.number(), word),
            None => Ok(false),
        }
    }
}
