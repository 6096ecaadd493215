//! The connector without code: every tool runs by its declaration. `host/build.rs` compiles it once,
//! and `valetkey connector pack` puts a manifest into it, so that a connector which is all data needs
//! no compiler.

valetkey_guest::connector! {}
