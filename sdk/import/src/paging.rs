//! How a list pages, read off the names of its parameters and the members of its answer. A guess by its
//! nature: what is not recognised stays an ordinary parameter, and what is recognised is marked for review.

use serde_json::{Map, Value};
use valetkey_manifest::tool::Paginator;

use crate::definitions::Definitions;
use crate::model::Operation;
use crate::schemas::{kind_of, outline};

/// Parameters that take the token of the next page, as words in lower case without separators.
const TOKENS: [&str; 12] = [
    "pagetoken",
    "cursor",
    "startcursor",
    "nextcursor",
    "nexttoken",
    "nextpagetoken",
    "continuationtoken",
    "pagecursor",
    "startingafter",
    "after",
    "paginationtoken",
    "offset",
];
/// Members of an answer that hold it.
const NEXT: [&str; 14] = [
    "nextpagetoken",
    "nextcursor",
    "nexttoken",
    "nextpagecursor",
    "nextcontinuationtoken",
    "continuationtoken",
    "nextpage",
    "startingafter",
    "offset",
    "endcursor",
    "after",
    "cursor",
    "paginationtoken",
    "next",
];
/// Members that hold the next page's address.
const NEXT_URLS: [&str; 6] = [
    "@odata.nextLink",
    "next",
    "next_url",
    "nextUrl",
    "next_page_url",
    "nextLink",
];
/// Parameters that say how long a page is.
const SIZES: [&str; 10] = [
    "perpage",
    "pagesize",
    "limit",
    "maxresults",
    "first",
    "count",
    "top",
    "size",
    "maxitems",
    "pagelimit",
];
/// Parameters that number pages, and that say at which item a page begins.
const PAGES: [&str; 3] = ["page", "pagenumber", "pageno"];
const OFFSETS: [&str; 6] = ["offset", "startat", "skip", "start", "startindex", "from"];
/// Members that hold the items, when there are several lists.
const ITEMS: [&str; 8] = [
    "items", "data", "results", "values", "value", "records", "entries", "list",
];
/// How deep the answer is looked through for the next page's token.
const MAX_DEPTH: usize = 3;
/// How many of its members are looked at.
const MAX_MEMBERS: usize = 500;
/// A page of a vendor that does not say how long its pages may be.
const USUAL_PAGE: u32 = 100;
/// How many items a call answers when it names no limit.
const USUAL_LIMIT: u32 = 20;

/// A parameter that may have to do with paging.
pub(crate) struct Candidate {
    /// Its place in the tool's list of parameters.
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) required: bool,
    /// One level of its schema.
    pub(crate) schema: Map<String, Value>,
}

/// How a tool pages.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) paginator: Paginator,
    /// Index of the parameter that takes `{page.token}`.
    pub(crate) token: Option<usize>,
    /// Index of the parameter that takes `{page.size}`.
    pub(crate) size: Option<usize>,
    /// Parameters that the paginator makes needless.
    pub(crate) dropped: Vec<usize>,
    /// JSON pointer to the items.
    pub(crate) items: String,
    pub(crate) max_page_size: u32,
    pub(crate) default_limit: u32,
    /// The member with the items, when the vendor may leave it out.
    pub(crate) list: Option<String>,
}

/// Recognises how an operation pages.
pub(crate) fn find(
    definitions: &Definitions,
    operation: &Operation,
    candidates: &[Candidate],
) -> Option<Found> {
    let named = |known: &[&str], kinds: &[&str]| {
        known.iter().find_map(|known| {
            candidates.iter().find(|candidate| {
                key(&candidate.name) == *known
                    && kind_of(&candidate.schema).is_none_or(|kind| kinds.contains(&kind))
            })
        })
    };
    let answer = outline(definitions, operation.answer.schema.as_ref()?)?;
    let (items, list) = items(definitions, operation, &answer)?;
    let size = named(&SIZES, &["integer", "number"]);
    let token = named(&TOKENS, &["string"]);
    let number = named(&PAGES, &["integer", "number"]);
    let offset = named(&OFFSETS, &["integer", "number"]);

    let (paginator, token, dropped) = if operation.answer.connection {
        // The last page has a cursor too.
        let info = |member: &str| {
            let connection = operation.answer.pointer.as_deref().unwrap_or_default();
            format!("{connection}/pageInfo/{member}")
        };
        let next = info("endCursor");
        let more = Some(info("hasNextPage"));
        let after = candidates.iter().find(|candidate| candidate.name == "after")?;
        (Paginator::Cursor { next, more }, Some(after.index), Vec::new())
    } else if operation.answer.links && (number.is_some() || token.is_some() || size.is_some()) {
        // The vendor's link has everything, so nothing else says which page it is.
        let others = [number, token, offset]
            .into_iter()
            .flatten()
            .map(|other| other.index)
            .collect();
        (Paginator::LinkHeader, None, others)
    } else if let Some((token, next)) =
        token.and_then(|token| Some((token, next_token(definitions, &answer, token)?)))
    {
        (
            Paginator::Cursor { next, more: None },
            Some(token.index),
            Vec::new(),
        )
    } else if let Some(next) =
        next_url(definitions, &answer).filter(|next| size.is_some() || next.contains("nextLink"))
    {
        let others = [number, offset]
            .into_iter()
            .flatten()
            .map(|other| other.index)
            .collect();
        (Paginator::NextUrl { next }, None, others)
    } else if let (Some(number), Some(_)) = (number, size) {
        let first = number
            .schema
            .get("default")
            .or_else(|| number.schema.get("minimum"));
        let first = if first.and_then(Value::as_u64) == Some(0) {
            0
        } else {
            1
        };
        let paginator = Paginator::Page {
            first,
            pages: None,
            link: false,
        };
        (paginator, Some(number.index), Vec::new())
    } else if let (Some(offset), Some(_)) = (offset, size) {
        (Paginator::Offset { total: None }, Some(offset.index), Vec::new())
    } else {
        return None;
    };
    // A cursor that a call has to give is no way to a first page.
    let is_required = |index: &usize| {
        candidates
            .iter()
            .any(|candidate| candidate.index == *index && candidate.required)
    };
    if token
        .iter()
        .chain(&dropped)
        .any(|index| is_required(index) && !operation.answer.connection)
    {
        return None;
    }
    let bound = |keyword: &str| size.and_then(|size| size.schema.get(keyword)?.as_u64());
    let most = bound("maximum")
        .or_else(|| bound("default"))
        .unwrap_or(u64::from(USUAL_PAGE));
    let max_page_size = u32::try_from(most).unwrap_or(1_000).clamp(1, 1_000);
    Some(Found {
        paginator,
        token,
        size: size.map(|size| size.index),
        dropped,
        items,
        max_page_size,
        default_limit: max_page_size.min(USUAL_LIMIT),
        list,
    })
}

/// A name without separators, in lower case.
fn key(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The pointer to the items of an answer, and their member when the vendor may leave it out.
fn items(
    definitions: &Definitions,
    operation: &Operation,
    answer: &Map<String, Value>,
) -> Option<(String, Option<String>)> {
    if kind_of(answer) == Some("array") {
        return Some((String::new(), None));
    }
    let properties = answer.get("properties")?.as_object()?;
    let lists: Vec<&String> = properties
        .iter()
        .filter(|(_, property)| {
            outline(definitions, property).is_some_and(|property| kind_of(&property) == Some("array"))
        })
        .map(|(name, _)| name)
        .collect();
    let by_name = |known: &str| lists.iter().find(|name| key(name) == known).copied();
    let last = operation
        .path
        .rsplit('/')
        .find(|segment| !segment.contains('{'))
        .unwrap_or_default();
    let name = match lists.as_slice() {
        [only] => Some(*only),
        _ => ITEMS
            .iter()
            .find_map(|known| by_name(known))
            .or_else(|| by_name(&key(last))),
    }?;
    let required = answer.get("required").and_then(Value::as_array);
    let always = required.is_some_and(|names| names.iter().any(|required| required == name));
    Some((format!("/{}", step(name)), (!always).then(|| name.clone())))
}

/// The pointer to the next page's token: the member whose name fits the parameter's best, at most a few deep.
fn next_token(definitions: &Definitions, answer: &Map<String, Value>, token: &Candidate) -> Option<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    members(
        definitions,
        answer,
        "",
        1,
        &mut { MAX_MEMBERS },
        &mut |pointer, name, inner| {
            let fits = matches!(kind_of(inner), None | Some("string" | "integer"));
            let rank = NEXT.iter().position(|known| key(name) == *known);
            // `next: { after }` is meant for `after`; `offset` and `cursor` alone may say where this page began.
            let inside_next = pointer.to_ascii_lowercase().contains("next");
            let same = key(name) == key(&token.name);
            let plain = matches!(
                key(name).as_str(),
                "offset" | "after" | "cursor" | "startingafter"
            );
            if let Some(rank) = rank.filter(|_| fits && (!plain || inside_next)) {
                found.push((if same { rank } else { rank + NEXT.len() }, pointer.to_owned()));
            }
        },
    );
    found.sort();
    found.into_iter().next().map(|(_, pointer)| pointer)
}

/// The pointer to the next page's address.
fn next_url(definitions: &Definitions, answer: &Map<String, Value>) -> Option<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    members(
        definitions,
        answer,
        "",
        1,
        &mut { MAX_MEMBERS },
        &mut |pointer, name, inner| {
            let Some(rank) = NEXT_URLS.iter().position(|known| name == *known) else {
                return;
            };
            let format = inner.get("format").and_then(Value::as_str);
            let says_url =
                matches!(format, Some("uri" | "url")) || name != "next" || pointer.ends_with("/links/next");
            if says_url && matches!(kind_of(inner), None | Some("string")) {
                found.push((rank, pointer.to_owned()));
            }
        },
    );
    found.sort();
    found.into_iter().next().map(|(_, pointer)| pointer)
}

/// Takes a member: its pointer, its name and one level of its schema.
type Visit<'v> = &'v mut dyn FnMut(&str, &str, &Map<String, Value>);

/// Walks the members of an object and of the objects in it.
fn members(
    definitions: &Definitions,
    object: &Map<String, Value>,
    pointer: &str,
    depth: usize,
    left: &mut usize,
    visit: Visit,
) {
    let properties = object.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let Some(remaining) = left.checked_sub(1) else {
            return;
        };
        *left = remaining;
        let Some(inner) = outline(definitions, property) else {
            continue;
        };
        let pointer = format!("{pointer}/{}", step(name));
        if kind_of(&inner) == Some("object") {
            if depth < MAX_DEPTH {
                members(definitions, &inner, &pointer, depth + 1, left, visit);
            }
        } else {
            visit(&pointer, name, &inner);
        }
    }
}

/// A name as a step of a JSON pointer.
fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Answer;

    fn found(parameters: Value, answer: Value, links: bool) -> Option<Found> {
        let operation = Operation {
            path: "/things".to_owned(),
            answer: Answer {
                schema: Some(answer),
                links,
                ..Answer::default()
            },
            ..Operation::default()
        };
        let parameters = parameters.as_object().expect("parameters").clone();
        let candidates: Vec<Candidate> = parameters
            .into_iter()
            .enumerate()
            .map(|(index, (name, schema))| Candidate {
                index,
                name,
                required: false,
                schema: schema.as_object().expect("a schema").clone(),
            })
            .collect();
        find(&Definitions::default(), &operation, &candidates)
    }

    fn list_with(more: Value) -> Value {
        let mut properties = json!({"items": {"type": "array", "items": {"type": "object"}}});
        properties
            .as_object_mut()
            .expect("members")
            .extend(more.as_object().expect("members").clone());
        json!({"type": "object", "properties": properties})
    }

    #[test]
    fn the_usual_ways_of_paging_are_recognised() {
        let text = json!({"type": "string"});
        let number = json!({"type": "integer", "maximum": 50});
        let cursor = |next: &str| Paginator::Cursor {
            next: next.to_owned(),
            more: None,
        };
        let table = [
            (
                json!({"pageToken": text, "pageSize": number}),
                list_with(json!({"nextPageToken": text})),
                cursor("/nextPageToken"),
            ),
            (
                json!({"cursor": text, "limit": number}),
                list_with(
                    json!({"response_metadata": {"type": "object", "properties": {"next_cursor": text}}}),
                ),
                cursor("/response_metadata/next_cursor"),
            ),
            (
                json!({"offset": text, "limit": number}),
                list_with(
                    json!({"next_page": {"type": "object", "properties": {"offset": text, "uri": text}}}),
                ),
                cursor("/next_page/offset"),
            ),
            (
                json!({"start_cursor": text, "page_size": number}),
                list_with(json!({"next_cursor": text})),
                cursor("/next_cursor"),
            ),
            (
                json!({"page": {"type": "integer", "default": 1}, "per_page": number}),
                list_with(json!({})),
                Paginator::Page {
                    first: 1,
                    pages: None,
                    link: false,
                },
            ),
            (
                json!({"startAt": number, "maxResults": number}),
                list_with(json!({"total": number})),
                Paginator::Offset { total: None },
            ),
            (
                json!({"$top": number}),
                list_with(json!({"@odata.nextLink": text})),
                Paginator::NextUrl {
                    next: "/@odata.nextLink".to_owned(),
                },
            ),
        ];
        for (parameters, answer, paginator) in table {
            let found = found(parameters.clone(), answer, false);
            let found = found.unwrap_or_else(|| panic!("{parameters} is not recognised"));
            assert_eq!(found.paginator, paginator);
            assert_eq!((found.items.as_str(), found.max_page_size), ("/items", 50));
        }
        let page = json!({"page": {"type": "integer"}, "per_page": number});
        let answer = json!({"type": "array", "items": {"type": "object"}});
        let by_link = found(page, answer, true).expect("recognised");
        assert_eq!(
            (by_link.paginator, by_link.items.as_str(), by_link.dropped.len()),
            (Paginator::LinkHeader, "", 1)
        );
    }

    #[test]
    fn what_is_not_certain_stays_a_parameter() {
        let text = json!({"type": "string"});
        assert_eq!(
            found(
                json!({"starting_after": text, "limit": {"type": "integer"}}),
                list_with(json!({"has_more": {"type": "boolean"}})),
                false
            ),
            None
        );
        assert_eq!(
            found(json!({"page": {"type": "integer"}}), list_with(json!({})), false),
            None
        );
        assert_eq!(
            found(
                json!({"cursor": text}),
                json!({"type": "object", "properties": {"next_cursor": text}}),
                false
            ),
            None
        );
        assert_eq!(
            found(json!({"offset": text}), list_with(json!({"offset": text})), false),
            None
        );
    }
}
