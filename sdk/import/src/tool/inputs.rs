//! What a call may give: parameters, members of the body, and names for them that templates and models take.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::model::{Body, ListStyle, Location, Operation, Parameter};
use crate::schemas::{Portable, Unsayable};
use crate::words;

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
/// Characters of a parameter's name.
const MAX_PARAMETER: usize = 64;

/// One thing that a call may give.
#[derive(Debug)]
pub(super) struct Input {
    /// The vendor's name.
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    /// Its portable schema; none when the host or a constant gives the value.
    pub(super) schema: Option<Value>,
    /// The vendor's schema.
    pub(super) declared: Value,
    pub(super) list: ListStyle,
    /// What stands in the request for it: a placeholder, a constant, or nothing.
    pub(super) value: String,
    /// Its name in the tool.
    pub(super) parameter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
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
pub(super) fn inputs(
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
    let constant =
        constant(&made).filter(|_| required && matches!(place, Place::Query | Place::Header | Place::Member));
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
    text.trim() == text && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
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

/// Gives every input a name that templates and models take, each once.
pub(super) fn name_inputs(inputs: &mut [Input], pages: bool) {
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

/// The input's schema.
pub(super) fn schema(inputs: &[Input]) -> Value {
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
