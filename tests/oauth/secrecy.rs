//! Nothing that a thief of the disk finds, and nothing that an error says, is a secret.

use std::path::Path;

use valetkey::secret::Secret;

use crate::rig::{
    Rig, actor, environment, identifier, link_request, name, open, parameters, query, redirect, ticket,
};
use crate::vendor::{Reply, json};

const WHO: &str = "identifier-canary@example.com";

#[tokio::test]
async fn the_disk_shows_no_secret_and_no_identifier() {
    let rig = Rig::start().await;
    rig.vendor.on_token(|_, number| {
        json(200, format!(r#"{{"access_token":"access-canary-{number}","refresh_token":"refresh-canary-{number}","expires_in":3600}}"#))
    });
    rig.vendor
        .on_whoami(|_, _| json(200, r#"{"id":"subject-canary","name":"label-canary"}"#));
    rig.connect(WHO).await;
    rig.advance(3600);
    rig.token(WHO).await.unwrap();
    // A code that waits for its confirmation, and a refresh whose refusal quotes tokens.
    let mut request = link_request("main", WHO);
    request.user_verify_url = Some("https://app.example/verify".to_owned());
    request.state = Some("state-canary".to_owned());
    let accounts = rig.accounts();
    let link = accounts
        .create_link(&environment(), request, &actor())
        .await
        .unwrap();
    let sent = open(accounts, &link.authorization_link).await;
    let back = query(&[("code", "code-canary"), ("state", &sent["state"])]);
    let url = redirect(
        accounts
            .callback(&environment(), &name("main"), back, None)
            .await
            .unwrap(),
    );
    assert_eq!(parameters(&url)["state"], "state-canary");
    rig.vendor.on_token(|_, _| {
        json(
            400,
            r#"{"error":"invalid_grant","error_description":"refresh-canary-2 description-canary"}"#,
        )
    });
    rig.advance(3600);
    let fault = rig.token(WHO).await.unwrap_err();
    assert!(!format!("{fault:?}").contains("canary"), "{fault:?}");
    // A revocation that is owed.
    rig.vendor.on_revoke(|_, _| Reply::HangUp);
    let account = accounts
        .accounts(
            &environment(),
            &valetkey::accounts::AccountQuery {
                identifier: Some(identifier(WHO)),
                limit: 10,
                ..Default::default()
            },
        )
        .await
        .unwrap();
    accounts
        .disconnect(&environment(), &account[0].id, &actor())
        .await
        .unwrap();

    let ticket = ticket(&link.authorization_link);
    let revived = rig.crash().await;
    let data = revived.runtime.config.storage.data_dir.clone();
    let mut files = 0;
    search(&data, &mut files, &["canary", &ticket, &sent["state"]]);
    assert!(files > 3, "only {files} files were searched");
    assert!(!format!("{:?}", Secret::new("canary".to_owned())).contains("canary"));
}

fn search(dir: &Path, files: &mut usize, needles: &[&str]) {
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, files, needles);
            continue;
        }
        *files += 1;
        let bytes = std::fs::read(&path).expect("a file");
        for needle in needles {
            let found = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            assert!(!found, "`{needle}` is readable in {}", path.display());
        }
    }
}
