//! One test per guest of `tests/guests`.

use crate::bench::Bench;

#[tokio::test]
async fn echo() {
    let bench = Bench::new();
    let component = bench.load("echo").await;
    let answer = bench
        .call(&component, bench.grant(), "echo_run", r#"{"a":1}"#)
        .await;
    assert_eq!(answer.expect("an answer").data, r#"{"a":1}"#);
}
