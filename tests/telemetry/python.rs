//! End to end with OpenTelemetry's own SDK: an agent in Python, its span and ours at one collector.

use serde_json::Value;
use tokio::process::Command;

use valetkey_tests::artifacts;

use crate::rig::Rig;

#[tokio::test]
async fn agents_span_is_the_parent_of_the_hosts() {
    let rig = Rig::start().await;
    rig.connect("ada").await;
    let python = artifacts::target_dir().join("python/bin/python");
    assert!(
        python.exists(),
        "{} is missing; tests/run makes it: python3 -m venv target/python and target/python/bin/pip install \
         -r tests/telemetry/requirements.txt",
        python.display()
    );
    let agent = Command::new(python)
        .arg(artifacts::repository().join("tests/telemetry/agent.py"))
        .args([&rig.world.host.base_url, &rig.world.host.token()])
        .args(["hubspot_whoami", "ada"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &rig.collector.url)
        .kill_on_drop(true)
        .output()
        .await
        .expect("the agent runs");
    assert!(
        agent.status.success(),
        "{}",
        String::from_utf8_lossy(&agent.stderr)
    );
    let told: Value = serde_json::from_slice(&agent.stdout).expect("JSON");
    rig.flush().await;

    let step = rig.collector.one("agent step");
    let call = rig.collector.one("execute_tool hubspot_whoami");
    assert_eq!(told["trace"], call.trace.as_str());
    assert_eq!(told["span"], call.parent.as_str());
    assert_eq!(told["execution_id"], call.get("valetkey.execution.id"));
    assert_eq!((&step.trace, &step.id), (&call.trace, &call.parent));
    assert_eq!(step.resource["service.name"], "agent");
    assert_eq!(call.resource["service.name"], "valetkey");
    rig.end().await;
}
