//! What a manifest says of the vendor: endpoints, authentication, budgets, errors, paginators.

use serde_json::json;

use super::assert_named;

#[test]
fn endpoints_lead_to_the_vendor_and_nowhere_else() {
    let url = "/endpoints/api/url";
    assert_named(vec![
        ("/endpoints", json!({}), "/endpoints", "is empty"),
        (url, json!("http://acme.example"), url, "https"),
        (url, json!("https://user@acme.example"), url, ""),
        (url, json!("https://acme.example/?a=b"), url, "no query"),
        (url, json!("https://acme.example:8443"), url, ""),
        (url, json!("https://10.0.0.1"), url, ""),
        (url, json!("https://{site}.acme.example"), url, "account_config"),
        (
            url,
            json!("https://{config.other}.acme.example"),
            url,
            "not declared",
        ),
        (
            url,
            json!("https://{config.team}.acme.example"),
            url,
            "no `pattern`",
        ),
        (
            "/account_config/site/required",
            json!(false),
            url,
            "required = true",
        ),
        ("/account_config/site/pattern", json!(".+"), url, "elsewhere"),
        (
            "/account_config/site/pattern",
            json!("[a-z0-9.-]*"),
            url,
            "elsewhere",
        ),
        ("/account_config/site/pattern", json!("[^/]+"), url, "elsewhere"),
        (
            "/account_config/site/pattern",
            json!("(a"),
            "/account_config/site/pattern",
            "regular expression",
        ),
        (
            "/account_config/site/example",
            json!("My Shop"),
            "/account_config/site/example",
            "does not match",
        ),
        (
            "/account_config/site/from_token_response",
            json!("id"),
            "/account_config/site/from_token_response",
            "JSON pointer",
        ),
        (
            "/account_config/Big",
            json!({"title": "B", "description": "B"}),
            "/account_config/Big",
            "lower-case",
        ),
        (
            "/endpoints/api/headers/authorization",
            json!("x"),
            "/endpoints/api/headers",
            "belongs to the host",
        ),
        (
            "/endpoints/Api",
            json!({"url": "https://acme.example"}),
            "/endpoints/Api",
            "lower-case",
        ),
        (
            "/verify/endpoint",
            json!("web"),
            "/verify/endpoint",
            "no endpoint",
        ),
        ("/verify/path", json!("me"), "/verify/path", "begin with"),
        ("/verify/subject", json!("id"), "/verify/subject", "JSON pointer"),
        ("/verify/method", json!("PUT"), "/verify/method", "neither"),
        ("/verify/method", json!("GET"), "/verify/body", "goes with"),
        (
            "/verify/headers",
            json!({"authorization": "x"}),
            "/verify/headers",
            "belongs to the host",
        ),
        (
            "/account_config/instance/pattern",
            json!(null),
            "/account_config/instance/take",
            "needs",
        ),
        (
            "/account_config/instance/from_token_response",
            json!(null),
            "/account_config/instance/take",
            "needs",
        ),
    ]);
}

#[test]
fn sites_can_be_asked_for_before_one_is_known() {
    assert_named(vec![
        (
            "/discover/endpoint",
            json!("web"),
            "/discover/endpoint",
            "no endpoint",
        ),
        (
            "/discover/endpoint",
            json!("cloud"),
            "/discover/endpoint",
            "found only with this request",
        ),
        (
            "/endpoints/sites/credential",
            json!(false),
            "/discover/endpoint",
            "no credential",
        ),
        (
            "/auth/4/grant/token_url",
            json!("https://acme.example/{config.cloud}"),
            "/auth/4/grant/token_url",
            "found only with this request",
        ),
        ("/discover/path", json!("sites"), "/discover/path", "begin with"),
        (
            "/discover/items",
            json!("sites"),
            "/discover/items",
            "JSON pointer",
        ),
        (
            "/discover/label",
            json!("name"),
            "/discover/label",
            "JSON pointer",
        ),
        ("/discover/set", json!({}), "/discover/set", "is empty"),
        (
            "/discover/set",
            json!({"cloud": "id"}),
            "/discover/set/cloud",
            "JSON pointer",
        ),
        (
            "/discover/set",
            json!({"cluod": "/id"}),
            "/discover/set/cluod",
            "not declared",
        ),
        (
            "/discover/set",
            json!({"cloud": "/id", "instance": "/url"}),
            "/discover/set/instance",
            "token response",
        ),
        (
            "/discover",
            json!(null),
            "/endpoints/cloud/url",
            "may have no value",
        ),
        ("/auth", json!([]), "/discover", "no way of connecting"),
    ]);
}

#[test]
fn authentication_is_coherent() {
    assert_named(vec![
        ("/auth/0/oauth2", json!(null), "/auth/0/oauth2", "is missing"),
        (
            "/auth/0/kind",
            json!("basic"),
            "/auth/0/oauth2",
            "does not go with",
        ),
        ("/auth/1/id", json!("oauth2"), "/auth/1/id", "twice"),
        ("/auth/1/kind", json!("none"), "/auth/1/inputs", "no secrets"),
        (
            "/auth/1/kind",
            json!("none"),
            "/auth/1/placement",
            "no credential",
        ),
        ("/auth/1/title", json!(""), "/auth/1/title", "1 to 60"),
        (
            "/auth/1/inputs/api_key/pattern",
            json!("["),
            "/auth/1/inputs/api_key/pattern",
            "regular expression",
        ),
        (
            "/auth/1/placement",
            json!({"in": "header", "name": "cookie"}),
            "/auth/1/placement/name",
            "cannot carry",
        ),
        (
            "/auth/1/placement/format",
            json!("Bearer"),
            "/auth/1/placement/format",
            "{secret}",
        ),
        (
            "/auth/1/placement",
            json!({"in": "query", "name": ""}),
            "/auth/1/placement/name",
            "is empty",
        ),
        (
            "/auth/0/placement",
            json!({"in": "basic"}),
            "/auth/0/placement",
            "goes with",
        ),
        (
            "/auth/0/oauth2/token_url",
            json!("http://acme.example/token"),
            "/auth/0/oauth2/token_url",
            "https",
        ),
        (
            "/auth/0/oauth2/iss_required",
            json!(true),
            "/auth/0/oauth2/iss_required",
            "issuer",
        ),
        (
            "/auth/0/oauth2/scopes",
            json!(["things.read things.write"]),
            "/auth/0/oauth2/scopes/0",
            "one by one",
        ),
        (
            "/auth/0/oauth2/scope_separator",
            json!(""),
            "/auth/0/oauth2/scope_separator",
            "is empty",
        ),
        (
            "/auth/0/oauth2/authorize_params",
            json!({"state": "x"}),
            "/auth/0/oauth2/authorize_params/state",
            "by the host",
        ),
        (
            "/auth/0/oauth2/default_lifetime_seconds",
            json!(0),
            "/auth/0/oauth2/default_lifetime_seconds",
            "is 0",
        ),
        (
            "/auth/0/oauth2/scope_param",
            json!("state"),
            "/auth/0/oauth2/scope_param",
            "cannot name",
        ),
        (
            "/auth/0/oauth2/authorize_params",
            json!({"user_scope": "x"}),
            "/auth/0/oauth2/authorize_params/user_scope",
            "by the host",
        ),
        (
            "/auth/0/oauth2/token_response",
            json!({"scope": "scope"}),
            "/auth/0/oauth2/token_response/scope",
            "JSON pointer",
        ),
        (
            "/auth/0/oauth2/token_response",
            json!({"refresh_token": ""}),
            "/auth/0/oauth2/token_response/refresh_token",
            "is empty",
        ),
    ]);
}

#[test]
fn budgets_errors_and_paginators_make_sense() {
    assert_named(vec![
        (
            "/budgets/0/requests",
            json!(0),
            "/budgets/0/requests",
            "nothing through",
        ),
        (
            "/budgets/0/per_seconds",
            json!(0.0),
            "/budgets/0/per_seconds",
            "more than 0",
        ),
        (
            "/throttles/0/status",
            json!(99),
            "/throttles/0/status",
            "HTTP status",
        ),
        ("/throttles/0/values", json!([]), "/throttles/0", "go together"),
        (
            "/throttles/0/pointer",
            json!("reason"),
            "/throttles/0/pointer",
            "JSON pointer",
        ),
        ("/refusals/0/status", json!(401), "/refusals/0/status", "anyway"),
        ("/refusals/0/values", json!([]), "/refusals/0", "go together"),
        ("/refusals/0/pointer", json!(""), "/refusals/0", "go together"),
        (
            "/refusals/0/pointer",
            json!("error"),
            "/refusals/0/pointer",
            "JSON pointer",
        ),
        ("/errors/code", json!(["code"]), "/errors/code/0", "JSON pointer"),
        (
            "/errors/message",
            json!(["/a~2"]),
            "/errors/message/0",
            "JSON pointer",
        ),
        (
            "/errors/map/0/kind",
            json!("gone"),
            "/errors/map/0/kind",
            "not an error kind",
        ),
        (
            "/errors/map/0/kind",
            json!("internal"),
            "/errors/map/0/kind",
            "not an error kind",
        ),
        ("/errors/map/0/code", json!(null), "/errors/map/0", "every error"),
        ("/errors/map/0/hint", json!("x"), "/errors/map/0/hint", "10 to"),
        (
            "/paginators/after/next",
            json!(""),
            "/paginators/after/next",
            "is empty",
        ),
        (
            "/paginators/after/next",
            json!("next"),
            "/paginators/after/next",
            "JSON pointer",
        ),
        (
            "/paginators/after/more",
            json!("hasNextPage"),
            "/paginators/after/more",
            "JSON pointer",
        ),
        (
            "/paginators/after",
            json!({"kind": "offset", "total": ""}),
            "/paginators/after/total",
            "is empty",
        ),
        (
            "/paginators/after",
            json!({"kind": "page", "first": 1, "pages": "/pages", "link": true}),
            "/paginators/after/link",
            "one of them",
        ),
        (
            "/tools/0/paging/paginator",
            json!("none"),
            "/tools/0/paging/paginator",
            "no paginator",
        ),
        (
            "/tools/0/paging/paginator",
            json!(null),
            "/tools/0/paging/paginator",
            "is missing",
        ),
        (
            "/tools/0/paging/items",
            json!("things"),
            "/tools/0/paging/items",
            "JSON pointer",
        ),
        (
            "/tools/0/paging/max_page_size",
            json!(0),
            "/tools/0/paging/max_page_size",
            "is 0",
        ),
        (
            "/tools/0/paging/default_limit",
            json!(5000),
            "/tools/0/paging/default_limit",
            "1 to 1000",
        ),
        (
            "/tools/0/request/query/after",
            json!(null),
            "/tools/0/request",
            "page.token",
        ),
        (
            "/tools/0/paging",
            json!(null),
            "/tools/0/request/query/after",
            "needs `paging`",
        ),
    ]);
}
