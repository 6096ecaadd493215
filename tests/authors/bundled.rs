//! The bundled connectors by their own cases.

use std::path::PathBuf;

use valetkey::author::contract::Contract;
use valetkey::author::run::{self, Faults, Options};
use valetkey::author::suite::Suite;
use valetkey_tests::{artifacts, spec};

async fn holds(id: &str, contract: Option<Contract>) {
    let dir: PathBuf = artifacts::repository().join("plugins").join(id);
    let suite = Suite::read(&dir).expect("a suite");
    let options = Options {
        faults: Faults::All,
        contract,
        ..Options::default()
    };
    let report = run::run(artifacts::connector(id), &suite, &options)
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
    assert!(faults > 3 * report.cases.len(), "{faults} faults");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_of_hubspot_has_a_case_that_holds_also_when_the_vendor_misbehaves() {
    holds("hubspot", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_of_gmail_has_a_case_that_holds_and_is_what_googles_documents_describe() {
    let documents = spec::find_together(&[("gmail", "v1"), ("people", "v1")]);
    let contract = documents.map(|document| Contract::Discovery(Box::new(document)));
    holds("gmail", contract).await;
}
