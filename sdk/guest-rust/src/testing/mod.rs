//! For native tests of a connector: a vendor of canned answers, and whether its functions take what
//! their tools' schemas allow.

#[cfg(not(target_family = "wasm"))]
mod inputs;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::call::Host;
use crate::fault::Fault;
use crate::files::{File, Wanted};
use crate::http::{Request, Response};

#[cfg(not(target_family = "wasm"))]
pub use inputs::{Coded, assert_inputs_agree, coded};

/// Answers requests by a function and keeps them for the test to look at.
pub struct Vendor<F> {
    answer: F,
    /// What was sent, in order.
    pub sent: RefCell<Vec<Request>>,
    /// What was logged, in order.
    pub logged: RefCell<Vec<String>>,
    /// Files of the user, by id, with their bytes; what is received is added.
    pub files: RefCell<BTreeMap<String, (File, Vec<u8>)>>,
    /// The account's configuration.
    pub config: BTreeMap<String, String>,
    /// What `now_ms` answers.
    pub now_ms: u64,
}

impl<F: Fn(&Request) -> Response> Vendor<F> {
    /// A vendor that answers by `answer`.
    pub fn new(answer: F) -> Self {
        Self {
            answer,
            sent: RefCell::default(),
            logged: RefCell::default(),
            files: RefCell::default(),
            config: BTreeMap::new(),
            now_ms: 1_800_000_000_000,
        }
    }
}

/// A JSON answer.
#[must_use]
pub fn json(status: u16, body: &serde_json::Value) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

impl<F: Fn(&Request) -> Response> Host for Vendor<F> {
    fn send(&self, request: Request) -> Result<Response, Fault> {
        let response = (self.answer)(&request);
        self.sent.borrow_mut().push(request);
        Ok(response)
    }

    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, Fault>> {
        requests.into_iter().map(|request| self.send(request)).collect()
    }

    fn describe(&self, file: &str) -> Result<File, Fault> {
        let files = self.files.borrow();
        let found = files.get(file).map(|(file, _)| file.clone());
        found.ok_or_else(|| Fault::new("not_found", "There is no such file."))
    }

    /// The vendor sees the file's bytes as the body.
    fn send_file(&self, mut request: Request, file: &str) -> Result<Response, Fault> {
        self.describe(file)?;
        request.body = self.files.borrow().get(file).map(|(_, bytes)| bytes.clone());
        self.send(request)
    }

    /// Keeps the body without a digest.
    fn receive(&self, request: Request, wanted: Wanted) -> Result<(Response, Option<File>), Fault> {
        let mut response = self.send(request)?;
        if !response.is_success() {
            return Ok((response, None));
        }
        let bytes = std::mem::take(&mut response.body);
        let mut files = self.files.borrow_mut();
        let file = File {
            id: format!("file_{}", files.len() + 1),
            name: wanted.name.unwrap_or_else(|| "file".to_owned()),
            content_type: response.header("content-type").unwrap_or_default().to_owned(),
            size: bytes.len() as u64,
            sha256: String::new(),
        };
        files.insert(file.id.clone(), (file.clone(), bytes));
        Ok((response, Some(file)))
    }

    fn now_ms(&self) -> u64 {
        self.now_ms
    }

    fn remaining_ms(&self) -> u64 {
        30_000
    }

    fn random(&self, length: u32) -> Vec<u8> {
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    fn log(&self, level: &str, message: &str) {
        self.logged.borrow_mut().push(format!("{level}: {message}"));
    }

    fn credential_kind(&self) -> String {
        "oauth2".to_owned()
    }

    fn granted_scopes(&self) -> Vec<String> {
        Vec::new()
    }

    fn account_config(&self, name: &str) -> Option<String> {
        self.config.get(name).cloned()
    }
}
