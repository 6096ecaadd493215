//! The glue between the contract's imports and exports and [`crate::Call`]. Only moves values;
//! everything that decides something is elsewhere and runs natively as well.

use crate::auth::{self, Conversation};
use crate::call::{Call, Host};
use crate::content::Answers;
use crate::page::Page;
use crate::{File, Hooks, Wanted, http};
use authorizer::valetkey::connector::token_endpoint;
use bindings::valetkey::connector;

pub use authorizer::exports::valetkey::connector::auth::{
    Context as AuthContext, Grant as AuthGrant, Guest as AuthGuest,
};

pub use bindings::exports::valetkey::connector::tools::{Context, Guest, Output};
pub use bindings::valetkey::connector::types::Fault;

/// What wit-bindgen makes of the contract.
#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated code")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "connector",
        pub_export_macro: true,
        export_macro_name: "export_connector",
        default_bindings_module: "valetkey_guest::wasm::bindings",
    });
}

/// What wit-bindgen makes of the world of `auth`, with the types of the other one.
#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated code")]
pub mod authorizer {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "authorizer",
        pub_export_macro: true,
        export_macro_name: "export_authorizer",
        default_bindings_module: "valetkey_guest::wasm::authorizer",
        with: {
            "valetkey:connector/types@0.1.2": super::bindings::valetkey::connector::types,
            "valetkey:connector/runtime@0.1.2": super::bindings::valetkey::connector::runtime,
        },
    });
}

struct Imports;

/// Runs one tool for the host.
///
/// # Errors
/// The tool's fault.
pub fn run(context: Context, tool: &str, input: &str, hooks: Hooks) -> Result<Output, Fault> {
    std::panic::set_hook(Box::new(|panic| {
        connector::runtime::log("error", &format!("the connector panicked: {panic}"));
    }));
    let declaration = match context
        .declaration
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
    {
        Ok(declaration) => declaration,
        Err(error) => {
            let message = format!("The host's declaration of `{tool}` does not parse: {error}.");
            return Err(crate::Fault::new("connector_output_invalid", message).into());
        }
    };
    let page = Page {
        token: context.page_token,
        size: context.page_size,
    };
    let mut call = Call::new(&Imports, declaration, page);
    call.execution_id = context.execution_id;
    call.answers = Answers::read(context.ext);
    match crate::run(&call, tool, input, hooks) {
        Ok(output) => Ok(Output {
            data: output.data,
            next_page_token: output.next_page_token,
            ext: Vec::new(),
        }),
        Err(fault) => Err(fault.into()),
    }
}

impl Host for Imports {
    fn send(&self, request: http::Request) -> Result<http::Response, crate::Fault> {
        connector::http::send(&request.into())
            .map(Into::into)
            .map_err(Into::into)
    }

    fn send_all(&self, requests: Vec<http::Request>) -> Vec<Result<http::Response, crate::Fault>> {
        let requests: Vec<_> = requests.into_iter().map(Into::into).collect();
        let answers = connector::http::send_all(&requests);
        answers
            .into_iter()
            .map(|answer| answer.map(Into::into).map_err(Into::into))
            .collect()
    }

    fn describe(&self, file: &str) -> Result<File, crate::Fault> {
        connector::files::describe(file)
            .map(Into::into)
            .map_err(Into::into)
    }

    fn send_file(&self, request: http::Request, file: &str) -> Result<http::Response, crate::Fault> {
        connector::files::send(&request.into(), file)
            .map(Into::into)
            .map_err(Into::into)
    }

    fn receive(
        &self,
        request: http::Request,
        wanted: Wanted,
    ) -> Result<(http::Response, Option<File>), crate::Fault> {
        let wanted = connector::files::Wanted {
            name: wanted.name,
            content_types: wanted.content_types,
            max_bytes: wanted.max_bytes,
            ext: Vec::new(),
        };
        let received = connector::files::receive(&request.into(), &wanted).map_err(crate::Fault::from)?;
        Ok((received.response.into(), received.file.map(Into::into)))
    }

    fn now_ms(&self) -> u64 {
        connector::runtime::now_ms()
    }

    fn remaining_ms(&self) -> u64 {
        connector::runtime::remaining_ms()
    }

    fn random(&self, length: u32) -> Vec<u8> {
        connector::runtime::random(length)
    }

    fn log(&self, level: &str, message: &str) {
        connector::runtime::log(level, message);
    }

    fn credential_kind(&self) -> String {
        connector::runtime::credential_kind()
    }

    fn granted_scopes(&self) -> Vec<String> {
        connector::runtime::granted_scopes()
    }

    fn account_config(&self, name: &str) -> Option<String> {
        connector::runtime::account_config(name)
    }
}

impl From<connector::files::About> for File {
    fn from(about: connector::files::About) -> Self {
        Self {
            id: about.id,
            name: about.name,
            content_type: about.content_type,
            size: about.size,
            sha256: about.sha256,
        }
    }
}

impl From<http::Request> for connector::http::Request {
    fn from(request: http::Request) -> Self {
        Self {
            method: request.method,
            endpoint: request.endpoint,
            path: request.path,
            url: request.url,
            query: request.query,
            headers: request.headers,
            body: request.body,
            ext: Vec::new(),
        }
    }
}

impl From<connector::http::Response> for http::Response {
    fn from(response: connector::http::Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }
    }
}

impl From<Fault> for crate::Fault {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code.into(),
            message: fault.message,
            status: fault.status,
            vendor_code: fault.vendor_code,
            retry_after_ms: fault.retry_after_ms,
            problems: fault.problems,
        }
    }
}

impl From<crate::Fault> for Fault {
    fn from(fault: crate::Fault) -> Self {
        Self {
            code: fault.code.into_owned(),
            message: fault.message,
            status: fault.status,
            vendor_code: fault.vendor_code,
            retry_after_ms: fault.retry_after_ms,
            problems: fault.problems,
            ext: Vec::new(),
        }
    }
}

/// Runs one step of `auth` for the host.
///
/// # Errors
/// The step's fault.
pub fn converse(
    step: impl FnOnce(&Conversation<'_>) -> Result<auth::Tokens, crate::Fault>,
) -> Result<AuthGrant, Fault> {
    std::panic::set_hook(Box::new(|panic| {
        connector::runtime::log("error", &format!("the connector panicked: {panic}"));
    }));
    match step(&Conversation::new(&Imports)) {
        Ok(tokens) => Ok(AuthGrant {
            access: tokens.access.number(),
            refresh: tokens.refresh.map(auth::Held::number),
            lifetime: tokens.lifetime.map(|(value, _)| value.number()),
            lifetime_unit: tokens.lifetime.map_or("", |(_, unit)| unit.as_str()).to_owned(),
            scopes: tokens.scopes.map(auth::Held::number),
            about: tokens.about.map(auth::Held::number),
            ext: Vec::new(),
        }),
        Err(fault) => Err(fault.into()),
    }
}

impl auth::TokenHost for Imports {
    fn given(&self, name: &str) -> Option<u32> {
        token_endpoint::given(name)
    }

    fn join(&self, pieces: &[auth::Piece]) -> Result<u32, crate::Fault> {
        Ok(token_endpoint::join(&lowered(pieces))?)
    }

    fn encode(&self, encoding: &str, text: &[auth::Piece]) -> Result<u32, crate::Fault> {
        Ok(token_endpoint::encode(encoding, &lowered(text))?)
    }

    fn hash(
        &self,
        algorithm: &str,
        encoding: &str,
        key: Option<&[auth::Piece]>,
        message: &[auth::Piece],
    ) -> Result<u32, crate::Fault> {
        let message = lowered(message);
        Ok(match key {
            None => token_endpoint::digest(algorithm, encoding, &message)?,
            Some(key) => token_endpoint::hmac(algorithm, encoding, &lowered(key), &message)?,
        })
    }

    fn send(&self, question: auth::Question) -> Result<(u16, u32), crate::Fault> {
        let answer = token_endpoint::send(&token_endpoint::Request {
            method: question.method.to_owned(),
            path: question.path,
            query: parameters(&question.query),
            headers: parameters(&question.headers),
            form: parameters(&question.form),
            body: question.body.as_deref().map(lowered),
            ext: Vec::new(),
        })?;
        Ok((answer.status, answer.content))
    }

    fn at(&self, value: u32, pointer: &str) -> Result<Option<u32>, crate::Fault> {
        Ok(token_endpoint::at(value, pointer)?)
    }

    fn equals(&self, value: u32, word: &str) -> Result<bool, crate::Fault> {
        Ok(token_endpoint::equals(value, word)?)
    }

    fn account_config(&self, name: &str) -> Option<String> {
        connector::runtime::account_config(name)
    }

    fn now_ms(&self) -> u64 {
        connector::runtime::now_ms()
    }

    fn random(&self, length: u32) -> Vec<u8> {
        connector::runtime::random(length)
    }

    fn log(&self, level: &str, message: &str) {
        connector::runtime::log(level, message);
    }
}

fn lowered(pieces: &[auth::Piece]) -> Vec<token_endpoint::Piece> {
    let piece = |piece: &auth::Piece| match piece {
        auth::Piece::Text(text) => token_endpoint::Piece::Text(text.clone()),
        auth::Piece::Held(value) => token_endpoint::Piece::Held(value.number()),
    };
    pieces.iter().map(piece).collect()
}

fn parameters(parameters: &[auth::Parameter]) -> Vec<token_endpoint::Parameter> {
    let parameter = |(name, pieces): &auth::Parameter| (name.clone(), lowered(pieces));
    parameters.iter().map(parameter).collect()
}
