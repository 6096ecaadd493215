//! What the guests share: the bindings of the contract, and a macro that makes a function the
//! component's `call`.

#![allow(missing_docs, reason = "generated from wit/, where the documentation is")]
#![allow(unsafe_code, reason = "generated: the canonical ABI passes pointers")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "connector",
    pub_export_macro: true,
    export_macro_name: "export_connector",
    default_bindings_module: "valetkey_test_guests",
});

pub use exports::valetkey::connector::tools::{Context, Guest, Output};
pub use valetkey::connector::files::{self, Wanted};
pub use valetkey::connector::http::{self, Request, Response};
pub use valetkey::connector::runtime;
pub use valetkey::connector::types::Fault;

/// An answer without a next page.
#[must_use]
pub fn output(data: String) -> Output {
    Output {
        data,
        next_page_token: None,
        ext: Vec::new(),
    }
}

/// A fault with a code and a message.
#[must_use]
pub fn fault(code: &str, message: &str) -> Fault {
    Fault {
        code: code.to_owned(),
        message: message.to_owned(),
        status: None,
        vendor_code: None,
        retry_after_ms: None,
        problems: Vec::new(),
        ext: Vec::new(),
    }
}

/// A request without query, headers and body.
#[must_use]
pub fn request(method: &str, path: &str) -> Request {
    Request {
        method: method.to_owned(),
        endpoint: "api".to_owned(),
        path: path.to_owned(),
        url: None,
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        ext: Vec::new(),
    }
}

/// Makes `fn(Context, tool: String, input: String) -> Result<Output, Fault>` the component's
/// `call`.
#[macro_export]
macro_rules! connector {
    ($call:path) => {
        struct Component;

        impl $crate::Guest for Component {
            fn call(
                context: $crate::Context,
                tool: String,
                input: String,
            ) -> Result<$crate::Output, $crate::Fault> {
                $call(context, tool, input)
            }
        }

        $crate::export_connector!(Component with_types_in $crate);
    };
}
