//! Tools: names, words for models, hints that fit the methods, scopes, paging.

use std::collections::BTreeMap;

use serde_json::Value;
use valetkey_manifest::template::RESERVED;
use valetkey_manifest::tool::{RESPONSE_FORMAT, Response, Shape};
use valetkey_manifest::{Manifest, Tool};

use super::{Complaints, connection, request, schema, step};
use crate::egress;
use crate::manifest::schema::PAGE_PARAMETERS;

/// Tool names that the host itself serves.
const HOST_TOOLS: [&str; 5] = [
    "search_tools",
    "get_tool",
    "call_tool",
    "call_read_tool",
    "list_tools",
];
/// Beginning of names that the host keeps for itself.
const HOST_PREFIX: &str = "valetkey_";
/// By this tag an author says that a tool's POST only reads.
const SEARCH_TAG: &str = "search";

pub(super) fn check_all(manifest: &Manifest, complaints: &mut Complaints) {
    complaints.expect(
        !manifest.tools.is_empty(),
        "/tools",
        "is empty; a connector has at least one tool",
    );
    let mut taken = BTreeMap::new();
    for (index, tool) in manifest.tools.iter().enumerate() {
        let path = format!("/tools/{index}");
        complaints.expect(
            tool.name.starts_with(&format!("{}_", manifest.connector.id)),
            format!("{path}/name"),
            format!(
                "{:?} begins with the connector's id and an underscore: `{}_…`",
                tool.name, manifest.connector.id
            ),
        );
        let aliases = tool.aliases.iter().enumerate();
        let aliases = aliases.map(|(index, alias)| (format!("{path}/aliases/{index}"), alias));
        for (path, name) in std::iter::once((format!("{path}/name"), &tool.name)).chain(aliases) {
            expect_name(name, &path, complaints);
            if let Some(other) = taken.insert(name, path.clone()) {
                complaints.add(
                    path,
                    format!("{name:?} is also at {other}; names and aliases are unique"),
                );
            }
        }
        check(manifest, tool, &path, complaints);
    }
}

fn expect_name(name: &str, path: &str, complaints: &mut Complaints) {
    let fine = (1..=48).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    complaints.expect(
        fine,
        path,
        format!("{name:?} is not a tool name: at most 48 letters, digits, `_` and `-`, a letter first"),
    );
    complaints.expect(
        !HOST_TOOLS.contains(&name) && !name.starts_with(HOST_PREFIX),
        path,
        format!("{name:?} is a name that the host keeps for itself; choose another"),
    );
}

fn check(manifest: &Manifest, tool: &Tool, path: &str, complaints: &mut Complaints) {
    complaints.expect_length(&tool.title, 3, 60, format!("{path}/title"));
    complaints.expect_length(&tool.description, 40, 2_000, format!("{path}/description"));
    for (index, tag) in tool.tags.iter().enumerate() {
        complaints.expect(
            super::is_word(tag, 2, 32),
            format!("{path}/tags/{index}"),
            format!("{tag:?} is not one lower-case word"),
        );
    }

    if tool.portable {
        schema::check_input(&tool.input, &format!("{path}/input"), complaints);
    } else {
        schema::check_wide_input(&tool.input, &format!("{path}/input"), complaints);
    }
    if tool.result == Shape::Content {
        complaints.expect(
            tool.request.is_none() && tool.output.is_none() && tool.paging.is_none(),
            format!("{path}/result"),
            "`content` is for a tool in code, without `output` and `paging`: its shape is fixed",
        );
    }
    if let Some(output) = &tool.output {
        schema::check_output(output, &format!("{path}/output"), complaints);
    }
    let parameters = tool
        .input
        .get("properties")
        .and_then(|properties| properties.as_object());
    for name in parameters.into_iter().flatten().map(|(name, _)| name.as_str()) {
        let path = format!("{path}/input/properties/{}", step(name));
        let is_name = name.len() <= 64
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        complaints.expect(
            is_name && !RESERVED.contains(&name),
            path.as_str(),
            format!(
                "{name:?} cannot name a parameter: letters, digits and `_`, and neither `page` nor `config`"
            ),
        );
        complaints.expect(
            tool.paging.is_none() || !PAGE_PARAMETERS.contains(&name),
            path.as_str(),
            format!("`{name}` is added by the host to tools with paging; take it out"),
        );
        complaints.expect(
            tool.concise().is_empty() || name != RESPONSE_FORMAT,
            path,
            format!("`{name}` is added by the host to tools with `response.concise`; take it out"),
        );
    }

    match &tool.request {
        Some(declared) => {
            request::check(manifest, tool, declared, &format!("{path}/request"), complaints);
            complaints.expect(
                tool.allow.is_empty() || !tool.allow.iter().any(String::is_empty),
                format!("{path}/allow"),
                "has an empty rule",
            );
        }
        None => {
            complaints.expect(
                !tool.allow.is_empty(),
                format!("{path}/request"),
                "is missing; declare the request, or for a tool in code say under `allow` what it may send",
            );
            let trimmed = tool.response.as_ref().map(|response| Response {
                concise: Vec::new(),
                ..response.clone()
            });
            complaints.expect(
                trimmed.is_none_or(|response| response == Response::default()),
                format!("{path}/response"),
                "belongs to a declared `request`; a tool in code shapes its own result, and may name `concise` alone",
            );
        }
    }
    if let Some(pointer) = tool
        .response
        .as_ref()
        .and_then(|response| response.pointer.as_ref())
    {
        complaints.expect_pointer(pointer, format!("{path}/response/pointer"));
    }
    let failure = tool
        .response
        .as_ref()
        .and_then(|response| response.failure.as_ref());
    if let Some(failure) = failure {
        complaints.expect(
            !failure.is_empty(),
            format!("{path}/response/failure"),
            "is empty, so that every answer would be a failure; point to what only a failure has",
        );
        complaints.expect_pointer(failure, format!("{path}/response/failure"));
    }
    concise(tool, path, complaints);
    hints(manifest, tool, path, complaints);
    scopes(manifest, tool, path, complaints);
    paging(manifest, tool, path, complaints);
}

/// Whether what is left out of short answers may be missing.
fn concise(tool: &Tool, path: &str, complaints: &mut Complaints) {
    let Some(response) = &tool.response else { return };
    let items = tool.paging.as_ref().map_or("", |paging| paging.items.as_str());
    let items: Vec<String> = items.split('/').skip(1).map(unescaped).collect();
    let mut required = Vec::new();
    if let Some(output) = &tool.output {
        gather_required(output, &mut required);
    }
    for (index, name) in response.concise.iter().enumerate() {
        let at = format!("{path}/response/concise/{index}");
        complaints.expect(
            !name.is_empty() && !response.concise[..index].contains(name),
            at.as_str(),
            format!("{name:?} is empty or there twice"),
        );
        complaints.expect(
            !response.drop.contains(name),
            at.as_str(),
            format!("{name:?} is dropped always; name it under `drop` or here"),
        );
        complaints.expect(
            !response.lists.contains(name),
            at.as_str(),
            format!(
                "{name:?} is among `lists` too, and would come back as an empty list; take it out of one"
            ),
        );
        complaints.expect(
            !items.contains(name),
            at.as_str(),
            format!("{name:?} is on the way to the items of `paging`, which every answer has; take it out"),
        );
        complaints.expect(
            !required.contains(&name.as_str()),
            at,
            format!("{name:?} is required by `output`; make it optional there or take it out here"),
        );
    }
    if !response.concise.is_empty() {
        complaints.expect(
            response.file.is_none(),
            format!("{path}/response/concise"),
            "goes with data, and this tool keeps its answer as a file; take it out",
        );
        complaints.expect(
            tool.result == Shape::Data,
            format!("{path}/response/concise"),
            "goes with data, and the result of this tool is `content`; take it out",
        );
    }
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// The names that a schema requires, at any depth.
fn gather_required<'a>(schema: &'a Value, names: &mut Vec<&'a str>) {
    match schema {
        Value::Object(members) => {
            let required = members.get("required").and_then(Value::as_array);
            names.extend(required.into_iter().flatten().filter_map(Value::as_str));
            members.values().for_each(|member| gather_required(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| gather_required(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether the hints fit what the tool may send.
fn hints(manifest: &Manifest, tool: &Tool, path: &str, complaints: &mut Complaints) {
    let mut methods = Vec::new();
    methods.extend(tool.request.as_ref().map(|request| request.method.clone()));
    for (index, rule) in tool.allow.iter().enumerate() {
        let at = format!("{path}/allow/{index}");
        match egress::allowed(rule) {
            Ok(allowed) => {
                connection::expect_endpoint(manifest, &allowed.endpoint, &at, complaints);
                methods.push(allowed.method.as_str().to_owned());
            }
            Err(problem) => complaints.add(at, problem),
        }
    }
    let hints = tool.hints;
    let reads = |method: &String| matches!(method.as_str(), "GET" | "HEAD");
    if hints.read_only {
        complaints.expect(
            !hints.destructive && hints.idempotent,
            format!("{path}/hints"),
            "a read-only tool is idempotent and not destructive",
        );
        let searches = tool.tags.iter().any(|tag| tag == SEARCH_TAG);
        let harmless = |method: &String| reads(method) || (searches && method == "POST");
        if let Some(method) = methods.iter().find(|method| !harmless(method)) {
            complaints.add(
                format!("{path}/hints/read_only"),
                format!(
                    "is true and the tool may send {method}; make it false, or tag the tool `{SEARCH_TAG}` when its POST only searches"
                ),
            );
        }
    } else {
        complaints.expect(
            methods.is_empty() || methods.iter().any(|method| !reads(method)),
            format!("{path}/hints/read_only"),
            "is false and the tool only reads; make it true",
        );
        complaints.expect(
            hints.destructive || !methods.iter().any(|method| method == "DELETE"),
            format!("{path}/hints/destructive"),
            "is false and the tool may send DELETE; make it true",
        );
    }
}

fn scopes(manifest: &Manifest, tool: &Tool, path: &str, complaints: &mut Complaints) {
    let asked: Vec<_> = manifest
        .auth
        .iter()
        .filter_map(|auth| auth.oauth2.as_ref())
        .flat_map(|oauth2| &oauth2.scopes)
        .collect();
    for (index, scope) in tool.scopes.iter().enumerate() {
        complaints.expect(
            asked.contains(&scope),
            format!("{path}/scopes/{index}"),
            format!("{scope:?} is asked for by none of the manifest's `auth.oauth2.scopes`; add it there"),
        );
    }
    complaints.expect(
        tool.any_scopes.is_empty() || tool.any_scopes.iter().any(|scope| asked.contains(&scope)),
        format!("{path}/any_scopes"),
        "none of these is asked for by the manifest's `auth.oauth2.scopes`; add one there",
    );
}

fn paging(manifest: &Manifest, tool: &Tool, path: &str, complaints: &mut Complaints) {
    let Some(paging) = &tool.paging else { return };
    let path = format!("{path}/paging");
    complaints.expect_pointer(&paging.items, format!("{path}/items"));
    complaints.expect(
        paging.max_page_size > 0,
        format!("{path}/max_page_size"),
        "is 0; say how many items the vendor gives at most",
    );
    complaints.expect(
        (1..=1_000).contains(&paging.default_limit),
        format!("{path}/default_limit"),
        "is 1 to 1000",
    );
    match (&paging.paginator, &tool.request) {
        (Some(name), _) => {
            let known: Vec<_> = manifest.paginators.keys().map(String::as_str).collect();
            complaints.expect(
                manifest.paginators.contains_key(name),
                format!("{path}/paginator"),
                format!(
                    "there is no paginator {name:?}; the manifest declares [{}]",
                    known.join(", ")
                ),
            );
        }
        (None, Some(_)) => complaints.add(
            format!("{path}/paginator"),
            "is missing; a declared tool names the paginator that reads its answers",
        ),
        (None, None) => {}
    }
}
