//! The host's side of `token-endpoint`: numbers and pieces handed over to the conversation, which
//! holds what they stand for. Nothing here sees a secret.

#![allow(
    clippy::result_large_err,
    reason = "the fault's shape is the contract's, and it moves into the guest's memory at once"
)]

use std::sync::Arc;

use crate::egress::dialogue::{Dialogue, Parameter, Piece, Question};
use crate::error::{Fault, Kind};

use super::bindings::authorizer::valetkey::connector::token_endpoint;
use super::bindings::valetkey::connector::types;
use super::http::known;
use super::session::Session;

type Answer<T> = wasmtime::Result<Result<T, types::Fault>>;

impl token_endpoint::Host for Session {
    async fn given(&mut self, name: String) -> wasmtime::Result<Option<u32>> {
        self.count_call()?;
        Ok(self.dialogue.as_ref().and_then(|dialogue| dialogue.given(&name)))
    }

    async fn join(&mut self, pieces: Vec<token_endpoint::Piece>) -> Answer<u32> {
        self.with_dialogue(|dialogue| dialogue.join(&plain(pieces)))
    }

    async fn encode(&mut self, encoding: String, text: Vec<token_endpoint::Piece>) -> Answer<u32> {
        self.with_dialogue(|dialogue| dialogue.encode(&encoding, &plain(text)))
    }

    async fn digest(
        &mut self,
        algorithm: String,
        encoding: String,
        message: Vec<token_endpoint::Piece>,
    ) -> Answer<u32> {
        self.with_dialogue(|dialogue| dialogue.hash(&algorithm, &encoding, None, &plain(message)))
    }

    async fn hmac(
        &mut self,
        algorithm: String,
        encoding: String,
        key: Vec<token_endpoint::Piece>,
        message: Vec<token_endpoint::Piece>,
    ) -> Answer<u32> {
        self.with_dialogue(|dialogue| {
            dialogue.hash(&algorithm, &encoding, Some(&plain(key)), &plain(message))
        })
    }

    async fn send(&mut self, request: token_endpoint::Request) -> Answer<token_endpoint::Answer> {
        self.count_call()?;
        self.count_requests(1)?;
        let question = known(&request.ext).map(|()| Question {
            method: request.method,
            path: request.path,
            query: parameters(request.query),
            headers: parameters(request.headers),
            form: parameters(request.form),
            body: request.body.map(plain),
        });
        let asked = question.and_then(|question| Ok((self.conversation()?, question)));
        // Whether a token was used up is the conversation's to say, not the meter's of tools.
        self.leave_guest(false);
        let answer = match asked {
            Ok((dialogue, question)) => dialogue.send(question).await,
            Err(fault) => Err(fault),
        };
        self.enter_guest();
        let answer = answer.map(|(status, content)| token_endpoint::Answer {
            status,
            content,
            ext: Vec::new(),
        });
        Ok(answer.map_err(|fault| self.keep_fault(fault)))
    }

    async fn at(&mut self, value: u32, pointer: String) -> Answer<Option<u32>> {
        self.with_dialogue(|dialogue| dialogue.at(value, &pointer))
    }

    async fn equals(&mut self, value: u32, word: String) -> Answer<bool> {
        self.with_dialogue(|dialogue| dialogue.equals(value, &word))
    }
}

impl Session {
    fn conversation(&self) -> Result<Arc<Dialogue>, Fault> {
        self.dialogue.clone().ok_or_else(|| {
            Fault::new(
                Kind::EgressDenied,
                "Only the connector's `auth` speaks to the token endpoint, and a tool does not. Nothing was sent.",
            )
            .reason("token_endpoint")
        })
    }

    fn with_dialogue<T>(&mut self, ask: impl FnOnce(&Dialogue) -> Result<T, Fault>) -> Answer<T> {
        self.count_call()?;
        let answer = self.conversation().and_then(|dialogue| ask(&dialogue));
        Ok(answer.map_err(|fault| self.keep_fault(fault)))
    }
}

fn plain(pieces: Vec<token_endpoint::Piece>) -> Vec<Piece> {
    let piece = |piece| match piece {
        token_endpoint::Piece::Text(text) => Piece::Text(text),
        token_endpoint::Piece::Held(value) => Piece::Held(value),
    };
    pieces.into_iter().map(piece).collect()
}

fn parameters(parameters: Vec<(String, Vec<token_endpoint::Piece>)>) -> Vec<Parameter> {
    let parameter = |(name, pieces)| (name, plain(pieces));
    parameters.into_iter().map(parameter).collect()
}
