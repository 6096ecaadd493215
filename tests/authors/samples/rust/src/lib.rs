//! The sample connector in Rust.

use serde::Deserialize;
use serde_json::{Value, json};
use valetkey_guest::{Call, Fault, Multipart, Output, Wanted, segment};

#[derive(Deserialize)]
struct Label {
    note_id: String,
    label: String,
}

fn label(call: &Call, input: Label) -> Result<Output, Fault> {
    let label = input.label.trim();
    if label.is_empty() {
        return Err(Fault::invalid("/label", "is empty; give a word"));
    }
    let input = json!({ "note_id": input.note_id, "label": label });
    let answer: Value = serde_json::from_str(&call.declared(&input)?.data).unwrap_or_default();
    Output::json(&json!({ "label": answer["label"], "shown": format!("#{label}") }))
}

#[derive(Deserialize)]
struct Attach {
    note_id: String,
    name: String,
    content: String,
}

fn attach(call: &Call, input: Attach) -> Result<Output, Fault> {
    let path = format!("/notes/{}/files", segment("note_id", &input.note_id)?);
    let parts = Multipart::new().text("title", input.name.as_str()).file(
        "file",
        &input.name,
        "text/plain; charset=utf-8",
        input.content,
    );
    let file: Value = call.post("api", path).multipart(&parts).send()?.json()?;
    Output::json(&json!({ "id": file["id"], "bytes": file["bytes"] }))
}

#[derive(Deserialize)]
struct Search {
    word: String,
}

const SEARCH: &str = "query Notes($after: String, $first: Int!, $word: String!) {
  notes(after: $after, first: $first, word: $word) { nodes { id text } next }
}";

fn search(call: &Call, input: Search) -> Result<Output, Fault> {
    let variables = json!({
        "after": call.page.token,
        "first": call.page.size.unwrap_or(2),
        "word": input.word,
    });
    let found: Value = call.graphql("api", "/graphql", SEARCH, &variables)?;
    let notes = &found["notes"];
    let next = notes["next"].as_str().map(str::to_owned);
    Output::page(&json!({ "notes": notes["nodes"] }), next)
}

#[derive(Deserialize)]
struct Delete {
    note_id: String,
}

fn delete(call: &Call, input: Delete) -> Result<Output, Fault> {
    if !input.note_id.starts_with('n') {
        return Err(Fault::invalid(
            "/note_id",
            "is no note's id; those begin with \"n\"",
        ));
    }
    let path = format!("/notes/{}", segment("note_id", &input.note_id)?);
    call.delete("api", path).send()?;
    Output::json(&json!({ "deleted": input.note_id }))
}

#[derive(Deserialize)]
struct Compare {
    note_ids: Vec<String>,
}

fn compare(call: &Call, input: Compare) -> Result<Output, Fault> {
    let mut requests = Vec::new();
    for id in &input.note_ids {
        let path = format!("/notes/{}", segment("note_ids", id)?);
        requests.push(call.get("api", path).query("fields", "id"));
    }
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for (id, answer) in input.note_ids.iter().zip(call.send_all(requests)) {
        match answer {
            Ok(answer) => found.push(answer.json::<Value>()?["id"].clone()),
            Err(fault) => missing.push(json!({ "id": id, "code": fault.code, "message": fault.message })),
        }
    }
    call.log(
        "info",
        &format!("{} of {} notes", found.len(), input.note_ids.len()),
    );
    let die = call.random(8);
    Output::json(&json!({ "found": found, "missing": missing, "now_ms": call.now_ms(), "die": die }))
}

#[derive(Deserialize)]
struct Replace {
    note_id: String,
    file: String,
}

fn replace_scan(call: &Call, input: Replace) -> Result<Output, Fault> {
    let path = format!("/notes/{}/scan", segment("note_id", &input.note_id)?);
    let given = call.file(&input.file)?;
    let kept = call.get("api", path.as_str()).receive(Wanted {
        name: Some("before.txt".to_owned()),
        content_types: vec!["text/*".to_owned()],
        max_bytes: Some(1000),
    })?;
    call.put("api", path).send_file(&input.file)?;
    Output::json(&json!({ "sent": { "name": given.name, "size": given.size }, "kept": kept }))
}

valetkey_guest::connector! {
    "sample_note_label" => label,
    "sample_file_attach" => attach,
    "sample_notes_search" => search,
    "sample_note_delete" => delete,
    "sample_notes_compare" => compare,
    "sample_scan_replace" => replace_scan,
}

#[cfg(test)]
mod tests {
    #[test]
    fn functions_take_what_their_schemas_allow() {
        valetkey_guest::testing::assert_inputs_agree(env!("CARGO_MANIFEST_DIR"), &super::coded());
    }
}
