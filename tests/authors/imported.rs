//! Imported connectors at work: packed, installed and called, their requests seen by a vendor on loopback.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use valetkey::manifest::build;
use valetkey_import::{Format, Imported, Options, import};
use valetkey_tests::TestHost;
use valetkey_tests::http::Answer;

use super::import::vendors;

/// One request as the vendor saw it.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    headers: HeaderMap,
    body: String,
}

/// A vendor that keeps every request and gives the answers that it was given.
struct Vendor {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

type Kept = (Arc<Mutex<Vec<Seen>>>, Arc<Mutex<Vec<(HeaderMap, Value)>>>);

impl Vendor {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let kept: Kept = Kept::default();
        let router = Router::new().fallback(answer).with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            seen: kept.0,
            answers: kept.1,
        }
    }

    /// The next answer to a request; `{}` when there is none.
    fn will_answer(&self, header: Option<(&'static str, String)>, body: Value) {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().expect("a header's value"));
        }
        self.answers.lock().expect("a lock").push((headers, body));
    }

    fn last(&self) -> Seen {
        self.seen
            .lock()
            .expect("a lock")
            .last()
            .expect("a request")
            .clone()
    }
}

async fn answer(
    State((seen, answers)): State<Kept>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, axum::Json<Value>) {
    seen.lock().expect("a lock").push(Seen {
        line: format!("{method} {uri}"),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    let mut answers = answers.lock().expect("a lock");
    let (headers, body) = if answers.is_empty() {
        (HeaderMap::new(), json!({}))
    } else {
        answers.remove(0)
    };
    (StatusCode::OK, headers, axum::Json(body))
}

/// A host on which an imported connector is installed, with an account of `ada` by a token.
async fn host_with(imported: &Imported, vendor: &Vendor, base: &str) -> TestHost {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("connector.toml"), &imported.toml).expect("written");
    let built = build::pack(folder.path(), folder.path(), &mut |_| ()).expect("packed");
    let host = TestHost::start().await;
    let component = std::fs::read(built.path).expect("a component");
    let installed = host.install(component).await;
    assert!(installed.status.is_success(), "{}", installed.text());
    let connector = &imported.manifest.connector.id;
    let auth = imported
        .manifest
        .auth
        .iter()
        .find(|auth| auth.id == "token")
        .expect("a way by token");
    let body = json!({
        "connection_name": connector, "connector": connector, "auth": auth.id, "development": true,
        "endpoints": {"api": format!("{}{base}", vendor.url)},
    });
    host.api(Method::POST, "/api/v1/connections", body)
        .await
        .expect(201);
    let subject = json!({"id": 4711, "login": "ada"});
    if imported.manifest.verify.is_some() {
        vendor.will_answer(None, subject);
    }
    let body = json!({
        "connection_name": connector, "identifier": "ada", "credential": {"inputs": {"token": "canary-token-0123456789"}},
    });
    let made = host.api(Method::POST, "/api/v1/connected_accounts", body).await;
    assert!(made.status.is_success(), "{}", made.text());
    host
}

async fn call(host: &TestHost, tool: &str, params: Value) -> Answer {
    host.call(tool, "ada", params).await
}

/// What our own words say of a small API with everything that a declared request can carry.
const ACME: &str = r##"
openapi: 3.0.3
info: {title: Acme API}
servers: [{url: "https://api.acme.example/v1"}]
security: [{key: []}]
paths:
  /files/{path}:
    get:
      operationId: getFile
      parameters:
        - {name: path, in: path, required: true, x-multi-segment: true, schema: {type: string}}
        - {name: fields, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: X-Mode, in: header, schema: {type: string}}
      responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/File"}}}}}
  /things:
    get:
      operationId: listThings
      parameters:
        - {name: "filter", in: query, style: deepObject, schema: {type: object, properties: {size: {type: object, properties: {gt: {type: integer}}}}}}
        - {name: cursor, in: query, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer, maximum: 2}}
      responses:
        "200":
          content:
            application/json:
              schema:
                type: object
                properties:
                  things: {type: array, items: {$ref: "#/components/schemas/File"}}
                  next_cursor: {type: string}
    post:
      operationId: createThing
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            encoding: {parts: {style: deepObject}}
            schema:
              type: object
              required: [name]
              properties:
                name: {type: string}
                parts: {type: array, items: {type: object, properties: {sku: {type: string}, count: {type: integer}}}}
      responses: {"200": {content: {application/json: {schema: {type: object, properties: {ok: {type: boolean}}}}}}}
components:
  securitySchemes: {key: {type: http, scheme: bearer}}
  schemas: {File: {type: object, properties: {id: {type: string}}}}
"##;

#[tokio::test]
async fn an_imported_connector_sends_what_its_specification_says() {
    let nothing = |_: &str| Err("it is not there".to_owned());
    let acme = import(ACME.as_bytes(), Format::OpenApi, &Options::default(), &nothing).expect("imported");
    let vendor = Vendor::start().await;
    let host = host_with(&acme, &vendor, "/v1").await;

    let params = json!({"path": "docs/my plan.md", "fields": ["a", "b"], "X_Mode": "fast"});
    call(&host, "acme_file_get", params).await.expect(200);
    let seen = vendor.last();
    assert_eq!(seen.line, "GET /v1/files/docs/my%20plan.md?fields=a%2Cb");
    assert_eq!(seen.headers["x-mode"], "fast");
    assert_eq!(seen.headers["authorization"], "Bearer canary-token-0123456789");

    let things = |ids: &[u32]| {
        ids.iter()
            .map(|id| json!({"id": id.to_string()}))
            .collect::<Vec<_>>()
    };
    vendor.will_answer(None, json!({"things": things(&[1, 2]), "next_cursor": "c 2"}));
    vendor.will_answer(None, json!({"next_cursor": ""}));
    let params = json!({"filter": {"size": {"gt": 5}}, "limit": 10});
    let answer = call(&host, "acme_things_list", params).await.expect(200);
    assert_eq!(
        answer["data"]["things"].as_array().map(Vec::len),
        Some(2),
        "{answer}"
    );
    assert_eq!(
        vendor.last().line,
        "GET /v1/things?cursor=c%202&filter%5Bsize%5D%5Bgt%5D=5&limit=2"
    );

    let params = json!({"name": "n & m", "parts": [{"sku": "x", "count": 2}]});
    call(&host, "acme_thing_create", params.clone()).await.expect(200);
    let seen = vendor.last();
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(
        seen.body,
        "name=n+%26+m&parts%5B0%5D%5Bcount%5D=2&parts%5B0%5D%5Bsku%5D=x"
    );
    vendor.will_answer(None, json!({"ok": false, "error": "name_taken"}));
    let refused = call(&host, "acme_thing_create", params).await;
    assert!(!refused.status.is_success(), "{}", refused.text());
    assert!(refused.text().contains("name_taken"), "{}", refused.text());
}

#[tokio::test]
async fn tools_of_githubs_specification_send_githubs_requests() {
    let include = ["issues", "repos/get-content"].map(str::to_owned).to_vec();
    let options = Options {
        include,
        ..Options::default()
    };
    let Some(github) = vendors("github/api.github.com.json.gz", Format::OpenApi, &options) else {
        return;
    };
    let vendor = Vendor::start().await;
    let host = host_with(&github, &vendor, "").await;

    let issue = |number: u32| json!({"number": number, "title": "t"});
    let link = format!(
        "<{}/repos/ada/engine/issues?per_page=100&page=2>; rel=\"next\"",
        vendor.url
    );
    vendor.will_answer(Some(("link", link)), json!([issue(1), issue(2)]));
    vendor.will_answer(None, json!([issue(3)]));
    let params = json!({"owner": "ada", "repo": "engine", "state": "all", "labels": "bug,help wanted"});
    let answer = call(&host, "github_issues_list_for_repo", params).await;
    let seen = vendor.seen.lock().expect("a lock").clone();
    let lines: Vec<&str> = seen.iter().map(|seen| seen.line.as_str()).collect();
    assert!(
        lines.contains(&"GET /repos/ada/engine/issues?direction=desc&labels=bug%2Chelp%20wanted&per_page=20&sort=created&state=all"),
        "{lines:?}: {}",
        answer.text()
    );

    vendor.answers.lock().expect("a lock").clear();
    let params = json!({"owner": "ada", "repo": "engine", "title": "Broken gear", "labels": ["bug"]});
    call(&host, "github_issues_create", params).await.expect(200);
    let seen = vendor.last();
    assert_eq!(seen.line, "POST /repos/ada/engine/issues");
    let body: Value = serde_json::from_str(&seen.body).expect("JSON");
    assert_eq!(body, json!({"title": "Broken gear", "labels": ["bug"]}));

    let params = json!({"owner": "ada", "repo": "engine", "path": "docs/notes/G.md"});
    call(&host, "github_repos_get_content", params).await.expect(200);
    assert_eq!(
        vendor.last().line,
        "GET /repos/ada/engine/contents/docs/notes/G.md"
    );
}

#[tokio::test]
async fn tools_of_linears_schema_ask_by_variables_and_read_errors() {
    let include = ["issues", "issueCreate"].map(str::to_owned).to_vec();
    let url = Some("https://api.linear.app/graphql".to_owned());
    let options = Options {
        include,
        url,
        ..Options::default()
    };
    let Some(linear) = vendors("linear/schema.graphql.gz", Format::GraphQl, &options) else {
        return;
    };
    let vendor = Vendor::start().await;
    let host = host_with(&linear, &vendor, "").await;

    let page = json!({"data": {"result": {"nodes": [{"id": "1"}], "pageInfo": {"hasNextPage": false, "endCursor": null}}}});
    vendor.will_answer(None, page);
    let answer = call(&host, "linear_issues_list", json!({"limit": 5}))
        .await
        .expect(200);
    assert_eq!(answer["data"]["nodes"], json!([{"id": "1"}]), "{answer}");
    let seen = vendor.last();
    let body: Value = serde_json::from_str(&seen.body).expect("JSON");
    assert_eq!(
        (seen.line.as_str(), &body["variables"]),
        ("POST /graphql", &json!({"first": 5}))
    );
    assert!(
        body["query"]
            .as_str()
            .is_some_and(|query| query.contains("result: issues(")),
        "{body}"
    );

    vendor.will_answer(
        None,
        json!({"data": {"result": null}, "errors": [{"message": "Entity not found: Team"}]}),
    );
    let params = json!({"input": {"teamId": "t", "title": "Gear"}});
    let refused = call(&host, "linear_issue_create", params).await;
    assert!(
        !refused.status.is_success() && refused.text().contains("Entity not found"),
        "{}",
        refused.text()
    );
}
