//! `valetkey eval`: the bundled connectors under the host's own search, and a model that is scripted: an
//! OpenAI-compatible endpoint on loopback that answers each task as the test wants, and keeps what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use valetkey::author::evaluation::baseline;
use valetkey::author::evaluation::tasks::{self, Tasks};
use valetkey::manifest;
use valetkey_manifest::Manifest;
use valetkey_tests::artifacts::repository;
use valetkey_tests::program::{Place, Ran};

/// The least share of the bundled tasks whose tool is among the first five that a search with the user's own words
/// finds. It was 0.97 over ten connectors with 315 tools; raise it with the descriptions.
const FLOOR_AT_5: f64 = 0.95;
/// And for the first tool alone. It was 0.68.
const FLOOR_AT_1: f64 = 0.65;
/// The least share of the sentences that the search was not made with. It was 0.97.
const FLOOR_AT_5_HELD_OUT: f64 = 0.92;

fn bundled() -> Vec<Manifest> {
    let folders = std::fs::read_dir(repository().join("plugins")).expect("the plugins");
    let mut folders: Vec<_> = folders.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders
        .iter()
        .map(|folder| manifest::read(folder).expect("a manifest"))
        .collect()
}

fn tasks() -> Tasks {
    Tasks::read(tasks::BUNDLED).expect("the bundled tasks")
}

#[test]
fn a_search_in_users_words_finds_the_right_tool_of_the_bundled_connectors() {
    let measured = baseline::measure(&bundled(), &tasks().tasks);
    eprintln!(
        "{:?}; {} tasks left out",
        measured.recall,
        measured.left_out.len()
    );
    for (id, figures) in &measured.connectors {
        eprintln!("{id}: {figures:?}");
        let recall = figures.recall;
        assert!(recall.tasks >= 5, "{id} has {} tasks; write some", recall.tasks);
    }
    assert!(
        measured.recall.at_5 >= FLOOR_AT_5,
        "{:?}\n{:#?}",
        measured.recall,
        measured.misses
    );
    assert!(
        measured.recall.at_1 >= FLOOR_AT_1,
        "{:?}\n{:#?}",
        measured.recall,
        measured.misses
    );
    // What search mode is for.
    let with_search = measured.search_mode.definitions.bytes
        + measured.search_mode.search_answer.bytes
        + measured.search_mode.tool.bytes;
    assert!(
        with_search * 2 < measured.all_tools.bytes,
        "{:?}",
        measured.search_mode
    );
}

/// Words and weights that fit the bundled tasks alone would be worth little.
#[test]
fn a_search_finds_as_well_in_sentences_that_it_was_not_made_with() {
    let held_out = Tasks::read(include_str!("held_out.toml")).expect("tasks");
    let measured = baseline::measure(&bundled(), &held_out.tasks);
    assert_eq!(
        (measured.recall.tasks, measured.left_out.len()),
        (held_out.tasks.len(), 0)
    );
    assert!(
        measured.recall.at_5 >= FLOOR_AT_5_HELD_OUT,
        "{:?}",
        measured.recall
    );
}

/// A task that names what is not there would count against every model.
#[test]
fn the_bundled_tasks_name_tools_and_arguments_that_there_are() {
    let connectors = bundled();
    let mut wrong = Vec::new();
    let held_out = Tasks::read(include_str!("held_out.toml")).expect("tasks");
    for task in tasks().tasks.into_iter().chain(held_out.tasks) {
        let Some(connector) = connectors.iter().find(|one| one.connector.id == task.connector) else {
            continue;
        };
        for expected in &task.expect {
            let known = |name: &String| {
                let is = |tool: &&valetkey_manifest::Tool| tool.name == *name || tool.aliases.contains(name);
                connector.tools.iter().find(is)
            };
            let tools: Vec<_> = expected.tools.iter().filter_map(known).collect();
            if tools.is_empty() {
                wrong.push(format!("{}: there is none of {:?}", task.id, expected.tools));
            }
            for tool in tools {
                let input = manifest::shown_input(tool);
                for spellings in expected.arguments.keys() {
                    let known = spellings.split('|').any(|spelling| {
                        let first = spelling
                            .trim_start_matches('/')
                            .split('/')
                            .next()
                            .unwrap_or_default();
                        input
                            .pointer("/properties")
                            .is_some_and(|properties| properties.get(first).is_some())
                    });
                    if !known {
                        wrong.push(format!("{}: {} takes no {spellings}", task.id, tool.name));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn the_baseline_is_the_same_whenever_it_is_measured_and_wants_no_network() {
    let place = Place::new();
    let plugins = repository().join("plugins").display().to_string();
    let arguments = ["eval", "--baseline", "--connector", &plugins, "--json"];
    let first = place.run(&arguments).await;
    let measured = baseline::measure(&bundled(), &tasks().tasks);
    assert_eq!(first.json(), serde_json::to_value(measured).expect("JSON"));
    assert_eq!(first.out, place.run(&arguments).await.out);

    let shown = place.run(&arguments[..4]).await;
    assert_eq!(shown.code, 0, "{}", shown.talk);
    for said in [
        "RECALL@5",
        "search mode",
        "estimated: bytes of JSON over 4",
        "hubspot",
    ] {
        assert!(shown.out.contains(said), "{said}: {}", shown.out);
    }
    let neither = place.run(&["eval", "--connector", &plugins]).await;
    assert_eq!(neither.code, 2, "{}", neither.talk);
}

const KEY: &str = "sk-canary-0123456789abcdef";

/// A model that answers each task as it was told, one answer after the other.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<BTreeMap<String, Vec<Scripted>>>>,
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

type Scripted = (StatusCode, Value);

impl Script {
    fn will(&self, says: &str, answers: impl IntoIterator<Item = Scripted>) {
        let mut known = self.answers.lock().expect("a lock");
        known.entry(says.to_owned()).or_default().extend(answers);
    }

    async fn start(&self) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn asked(&self) -> Vec<Value> {
        let asked = self.asked.lock().expect("a lock");
        asked.iter().map(|(_, body)| body.clone()).collect()
    }
}

async fn answer(
    State(script): State<Script>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let says = body["messages"][1]["content"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    script.asked.lock().expect("a lock").push((headers, body));
    let mut answers = script.answers.lock().expect("a lock");
    let mine = answers
        .get_mut(&says)
        .unwrap_or_else(|| panic!("no answer to {says}"));
    // The last one stays.
    let (status, body) = if mine.len() > 1 {
        mine.remove(0)
    } else {
        mine[0].clone()
    };
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    (status, [("retry-after", "0")], text)
}

fn calls(name: &str, arguments: &str) -> Scripted {
    let call =
        json!({"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}});
    let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 2});
    (
        StatusCode::OK,
        json!({"choices": [{"message": message}], "usage": usage}),
    )
}

fn fails(status: u16, body: Value) -> Scripted {
    (StatusCode::from_u16(status).expect("a status"), body)
}

/// A connector of two tools and tasks for it.
fn acme(says: &[&str]) -> Place {
    let place = Place::new();
    let manifest = r#"
[connector]
id = "acme"
title = "Acme"
version = "1.0.0"
contract = "0.1"
description = "Orders of Acme."

[endpoints.api]
url = "https://api.acme.example"

[[tools]]
name = "acme_order_get"
aliases = ["acme_order_read"]
title = "Get an order"
description = "One order by its number: items, total, state."
hints = { read_only = true, destructive = false, idempotent = true }
input = { type = "object", required = ["number"], additionalProperties = false, properties = { number = { type = "string", description = "Number." }, full = { type = "boolean", description = "Everything." } } }
request = { endpoint = "api", method = "GET", path = "/orders/{number}" }

[[tools]]
name = "acme_order_cancel"
title = "Cancel an order"
description = "Cancels an order by its number."
hints = { read_only = false, destructive = true, idempotent = true }
input = { type = "object", required = ["number"], additionalProperties = false, properties = { number = { type = "string", description = "Number." } } }
request = { endpoint = "api", method = "DELETE", path = "/orders/{number}" }
"#;
    let mut tasks = "instructions = \"Call one tool.\"\n".to_owned();
    for says in says {
        tasks.push_str(&format!(
            "[[tasks]]\nid = {says:?}\nconnector = \"acme\"\nsays = {says:?}\n[[tasks.expect]]\ntools = [\"acme_order_read\"]\narguments.number = \"A-1\"\n"
        ));
    }
    tasks.push_str("[[tasks]]\nid = \"other\"\nconnector = \"elsewhere\"\nsays = \"x\"\n[[tasks.expect]]\ntools = [\"elsewhere_x\"]\n");
    std::fs::create_dir(place.path().join("acme")).expect("a folder");
    std::fs::write(place.path().join("acme/connector.toml"), manifest).expect("written");
    std::fs::write(place.path().join("tasks.toml"), tasks).expect("written");
    place
}

async fn eval(place: &Place, url: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["eval", "--base-url", url, "--model", "m-1", "--connector", "acme"];
    arguments.extend(["--tasks", "tasks.toml", "--api-key-env", "MODEL_KEY"]);
    arguments.extend(more);
    let ran = place.run_with(&arguments, &[("MODEL_KEY", KEY)]).await;
    assert!(
        !ran.out.contains(KEY) && !ran.talk.contains(KEY),
        "the key is printed: {}{}",
        ran.out,
        ran.talk
    );
    ran
}

#[tokio::test]
async fn each_way_of_going_wrong_is_told_apart() {
    let right = "{\"number\": \"A-1\", \"full\": null}";
    let script = Script::default();
    let cases = [
        ("goes right", calls("acme_order_get", right), None),
        (
            "wrong tool",
            calls("acme_order_cancel", right),
            Some("wrong_tool"),
        ),
        (
            "no such tool",
            calls("acme_order_fetch", right),
            Some("wrong_tool"),
        ),
        (
            "wrong number",
            calls("acme_order_get", "{\"number\": \"A-2\"}"),
            Some("wrong_arguments"),
        ),
        (
            "number left out",
            calls("acme_order_get", "{}"),
            Some("invalid_arguments"),
        ),
        (
            "unknown argument",
            calls("acme_order_get", "{\"number\": \"A-1\", \"x\": 1}"),
            Some("invalid_arguments"),
        ),
        (
            "broken arguments",
            calls("acme_order_get", "{\"number\": "),
            Some("malformed_arguments"),
        ),
        (
            "asks back",
            (
                StatusCode::OK,
                json!({"choices": [{"message": {"role": "assistant", "content": format!("Which one? {KEY}")}}]}),
            ),
            Some("no_call"),
        ),
        (
            "is no model",
            (StatusCode::OK, json!({"hello": 1})),
            Some("failed"),
        ),
        (
            "says nothing of sense",
            (StatusCode::OK, json!("<html>")),
            Some("failed"),
        ),
    ];
    for (says, answer, _) in &cases {
        script.will(says, [answer.clone()]);
    }
    let url = script.start().await;
    let place = acme(&cases.each_ref().map(|(says, _, _)| *says));
    let report = eval(&place, &url, &["--json"]).await.json();

    let outcomes: BTreeMap<&str, &str> = report["failures"]
        .as_array()
        .expect("failures")
        .iter()
        .map(|failure| {
            (
                failure["task"].as_str().expect("a task"),
                failure["outcome"].as_str().expect("an outcome"),
            )
        })
        .collect();
    for (says, _, wanted) in &cases {
        assert_eq!(outcomes.get(says).copied(), *wanted, "{says}: {report}");
    }
    assert_eq!(
        (
            &report["score"]["tasks"],
            &report["score"]["right_tool"],
            &report["score"]["right"]
        ),
        (&json!(10), &json!(5), &json!(1)),
        "{report}"
    );
    assert_eq!(report["left_out"], json!(["other"]));
    assert_eq!(
        report["usage"],
        json!({"prompt_tokens": 70, "completion_tokens": 14})
    );
    let mismatch = |says: &str| {
        let failures = report["failures"].as_array().expect("failures");
        failures
            .iter()
            .find(|failure| failure["task"] == says)
            .expect("a failure")["mismatches"][0]
            .clone()
    };
    assert_eq!(
        mismatch("wrong number"),
        json!({"argument": "number", "wanted": "\"A-1\"", "got": "\"A-2\""})
    );

    // What went over the wire.
    let (headers, body) = script.asked.lock().expect("a lock")[0].clone();
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(
        (&body["model"], &body["tool_choice"]),
        (&json!("m-1"), &json!("auto"))
    );
    assert_eq!(
        body["messages"][0],
        json!({"role": "system", "content": "Call one tool."})
    );
    assert_eq!(body["tools"].as_array().map(Vec::len), Some(2));
    assert_eq!(body["tools"][1]["type"], "function");
    assert_eq!(body["tools"][1]["function"]["name"], "acme_order_get");
    assert_eq!(
        body["tools"][1]["function"]["parameters"]["required"],
        json!(["number"])
    );

    let shown = eval(&place, &url, &[]).await;
    assert_eq!(shown.code, 0, "a score is no failure: {}", shown.talk);
    for said in [
        "wrong number (wrong arguments)",
        "number: wants \"A-1\", got \"A-2\"",
        "5 (50 %)",
        "Which one? [key]",
    ] {
        assert!(shown.out.contains(said), "{said}: {}", shown.out);
    }
}

#[tokio::test]
async fn in_search_mode_the_model_finds_the_tool_as_an_agent_would() {
    let script = Script::default();
    let says = "what is in order A-1";
    script.will(
        says,
        [
            calls("search_tools", "{\"query\": \"get order\"}"),
            calls("get_tool", "{\"name\": \"acme_order_get\"}"),
            calls(
                "call_read_tool",
                "{\"name\": \"acme_order_cancel\", \"arguments\": {}}",
            ),
            calls(
                "call_read_tool",
                "{\"name\": \"acme_order_get\", \"arguments\": {\"number\": \"A-1\"}}",
            ),
        ],
    );
    script.will(
        "looks on and on",
        [calls("search_tools", "{\"query\": \"teapot\"}")],
    );
    let url = script.start().await;
    let place = acme(&[says, "looks on and on"]);
    let report = eval(&place, &url, &["--offer", "search", "--json"]).await.json();
    assert_eq!(
        (&report["score"]["right"], &report["offer"]),
        (&json!(1), &json!("search")),
        "{report}"
    );
    assert_eq!(report["failures"][0]["outcome"], "no_call");

    let asked = script.asked();
    let names: Vec<&str> = asked[0]["tools"]
        .as_array()
        .expect("tools")
        .iter()
        .filter_map(|tool| tool["function"]["name"].as_str())
        .collect();
    assert_eq!(names, ["call_read_tool", "call_tool", "get_tool", "search_tools"]);
    let messages = asked[3]["messages"].as_array().expect("messages");
    let answers: Vec<&str> = messages
        .iter()
        .filter(|message| message["role"] == "tool")
        .filter_map(|message| message["content"].as_str())
        .collect();
    let found: Value = serde_json::from_str(answers[0]).expect("JSON");
    assert_eq!(found["tools"][0]["name"], "acme_order_get", "{found}");
    let described: Value = serde_json::from_str(answers[1]).expect("JSON");
    assert_eq!(described["inputSchema"]["required"], json!(["number"]));
    assert!(answers[2].contains("Call it with call_tool"), "{answers:?}");
}

#[tokio::test]
async fn an_endpoint_that_is_busy_is_waited_for_and_one_that_refuses_ends_the_run_without_showing_the_key() {
    let script = Script::default();
    let right = calls("acme_order_get", "{\"number\": \"A-1\"}");
    let busy = fails(429, json!({"error": {"message": "slow down"}}));
    script.will(
        "busy at first",
        [busy.clone(), fails(503, json!("")), right.clone()],
    );
    script.will(
        "always broken",
        [fails(
            500,
            json!({"error": {"message": format!("no luck with {KEY}")}}),
        )],
    );
    script.will(
        "too much",
        [fails(400, json!({"error": {"message": "too many tools"}}))],
    );
    let url = script.start().await;
    let place = acme(&["busy at first", "always broken", "too much"]);
    let report = eval(&place, &url, &["--json"]).await.json();
    assert_eq!(report["score"]["right"], 1, "{report}");
    let why: Vec<&str> = report["failures"]
        .as_array()
        .expect("failures")
        .iter()
        .filter_map(|failure| failure["why"].as_str())
        .collect();
    assert_eq!(why.len(), 2, "{report}");
    assert!(
        why[0].contains("500") && why[0].contains("no luck with [key]"),
        "{why:?}"
    );
    assert!(
        why[1].contains("400") && why[1].contains("too many tools"),
        "{why:?}"
    );
    assert_eq!(
        script.asked().len(),
        3 + 4 + 1,
        "a refusal is not repeated, a broken endpoint is asked four times"
    );

    let script = Script::default();
    script.will(
        "refused",
        [fails(
            401,
            json!({"error": {"message": format!("Incorrect API key: {KEY}")}}),
        )],
    );
    let url = script.start().await;
    let place = acme(&["refused", "never asked"]);
    let ran = eval(&place, &url, &[]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.talk.contains("401") && ran.talk.contains("[key]"),
        "{}",
        ran.talk
    );
    assert_eq!(script.asked().len(), 1);

    let nobody = eval(&place, "http://127.0.0.1:1/v1", &[]).await;
    assert_eq!(nobody.code, 1, "{}", nobody.out);
    let in_clear = eval(&place, "http://models.example/v1", &[]).await;
    assert!(in_clear.talk.contains("clear text"), "{}", in_clear.talk);
}
