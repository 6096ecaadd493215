//! Whole programs in the style in which they are written for the public SDKs, unchanged but for
//! the environment variables that name the host.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use valetkey_tests::world::World;

use crate::rig::{Language, folder, program};

/// Runs a program for a user, who opens every link that it prints; answers its last line.
async fn run(world: &World, language: Language, file: &Path, user: &str) -> (Vec<String>, String) {
    let mut child = program(language, &world.host, &world.host.base_url)
        .arg(file)
        .arg(user)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("its input");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let (mut links, mut last) = (Vec::new(), String::new());
    while let Some(line) = lines.next_line().await.expect("its output") {
        if let Some((_, link)) = line.split_once(": ").filter(|(_, it)| it.starts_with("http")) {
            world.vendors.set_user(user);
            let page = world.host.http.follow(link).await;
            assert!(page.status.is_success(), "{}", page.text());
            links.push(link.to_owned());
            input.write_all(b"\n").await.expect("it waits for Enter");
        }
        last = line;
    }
    let status = child.wait().await.expect("it ends");
    assert!(status.success(), "{user}: {last}");
    (links, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_langchain_agent_for_many_users_works_for_each_with_their_own_accounts() {
    let world = World::start().await;
    let file = folder().join("mail_agent.py");
    for user in ["ada", "grace"] {
        let (links, said) = run(&world, Language::Python, &file, user).await;
        assert_eq!(links.len(), 2, "one for each connection");
        let address = said
            .strip_prefix("Noted on ")
            .expect("it says so")
            .trim_end_matches('.');
        let filter = serde_json::json!([{"propertyName": "email", "operator": "EQ", "value": address}]);
        let params = serde_json::json!({"limit": 1, "filters": filter});
        let found = world
            .host
            .call("hubspot_contacts_search", user, params)
            .await
            .expect(200);
        assert_eq!(
            found["data"]["results"].as_array().expect("contacts").len(),
            1,
            "{said}"
        );
    }
    // Everything is connected now: no more links.
    let (links, _) = run(&world, Language::Python, &file, "grace").await;
    assert!(links.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_agent_calls_its_users_tools_by_name_alone() {
    let world = World::start().await;
    let file = folder().join("crm_agent.mjs");
    for user in ["ada", "grace"] {
        let (links, said) = run(&world, Language::Node, &file, user).await;
        assert_eq!(links.len(), 1);
        assert!(said.starts_with("Wrote note "), "{said}");
    }
    let (links, _) = run(&world, Language::Node, &file, "ada").await;
    assert!(links.is_empty());
}
