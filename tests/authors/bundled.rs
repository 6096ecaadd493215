//! The bundled connectors by their own cases, each against its vendor's own specification where that
//! is to be had.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use valetkey::author::run::{self, Faults, Options};
use valetkey::author::suite::Suite;
use valetkey::manifest::{self, build};
use valetkey_tests::{artifacts, spec};

/// One test for each connector, so that each shows by its name.
macro_rules! connectors {
    ($($id:ident)*) => {
        /// The folders that have a test.
        const TESTED: &[&str] = &[$(stringify!($id)),*];
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $id() {
                holds(stringify!($id)).await;
            }
        )*
    };
}

connectors! {
    github
    gmail
    googlecalendar
    hubspot
    jira
    linear
    notion
    outlook
    salesforce
    slack
}

fn plugins() -> PathBuf {
    artifacts::repository().join("plugins")
}

/// The connector of a folder: of data alone, packed as it is now; with code, as it was built.
fn component(id: &str, dir: &Path) -> Vec<u8> {
    let manifest = manifest::read(dir).expect("a manifest");
    if !build::is_data_alone(dir, &manifest) {
        return artifacts::connector(id);
    }
    let out = tempfile::tempdir().expect("a folder");
    let built = build::build(dir, out.path(), &mut |_| ()).unwrap_or_else(|error| panic!("{id}: {error}"));
    std::fs::read(built.path).expect("a component")
}

/// Every tool has a case; every case holds, also when the vendor misbehaves; every request is as the
/// vendor's specification says, or excused for a reason that still holds.
async fn holds(id: &str) {
    let dir = plugins().join(id);
    let suite = Suite::read(&dir).unwrap_or_else(|error| panic!("{error}"));
    let (contract, missing) = spec::of(&suite);
    let is_whole = missing.is_empty();
    let options = Options {
        faults: Faults::All,
        contract,
        ..Options::default()
    };
    let report = run::run(component(id, &dir), &suite, &options)
        .await
        .expect("a host");
    let failed: Vec<_> = report.cases.iter().filter(|case| !case.passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(
        report.tools_without_a_case,
        Vec::<String>::new(),
        "every tool has a case"
    );
    let faults: usize = report.cases.iter().map(|case| case.faults.len()).sum();
    assert!(faults > report.cases.len(), "{faults} faults");
    for case in &report.cases {
        for excused in &case.deviations {
            println!(
                "{id}: {}: {}, because {}",
                case.name, excused.problem, excused.why
            );
        }
    }
    if is_whole {
        assert_eq!(
            report.unused_deviations,
            Vec::<String>::new(),
            "the specification agrees by now: take these deviations out of {id}/tests/tests.toml"
        );
    }
}

#[test]
fn every_folder_has_a_test() {
    let folders: BTreeSet<String> = std::fs::read_dir(plugins())
        .expect("the plugins folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|dir| dir.join(manifest::FILE).is_file())
        .filter_map(|dir| Some(dir.file_name()?.to_str()?.to_owned()))
        .collect();
    let tested: BTreeSet<String> = TESTED.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(
        folders, tested,
        "name each folder of plugins/ in `connectors!` of tests/authors/bundled.rs"
    );
}

/// `.config/nextest.toml` shows what this prints.
#[test]
fn what_has_no_specification_is_said() {
    for id in TESTED {
        let suite = Suite::read(&plugins().join(id)).unwrap_or_else(|error| panic!("{error}"));
        for name in spec::of(&suite).1 {
            println!(
                "!! NOT CHECKED: the requests of {id} against {name}; it is neither in VALETKEY_SPECS nor among the packages of tests/run"
            );
        }
        if suite.settings.spec.is_none() && suite.settings.vendor_spec.0.is_empty() {
            println!("!! NOT CHECKED: the requests of {id}; its tests.toml names no specification");
        }
    }
}
