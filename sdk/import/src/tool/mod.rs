//! One operation as one tool: its parameters and body as the input's schema, and the request that they fill
//! in. What a declared request cannot carry makes the operation one that is left out, with the reason.

mod inputs;
mod request;
mod texts;

use valetkey_manifest::Tool;
use valetkey_manifest::tool::{Paginator, Paging, Response};

use crate::auth::Scopes;
use crate::hints;
use crate::model::{Api, Body, Operation};
use crate::paging::{self, Candidate};
use crate::schemas::{self, Losses, Portable, Unsayable, outline};
use inputs::{Input, Place};

/// A tool, and what a reviewer should look at.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) tool: Tool,
    /// The paginator that it names, whose name is given when all are known.
    pub(crate) paginator: Option<Paginator>,
    pub(crate) review: Vec<String>,
    pub(crate) losses: Losses,
}

/// Why an operation is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// What it has in common with others, to count by.
    pub(crate) reason: String,
    /// What it is in this one.
    pub(crate) detail: String,
}

impl LeftOut {
    pub(crate) fn new(reason: &str, detail: impl Into<String>) -> Self {
        Self {
            reason: reason.to_owned(),
            detail: detail.into(),
        }
    }
}

/// Makes a tool of an operation.
///
/// # Errors
/// Why a declared request cannot carry it.
pub(crate) fn make(
    api: &Api,
    operation: &Operation,
    name: &str,
    endpoint: &str,
    scopes: &Scopes,
) -> Result<Made, LeftOut> {
    expect_carried(operation)?;
    let path_names = request::placeholders(&operation.path)?;
    let fitted = Portable::fit(&api.definitions, |portable| {
        inputs::inputs(portable, operation, &path_names)
    });
    let (mut inputs, losses) = fitted.map_err(|why| match why {
        Unsayable::TooMany => LeftOut::new(
            "it has too many parameters",
            "it has too many required parameters",
        ),
        why => LeftOut::new(
            &format!("a required parameter is {}", why.kind()),
            format!("a required parameter is {}", why.detail()),
        ),
    })?;

    let mut review = Vec::new();
    let (hints, hint_review) = hints::of(operation);
    review.extend(hint_review.map(str::to_owned));
    let found = find_paging(api, operation, &inputs);
    if let Some(found) = &found {
        review.push("paging is a guess from names: compare it with the vendor's page on it".to_owned());
        for (index, input) in inputs.iter_mut().enumerate() {
            if found.token == Some(index) {
                input.value = "{page.token}".to_owned();
                input.schema = None;
            } else if found.size == Some(index) {
                input.value = "{page.size}".to_owned();
                input.schema = None;
            } else if found.dropped.contains(&index) {
                input.value = String::new();
                input.schema = None;
            }
        }
    }
    inputs::name_inputs(&mut inputs, found.is_some());

    let request = request::request(operation, endpoint, &inputs);
    let mut response = Response {
        pointer: operation.answer.pointer.clone(),
        failure: operation.answer.failure.clone(),
        ..Response::default()
    };
    if operation.answer.failure.is_none() && says_ok(api, operation) {
        response.failure = Some("/error".to_owned());
        review.push("its answers say `ok`; `failure` takes an `error` in a success for a failure".to_owned());
    }
    response
        .lists
        .extend(found.as_ref().and_then(|found| found.list.clone()));
    let tool = Tool {
        name: name.to_owned(),
        aliases: Vec::new(),
        title: texts::title(operation, name),
        description: texts::description(api, operation),
        tags: texts::tags(operation),
        hints,
        scopes: scopes.all.clone(),
        any_scopes: scopes.any.clone(),
        input: inputs::schema(&inputs),
        output: None,
        result: Default::default(),
        portable: true,
        request: Some(request),
        response: (response != Response::default()).then_some(response),
        paging: found.as_ref().map(|found| Paging {
            items: found.items.clone(),
            max_page_size: found.max_page_size,
            default_limit: found.default_limit,
            paginator: None,
        }),
        allow: Vec::new(),
    };
    Ok(Made {
        tool,
        paginator: found.map(|found| found.paginator),
        review,
        losses,
    })
}

/// Whether a declared request can carry an operation and its answer at all.
fn expect_carried(operation: &Operation) -> Result<(), LeftOut> {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    if !known.contains(&operation.method.as_str()) {
        return Err(LeftOut::new(
            "its method is not one that a tool may use",
            format!("its method is {}", operation.method),
        ));
    }
    let bodiless = matches!(operation.method.as_str(), "GET" | "HEAD");
    match &operation.body {
        Body::Other {
            media_type,
            required: true,
        } => {
            return Err(LeftOut::new(
                &format!("its body is {}", sort_of(media_type)),
                format!("its body is {media_type}"),
            ));
        }
        Body::Json { required: true, .. } | Body::Form { required: true, .. } if bodiless => {
            return Err(LeftOut::new(
                "it is a GET with a body",
                format!("it is a {} with a body", operation.method),
            ));
        }
        _ => {}
    }
    if let Some(other) = &operation.answer.other {
        return Err(LeftOut::new("it answers no JSON", format!("it answers {other}")));
    }
    Ok(())
}

fn sort_of(media_type: &str) -> &'static str {
    if media_type.starts_with("multipart/") {
        "multipart (files)"
    } else if media_type.ends_with("xml") {
        "XML"
    } else {
        "raw bytes or text"
    }
}

fn find_paging(api: &Api, operation: &Operation, inputs: &[Input]) -> Option<paging::Found> {
    let candidates: Vec<Candidate> = inputs
        .iter()
        .enumerate()
        .filter(|(_, input)| {
            input.schema.is_some() && matches!(input.place, Place::Query | Place::Member | Place::Variable)
        })
        .filter_map(|(index, input)| {
            Some(Candidate {
                index,
                name: input.name.clone(),
                required: input.required,
                schema: outline(&api.definitions, &input.declared)?,
            })
        })
        .collect();
    let reads = hints::of(operation).0.read_only || operation.method == "POST";
    paging::find(&api.definitions, operation, &candidates).filter(|_| reads)
}

/// Whether an operation's answers say by a member whether it succeeded, with status 200 either way.
fn says_ok(api: &Api, operation: &Operation) -> bool {
    let answer = operation
        .answer
        .schema
        .as_ref()
        .and_then(|schema| outline(&api.definitions, schema));
    let ok = answer
        .as_ref()
        .and_then(|answer| answer.get("properties")?.get("ok"));
    let ok = ok.and_then(|ok| outline(&api.definitions, ok));
    ok.is_some_and(|ok| schemas::kind_of(&ok) == Some("boolean"))
}
