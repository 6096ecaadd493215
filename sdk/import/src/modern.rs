//! Swagger 2.0 written as OpenAPI 3.0, as far as requests go, for those who check requests and would
//! otherwise have to know both.

use serde_json::{Map, Value, json};

use crate::Error;
use crate::definitions::Definitions;
use crate::model::{Body, Location, Operation};
use crate::read::openapi::{self, FORM};

/// A Swagger 2.0 document as OpenAPI 3.0: servers, paths, parameters and bodies, and the definitions to
/// which their schemas refer. Answers and security are left out, and so is what cannot be read. Any other
/// document comes back as it is.
///
/// # Errors
/// It refers to too many other files.
pub fn modern(document: Value) -> Result<Value, Error> {
    if !openapi::is_swagger(&document) {
        return Ok(document);
    }
    let nowhere = |_: &str| Err("there are no files".to_owned());
    let api = openapi::read(Definitions::new(document, &nowhere)?)?;
    let root = api.definitions.root();
    let mut paths = Map::new();
    for operation in &api.operations {
        let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        item[operation.method.to_lowercase()] = written(operation, root);
    }
    let servers: Vec<Value> = api
        .servers
        .iter()
        .map(|server| json!({ "url": server.url }))
        .collect();
    let mut modern = json!({ "openapi": "3.0.3", "servers": servers, "paths": paths });
    for part in ["definitions", "parameters"] {
        if let Some(part_of_it) = root.get(part) {
            modern[part] = part_of_it.clone();
        }
    }
    Ok(modern)
}

fn written(operation: &Operation, root: &Value) -> Value {
    let parameters: Vec<Value> = operation
        .parameters
        .iter()
        .filter_map(|parameter| {
            let place = match parameter.location {
                Location::Path | Location::PathRest => "path",
                Location::Query => "query",
                Location::Header => "header",
                Location::Cookie => "cookie",
                Location::Variable => return None,
            };
            Some(json!({
                "name": parameter.name, "in": place, "required": parameter.required,
                "x-multi-segment": parameter.location == Location::PathRest, "schema": parameter.schema,
            }))
        })
        .collect();
    let mut written = json!({ "parameters": parameters });
    let body = |types: &[&str], schema: Option<&Value>, required: bool| {
        let content: Map<String, Value> = types
            .iter()
            .map(|media_type| {
                let media = schema.map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
                ((*media_type).to_owned(), media)
            })
            .collect();
        json!({ "required": required, "content": content })
    };
    match &operation.body {
        Body::Json {
            media_type,
            schema,
            required,
        } => written["requestBody"] = body(&[media_type], Some(schema), *required),
        Body::Form { schema, required, .. } => {
            // Vendors that take forms and JSON say so by naming both.
            let own = &root["paths"][&operation.path][operation.method.to_lowercase()];
            let types = openapi::consumed(own, root);
            let in_json = types.iter().find(|media_type| openapi::is_json(media_type));
            let types: Vec<&str> = [FORM].into_iter().chain(in_json.map(String::as_str)).collect();
            written["requestBody"] = body(&types, Some(schema), *required);
        }
        Body::Other { media_type, required } => {
            written["requestBody"] = body(&[media_type], None, *required);
        }
        Body::None | Body::GraphQl { .. } => {}
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swagger_is_written_as_openapi_3() {
        let document = json!({
            "swagger": "2.0", "host": "api.v.example", "basePath": "/v1", "schemes": ["https"],
            "consumes": ["application/json"],
            "paths": {
                "/things/{id}": {
                    "parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}],
                    "put": {"parameters": [{"name": "body", "in": "body", "required": true,
                                            "schema": {"$ref": "#/definitions/Thing"}}]}
                },
                "/send": {"post": {
                    "consumes": ["application/x-www-form-urlencoded", "application/json"],
                    "parameters": [{"name": "text", "in": "formData", "required": true, "type": "string"},
                                   {"name": "n", "in": "query", "type": "integer", "maximum": 9}]}}
            },
            "definitions": {"Thing": {"type": "object"}}
        });
        let modern = modern(document).expect("read");
        assert_eq!(modern["servers"], json!([{"url": "https://api.v.example/v1"}]));
        let put = &modern["paths"]["/things/{id}"]["put"];
        assert_eq!(put["parameters"][0]["schema"], json!({"type": "string"}));
        assert_eq!(
            put["requestBody"]["content"]["application/json"]["schema"],
            json!({"$ref": "#/definitions/Thing"})
        );
        assert_eq!(modern["definitions"]["Thing"]["type"], "object");
        let post = &modern["paths"]["/send"]["post"];
        assert_eq!(
            post["parameters"][0]["schema"],
            json!({"type": "integer", "maximum": 9})
        );
        for media_type in [FORM, "application/json"] {
            let schema = &post["requestBody"]["content"][media_type]["schema"];
            assert_eq!(schema["required"], json!(["text"]), "{media_type}");
        }
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for document in [json!({"openapi": "3.1.0", "paths": {}}), json!([1])] {
            assert_eq!(modern(document.clone()).expect("read"), document);
        }
    }
}
