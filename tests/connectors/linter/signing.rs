//! What a manifest says of credentials that are computed, and of those that are exchanged.

use serde_json::json;

use super::assert_named;

#[test]
fn a_placement_that_computes_goes_with_inputs_of_ones_own() {
    assert_named(vec![
        (
            "/auth/2/inputs",
            json!({}),
            "/auth/2/inputs",
            "declares no secret",
        ),
        (
            "/auth/2/placement",
            json!(null),
            "/auth/2/placement",
            "is missing",
        ),
        (
            "/auth/2/placement",
            json!({"in": "basic"}),
            "/auth/2/placement",
            "takes one secret",
        ),
        (
            "/auth/1/placement",
            json!({"in": "sigv4", "service": "s3", "region": "us-east-1"}),
            "/auth/1/placement",
            "kind `keys`",
        ),
        (
            "/auth/1/inputs/other",
            json!({"title": "Other"}),
            "/auth/1/inputs/other",
            "never asked for",
        ),
    ]);
}

#[test]
fn what_is_signed_and_where_it_goes_is_known() {
    let at = "/auth/2/placement";
    assert_named(vec![
        (
            "/auth/2/placement/key",
            json!("other"),
            "/auth/2/placement/key",
            "no input",
        ),
        (
            "/auth/2/placement/key",
            json!("id"),
            "/auth/2/placement/key",
            "secret",
        ),
        (
            "/auth/2/placement/signed",
            json!(""),
            "/auth/2/placement/signed",
            "is empty",
        ),
        (
            "/auth/2/placement/signed",
            json!("{timestmp}"),
            "/auth/2/placement/signed",
            "`{timestmp}` is not known here; known are inputs.id",
        ),
        (
            "/auth/2/placement/signed",
            json!("{inputs.other}"),
            "/auth/2/placement/signed",
            "not known",
        ),
        (
            "/auth/2/placement/signed",
            json!("{config.other}"),
            "/auth/2/placement/signed",
            "not known",
        ),
        (
            "/auth/2/placement/headers/x-id",
            json!("{body}"),
            "/auth/2/placement/headers/x-id",
            "not known",
        ),
        (
            "/auth/2/placement/headers/x-sign",
            json!("none"),
            at,
            "{signature}",
        ),
        (
            "/auth/2/placement/headers/x-id",
            json!("{signature}"),
            at,
            "twice",
        ),
        (
            "/auth/2/placement/headers/cookie",
            json!("x"),
            "/auth/2/placement/headers/cookie",
            "cannot carry",
        ),
        (
            "/auth/3/inputs/access_key_id",
            json!(null),
            "/auth/3/placement",
            "access_key_id",
        ),
        (
            "/auth/3/placement/service",
            json!("S 3"),
            "/auth/3/placement/service",
            "not a service",
        ),
        (
            "/auth/3/placement/region",
            json!("{config.other}"),
            "/auth/3/placement/region",
            "not known",
        ),
        (
            "/auth/3/placement/region",
            json!(""),
            "/auth/3/placement/region",
            "neither",
        ),
        (
            "/auth/6/placement/token/lifetime_seconds",
            json!(0),
            "/auth/6/placement/token/lifetime_seconds",
            "1 to",
        ),
        (
            "/auth/6/placement/token/claims/exp",
            json!(1),
            "/auth/6/placement/token/claims/exp",
            "by the host",
        ),
        (
            "/auth/6/placement/token/claims/aud",
            json!(["{scopes}"]),
            "/auth/6/placement/token/claims/aud",
            "not known",
        ),
        (
            "/auth/6/placement/format",
            json!("Ghost"),
            "/auth/6/placement/format",
            "{secret}",
        ),
        (
            "/auth/7/placement",
            json!({"in": "fields"}),
            "/auth/7/placement",
            "adds nothing",
        ),
        (
            "/auth/7/placement/query/app",
            json!("{timestamp}"),
            "/auth/7/placement/query/app",
            "not known",
        ),
    ]);
}

#[test]
fn kinds_that_are_exchanged_say_where_and_with_what() {
    assert_named(vec![
        ("/auth/4/grant", json!(null), "/auth/4/grant", "is missing"),
        (
            "/auth/1/grant",
            json!({"token_url": "https://acme.example/t"}),
            "/auth/1/grant",
            "does not go with",
        ),
        (
            "/auth/4/grant/token_url",
            json!("http://acme.example/token"),
            "/auth/4/grant/token_url",
            "https",
        ),
        (
            "/auth/4/grant/token_url",
            json!("https://{config.other}.example/token"),
            "/auth/4/grant/token_url",
            "not declared",
        ),
        (
            "/auth/4/grant/assertion",
            json!(null),
            "/auth/4/grant/assertion",
            "is missing",
        ),
        (
            "/auth/4/grant/assertion/key",
            json!("email"),
            "/auth/4/grant/assertion/key",
            "secret",
        ),
        (
            "/auth/4/grant/assertion/claims/sub",
            json!("{path}"),
            "/auth/4/grant/assertion/claims/sub",
            "known are",
        ),
        (
            "/auth/4/grant/params/scope",
            json!("x"),
            "/auth/4/grant/params/scope",
            "by the host",
        ),
        (
            "/auth/5/inputs/client_id",
            json!(null),
            "/auth/5/grant",
            "client_id",
        ),
    ]);
}
