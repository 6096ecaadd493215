//! A host that crashes leaves no picture of its memory, in which the secrets lie.

use std::os::unix::process::ExitStatusExt as _;

use crate::program::Place;

#[tokio::test]
async fn a_crash_leaves_no_core_dump_and_the_environment_holds_no_key() {
    let place = Place::new();
    let made = place.run(&["--data-dir", "data", "init", "--json"]).await.json();
    let serving = place.serve_where_cores_are_dumped().await;
    let process = format!("/proc/{}", serving.id());
    let limits = std::fs::read_to_string(format!("{process}/limits")).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core
        .expect("the limit of core dumps")
        .split_whitespace()
        .collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");

    // Nobody but root reads a process that is not dumpable; what root reads holds no secret.
    if let Ok(environment) = std::fs::read(format!("{process}/environ")) {
        let environment = String::from_utf8_lossy(&environment);
        let secret = made["client_secret"].as_str().expect("the operator's secret");
        assert!(!environment.contains(secret), "{environment}");
        assert!(!environment.contains("KEY="), "{environment}");
    }

    let status = serving.crash().await;
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(!status.core_dumped(), "{status}");
    let left: Vec<_> = std::fs::read_dir(place.path())
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a text")
        })
        .filter(|name| name.starts_with("core"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
