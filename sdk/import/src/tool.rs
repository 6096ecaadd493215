//! One operation as one tool: its parameters and body as the input's schema, and the request that they fill
//! in. What a declared request cannot carry makes the operation one that is left out, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use valetkey_manifest::Tool;
use valetkey_manifest::tool::{BodyFormat, Nested, Paginator, Paging, Request, Response};

use crate::auth::Scopes;
use crate::model::{Api, Body, ListStyle, Location, Operation, Parameter};
use crate::paging::{self, Candidate};
use crate::schemas::{self, Losses, Portable, Unsayable, outline};
use crate::{hints, names, words};

/// Headers that the host writes itself, or that a template has no business with.
const HOST_HEADERS: [&str; 38] = [
    "authorization",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
    "cookie",
    "cookie2",
    "set-cookie",
    "set-cookie2",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "trailers",
    "expect",
    "forwarded",
    "via",
    "http2-settings",
    "accept-encoding",
    "accept-charset",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "accept",
    "content-type",
    "user-agent",
    "accept-language",
];
/// Names that templates keep for themselves.
const RESERVED: [&str; 2] = ["page", "config"];
/// Parameters that the host adds to tools with paging.
const PAGE_PARAMETERS: [&str; 2] = ["limit", "cursor"];
/// Characters of a description; OpenAI takes no more.
const MAX_DESCRIPTION: usize = 1_024;
const MIN_DESCRIPTION: usize = 40;
const MAX_TITLE: usize = 60;
const MAX_TAGS: usize = 4;
/// Characters of a parameter's name.
const MAX_PARAMETER: usize = 64;

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
    let path_names = placeholders(&operation.path)?;
    let fitted = Portable::fit(&api.definitions, |portable| {
        inputs(portable, operation, &path_names)
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
    name_inputs(&mut inputs, found.is_some());

    let request = request(operation, endpoint, &inputs);
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
        title: title(operation, name),
        description: description(api, operation),
        tags: tags(operation),
        hints,
        scopes: scopes.all.clone(),
        any_scopes: scopes.any.clone(),
        input: schema(&inputs),
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

/// The names in a path's placeholders; a path that no rule could permit is refused.
fn placeholders(path: &str) -> Result<Vec<String>, LeftOut> {
    let refused = |why: &str| {
        Err(LeftOut::new(
            "its path cannot be declared",
            format!("its path {path:?} {why}"),
        ))
    };
    let Some(rest) = path.strip_prefix('/') else {
        return refused("does not begin with `/`");
    };
    let mut found = Vec::new();
    let segments: Vec<&str> = rest.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        if segment.is_empty() && index + 1 < segments.len() {
            return refused("contains `//`");
        }
        let mut text = *segment;
        let mut fixed = String::new();
        while let Some(open) = text.find('{') {
            let Some(close) = text[open..].find('}').map(|at| at + open) else {
                return refused("has a brace that is not closed");
            };
            fixed.push_str(&text[..open]);
            let name = &text[open + 1..close];
            if name.is_empty()
                || name.starts_with(['+', '*', '?', '/', '.', ';', '&'])
                || name.contains(['{', '*'])
            {
                return refused("has a placeholder for more than one segment");
            }
            found.push(name.to_owned());
            text = &text[close + 1..];
        }
        fixed.push_str(text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte);
        if !fixed.bytes().all(plain) || matches!(*segment, "." | "..") {
            return refused("has characters that no path holds as they are");
        }
    }
    Ok(found)
}

/// One thing that a call may give.
#[derive(Debug)]
struct Input {
    /// The vendor's name.
    name: String,
    place: Place,
    required: bool,
    /// Its portable schema; none when the host or a constant gives the value.
    schema: Option<Value>,
    /// The vendor's schema.
    declared: Value,
    list: ListStyle,
    /// What stands in the request for it: a placeholder, a constant, or nothing.
    value: String,
    /// Its name in the tool.
    parameter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    PathRest,
    Query,
    Header,
    Variable,
    /// A member of the body.
    Member,
    /// The body itself.
    Body,
}

/// Everything that a call may give, made portable.
fn inputs(
    portable: &mut Portable,
    operation: &Operation,
    path_names: &[String],
) -> Result<Vec<Input>, Unsayable> {
    let mut inputs = Vec::new();
    for name in path_names {
        let declared = operation.parameters.iter().find(|parameter| {
            matches!(parameter.location, Location::Path | Location::PathRest) && parameter.name == *name
        });
        let (schema, words, place) = match declared {
            Some(declared) => {
                // Several segments can stand at the end alone; elsewhere such a value is one segment.
                let at_end = operation.path.ends_with(&format!("/{{{name}}}"));
                let place = if declared.location == Location::PathRest && at_end {
                    Place::PathRest
                } else {
                    Place::Path
                };
                (declared.schema.clone(), declared.description.as_str(), place)
            }
            // Broken specifications forget to declare them.
            None => (json!({"type": "string"}), "", Place::Path),
        };
        let made = match portable.parameter(name, &schema, words) {
            Ok(made) if is_scalar(&made) => made,
            Ok(_) | Err(Unsayable::OpenObject | Unsayable::Recursive | Unsayable::TooDeep) => {
                portable.parameter(name, &json!({"type": "string"}), words)?
            }
            Err(why) => return Err(why),
        };
        if !inputs.iter().any(|known: &Input| known.name == *name) {
            inputs.push(input(name, place, true, made, schema, ListStyle::Repeated));
        }
    }
    for parameter in &operation.parameters {
        let place = match parameter.location {
            Location::Path | Location::PathRest => continue,
            Location::Query => Place::Query,
            Location::Header => Place::Header,
            Location::Variable => Place::Variable,
            Location::Cookie => {
                if parameter.required {
                    return Err(Unsayable::Name(format!("{} (a cookie)", parameter.name)));
                }
                continue;
            }
        };
        let unsendable = place == Place::Header && !is_sendable(&parameter.name);
        if parameter.name.is_empty() || unsendable || is_credential(&parameter.name, &parameter.description) {
            continue;
        }
        match of_parameter(portable, parameter, place) {
            Ok(made) => inputs.push(made),
            Err(why @ Unsayable::TooMany) => return Err(why),
            Err(why) if parameter.required => return Err(why),
            Err(why) => portable.lose(&why),
        }
    }
    let bodiless = matches!(operation.method.as_str(), "GET" | "HEAD");
    match &operation.body {
        Body::Json { schema, required, .. } if !bodiless => {
            body(portable, schema, *required, false, &mut inputs)?
        }
        Body::Form { schema, required, .. } if !bodiless => {
            body(portable, schema, *required, true, &mut inputs)?
        }
        _ => {}
    }
    settle_lists(&mut inputs);
    Ok(inputs)
}

/// A request writes all lists of its query alike. Where an operation wants them in several ways, those that
/// are joined become texts that the caller joins.
fn settle_lists(inputs: &mut [Input]) {
    let is_list = |input: &Input| {
        input.place == Place::Query
            && input
                .schema
                .as_ref()
                .is_some_and(|schema| schema["type"] == "array")
    };
    let styles: Vec<ListStyle> = inputs
        .iter()
        .filter(|input| is_list(input))
        .map(|input| input.list)
        .collect();
    if styles.windows(2).all(|pair| pair[0] == pair[1]) {
        return;
    }
    for input in inputs.iter_mut().filter(|input| is_list(input)) {
        if let (ListStyle::Joined(join), Some(schema)) = (input.list, &input.schema) {
            input.schema = Some(as_text(schema, join));
        }
    }
}

fn input(name: &str, place: Place, required: bool, made: Value, declared: Value, list: ListStyle) -> Input {
    let constant = constant(&made).filter(|_| required && place != Place::Body);
    Input {
        name: name.to_owned(),
        place,
        required,
        value: constant.clone().unwrap_or_default(),
        schema: constant.is_none().then_some(made),
        declared,
        list,
        parameter: String::new(),
    }
}

fn of_parameter(portable: &mut Portable, parameter: &Parameter, place: Place) -> Result<Input, Unsayable> {
    let schema = &parameter.schema;
    let made = portable.parameter(&parameter.name, schema, &parameter.description)?;
    if place == Place::Header && !is_scalar(&made) {
        return Err(Unsayable::OpenObject);
    }
    let required = parameter.required && made.get("default").is_none();
    Ok(input(
        &parameter.name,
        place,
        required,
        made,
        schema.clone(),
        parameter.list,
    ))
}

/// A list as a text with something between its values.
fn as_text(made: &Value, join: &str) -> Value {
    let own = made
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let between = match join {
        "," => "commas".to_owned(),
        " " => "blanks".to_owned(),
        other => format!("`{other}`"),
    };
    json!({"type": "string", "description": format!("{} Several values have {between} between them.", words::ended(own))})
}

/// The members of a body as inputs of their own; a body that is no object is one input.
fn body(
    portable: &mut Portable,
    schema: &Value,
    required: bool,
    is_form: bool,
    inputs: &mut Vec<Input>,
) -> Result<(), Unsayable> {
    let made = match portable.body(schema) {
        Ok(made) => made,
        Err(why @ Unsayable::TooMany) => return Err(why),
        Err(why) if required => return Err(why),
        Err(why) => {
            portable.lose(&why);
            return Ok(());
        }
    };
    let Some(Value::Object(properties)) = made.get("properties") else {
        if is_form {
            return Err(Unsayable::OpenObject);
        }
        let mut made = made;
        made.remove("x-sentences");
        let said = made
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let said = words::plain(said, 300);
        let said = if said.chars().count() < 3 {
            "What is sent: the whole body of the request.".to_owned()
        } else {
            said
        };
        made.insert("description".to_owned(), json!(said));
        inputs.push(input(
            "body",
            Place::Body,
            required,
            Value::Object(made),
            schema.clone(),
            ListStyle::Repeated,
        ));
        return Ok(());
    };
    let needed: BTreeSet<&str> = made
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, property) in properties {
        let said = property
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if is_credential(name, said) {
            continue;
        }
        let needed = needed.contains(name.as_str());
        inputs.push(input(
            name,
            Place::Member,
            needed,
            property.clone(),
            property.clone(),
            ListStyle::Repeated,
        ));
    }
    Ok(())
}

/// Whether a parameter is the account's own credential, which the host adds: nobody may be asked for it.
fn is_credential(name: &str, said: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    let said = said.to_ascii_lowercase();
    let known = [
        "token",
        "accesstoken",
        "authtoken",
        "oauthtoken",
        "apikey",
        "apitoken",
        "xapikey",
    ];
    known.contains(&name.as_str())
        && [
            "authentication token",
            "api key",
            "api token",
            "access token",
            "bearer",
        ]
        .iter()
        .any(|words| said.contains(words))
}

fn is_scalar(schema: &Value) -> bool {
    let kind = schema.get("type").and_then(Value::as_str);
    let scalar = |kind: Option<&str>| matches!(kind, Some("string" | "integer" | "number" | "boolean"));
    let branches = schema.get("anyOf").and_then(Value::as_array);
    scalar(kind)
        || branches.is_some_and(|all| {
            all.iter()
                .all(|one| scalar(one.get("type").and_then(Value::as_str)))
        })
}

/// The one value that a text may have, unless it would read as a placeholder.
fn constant(schema: &Value) -> Option<String> {
    let values = schema.get("enum")?.as_array()?;
    let [Value::String(only)] = values.as_slice() else {
        return None;
    };
    (!only.contains('{') && is_plain_text(only)).then(|| only.clone())
}

fn is_plain_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// Whether a template may set a header.
fn is_sendable(name: &str) -> bool {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let is_token = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let hosts = lower.starts_with("x-forwarded") || lower.starts_with("proxy-") || lower.starts_with("sec-");
    is_token && !hosts && !HOST_HEADERS.contains(&lower.as_str())
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

/// Gives every input a name that templates and models take, each once.
fn name_inputs(inputs: &mut [Input], pages: bool) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    if pages {
        taken.extend(PAGE_PARAMETERS.map(str::to_owned));
    }
    for input in inputs.iter_mut().filter(|input| input.schema.is_some()) {
        let base = parameter_name(&input.name);
        let mut name = base.clone();
        if taken.contains(&name) {
            let place = match input.place {
                Place::Member | Place::Body => "body",
                Place::Header => "header",
                _ => "by",
            };
            name = shortened(&format!("{place}_{base}"));
        }
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!(
                "{}_{number}",
                base.chars().take(MAX_PARAMETER - 6).collect::<String>()
            );
            number += 1;
        }
        input.value = match input.place {
            Place::PathRest => format!("{{{name}...}}"),
            _ => format!("{{{name}}}"),
        };
        input.parameter = name;
    }
}

fn parameter_name(name: &str) -> String {
    let letters: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '_'
            }
        })
        .collect();
    let mut name = letters.trim_matches('_').to_owned();
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    if name.is_empty() {
        name = "value".to_owned();
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) || RESERVED.contains(&name.as_str()) {
        name = format!("by_{name}");
    }
    shortened(&name)
}

fn shortened(name: &str) -> String {
    name.chars().take(MAX_PARAMETER).collect()
}

/// The request that the inputs fill in.
fn request(operation: &Operation, endpoint: &str, inputs: &[Input]) -> Request {
    let sent = |place: Place| {
        inputs
            .iter()
            .filter(move |input| input.place == place && !input.value.is_empty())
    };
    let path = filled_path(&operation.path, |name| {
        let is_it =
            |input: &&Input| matches!(input.place, Place::Path | Place::PathRest) && input.name == name;
        inputs
            .iter()
            .find(is_it)
            .map_or_else(String::new, |input| input.value.clone())
    });
    let mut query = BTreeMap::new();
    for input in sent(Place::Query) {
        query.insert(input.name.clone(), json!(input.value));
    }
    let headers: BTreeMap<String, String> = sent(Place::Header)
        .map(|input| (input.name.clone(), input.value.clone()))
        .collect();
    let members: Map<String, Value> = sent(Place::Member)
        .map(|input| (input.name.clone(), json!(input.value)))
        .collect();
    let whole = sent(Place::Body).next().map(|input| json!(input.value));

    let mut request = Request {
        endpoint: endpoint.to_owned(),
        method: operation.method.clone(),
        path,
        query,
        query_join: None,
        nested: Nested::default(),
        headers,
        body: None,
        body_format: BodyFormat::Json,
    };
    request.query_join = inputs
        .iter()
        .filter(|input| {
            input.place == Place::Query
                && input
                    .schema
                    .as_ref()
                    .is_some_and(|schema| schema["type"] == "array")
        })
        .find_map(|input| match input.list {
            ListStyle::Joined(join) => Some(join.to_owned()),
            ListStyle::Repeated | ListStyle::Brackets => None,
        });
    if inputs
        .iter()
        .any(|input| input.place == Place::Query && input.list == ListStyle::Brackets)
    {
        request.nested = Nested::Brackets;
    }
    match &operation.body {
        Body::Json { media_type, .. } if whole.is_some() || !members.is_empty() => {
            request.body = whole.or(Some(Value::Object(members)));
            if media_type != "application/json" {
                request
                    .headers
                    .insert("Content-Type".to_owned(), media_type.clone());
            }
        }
        Body::Form { brackets, .. } if !members.is_empty() => {
            request.body = Some(Value::Object(members));
            request.body_format = BodyFormat::Form;
            if *brackets {
                request.nested = Nested::Brackets;
            }
        }
        Body::GraphQl { document } => {
            let variables: Map<String, Value> = sent(Place::Variable)
                .map(|input| (input.name.clone(), json!(input.value)))
                .collect();
            let mut body = json!({"query": document});
            if !variables.is_empty() {
                body["variables"] = Value::Object(variables);
            }
            request.body = Some(body);
        }
        _ => {}
    }
    request
}

/// A path with something else in place of every placeholder; all at once, so that one that is put in is not
/// taken for one of the path's own.
fn filled_path(path: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        filled.push_str(before);
        filled.push_str(&value(name));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The input's schema.
fn schema(inputs: &[Input]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for input in inputs {
        let Some(schema) = &input.schema else { continue };
        properties.insert(input.parameter.clone(), schema.clone());
        if input.required {
            required.push(input.parameter.clone());
        }
    }
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
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

fn title(operation: &Operation, name: &str) -> String {
    let said = words::plain(&operation.summary, MAX_TITLE);
    let said = said.trim_end_matches('.').trim();
    if (3..=MAX_TITLE).contains(&said.chars().count()) {
        return said.to_owned();
    }
    let words = name.split_once('_').map_or(name, |(_, rest)| rest);
    let mut words = words::sentence_of(words);
    if words.len() < 3 {
        words = words::sentence_of(name);
    }
    words
}

/// The vendor's sentences, and what is sent, so that a model and a reviewer know what they look at.
fn description(api: &Api, operation: &Operation) -> String {
    let sent = match &operation.body {
        Body::GraphQl { .. } => format!(
            "Calls the GraphQL field {}.",
            operation.id.as_deref().unwrap_or_default()
        ),
        _ => format!(
            "Sends {} {}.",
            operation.method,
            operation.path.replace(['{', '}'], "")
        ),
    };
    let sent: String = sent.chars().take(300).collect();
    let room = MAX_DESCRIPTION - sent.chars().count() - 2;
    let summary = words::plain(&operation.summary, room);
    let said = words::plain(&operation.description, room);
    let mut text = if said.starts_with(summary.trim_end_matches('.')) || summary.is_empty() {
        said
    } else {
        words::plain(&format!("{} {said}", words::ended(&summary)), room)
    };
    text = match text.is_empty() {
        true => sent,
        false => format!("{} {sent}", words::ended(&text)),
    };
    if text.chars().count() < MIN_DESCRIPTION {
        let title = words::plain(&api.title, 60);
        text = format!(
            "{text} Answers what {} answers.",
            if title.is_empty() { "the vendor" } else { &title }
        );
    }
    if text.chars().count() < MIN_DESCRIPTION {
        text.push_str(" Its specification says no more.");
    }
    text
}

fn tags(operation: &Operation) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    if hints::searches(operation) {
        tags.push("search".to_owned());
    }
    for tag in &operation.tags {
        let tag = names::word(tag, "");
        if !tag.is_empty() && !tags.contains(&tag) && tags.len() < MAX_TAGS {
            tags.push(tag);
        }
    }
    // The tag by which a POST says that it only reads.
    let reads = hints::of(operation).0.read_only;
    tags.retain(|tag| tag != "search" || reads);
    tags
}
