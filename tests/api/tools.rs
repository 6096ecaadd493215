//! Lists of tools: in every format, with what a user lacks, and with no misspelling unnoticed.

use http::Method;
use serde_json::{Value, json};

use valetkey::manifest;
use valetkey::manifest::profile::Format;
use valetkey_tests::{TestHost, World, artifacts, guests};

async fn get(host: &TestHost, path: &str) -> Value {
    host.api(Method::GET, path, Value::Null).await.expect(200)
}

/// Where each format keeps a tool's name and the schema of its parameters.
fn parts(format: Format, tool: &Value) -> (Value, Value) {
    let (name, schema) = match format {
        Format::Openai | Format::OpenaiStrict => ("/function/name", "/function/parameters"),
        Format::Anthropic => ("/name", "/input_schema"),
        Format::Gemini => ("/name", "/parameters"),
        Format::Mcp => ("/name", "/inputSchema"),
        Format::Langchain => ("/name", "/args_schema"),
    };
    let part = |pointer| tool.pointer(pointer).cloned().unwrap_or_default();
    (part(name), part(schema))
}

#[tokio::test]
async fn every_list_of_tools_comes_in_every_format_whole_and_in_pages() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let host = &world.host;
    let all = get(host, "/api/v1/tools?limit=200").await;
    let names: Vec<&Value> = all["items"]
        .as_array()
        .expect("tools")
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert!(names.len() > 30, "{names:?}");
    for format in Format::ALL {
        let word = format.as_str();
        let shaped = get(host, &format!("/api/v1/tools?limit=200&format={word}")).await;
        let items = shaped["items"].as_array().expect("tools");
        let seen: Vec<Value> = items.iter().map(|tool| parts(format, tool).0).collect();
        assert_eq!(seen.iter().collect::<Vec<_>>(), names, "{word}");
        assert!(shaped.get("left_out").is_none(), "{shaped}");

        let first = get(host, &format!("/api/v1/tools?limit=2&format={word}")).await;
        let next = first["next_cursor"].as_str().expect("more");
        let second = get(
            host,
            &format!("/api/v1/tools?limit=2&format={word}&cursor={next}"),
        )
        .await;
        assert_eq!(second["items"][0], items[2], "{word}");

        let scoped = get(
            host,
            &format!("/api/v1/tools/scoped?identifier=ada&limit=200&format={word}"),
        )
        .await;
        let (name, schema) = parts(format, &scoped["items"][0]);
        assert!(name.as_str().expect("a name").starts_with("hubspot_"), "{name}");
        assert_eq!(schema["type"], "object", "{word}");
        let one = get(
            host,
            &format!("/api/v1/tools/hubspot_contacts_search?format={word}"),
        )
        .await;
        assert_eq!(parts(format, &one).0, "hubspot_contacts_search");
        assert!(items.contains(&one));
        let found = get(
            host,
            &format!("/api/v1/tools/search?query=search+contacts&format={word}"),
        )
        .await;
        assert_eq!(found["items"][0], one);
    }
    let unknown = host
        .api(Method::GET, "/api/v1/tools?format=opanai", Value::Null)
        .await
        .expect(400);
    assert_eq!(unknown["error"]["fields"][0]["path"], "/format");
    assert!(
        unknown.to_string().contains("did you mean `openai`?"),
        "{unknown}"
    );
}

#[tokio::test]
async fn null_for_what_is_optional_is_the_same_as_leaving_it_out() {
    let world = World::start().await;
    world.connect("hubspot", "ada").await;
    let host = &world.host;
    let strict = get(host, "/api/v1/tools/hubspot_contacts_search?format=openai-strict").await;
    let properties = strict["function"]["parameters"]["properties"]
        .as_object()
        .expect("properties");
    let mut params: serde_json::Map<String, Value> = properties
        .keys()
        .map(|name| (name.clone(), Value::Null))
        .collect();
    world.vendors.log().clear();
    let with_nulls = host
        .call("hubspot_contacts_search", "ada", json!(params))
        .await
        .expect(200);
    let without = host
        .call("hubspot_contacts_search", "ada", json!({}))
        .await
        .expect(200);
    assert_eq!(with_nulls["data"], without["data"]);
    let sent = world.vendors.log().entries();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].body, sent[1].body, "the vendor sees no difference");
    assert!(!sent[0].body.contains("null"), "{}", sent[0].body);

    let filter = json!({"propertyName": "email", "operator": "HAS_PROPERTY", "value": null, "highValue": null, "values": null});
    params.insert("filters".to_owned(), json!([filter]));
    host.call("hubspot_contacts_search", "ada", json!(params))
        .await
        .expect(200);
    let required = host
        .call("hubspot_contact_get", "ada", json!({"contact_id": null}))
        .await
        .expect(400);
    assert_eq!(
        required["error"]["fields"][0]["path"], "/contact_id",
        "{required}"
    );
}

#[tokio::test]
async fn a_tool_that_a_format_cannot_hold_is_named_and_not_lost() {
    let host = TestHost::start().await;
    let mut declared = guests::manifest("stamp");
    declared.tools[0].input = json!({
        "type": "object", "additionalProperties": false, "properties": {
            "any": {"type": "object", "additionalProperties": true, "description": "Members of any name."}},
    });
    let component = manifest::embed(&artifacts::guest("stamp"), &declared).expect("a component");
    host.install(component).await.expect(200);
    for word in ["gemini", "openai-strict"] {
        let list = get(&host, &format!("/api/v1/tools?format={word}")).await;
        assert_eq!(list["items"], json!([]));
        assert_eq!(list["left_out"][0]["name"], "stamp_run");
        assert_eq!(
            list["left_out"][0]["problems"][0]["path"],
            "/input/properties/any"
        );
        let path = format!("/api/v1/tools/stamp_run?format={word}");
        let error = host.api(Method::GET, &path, Value::Null).await.expect(400)["error"].clone();
        assert_eq!(
            (&error["reason"], &error["fields"][0]["path"]),
            (&json!("format"), &json!("/input/properties/any"))
        );
    }
    let list = get(&host, "/api/v1/tools?format=anthropic").await;
    assert_eq!(list["items"][0]["name"], "stamp_run");
}

#[tokio::test]
async fn what_a_user_lacks_is_said_of_every_tool() {
    let world = World::start().await;
    let host = &world.host;
    let readiness = async || {
        let path = "/api/v1/tools/available?identifier=ada&tool_name=hubspot_contact_create";
        let list = get(host, path).await;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
        list["items"][0]["connections"].clone()
    };
    assert_eq!(
        readiness().await,
        json!([{"connection_name": "hubspot", "readiness": "not_connected"}])
    );
    let body = json!({"connection_name": "hubspot", "identifier": "ada"});
    let made = host
        .api(Method::POST, "/api/v1/connected_accounts", body)
        .await
        .expect(200);
    let id = &made["id"];
    let one = |readiness: &str| json!([{"connection_name": "hubspot", "connected_account_id": id, "readiness": readiness}]);
    assert_eq!(readiness().await, one("authorization_needed"));
    let ready = "/api/v1/tools/search?query=create+contact&identifier=ada&ready=true";
    assert_eq!(get(host, ready).await["items"], json!([]));
    world.connect("hubspot", "ada").await;
    assert_eq!(readiness().await, one("ready"));
    let found = get(host, ready).await;
    assert_eq!(found["items"][0]["name"], "hubspot_contact_create");
    assert!(found["items"][0]["score"].as_f64().expect("a score") > 0.0);
    let scoped = get(host, "/api/v1/tools/scoped?identifier=ada&limit=200").await;
    for tool in scoped["items"].as_array().expect("tools") {
        assert_eq!(
            (&tool["connector"], &tool["connection_names"]),
            (&json!("hubspot"), &json!(["hubspot"]))
        );
    }
}

#[tokio::test]
async fn lists_are_narrowed_by_several_names_and_a_misspelt_one_is_told() {
    let world = World::start().await;
    let host = &world.host;
    let names = async |query: &str| -> Vec<String> {
        let list = get(host, &format!("/api/v1/tools?limit=200&{query}")).await;
        let items = list["items"].as_array().expect("tools").clone();
        items
            .iter()
            .map(|tool| tool["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        names("tool_name=gmail_send_mail,hubspot_contact_get").await,
        ["gmail_send_mail", "hubspot_contact_get"]
    );
    let hubspot = names("connector=HubSpot").await;
    assert!(hubspot.iter().all(|name| name.starts_with("hubspot_")) && hubspot.len() > 13);
    assert_eq!(names("connection_name=hubspot").await, hubspot);
    assert_eq!(names("connector=hubspot,gmail").await, names("").await);
    for (query, path, hint) in [
        ("connector=hubspott", "/connector", "hubspot"),
        ("connection_name=gmial", "/connection_name", "gmail"),
        (
            "tool_name=hubspot_contact_creat",
            "/tool_name",
            "hubspot_contact_create",
        ),
    ] {
        let path_and_query = format!("/api/v1/tools?{query}");
        let refused = host
            .api(Method::GET, &path_and_query, Value::Null)
            .await
            .expect(400);
        let field = &refused["error"]["fields"][0];
        assert_eq!(field["path"], path);
        assert!(
            field["problem"].as_str().expect("words").contains(hint),
            "{field}"
        );
    }
}
