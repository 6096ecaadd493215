//! The contract of `wit/` as Rust: generated, nothing else.

#![allow(missing_docs, reason = "generated; the documentation is in wit/")]
#![allow(clippy::allow_attributes_without_reason, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "connector",
    imports: {
        "valetkey:connector/runtime": trappable,
        default: async | trappable,
    },
    exports: { default: async },
});

/// The world of `auth`, with the interfaces that it shares with [`Connector`] as they are there.
pub mod authorizer {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "authorizer",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "valetkey:connector/types": super::valetkey::connector::types,
            "valetkey:connector/runtime": super::valetkey::connector::runtime,
        },
    });
}
