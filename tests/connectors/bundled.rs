//! The bundled connectors: acceptable manifests, enough tools, no alias lost.

use std::path::{Path, PathBuf};

use valetkey::manifest::{self, check};
use valetkey_manifest::Manifest;

fn plugins() -> Vec<(PathBuf, Manifest)> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let mut found: Vec<_> = std::fs::read_dir(&plugins)
        .expect("the plugins folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|dir| dir.join(manifest::FILE).is_file())
        .map(|dir| {
            let manifest = manifest::read(&dir).expect("a manifest");
            (dir, manifest)
        })
        .collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    assert!(found.len() >= 2, "hubspot and gmail are bundled");
    found
}

/// The manifests of all bundled connectors.
pub fn manifests() -> Vec<Manifest> {
    plugins().into_iter().map(|(_, manifest)| manifest).collect()
}

/// The manifest of a bundled connector.
pub fn manifest(id: &str) -> Manifest {
    let found = plugins()
        .into_iter()
        .find(|(_, manifest)| manifest.connector.id == id);
    found.unwrap_or_else(|| panic!("{id} is bundled")).1
}

#[test]
fn every_bundled_manifest_is_acceptable() {
    for (dir, manifest) in plugins() {
        let problems = check::manifest(&manifest);
        assert!(problems.is_empty(), "{}: {problems:#?}", dir.display());
        assert!(
            dir.ends_with(&manifest.connector.id),
            "the folder is named after the connector"
        );
        assert!(dir.join("README.md").is_file(), "{} has a README", dir.display());
    }
}

#[test]
fn the_bundled_connectors_have_the_promised_tools() {
    let promised = [
        (
            "hubspot",
            14,
            &[
                "hubspot_contacts_search",
                "hubspot_deals_search",
                "hubspot_contact_create",
                "hubspot_contact_update",
                "hubspot_note_create",
                "hubspot_association_create",
                "hubspot_owners_list",
            ][..],
        ),
        (
            "gmail",
            10,
            &[
                "gmail_fetch_mails",
                "gmail_messages_list",
                "gmail_list_threads",
                "gmail_send_mail",
                "gmail_send_message",
            ][..],
        ),
        (
            "slack",
            30,
            &[
                "slack_send_message",
                "slack_list_channels",
                "slack_fetch_conversation_history",
                "slack_get_conversation_replies",
                "slack_search_messages",
                "slack_lookup_user_by_email",
                "slack_open_conversation",
                "slack_add_reaction",
                "slack_whoami",
            ][..],
        ),
        (
            "linear",
            30,
            &[
                "linear_issue_search",
                "linear_issues_list",
                "linear_issue_create",
                "linear_issue_update",
                "linear_comment_create",
                "linear_teams_list",
                "linear_workflow_states_list",
                "linear_graphql_query",
                "linear_viewer_get",
            ][..],
        ),
    ];
    let plugins = plugins();
    for (id, least, names) in promised {
        let (_, manifest) = plugins
            .iter()
            .find(|(_, manifest)| manifest.connector.id == id)
            .expect("bundled");
        assert!(
            manifest.tools.len() >= least,
            "{id} has {} tools",
            manifest.tools.len()
        );
        for name in names {
            let known = |tool: &valetkey_manifest::Tool| {
                tool.name == *name || tool.aliases.iter().any(|alias| alias == name)
            };
            assert!(manifest.tools.iter().any(known), "{id} serves {name}");
        }
    }
}
