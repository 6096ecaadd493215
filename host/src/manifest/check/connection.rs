//! How accounts connect and where requests go: endpoints, authentication, account configuration,
//! verification, budgets, errors, paginators.

use std::collections::{BTreeMap, BTreeSet};

use valetkey_manifest::auth::{OAuth2, Placement};
use valetkey_manifest::template::{self, Part};
use valetkey_manifest::tool::Paginator;
use valetkey_manifest::{Auth, AuthKind, Manifest};

use super::{Complaints, is_word, matcher, step};
use crate::egress;
use crate::error::Kind;

/// Fault codes that a connector may give to a vendor's error.
const ERROR_KINDS: [Kind; 11] = [
    Kind::InvalidInput,
    Kind::AccountNotActive,
    Kind::ScopeMissing,
    Kind::PolicyDenied,
    Kind::RateLimited,
    Kind::VendorRejected,
    Kind::VendorNotFound,
    Kind::VendorConflict,
    Kind::VendorForbidden,
    Kind::VendorUnavailable,
    Kind::VendorTimeout,
];

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
    endpoints(manifest, complaints);
    auth(manifest, complaints);
    account_config(manifest, complaints);
    if let Some(verify) = &manifest.verify {
        expect_endpoint(manifest, &verify.endpoint, "/verify/endpoint", complaints);
        complaints.expect(
            verify.path.starts_with('/') && !verify.path.contains(['{', '#']),
            "/verify/path",
            "is the path of a plain GET: begin with `/`, without placeholders",
        );
        complaints.expect_pointer(&verify.subject, "/verify/subject");
        if let Some(label) = &verify.label {
            complaints.expect_pointer(label, "/verify/label");
        }
    }
    budgets(manifest, complaints);
    errors(manifest, complaints);
    for (name, paginator) in &manifest.paginators {
        let path = format!("/paginators/{}", step(name));
        match paginator {
            Paginator::Cursor { next } | Paginator::NextUrl { next } => {
                complaints.expect(
                    !next.is_empty(),
                    format!("{path}/next"),
                    "is empty; point to where the next page's token is",
                );
                complaints.expect_pointer(next, format!("{path}/next"));
            }
            Paginator::Offset | Paginator::Page { .. } | Paginator::LinkHeader => {}
        }
    }
}

pub(super) fn expect_endpoint(manifest: &Manifest, name: &str, path: &str, complaints: &mut Complaints) {
    let known: Vec<_> = manifest.endpoints.keys().map(String::as_str).collect();
    complaints.expect(
        manifest.endpoints.contains_key(name),
        path,
        format!(
            "there is no endpoint {name:?}; the manifest declares {}",
            known.join(", ")
        ),
    );
}

fn endpoints(manifest: &Manifest, complaints: &mut Complaints) {
    complaints.expect(
        !manifest.endpoints.is_empty(),
        "/endpoints",
        "is empty; declare where requests go, as `[endpoints.api]` with a `url`",
    );
    for (name, endpoint) in &manifest.endpoints {
        let path = format!("/endpoints/{}", step(name));
        complaints.expect(
            is_word(name, 1, 32),
            path.as_str(),
            "is not a lower-case word; name it `api`, `upload` …",
        );
        let at = format!("{path}/url");
        let host_ends = endpoint
            .url
            .strip_prefix("https://")
            .map_or(0, |rest| 8 + rest.find('/').unwrap_or(rest.len()));
        let (mut filled, mut position) = (String::new(), 0);
        for part in template::parts(&endpoint.url) {
            match part {
                Part::Text(text) => {
                    filled.push_str(text);
                    position += text.len();
                }
                Part::Name(placeholder) | Part::Spread(placeholder) => {
                    placeholder_of_url(manifest, placeholder, position < host_ends, &at, complaints);
                    filled.push('x');
                    position += placeholder.len() + 2;
                }
            }
        }
        let ported = filled
            .get(8..)
            .is_some_and(|rest| rest.split('/').next().is_some_and(|host| host.contains(':')));
        if let Err(problem) = egress::endpoint(&filled, false, endpoint.credential, &BTreeMap::new()) {
            complaints.add(at.as_str(), problem);
        } else if ported {
            complaints.add(at.as_str(), "names a port; vendors are reached at 443");
        } else if let Err(problem) = egress::endpoint(&filled, false, endpoint.credential, &endpoint.headers)
        {
            complaints.add(format!("{path}/headers"), problem);
        }
    }
}

/// A placeholder in an endpoint's URL: declared, with a value always, and in the host's name with
/// a pattern that keeps the value from ending it.
fn placeholder_of_url(
    manifest: &Manifest,
    placeholder: &str,
    in_host: bool,
    path: &str,
    complaints: &mut Complaints,
) {
    let input = placeholder
        .strip_prefix("config.")
        .and_then(|name| manifest.account_config.get(name));
    let Some(input) = input else {
        complaints.add(
            path,
            format!("`{{{placeholder}}}` is not declared; only `{{config.NAME}}` of [account_config] may stand in a URL"),
        );
        return;
    };
    complaints.expect(
        input.required || input.from_token_response.is_some(),
        path,
        format!("`{{{placeholder}}}` may have no value; declare it `required = true`"),
    );
    let Some(pattern) = &input.pattern else {
        complaints.add(
            path,
            format!("`{{{placeholder}}}` has no `pattern`; declare one that admits only what belongs there"),
        );
        return;
    };
    let Ok(matches) = matcher(pattern) else { return };
    let hostile = [
        "",
        "a/b",
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "user@evil.example",
        "a:1",
        "a\\b",
        "a b",
        "a%2fb",
        "..",
    ];
    let admitted: Vec<_> = hostile
        .iter()
        .filter(|value| in_host || **value == "..")
        .filter(|value| matches(value))
        .collect();
    complaints.expect(
        admitted.is_empty(),
        path,
        format!(
            "the pattern {pattern:?} of `{{{placeholder}}}` admits {admitted:?}, which would send requests elsewhere; admit only letters, digits and hyphens (and dots between them where needed)"
        ),
    );
}

fn auth(manifest: &Manifest, complaints: &mut Complaints) {
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
        complaints.expect(
            auth.inputs.is_empty() || !matches!(auth.kind, AuthKind::Oauth2 | AuthKind::None),
            format!("{path}/inputs"),
            format!(
                "kind `{}` asks for no secrets; take the inputs out",
                auth.kind.as_str()
            ),
        );
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
        placement(auth, &path, complaints);
    }
}

fn placement(auth: &Auth, path: &str, complaints: &mut Complaints) {
    let path = format!("{path}/placement");
    match &auth.placement {
        None => {}
        Some(_) if auth.kind == AuthKind::None => {
            complaints.add(path, "kind `none` has no credential to place; take it out");
        }
        Some(Placement::Header { name, format }) => {
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
                format!("{path}/name"),
                format!("{name:?} cannot carry a credential; use `Authorization` or the vendor's own header"),
            );
            complaints.expect(
                format.matches("{secret}").count() == 1,
                format!("{path}/format"),
                "holds `{secret}` exactly once, such as `Bearer {secret}`",
            );
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
    }
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
    for name in oauth2.authorize_params.keys() {
        complaints.expect(
            !AUTHORIZE_PARAMS.contains(&name.as_str()),
            format!("{path}/authorize_params/{}", step(name)),
            "is written by the host; take it out",
        );
    }
    complaints.expect(
        oauth2.default_lifetime_seconds != Some(0),
        format!("{path}/default_lifetime_seconds"),
        "is 0; leave it out when the vendor's 401 decides",
    );
}

fn account_config(manifest: &Manifest, complaints: &mut Complaints) {
    for (name, input) in &manifest.account_config {
        let path = format!("/account_config/{}", step(name));
        complaints.expect(is_word(name, 1, 32), path.as_str(), "is not a lower-case word");
        complaints.expect_length(&input.title, 1, 60, format!("{path}/title"));
        complaints.expect_length(&input.description, 1, 300, format!("{path}/description"));
        if let Some(pattern) = &input.pattern {
            complaints.expect_pattern(pattern, format!("{path}/pattern"));
            if let (Some(example), Ok(matches)) = (&input.example, matcher(pattern)) {
                complaints.expect(
                    matches(example),
                    format!("{path}/example"),
                    format!("{example:?} does not match the pattern"),
                );
            }
        }
        if let Some(pointer) = &input.from_token_response {
            complaints.expect_pointer(pointer, format!("{path}/from_token_response"));
        }
    }
}

fn budgets(manifest: &Manifest, complaints: &mut Complaints) {
    for (index, budget) in manifest.budgets.iter().enumerate() {
        let path = format!("/budgets/{index}");
        complaints.expect(
            budget.requests > 0,
            format!("{path}/requests"),
            "is 0, which lets nothing through",
        );
        complaints.expect(
            budget.per_seconds.is_finite() && budget.per_seconds > 0.0 && budget.per_seconds <= 86_400.0,
            format!("{path}/per_seconds"),
            "is more than 0 and at most 86400 seconds",
        );
    }
    for (index, throttle) in manifest.throttles.iter().enumerate() {
        let path = format!("/throttles/{index}");
        complaints.expect(
            (200..600).contains(&throttle.status),
            format!("{path}/status"),
            format!("{} is not an HTTP status", throttle.status),
        );
        if let Some(pointer) = &throttle.pointer {
            complaints.expect_pointer(pointer, format!("{path}/pointer"));
        }
        complaints.expect(
            throttle.pointer.is_some() != throttle.values.is_empty(),
            path,
            "`pointer` and `values` go together: where to look and what means that",
        );
    }
}

fn errors(manifest: &Manifest, complaints: &mut Complaints) {
    let Some(errors) = &manifest.errors else { return };
    for (name, pointers) in [("code", &errors.code), ("message", &errors.message)] {
        for (index, pointer) in pointers.iter().enumerate() {
            complaints.expect_pointer(pointer, format!("/errors/{name}/{index}"));
        }
    }
    for (index, rule) in errors.map.iter().enumerate() {
        let path = format!("/errors/map/{index}");
        complaints.expect(
            rule.status.is_some() || rule.code.is_some(),
            path.as_str(),
            "says neither `status` nor `code`, and would match every error",
        );
        complaints.expect(
            ERROR_KINDS.iter().any(|kind| kind.as_str() == rule.kind),
            format!("{path}/kind"),
            format!(
                "{:?} is not an error kind of connectors; use one of {}",
                rule.kind,
                ERROR_KINDS.map(Kind::as_str).join(", ")
            ),
        );
        if let Some(hint) = &rule.hint {
            complaints.expect_length(hint, 10, 300, format!("{path}/hint"));
        }
    }
}
