//! Settings and data folders: what is refused, and how it is said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use valetkey_tests::program::Place;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn init_makes_a_folder_of_its_owner_alone_and_never_a_second_time() {
    let place = Place::new();
    let made = place.run(&["init", "--data-dir", "data", "--json"]).await.json();
    assert!(made["client_id"].as_str().expect("an id").starts_with("vkc_"));
    assert_eq!(mode(&place.path().join("data")), 0o700);
    assert_eq!(mode(&place.path().join("data.key")), 0o600);
    assert_eq!(mode(&place.path().join("data/operator.json")), 0o600);

    let key = fs::read(place.path().join("data.key")).expect("a key");
    let operator = fs::read(place.path().join("data/operator.json")).expect("a file");
    let again = place.run(&["init", "--data-dir", "data"]).await;
    assert_eq!(again.code, 1);
    assert!(again.talk.contains("holds a store already"), "{}", again.talk);
    assert_eq!(fs::read(place.path().join("data.key")).expect("a key"), key);
    assert_eq!(
        fs::read(place.path().join("data/operator.json")).expect("a file"),
        operator
    );

    // A folder that was moved away leaves its key: that is not made over either.
    fs::rename(place.path().join("data"), place.path().join("moved")).expect("moved");
    let over = place.run(&["init", "--data-dir", "data"]).await;
    assert_eq!(over.code, 1, "{}", over.out);
    assert_eq!(fs::read(place.path().join("data.key")).expect("a key"), key);
}

#[tokio::test]
async fn settings_that_mean_nothing_are_named_with_what_was_meant() {
    let place = Place::new();
    fs::write(
        place.path().join("valetkey.toml"),
        "[server]\nlisen = \"127.0.0.1:1\"\n",
    )
    .expect("a file");
    let checked = place.run(&["config", "check"]).await;
    assert_eq!(checked.code, 2);
    assert_eq!(checked.out, "");
    assert!(
        checked.talk.contains("no key `lisen`; did you mean `listen`?"),
        "{}",
        checked.talk
    );

    fs::write(
        place.path().join("valetkey.toml"),
        "[server]\nlisten = \"0.0.0.0:80\"\n",
    )
    .expect("a file");
    let checked = place.run(&["config", "check"]).await;
    assert_eq!(checked.code, 2);
    assert!(checked.talk.contains("insecure_behind_proxy"), "{}", checked.talk);

    fs::remove_file(place.path().join("valetkey.toml")).expect("removed");
    let misspelt = place
        .run_with(&["config", "check"], &[("VALETKEY_LOG_FILTR", "debug")])
        .await;
    assert_eq!(misspelt.code, 2);
    assert!(
        misspelt.talk.contains("did you mean `VALETKEY_LOG_FILTER`?"),
        "{}",
        misspelt.talk
    );
}

#[tokio::test]
async fn config_check_says_where_each_setting_came_from() {
    let place = Place::new();
    fs::write(place.path().join("valetkey.toml"), "[egress]\nattempts = 2\n").expect("a file");
    let environment = [("VALETKEY_LOG_JSON", "true")];
    let checked = place
        .run_with(
            &["config", "check", "--data-dir", "there", "--json"],
            &environment,
        )
        .await;
    let checked = checked.json();
    let setting = |name: &str| {
        let settings = checked["settings"].as_array().expect("settings");
        let setting = settings
            .iter()
            .find(|setting| setting["name"] == name)
            .expect("it is there");
        (
            setting["value"].to_string(),
            setting["source"].as_str().expect("a source").to_owned(),
        )
    };
    assert_eq!(setting("egress.attempts"), ("2".to_owned(), "file".to_owned()));
    assert_eq!(
        setting("log.json"),
        ("true".to_owned(), "environment VALETKEY_LOG_JSON".to_owned())
    );
    assert_eq!(
        setting("storage.data_dir"),
        ("\"there\"".to_owned(), "command line".to_owned())
    );
    assert_eq!(
        setting("log.filter"),
        ("\"info\"".to_owned(), "default".to_owned())
    );

    let shown = place.run(&["config", "check"]).await;
    let parsed: toml::Table = shown.out.parse().expect("what is printed is TOML");
    assert_eq!(parsed["egress"]["attempts"].as_integer(), Some(2));
}

#[tokio::test]
async fn doctor_says_what_is_wrong_and_how_to_mend_it() {
    let place = Place::new();
    let nothing = place.run(&["doctor", "--data-dir", "data"]).await;
    assert_eq!(nothing.code, 1);
    assert!(nothing.out.contains("valetkey init"), "{}", nothing.out);

    assert_eq!(place.run(&["init", "--data-dir", "data"]).await.code, 0);
    let healthy = place
        .run(&["doctor", "--data-dir", "data", "--json"])
        .await
        .json();
    assert_eq!(healthy["healthy"], true, "{healthy}");

    let key = place.path().join("data.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("changed");
    let exposed = place.run(&["doctor", "--data-dir", "data"]).await;
    assert_eq!(exposed.code, 1);
    assert!(exposed.out.contains("chmod 600"), "{}", exposed.out);
}

#[tokio::test]
async fn an_export_is_imported_under_the_same_key_and_under_no_other() {
    let place = Place::new();
    assert_eq!(place.run(&["init", "--data-dir", "data"]).await.code, 0);
    let exported = place
        .run(&["store", "export", "backup.jsonl", "--data-dir", "data", "--json"])
        .await
        .json();
    assert!(exported["records"].as_u64().expect("a number") > 0);
    assert_eq!(mode(&place.path().join("backup.jsonl")), 0o600);
    let over = place
        .run(&["store", "export", "backup.jsonl", "--data-dir", "data"])
        .await;
    assert_eq!(over.code, 1, "an export never goes over a file");

    let import = ["store", "import", "backup.jsonl", "--data-dir", "copy", "--json"];
    assert!(
        place.run(&import).await.out.contains("root key"),
        "no key, no import"
    );
    assert_eq!(place.run(&["init", "--data-dir", "other"]).await.code, 0);
    fs::copy(place.path().join("other.key"), place.path().join("copy.key")).expect("a key");
    assert_eq!(place.run(&import).await.code, 1, "another key");
    assert!(!place.path().join("copy/store").exists());

    fs::copy(place.path().join("data.key"), place.path().join("copy.key")).expect("a key");
    assert_eq!(place.run(&import).await.json()["records"], exported["records"]);
    let again = ["store", "export", "again.jsonl", "--data-dir", "copy"];
    assert_eq!(place.run(&again).await.code, 0);
    let text = |name: &str| fs::read_to_string(place.path().join(name)).expect("an export");
    assert_eq!(text("backup.jsonl"), text("again.jsonl"));
}
