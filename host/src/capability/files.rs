//! The host's side of `files`: a guest names a file by its id, and egress carries the bytes.

#![allow(
    clippy::result_large_err,
    reason = "the fault's shape is the contract's, and it moves into the guest's memory at once"
)]

use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{Instrument as _, Span};

use crate::egress::{GuestRequest, GuestResponse, Keep};
use crate::error::{Fault, Kind};
use crate::files::{Facts, Lent, Shelf};

use super::bindings::valetkey::connector::{files, http, types};
use super::http::{is_write, known, plain, shown};
use super::session::Session;

impl files::Host for Session {
    async fn describe(&mut self, file: String) -> wasmtime::Result<Result<files::About, types::Fault>> {
        self.count_call()?;
        let lent = self.lend(&file);
        Ok(lent
            .map(|lent| about(&lent.facts))
            .map_err(|fault| self.keep_fault(fault)))
    }

    async fn send(
        &mut self,
        request: http::Request,
        file: String,
    ) -> wasmtime::Result<Result<http::Response, types::Fault>> {
        let request = plain(request).and_then(|request| self.with_file(request, &file));
        let answer = self.exchange(request).await?;
        Ok(answer.map(shown).map_err(|fault| self.keep_fault(fault)))
    }

    async fn receive(
        &mut self,
        request: http::Request,
        wanted: files::Wanted,
    ) -> wasmtime::Result<Result<files::Received, types::Fault>> {
        let request = plain(request).and_then(|request| self.kept(request, wanted));
        let answer = self.exchange(request).await?;
        Ok(answer.map(received).map_err(|fault| self.keep_fault(fault)))
    }
}

impl Session {
    fn shelf(&self) -> Result<&Shelf, Fault> {
        self.grant
            .files
            .as_ref()
            .ok_or_else(|| Fault::new(Kind::EgressDenied, "This call has no files.").reason("no_files"))
    }

    fn lend(&self, file: &str) -> Result<Lent, Fault> {
        self.shelf()?.lend(file)
    }

    fn with_file(&self, mut request: GuestRequest, file: &str) -> Result<GuestRequest, Fault> {
        let lent = self.lend(file)?;
        let names_type = request
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !names_type {
            let content_type = lent.facts.content_type.clone();
            request.headers.push(("content-type".to_owned(), content_type));
        }
        request.upload = Some(lent);
        Ok(request)
    }

    fn kept(&self, mut request: GuestRequest, wanted: files::Wanted) -> Result<GuestRequest, Fault> {
        known(&wanted.ext)?;
        request.keep = Some(Keep {
            shelf: self.shelf()?.clone(),
            name: wanted.name,
            content_types: wanted.content_types,
            max_bytes: wanted.max_bytes,
        });
        Ok(request)
    }

    /// Sends one request, counted as every other.
    async fn exchange(
        &mut self,
        request: Result<GuestRequest, Fault>,
    ) -> wasmtime::Result<Result<GuestResponse, Fault>> {
        self.count_call()?;
        self.count_requests(1)?;
        let request = match request {
            Ok(request) => request,
            Err(fault) => return Ok(Err(fault)),
        };
        self.leave_guest(is_write(&request.method));
        let place = self.grant.tape.as_ref().map(|tape| tape.begin(&request));
        let (egress, reach) = (Arc::clone(&self.egress), self.grant.reach.clone());
        // A task of its own, which ends with the call: what the host works on a file's bytes is not
        // the guest's computing time.
        let mut work = JoinSet::new();
        work.spawn(async move { egress.send(&reach, request).await }.instrument(Span::current()));
        let answer = match work.join_next().await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => Err(Fault::internal(error)),
            None => Err(Fault::internal("a transfer was never begun")),
        };
        if let (Some(tape), Some(place)) = (&self.grant.tape, place) {
            tape.end(place, &answer);
        }
        self.enter_guest();
        Ok(answer)
    }
}

fn received(mut response: GuestResponse) -> files::Received {
    let file = response.file.take();
    files::Received {
        file: file.map(|facts| about(&facts)),
        response: shown(response),
    }
}

fn about(facts: &Facts) -> files::About {
    files::About {
        id: facts.id.to_string(),
        name: facts.name.clone(),
        content_type: facts.content_type.clone(),
        size: facts.size,
        sha256: facts.sha256.clone(),
        ext: Vec::new(),
    }
}
