//! How accounts connect: kinds, inputs, OAuth's endpoints, where the credential goes.

use std::collections::{BTreeMap, BTreeSet};

use valetkey_manifest::auth::{OAuth2, Placement};
use valetkey_manifest::{Auth, AuthKind, Manifest};

use super::{Complaints, is_word, signing, step};
use crate::egress;

/// Parameters of an authorization request that belong to the host.
const AUTHORIZE_PARAMS: [&str; 8] = [
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

pub(super) fn check(manifest: &Manifest, complaints: &mut Complaints) {
    let mut ids = BTreeSet::new();
    for (index, auth) in manifest.auth.iter().enumerate() {
        let path = format!("/auth/{index}");
        complaints.expect(
            is_word(&auth.id, 2, 32),
            format!("{path}/id"),
            format!("{:?} is not a lower-case word", auth.id),
        );
        complaints.expect(
            ids.insert(&auth.id),
            format!("{path}/id"),
            format!("{:?} is there twice; ids are unique", auth.id),
        );
        complaints.expect_length(&auth.title, 1, 60, format!("{path}/title"));
        match (auth.kind, &auth.oauth2) {
            (AuthKind::Oauth2, Some(oauth2)) => oauth(oauth2, &format!("{path}/oauth2"), complaints),
            (AuthKind::Oauth2, None) => complaints.add(
                format!("{path}/oauth2"),
                "is missing; kind `oauth2` needs `authorize_url` and `token_url`",
            ),
            (_, Some(_)) => complaints.add(
                format!("{path}/oauth2"),
                format!(
                    "does not go with kind `{}`; take it out or change the kind",
                    auth.kind.as_str()
                ),
            ),
            (_, None) => {}
        }
        expect_inputs(auth, &path, complaints);
        for (name, input) in &auth.inputs {
            let path = format!("{path}/inputs/{}", step(name));
            complaints.expect(is_word(name, 1, 32), path.as_str(), "is not a lower-case word");
            complaints.expect_length(&input.title, 1, 60, format!("{path}/title"));
            if let Some(description) = &input.description {
                complaints.expect_length(description, 1, 300, format!("{path}/description"));
            }
            if let Some(pattern) = &input.pattern {
                complaints.expect_pattern(pattern, format!("{path}/pattern"));
            }
        }
        signing::grant(manifest, auth, &path, complaints);
        coded(auth, &path, complaints);
        placement(manifest, auth, &path, complaints);
    }
}

/// Where the connector's code may ask beside the token endpoint.
fn coded(auth: &Auth, path: &str, complaints: &mut Complaints) {
    let Some(coded) = auth.coded() else {
        return;
    };
    let table = if auth.oauth2.is_some() { "oauth2" } else { "grant" };
    let path = format!("{path}/{table}/coded");
    for (index, declared) in coded.paths.iter().enumerate() {
        let fits = egress::endpoint(
            &format!("https://vendor.example{declared}"),
            false,
            false,
            &BTreeMap::new(),
        );
        complaints.expect(
            declared.starts_with('/') && !declared.contains(['{', '}']) && fits.is_ok(),
            format!("{path}/paths/{index}"),
            format!(
                "{declared:?} is no path at the token endpoint's origin; write it whole, without a query, such as `/oauth/nonce`"
            ),
        );
    }
    if let Some(grant) = &auth.grant {
        complaints.expect(
            grant.assertion.is_none() && grant.params.is_empty(),
            path,
            "writes the request itself; take `assertion` and `params` out",
        );
    }
}

/// The inputs that a kind asks for: those with usual ones may describe them, the others name
/// their own.
fn expect_inputs(auth: &Auth, path: &str, complaints: &mut Complaints) {
    let path = format!("{path}/inputs");
    let usual: &[&str] = match auth.kind {
        AuthKind::Oauth2 | AuthKind::None => &[],
        AuthKind::ApiKey => &["api_key"],
        AuthKind::Bearer => &["token"],
        AuthKind::Basic => &["username", "password"],
        AuthKind::Keys | AuthKind::JwtBearer | AuthKind::ClientCredentials => {
            complaints.expect(
                auth.inputs.values().any(|input| input.secret),
                path,
                format!(
                    "declares no secret; kind `{}` asks for what is declared here and nothing else",
                    auth.kind.as_str()
                ),
            );
            return;
        }
    };
    if usual.is_empty() {
        complaints.expect(
            auth.inputs.is_empty(),
            path,
            format!(
                "kind `{}` asks for no secrets; take the inputs out",
                auth.kind.as_str()
            ),
        );
        return;
    }
    for name in auth.inputs.keys() {
        complaints.expect(
            usual.contains(&name.as_str()),
            format!("{path}/{}", step(name)),
            format!(
                "is never asked for; kind `{}` asks for {}, and `keys` for inputs of your own",
                auth.kind.as_str(),
                usual.join(" and ")
            ),
        );
    }
}

fn placement(manifest: &Manifest, auth: &Auth, path: &str, complaints: &mut Complaints) {
    let path = format!("{path}/placement");
    let signs = matches!(
        auth.placement,
        Some(Placement::Fields(_) | Placement::Hmac(_) | Placement::Sigv4(_) | Placement::Jwt { .. })
    );
    if auth.kind == AuthKind::Keys && !signs {
        complaints.add(
            path,
            "is missing or takes one secret; kind `keys` says how its inputs are used: `in` is `fields`, `hmac`, `sigv4` or `jwt`",
        );
        return;
    }
    if auth.kind != AuthKind::Keys && signs {
        complaints.add(
            path,
            format!(
                "works on the inputs of kind `keys`, not on the one secret of `{}`; change the kind and declare its inputs",
                auth.kind.as_str()
            ),
        );
        return;
    }
    match &auth.placement {
        None => {}
        Some(_) if auth.kind == AuthKind::None => {
            complaints.add(path, "kind `none` has no credential to place; take it out");
        }
        Some(Placement::Header { name, format }) => {
            expect_header(name, format!("{path}/name"), complaints);
            expect_one_secret(format, &path, complaints);
        }
        Some(Placement::Query { name }) => {
            complaints.expect(
                !name.is_empty(),
                format!("{path}/name"),
                "is empty; name the parameter",
            );
        }
        Some(Placement::Basic) => complaints.expect(
            matches!(auth.kind, AuthKind::Basic | AuthKind::ApiKey),
            path,
            format!(
                "`basic` goes with the kinds `basic` and `api_key`, not with `{}`",
                auth.kind.as_str()
            ),
        ),
        Some(Placement::Fields(fields)) => signing::fields(manifest, auth, fields, &path, complaints),
        Some(Placement::Hmac(hmac)) => signing::hmac(manifest, auth, hmac, &path, complaints),
        Some(Placement::Sigv4(sigv4)) => signing::sigv4(manifest, auth, sigv4, &path, complaints),
        Some(Placement::Jwt { name, format, token }) => {
            expect_header(name, format!("{path}/name"), complaints);
            expect_one_secret(format, &path, complaints);
            signing::token(manifest, auth, token, &format!("{path}/token"), complaints);
        }
    }
}

/// Complains unless a header of this name can carry a credential.
pub(super) fn expect_header(name: &str, path: impl Into<String>, complaints: &mut Complaints) {
    let is_token = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let others = [
        "host",
        "cookie",
        "content-length",
        "transfer-encoding",
        "connection",
    ];
    complaints.expect(
        is_token && !others.contains(&name.to_ascii_lowercase().as_str()),
        path,
        format!("{name:?} cannot carry a credential; use `Authorization` or the vendor's own header"),
    );
}

fn expect_one_secret(format: &str, path: &str, complaints: &mut Complaints) {
    complaints.expect(
        format.matches("{secret}").count() == 1,
        format!("{path}/format"),
        "holds `{secret}` exactly once, such as `Bearer {secret}`",
    );
}

fn oauth(oauth2: &OAuth2, path: &str, complaints: &mut Complaints) {
    let urls = [
        ("authorize_url", Some(&oauth2.authorize_url)),
        ("token_url", Some(&oauth2.token_url)),
        ("revoke_url", oauth2.revoke_url.as_ref()),
        ("issuer", oauth2.issuer.as_ref()),
    ];
    for (name, url) in urls {
        let Some(url) = url else { continue };
        // The query is the one part that an endpoint of ours never has and theirs may.
        let base = url.split('?').next().unwrap_or(url);
        if let Err(problem) = egress::endpoint(base, false, false, &BTreeMap::new()) {
            complaints.add(format!("{path}/{name}"), problem);
        }
    }
    complaints.expect(
        !oauth2.iss_required || oauth2.issuer.is_some(),
        format!("{path}/iss_required"),
        "needs `issuer` to compare with",
    );
    for (index, scope) in oauth2.scopes.iter().enumerate() {
        complaints.expect(
            !scope.is_empty()
                && !scope.contains(char::is_whitespace)
                && !scope.contains(&oauth2.scope_separator),
            format!("{path}/scopes/{index}"),
            format!("{scope:?} is not one scope; list them one by one"),
        );
    }
    for (scope, title) in &oauth2.scope_titles {
        complaints.expect_length(title, 3, 80, format!("{path}/scope_titles/{}", step(scope)));
    }
    complaints.expect(
        !oauth2.scope_separator.is_empty(),
        format!("{path}/scope_separator"),
        "is empty; leave it out for a space",
    );
    complaints.expect(
        oauth2.scope_param == "scope"
            || (!oauth2.scope_param.is_empty() && !AUTHORIZE_PARAMS.contains(&oauth2.scope_param.as_str())),
        format!("{path}/scope_param"),
        format!(
            "{:?} cannot name the scopes; use the vendor's parameter, or leave it out for `scope`",
            oauth2.scope_param
        ),
    );
    for name in oauth2.authorize_params.keys() {
        complaints.expect(
            !AUTHORIZE_PARAMS.contains(&name.as_str()) && *name != oauth2.scope_param,
            format!("{path}/authorize_params/{}", step(name)),
            "is written by the host; take it out",
        );
    }
    if let Some(places) = &oauth2.token_response {
        let pointers = [
            ("access_token", &places.access_token),
            ("refresh_token", &places.refresh_token),
            ("expires_in", &places.expires_in),
            ("scope", &places.scope),
        ];
        for (name, pointer) in pointers {
            let Some(pointer) = pointer else { continue };
            let at = format!("{path}/token_response/{name}");
            complaints.expect(
                !pointer.is_empty(),
                at.as_str(),
                format!("is empty; point to it, such as `/authed_user/{name}`"),
            );
            complaints.expect_pointer(pointer, at);
        }
    }
    for (index, code) in oauth2.grant_errors.iter().enumerate() {
        complaints.expect(
            !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_graphic()),
            format!("{path}/grant_errors/{index}"),
            "is no error code; give it as the vendor's token endpoint does",
        );
    }
    complaints.expect(
        oauth2.default_lifetime_seconds != Some(0),
        format!("{path}/default_lifetime_seconds"),
        "is 0; leave it out when the vendor's 401 decides",
    );
}
