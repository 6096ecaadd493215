//! `docs/reference/cli.md` and `docs/reference/config.md` are what the program says of itself.
//! `VALETKEY_BLESS=1` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use valetkey::config::Config;
use valetkey::config::env::SETTINGS;
use valetkey_tests::artifacts;
use valetkey_tests::program::Place;
use valetkey_tests::snapshot::assert_checked_in;

#[tokio::test]
async fn the_help_of_every_command_is_the_reference() {
    let place = Place::new();
    let mut page = String::from("# The command line\n\nWhat `valetkey --help` says of every command.\n");
    let mut commands = vec![Vec::<String>::new()];
    while let Some(command) = commands.pop() {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = place.run(&arguments).await;
        assert_eq!(help.code, 0, "{}", help.talk);
        let title = [&["valetkey".to_owned()], command.as_slice()].concat().join(" ");
        let _ = write!(page, "\n## {title}\n\n```text\n{}\n```\n", help.out.trim_end());
        for name in subcommands(&help.out).into_iter().rev() {
            commands.push([command.clone(), vec![name]].concat());
        }
    }
    assert_checked_in("docs/reference/cli.md", &page);
}

/// The names below `Commands:`.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| {
            line.strip_prefix("  ")?
                .split_whitespace()
                .next()
                .map(str::to_owned)
        })
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn every_setting_is_in_the_reference_with_its_default() {
    let source = artifacts::repository().join("host/src/config/mod.rs");
    let docs = field_docs(&std::fs::read_to_string(source).expect("the source"));
    let defaults = Config::default();
    let mut page = String::from(
        "# Settings\n\nIn `valetkey.toml` of the working folder, or the file that `--config` names. An environment \
         variable goes over the file, an option of the command line over both. An unknown key is an error. \
         `valetkey config check` prints what is in force and where it came from.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            let about = &docs[&("Config".to_owned(), section.to_owned())];
            let _ = write!(page, "\n## [{section}]\n\n{about}\n\n");
            page.push_str("| key | default | range | meaning | environment |\n|---|---|---|---|---|\n");
        }
        let about = docs
            .iter()
            .find(|((owner, field), _)| owner.eq_ignore_ascii_case(section) && field == setting.key)
            .map_or_else(
                || panic!("{} has no documentation", setting.name()),
                |(_, about)| about,
            );
        let default = match defaults.value(setting) {
            serde_json::Value::Null => "not set".to_owned(),
            value => format!("`{value}`"),
        };
        let range = setting
            .range
            .map_or_else(String::new, |(least, largest)| format!("{least} to {largest}"));
        let standard = setting
            .standard_variable
            .map_or_else(String::new, |variable| format!(", `{variable}`"));
        let _ = writeln!(
            page,
            "| `{}` | {default} | {range} | {about} | `{}`{standard} |",
            setting.key,
            setting.variable()
        );
    }
    assert_checked_in("docs/reference/config.md", &page);
}

/// The documentation of every public field: by struct and field.
fn field_docs(source: &str) -> BTreeMap<(String, String), String> {
    let mut docs = BTreeMap::new();
    let (mut owner, mut about) = (String::new(), String::new());
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            about = format!("{about} {text}").trim().to_owned();
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            owner = rest.split_whitespace().next().unwrap_or_default().to_owned();
            about.clear();
        } else if let Some(field) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": ")) {
            docs.insert((owner.clone(), field.0.to_owned()), std::mem::take(&mut about));
        } else if !line.starts_with("#[") {
            about.clear();
        }
    }
    docs
}
