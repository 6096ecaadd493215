//! Write a Valetkey connector in Rust.
//!
//! A connector is a `connector.toml` and this crate. Tools that the manifest declares with a
//! `request` need no code: [`engine`] runs them. A tool that is odd is one function, registered
//! by its name:
//!
//! ```
//! use serde::Deserialize;
//! use valetkey_guest::{Call, Fault, Output, segment};
//!
//! #[derive(Deserialize)]
//! struct Rename {
//!     thing_id: String,
//!     name: String,
//! }
//!
//! fn rename(call: &Call, input: Rename) -> Result<Output, Fault> {
//!     let path = format!("/things/{}", segment("thing_id", &input.thing_id)?);
//!     let thing: serde_json::Value =
//!         call.patch("api", path).json(&serde_json::json!({ "name": input.name })).send()?.json()?;
//!     Output::json(&thing)
//! }
//!
//! valetkey_guest::connector! {
//!     "acme_thing_rename" => rename,
//! }
//! # fn main() {}
//! ```
//!
//! The schemas of inputs stand in `connector.toml`; one test holds the functions to them:
//!
//! ```text
//! #[test]
//! fn functions_take_what_their_schemas_allow() {
//!     valetkey_guest::testing::assert_inputs_agree(env!("CARGO_MANIFEST_DIR"), &coded());
//! }
//! ```
//!
//! Built with `valetkey connector build`, the crate becomes a component. Everything here but the
//! glue to the host also builds natively, so that a connector's logic is tested by ordinary
//! `cargo test` with a [`testing::Vendor`] in place of the network.
//!
//! There is no way to a token, an environment variable, a file or a socket: the host adds the
//! credential to each request.

mod body;
mod call;
pub mod content;
pub mod engine;
mod fault;
mod files;
mod http;
#[cfg(target_family = "wasm")]
mod memory;
mod page;
pub mod testing;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod wasm;

pub use body::Multipart;
pub use call::{Call, Host, RequestBuilder};
pub use fault::Fault;
pub use files::{File, Wanted};
pub use http::{Request, Response, segment};
pub use page::Page;
use serde::Serialize;
use serde::de::DeserializeOwned;
pub use valetkey_manifest::tool::Declaration;

/// What a tool answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The result as JSON.
    pub data: String,
    /// The vendor's token of the next page, none on the last and for tools without pages.
    pub next_page_token: Option<String>,
}

impl Output {
    /// A result without further pages.
    ///
    /// # Errors
    /// The value is not JSON (a map with keys that are no strings).
    pub fn json(value: &impl Serialize) -> Result<Self, Fault> {
        Self::page(value, None)
    }

    /// One page of a result, and the vendor's token of the next.
    ///
    /// # Errors
    /// The value is not JSON.
    pub fn page(value: &impl Serialize, next_page_token: Option<String>) -> Result<Self, Fault> {
        let data = serde_json::to_string(value).map_err(|error| {
            Fault::new(
                "connector_output_invalid",
                format!("The result is not JSON: {error}."),
            )
        })?;
        Ok(Self {
            data,
            next_page_token,
        })
    }
}

/// Runs one tool: its function when there is one, its declaration otherwise. What
/// [`connector!`] exports to the host, and what a native test calls. Of either's result it leaves
/// out what `response.concise` names, unless the input says `response_format: "detailed"`.
///
/// # Errors
/// The tool's own fault.
pub fn run(call: &Call, tool: &str, input: &str, hooks: Hooks) -> Result<Output, Fault> {
    let output = hooks(call, tool, input).unwrap_or_else(|| call.declared(&parse(input)?))?;
    call.shortened(output, input)
}

/// Finds and runs a tool's function; none for a declared tool. [`connector!`] writes it.
pub type Hooks = fn(call: &Call, tool: &str, input: &str) -> Option<Result<Output, Fault>>;

/// Runs one function with its input parsed.
#[doc(hidden)]
pub fn hook<T: DeserializeOwned>(
    call: &Call,
    input: &str,
    function: impl FnOnce(&Call, T) -> Result<Output, Fault>,
) -> Result<Output, Fault> {
    function(call, parse(input)?)
}

pub(crate) fn parse<T: DeserializeOwned>(input: &str) -> Result<T, Fault> {
    serde_json::from_str(input).map_err(|error| {
        Fault::new(
            "invalid_input",
            format!("The parameters do not fit this tool: {error}."),
        )
    })
}

/// Makes this crate a connector. Names the functions of the tools that are code; a connector that
/// only declares writes `valetkey_guest::connector!();`.
///
/// Also defines `hooks`, by which native tests reach the functions through [`run`], and natively
/// `coded`, for [`testing::assert_inputs_agree`].
#[macro_export]
macro_rules! connector {
    ($($tool:literal => $function:expr),* $(,)?) => {
        /// Finds and runs the function of a tool; none for a declared one.
        pub fn hooks(
            call: &$crate::Call,
            tool: &str,
            input: &str,
        ) -> ::core::option::Option<::core::result::Result<$crate::Output, $crate::Fault>> {
            let _ = (call, input);
            match tool {
                $($tool => ::core::option::Option::Some($crate::hook(call, input, $function)),)*
                _ => ::core::option::Option::None,
            }
        }

        /// The tools that are code.
        #[cfg(not(target_family = "wasm"))]
        #[must_use]
        pub fn coded() -> ::std::vec::Vec<$crate::testing::Coded> {
            ::std::vec![$($crate::testing::coded($tool, $function)),*]
        }

        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;
            impl $crate::wasm::Guest for Exported {
                fn call(
                    context: $crate::wasm::Context,
                    tool: ::std::string::String,
                    input: ::std::string::String,
                ) -> ::core::result::Result<$crate::wasm::Output, $crate::wasm::Fault> {
                    $crate::wasm::run(context, &tool, &input, hooks)
                }
            }
            $crate::wasm::bindings::export_connector!(Exported with_types_in $crate::wasm::bindings);
        };
    };
}
