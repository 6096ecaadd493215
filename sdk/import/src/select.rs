//! Which operations become tools: those that were asked for, the most useful first.

use crate::model::{Api, Operation};
use crate::{Error, Options, Tools, hints};

/// Indexes of the operations that may become tools, the most useful first.
///
/// # Errors
/// Something that was asked for is not there.
pub(crate) fn rank(api: &Api, names: &[String], options: &Options) -> Result<Vec<usize>, Error> {
    for wanted in &options.include {
        let found =
            (0..api.operations.len()).any(|index| matches(wanted, &api.operations[index], &names[index]));
        if !found {
            return Err(Error::NothingIncluded {
                wanted: wanted.clone(),
                tags: tags(api),
            });
        }
    }
    let all_old = api.operations.iter().all(|operation| operation.deprecated);
    let is_asked = |index: &usize| {
        let operation = &api.operations[*index];
        let by_name = options
            .include
            .iter()
            .any(|wanted| matches(wanted, operation, &names[*index]));
        // What is named is wanted, old or not; of everything, only what the vendor still recommends.
        let included = if options.include.is_empty() {
            !operation.deprecated || all_old
        } else {
            by_name
        };
        let reads = hints::of(operation).0.read_only;
        included && (options.tools == Tools::All || reads)
    };
    let mut ranked: Vec<usize> = (0..api.operations.len()).filter(is_asked).collect();
    ranked.sort_by_key(|index| (worth(&api.operations[*index], &names[*index]), *index));
    Ok(ranked)
}

/// Whether an operation is what somebody asked for by a tag, a path (or where paths begin), its id or the
/// name of its tool.
fn matches(wanted: &str, operation: &Operation, name: &str) -> bool {
    let same = |text: &str| text.eq_ignore_ascii_case(wanted);
    if wanted.starts_with('/') {
        let below = operation.path.strip_prefix(wanted.trim_end_matches('/'));
        return below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    same(name) || is(wanted, operation) || operation.tags.iter().any(|tag| same(tag))
}

/// Whether an operation is the one that is meant by `METHOD /path` or by the vendor's id.
pub(crate) fn is(wanted: &str, operation: &Operation) -> bool {
    let same = |text: &str| text.eq_ignore_ascii_case(wanted);
    operation.id.as_deref().is_some_and(same) || same(&operation.place())
}

/// How early an operation comes: common verbs on the API's first things before rare ones on what lies deep.
fn worth(operation: &Operation, name: &str) -> usize {
    let verb = name.rsplit('_').next().unwrap_or_default();
    let by_verb = match verb {
        "list" | "get" | "search" => 0,
        "create" => 1,
        "update" | "add" | "send" => 2,
        "delete" | "remove" | "set" => 4,
        _ if hints::of(operation).0.read_only => 1,
        _ => 5,
    };
    let segments = operation
        .path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .count();
    let depth = operation.path.matches('{').count();
    let needed = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .count();
    by_verb + segments + depth + needed
}

/// The tags of an API, for somebody who asked for one that is not there.
fn tags(api: &Api) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in api.operations.iter().flat_map(|operation| &operation.tags) {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags.sort();
    tags.truncate(40);
    tags
}
