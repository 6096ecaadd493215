//! What a manifest says of a token endpoint that only code can speak to.

use serde_json::{Value, json};

use super::{assert_named, complaints, good};

#[test]
fn code_asks_at_whole_paths_of_the_token_endpoints_origin() {
    let at = "/auth/0/oauth2/coded";
    let paths = [
        "nonce",
        "//evil.example/nonce",
        "https://evil.example/nonce",
        "@evil.example/",
        "/nonce?a=b",
        "/nonce#a",
        "/a/../b",
        "/{config.site}/nonce",
        "",
    ];
    let bad = |path| {
        (
            at,
            json!({ "paths": ["/v2/nonce", path] }),
            "/auth/0/oauth2/coded/paths/1",
            "is no path",
        )
    };
    assert_named(paths.map(bad).to_vec());
    let mut manifest: Value = good();
    manifest["auth"][0]["oauth2"]["coded"] = json!({ "paths": ["/v2/nonce"] });
    assert_eq!(complaints(&manifest), []);
}

#[test]
fn a_request_is_declared_or_coded() {
    assert_named(vec![(
        "/auth/4/grant/coded",
        json!({}),
        "/auth/4/grant/coded",
        "take `assertion` and `params` out",
    )]);
    let mut manifest: Value = good();
    // Of the owner's inputs the code takes what it likes.
    manifest["auth"][5]["inputs"] = json!({ "password": { "title": "Password" } });
    manifest["auth"][5]["grant"]["coded"] = json!({});
    assert_eq!(complaints(&manifest), []);
}
