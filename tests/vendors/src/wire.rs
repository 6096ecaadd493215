//! For unit tests that speak JSON with a whole set of options: a thin layer over [`testing`](crate::testing).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::text::encode;
use crate::{Options, Simulator, testing};

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) json: Value,
}

impl From<testing::Answer> for Answer {
    fn from(answer: testing::Answer) -> Self {
        Self {
            status: answer.status,
            json: answer.json(),
            headers: answer.headers,
        }
    }
}

/// A running simulator.
pub(crate) struct Wire {
    pub(crate) simulator: Simulator,
}

impl Wire {
    pub(crate) async fn start(options: Options) -> Self {
        let simulator = Simulator::start(options).await.expect("a free port");
        Self { simulator }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.simulator.ask(method, path, headers, &body).await.into()
    }

    /// The token answer of a whole code flow with the client's secret in a form.
    pub(crate) async fn connect(&self, authorize: &str, token: &str, scope: &str, user: &str) -> Value {
        let code = self.simulator.consent(authorize, user, scope, "").await;
        let fields: Vec<String> = Simulator::exchange(&code)
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let answer = self.form(token, &fields.join("&")).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    /// Sends a form.
    pub(crate) async fn form(&self, path: &str, form: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.simulator.ask("POST", path, &headers, form).await.into()
    }
}
