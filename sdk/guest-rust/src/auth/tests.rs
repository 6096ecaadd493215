//! What a conversation asks of the host.

use std::cell::RefCell;

use super::*;
use crate::pieces;

/// Numbers everything from 1, and answers that something is at every place.
#[derive(Default)]
struct Recorder(RefCell<Vec<String>>);

impl Recorder {
    fn note(&self, what: String) -> u32 {
        self.0.borrow_mut().push(what);
        u32::try_from(self.0.borrow().len()).expect("few")
    }
}

fn shown(pieces: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Held(value) => format!("#{}", value.number()),
    };
    pieces.iter().map(piece).collect()
}

impl TokenHost for Recorder {
    fn given(&self, name: &str) -> Option<u32> {
        (name != "client_secret").then(|| self.note(format!("given {name}")))
    }

    fn join(&self, pieces: &[Piece]) -> Result<u32, Fault> {
        Ok(self.note(format!("join {}", shown(pieces))))
    }

    fn encode(&self, encoding: &str, text: &[Piece]) -> Result<u32, Fault> {
        Ok(self.note(format!("{encoding} {}", shown(text))))
    }

    fn hash(
        &self,
        algorithm: &str,
        encoding: &str,
        key: Option<&[Piece]>,
        message: &[Piece],
    ) -> Result<u32, Fault> {
        let key = key.map(shown);
        Ok(self.note(format!("{algorithm} {encoding} {key:?} {}", shown(message))))
    }

    fn send(&self, question: Question) -> Result<(u16, u32), Fault> {
        let body = question.body.as_deref().map(shown);
        let headers: Vec<_> = question
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", shown(value)))
            .collect();
        Ok((
            200,
            self.note(format!("{} {headers:?} {body:?}", question.method)),
        ))
    }

    fn at(&self, value: u32, pointer: &str) -> Result<Option<u32>, Fault> {
        Ok(Some(self.note(format!("#{value}{pointer}"))))
    }

    fn equals(&self, _value: u32, word: &str) -> Result<bool, Fault> {
        Ok(word == "yes")
    }

    fn account_config(&self, _name: &str) -> Option<String> {
        None
    }

    fn now_ms(&self) -> u64 {
        0
    }

    fn random(&self, length: u32) -> Vec<u8> {
        vec![0; length as usize]
    }

    fn log(&self, _level: &str, _message: &str) {}
}

#[test]
fn members_of_json_are_encoded_by_the_host() {
    let host = Recorder::default();
    let talk = Conversation::new(&host);
    let code = talk.given("code").expect("a code");
    let answer = talk
        .post()
        .json("code", code)
        .json("a\"b", pieces!["x", code])
        .send()
        .expect("an answer");
    assert!(answer.is_success());
    assert!(answer.is("/ok", "yes").expect("a word") && !answer.is("/ok", "no").expect("a word"));
    let noted = host.0.borrow();
    assert_eq!(noted[1..3], ["json #1", "json x#1"]);
    assert_eq!(
        noted[3],
        r##"POST ["content-type: application/json"] Some("{\"code\":\"#2\",\"a\\\"b\":\"#3\"}")"##
    );
}

#[test]
fn what_is_not_there_says_its_name() {
    let host = Recorder::default();
    let talk = Conversation::new(&host);
    let fault = talk.given("client_secret").expect_err("a public client");
    assert!(fault.message.contains("client_secret"), "{fault}");
    assert_eq!(
        talk.refused("invalid_grant", "Gone.").vendor_code.as_deref(),
        Some("invalid_grant")
    );
}
