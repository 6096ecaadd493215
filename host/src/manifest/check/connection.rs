//! Where requests go and what comes back: endpoints, account configuration, verification, budgets,
//! errors, paginators.

use std::collections::BTreeMap;

use valetkey_manifest::template::{self, Part};
use valetkey_manifest::tool::Paginator;
use valetkey_manifest::{AuthKind, Discover, Manifest, Verify};

use super::{Complaints, is_word, matcher, step};
use crate::egress;
use crate::error::Kind;

/// Kinds that the host alone gives. Manifests that were written earlier map errors to them: that comes
/// out as `vendor_rejected` and is harmless, and `connector check` advises against it.
const HOSTS_OWN: [Kind; 2] = [Kind::AccountNotActive, Kind::PolicyDenied];

pub(super) fn check(manifest: &Manifest, complaints: &mut Complaints) {
    endpoints(manifest, complaints);
    account_config(manifest, complaints);
    if let Some(discover) = &manifest.discover {
        discovery(manifest, discover, complaints);
    }
    if let Some(verify) = &manifest.verify {
        verification(manifest, verify, complaints);
    }
    budgets(manifest, complaints);
    refusals(manifest, complaints);
    errors(manifest, complaints);
    for (name, paginator) in &manifest.paginators {
        let path = format!("/paginators/{}", step(name));
        match paginator {
            Paginator::Cursor { next, .. } | Paginator::NextUrl { next } => {
                complaints.expect(
                    !next.is_empty(),
                    format!("{path}/next"),
                    "is empty; point to where the next page's token is",
                );
                complaints.expect_pointer(next, format!("{path}/next"));
            }
            Paginator::Offset { .. } | Paginator::Page { .. } | Paginator::LinkHeader => {}
        }
        let (key, end) = match paginator {
            Paginator::Cursor { more, .. } => ("more", more),
            Paginator::Offset { total } => ("total", total),
            Paginator::Page { pages, link, .. } => {
                complaints.expect(
                    pages.is_none() || !link,
                    format!("{path}/link"),
                    "stands beside `pages`; one of them tells the end",
                );
                ("pages", pages)
            }
            Paginator::NextUrl { .. } | Paginator::LinkHeader => continue,
        };
        if let Some(end) = end {
            complaints.expect(
                !end.is_empty(),
                format!("{path}/{key}"),
                "is empty; point to where the vendor says how far the pages go",
            );
            complaints.expect_pointer(end, format!("{path}/{key}"));
        }
    }
}

/// The request that lists sites: it can be sent before any of them is known.
fn discovery(manifest: &Manifest, discover: &Discover, complaints: &mut Complaints) {
    expect_endpoint(manifest, &discover.endpoint, "/discover/endpoint", complaints);
    expect_plain_path(&discover.path, "/discover/path", complaints);
    complaints.expect_pointer(&discover.items, "/discover/items");
    complaints.expect_pointer(&discover.label, "/discover/label");
    complaints.expect(
        !discover.set.is_empty(),
        "/discover/set",
        "is empty; say which `account_config` is found, such as `{ site_id = \"/id\" }`",
    );
    complaints.expect(
        manifest.auth.iter().any(|auth| auth.kind != AuthKind::None),
        "/discover",
        "asks with the account's credential, and no way of connecting has one; take it out",
    );
    let endpoint = manifest.endpoints.get(&discover.endpoint);
    complaints.expect(
        endpoint.is_none_or(|endpoint| endpoint.credential),
        "/discover/endpoint",
        "gets no credential; name an endpoint that does",
    );
    let mut needed_before: Vec<(String, &str)> = manifest
        .auth
        .iter()
        .enumerate()
        .filter_map(|(at, auth)| {
            let grant = auth.grant.as_ref()?;
            Some((format!("/auth/{at}/grant/token_url"), grant.token_url.as_str()))
        })
        .collect();
    if let Some(endpoint) = endpoint {
        needed_before.push(("/discover/endpoint".to_owned(), &endpoint.url));
    }
    for (name, pointer) in &discover.set {
        let path = format!("/discover/set/{}", step(name));
        complaints.expect_pointer(pointer, path.as_str());
        match manifest.account_config.get(name) {
            None => complaints.add(
                path,
                "is not declared; give it a title, a description and a pattern in [account_config]",
            ),
            Some(input) => complaints.expect(
                input.from_token_response.is_none(),
                path,
                "comes with the token response already; take one of the two out",
            ),
        }
        for (at, url) in &needed_before {
            complaints.expect(
                !url.contains(&format!("{{config.{name}}}")),
                at.as_str(),
                format!("needs `{{config.{name}}}`, which is found only with this request"),
            );
        }
    }
}

fn verification(manifest: &Manifest, verify: &Verify, complaints: &mut Complaints) {
    expect_endpoint(manifest, &verify.endpoint, "/verify/endpoint", complaints);
    expect_plain_path(&verify.path, "/verify/path", complaints);
    complaints.expect(
        matches!(verify.method.as_str(), "GET" | "POST"),
        "/verify/method",
        format!("{:?} is neither `GET` nor `POST`", verify.method),
    );
    complaints.expect(
        verify.body.is_none() || verify.method == "POST",
        "/verify/body",
        "goes with `method = \"POST\"`; take one of the two out",
    );
    if let Err(problem) = egress::endpoint("https://vendor.example", false, false, &verify.headers) {
        complaints.add("/verify/headers", problem);
    }
    complaints.expect_pointer(&verify.subject, "/verify/subject");
    if let Some(label) = &verify.label {
        complaints.expect_pointer(label, "/verify/label");
    }
}

fn expect_plain_path(path: &str, at: &str, complaints: &mut Complaints) {
    complaints.expect(
        path.starts_with('/') && !path.contains(['{', '#']),
        at,
        "is a plain path: begin with `/`, without placeholders",
    );
}

/// Whether an account gets a value of this name without its owner giving it.
pub(super) fn is_found(manifest: &Manifest, name: &str) -> bool {
    let by_token = manifest
        .account_config
        .get(name)
        .is_some_and(|input| input.from_token_response.is_some());
    let by_request = manifest.discover.as_ref();
    by_token || by_request.is_some_and(|discover| discover.set.contains_key(name))
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
        .and_then(|name| Some((name, manifest.account_config.get(name)?)));
    let Some((name, input)) = input else {
        complaints.add(
            path,
            format!("`{{{placeholder}}}` is not declared; only `{{config.NAME}}` of [account_config] may stand in a URL"),
        );
        return;
    };
    complaints.expect(
        input.required || is_found(manifest, name),
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
        complaints.expect(
            input.take.is_none() || (input.from_token_response.is_some() && input.pattern.is_some()),
            format!("{path}/take"),
            "needs `from_token_response`, of whose value a part is taken, and the `pattern` that the part must match",
        );
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

fn refusals(manifest: &Manifest, complaints: &mut Complaints) {
    for (index, refusal) in manifest.refusals.iter().enumerate() {
        let path = format!("/refusals/{index}");
        complaints.expect(
            (200..600).contains(&refusal.status) && refusal.status != 401,
            format!("{path}/status"),
            format!(
                "{} is not an HTTP status other than 401, which means that anyway",
                refusal.status
            ),
        );
        complaints.expect_pointer(&refusal.pointer, format!("{path}/pointer"));
        complaints.expect(
            !refusal.pointer.is_empty() && !refusal.values.is_empty(),
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
            Kind::OF_CONNECTORS
                .iter()
                .chain(&HOSTS_OWN)
                .any(|kind| kind.as_str() == rule.kind),
            format!("{path}/kind"),
            format!(
                "{:?} is not an error kind of connectors; use one of {}",
                rule.kind,
                Kind::OF_CONNECTORS.map(Kind::as_str).join(", ")
            ),
        );
        if let Some(hint) = &rule.hint {
            complaints.expect_length(hint, 10, 300, format!("{path}/hint"));
        }
    }
}
