//! `docs/reference/contract.md` is what `wit/` says. `VALETKEY_BLESS=1` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use valetkey_tests::artifacts::repository;
use valetkey_tests::snapshot::assert_checked_in;

/// From the whole to its parts.
const ORDER: [&str; 8] = [
    "world",
    "tools",
    "http",
    "files",
    "runtime",
    "auth",
    "token-endpoint",
    "types",
];

#[test]
fn the_contract_is_the_reference() {
    let wit = repository().join("wit");
    let mut page = String::from(
        "# The contract\n\nWhat a component and the host know of each other, as the files of `wit/` say it. The guest SDKs hide it; \
         who writes a guest without one needs no more than this and [the manifest](manifest.md).\n",
    );
    for name in ORDER {
        let text = fs::read_to_string(wit.join(format!("{name}.wit"))).expect("a part of the contract");
        let _ = write!(page, "\n## {name}\n\n```wit\n{}\n```\n", text.trim());
    }
    let there: BTreeSet<String> = fs::read_dir(&wit)
        .expect("the contract's folder")
        .filter_map(|entry| {
            let name = entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name");
            name.strip_suffix(".wit").map(str::to_owned)
        })
        .collect();
    assert_eq!(
        there,
        ORDER.iter().map(|name| (*name).to_owned()).collect(),
        "every file has its place"
    );
    assert_checked_in("docs/reference/contract.md", &page);
}
