//! GraphQL: a request's document against the vendor's schema, and its variables against the document.

mod introspection;

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema, ast};
use serde_json::Value;

use super::super::case::Request;

/// Members of a request (GraphQL over HTTP, section 5.1).
const MEMBERS: [&str; 4] = ["query", "operationName", "variables", "extensions"];

/// A schema (<https://spec.graphql.org>).
#[derive(Debug)]
pub struct GraphQl {
    schema: Valid<Schema>,
}

impl GraphQl {
    /// Takes a schema in GraphQL's own language.
    ///
    /// # Errors
    /// It is none.
    pub fn new(text: &str) -> Result<Self, String> {
        if let Err(found) = ast::Document::parse(text, "schema.graphql") {
            let first = found.errors.iter().next().map(|error| error.to_json().message);
            return Err(first.unwrap_or_else(|| "it is cut off".to_owned()));
        }
        let schema = match Schema::parse_and_validate(text, "schema.graphql") {
            Ok(schema) => schema,
            // What a vendor does against the rules is not the author's to mend, if there is a schema.
            Err(found) if found.partial.schema_definition.query.is_some() => {
                Valid::assume_valid(found.partial)
            }
            Err(found) => {
                let first = found.errors.iter().next().map(|error| error.to_json().message);
                return Err(first.unwrap_or_else(|| "it has no queries".to_owned()));
            }
        };
        Ok(Self { schema })
    }

    /// Takes the answer to an introspection query; none when the document is none.
    ///
    /// # Errors
    /// What it describes is no schema.
    pub fn of_answer(document: &Value) -> Option<Result<Self, String>> {
        let schema = introspection::described(document)?;
        Some(Self::new(&introspection::written(schema)))
    }

    /// What is wrong with a request.
    #[must_use]
    pub fn check(&self, request: &Request) -> Vec<String> {
        let body: Value = match serde_json::from_slice(&request.body) {
            Ok(body) => body,
            Err(error) => return vec![format!("the body is not JSON: {error}")],
        };
        let mut problems: Vec<String> = body
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !MEMBERS.contains(&name.as_str()))
            .map(|(name, _)| format!("a GraphQL request has no member `{name}`"))
            .collect();
        if request.method != "POST" {
            problems.push("GraphQL is sent with POST".to_owned());
        }
        let Some(document) = body["query"].as_str() else {
            problems.push("the body has no document (`query`)".to_owned());
            return problems;
        };
        let document = match ExecutableDocument::parse_and_validate(&self.schema, document, "query") {
            Ok(document) => document,
            Err(found) => {
                problems.extend(found.errors.iter().take(10).map(|error| {
                    let said = error.to_json();
                    let place = said.locations.first().map_or_else(String::new, |place| {
                        format!("line {} column {} of the document: ", place.line, place.column)
                    });
                    format!("{place}{}", said.message)
                }));
                return problems;
            }
        };
        let operation = match document.operations.get(body["operationName"].as_str()) {
            Ok(operation) => operation,
            Err(error) => {
                problems.push(error.message().to_string());
                return problems;
            }
        };
        let given = match &body["variables"] {
            Value::Null => Value::Object(serde_json::Map::new()),
            Value::Object(_) => body["variables"].clone(),
            _ => {
                problems.push("`variables` is no object".to_owned());
                return problems;
            }
        };
        for name in given.as_object().into_iter().flatten().map(|(name, _)| name) {
            let is_declared = operation
                .variables
                .iter()
                .any(|declared| declared.name == name.as_str());
            if !is_declared {
                problems.push(format!("the document declares no variable `${name}`"));
            }
        }
        match serde_json::from_value::<JsonMap>(given) {
            Ok(variables) => {
                if let Err(error) = coerce_variable_values(&self.schema, operation, &variables) {
                    problems.push(error.message().to_string());
                }
            }
            Err(error) => problems.push(format!("the variables cannot be read: {error}")),
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = "
        scalar DateTime
        enum Kind { BUG TASK }
        input IssueInput { title: String!, kind: Kind, dueDate: DateTime, labels: [String!] }
        type Issue { id: ID!, title: String!, state: State! }
        type State { name: String! }
        type Query { issue(id: String!): Issue!, issues(first: Int, after: String): [Issue!]! }
        type Mutation { issueCreate(input: IssueInput!): Issue }
    ";

    fn found(body: &Value) -> String {
        let request = Request {
            method: "POST".to_owned(),
            url: "https://api.v.example/graphql".to_owned(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        GraphQl::new(SCHEMA).expect("a schema").check(&request).join("; ")
    }

    #[test]
    fn right_requests_have_no_complaint() {
        let read = "query($id: String!) { issue(id: $id) { id title state { name } } }";
        assert_eq!(found(&json!({"query": read, "variables": {"id": "A-1"}})), "");
        let write = "mutation Create($input: IssueInput!) { issueCreate(input: $input) { id } }";
        let input = json!({"title": "x", "kind": "BUG", "dueDate": "2026-01-31", "labels": ["a"]});
        assert_eq!(
            found(&json!({"query": write, "operationName": "Create", "variables": {"input": input}})),
            ""
        );
    }

    #[test]
    fn a_document_is_held_to_the_schema() {
        for (document, words) in [
            ("{ issue(id: \"1\") { id name } }", "name"),
            ("{ issue(id: \"1\") }", "subselection"),
            ("{ issue { id } }", "id"),
            ("{ issues(first: \"5\") { id } }", "type Int"),
            ("query($n: Int, $m: Int) { issues(first: $n) { id } }", "$m"),
            ("{ issues { id }", "expected"),
            ("mutation { issueDelete(id: 1) { id } }", "issueDelete"),
        ] {
            let found = found(&json!({"query": document}));
            assert!(
                found.contains(words) && found.contains("line 1"),
                "{document}: {found}"
            );
        }
    }

    #[test]
    fn variables_are_held_to_the_document() {
        let write = "mutation($input: IssueInput!) { issueCreate(input: $input) { id } }";
        for (variables, words) in [
            (json!({}), "input"),
            (json!({"input": {"kind": "BUG"}}), "title"),
            (json!({"input": {"title": "x", "kind": "EPIC"}}), "EPIC"),
            (json!({"input": {"title": "x", "colour": "red"}}), "colour"),
            (json!({"input": {"title": 7}}), "String"),
            (json!({"input": {"title": "x"}, "other": 1}), "$other"),
            (json!([]), "no object"),
        ] {
            let found = found(&json!({"query": write, "variables": variables}));
            assert!(found.contains(words), "{variables}: {found}");
        }
    }

    #[test]
    fn the_answer_to_an_introspection_query_is_a_schema_too() {
        let named = |name: &str| json!({"kind": "SCALAR", "name": name, "ofType": null});
        let id = json!({"name": "id", "args": [], "type": {"kind": "NON_NULL", "name": null, "ofType": named("ID")}});
        let issue = json!({"name": "issue", "args": [{"name": "id", "type": named("ID"), "defaultValue": null}],
                           "type": {"kind": "OBJECT", "name": "Issue", "ofType": null}});
        let answer = json!({"data": {"__schema": {"queryType": {"name": "Query"}, "types": [
            {"kind": "OBJECT", "name": "Query", "fields": [issue], "interfaces": []},
            {"kind": "OBJECT", "name": "Issue", "fields": [id], "interfaces": []},
        ], "directives": []}}});
        let schema = GraphQl::of_answer(&answer).expect("it is one").expect("a schema");
        let check = |query: &str| {
            schema.check(&Request {
                method: "POST".to_owned(),
                body: json!({"query": query}).to_string().into_bytes(),
                ..Request::default()
            })
        };
        assert_eq!(check("{ issue(id: 7) { id } }"), Vec::<String>::new());
        let found = check("{ issue(id: 7) { name } }").join("; ");
        assert!(found.contains("does not have a field `name`"), "{found}");
        assert!(GraphQl::of_answer(&json!({"openapi": "3.1.0"})).is_none());
        assert!(matches!(
            GraphQl::of_answer(&json!({"__schema": {}})),
            Some(Err(_))
        ));
    }

    #[test]
    fn what_is_no_graphql_request_is_said() {
        assert!(found(&json!({"query": "{ issues { id } }", "variable": {}})).contains("`variable`"));
        assert!(found(&json!({"q": "{ issues { id } }"})).contains("no document"));
        let two = "query A { issues { id } } query B { issues { id } }";
        assert!(found(&json!({"query": two})).contains("operationName"));
        assert!(GraphQl::new("type Query {").is_err());
        assert!(GraphQl::new("no schema").is_err());
    }
}
