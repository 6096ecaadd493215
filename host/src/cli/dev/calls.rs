//! The calls of a host as `valetkey dev` shows them: one line each, the connector's log, and what
//! was said to the vendor.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::call::Exchange;
use crate::cli::client::Client;
use crate::cli::output::{Output, cell};
use crate::id::ExecutionId;

/// How often a host is asked for calls.
const ASK: Duration = Duration::from_millis(500);
/// Calls that are asked for at once; more between two questions are not shown.
const PATH: &str = "/api/v1/executions?limit=50";
/// Characters of a body that are shown.
const SHOWN: usize = 400;

type Told = mpsc::UnboundedReceiver<(ExecutionId, Vec<Exchange>)>;

/// What is known of calls.
#[derive(Default)]
pub(super) struct Calls {
    /// Tells the exchanges of the host's own calls.
    told: Option<Told>,
    /// Exchanges of calls whose record is not there yet.
    exchanges: HashMap<String, Vec<Exchange>>,
    /// Calls that were shown.
    shown: BTreeSet<String>,
}

impl Calls {
    pub(super) fn told_by(told: Told) -> Self {
        Self {
            told: Some(told),
            ..Self::default()
        }
    }

    /// Calls before now are not shown.
    pub(super) async fn skip_earlier(&mut self, client: &Client) {
        for execution in self.new_ones(client).await {
            self.shown.insert(cell(&execution, "execution_id"));
        }
    }

    /// Shows calls as they end, for ever.
    pub(super) async fn show(&mut self, client: &Client, output: &Output) {
        loop {
            let told = async {
                match &mut self.told {
                    Some(told) => told.recv().await,
                    None => None,
                }
            };
            match tokio::time::timeout(ASK, told).await {
                Ok(Some((id, exchanges))) => {
                    self.exchanges.insert(id.to_string(), exchanges);
                    continue;
                }
                // Nobody tells: only asking helps.
                Ok(None) => tokio::time::sleep(ASK).await,
                Err(_) => {}
            }
            for execution in self.new_ones(client).await {
                let id = cell(&execution, "execution_id");
                let exchanges = self.exchanges.remove(&id).unwrap_or_default();
                self.shown.insert(id);
                tell(&execution, &exchanges, output);
            }
        }
    }

    /// Calls that were not shown, the oldest first.
    async fn new_ones(&self, client: &Client) -> Vec<Value> {
        // A host that does not answer now does at the next question.
        let page = client.get(PATH).await.unwrap_or_default();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let mut new: Vec<Value> = items
            .into_iter()
            .filter(|execution| !self.shown.contains(&cell(execution, "execution_id")))
            .collect();
        new.reverse();
        new
    }
}

fn tell(execution: &Value, exchanges: &[Exchange], output: &Output) {
    if output.json {
        output.data(&json!({
            "event": "call",
            "execution": execution,
            "exchanges": exchanges.iter().map(of_exchange).collect::<Vec<_>>(),
        }));
        return;
    }
    let requests = match cell(execution, "requests").as_str() {
        "1" => "1 request".to_owned(),
        count => format!("{count} requests"),
    };
    output.line(&format!(
        "call    {} {}: {}, {} ms, {requests}",
        cell(execution, "execution_id"),
        cell(execution, "tool"),
        cell(execution, "outcome"),
        cell(execution, "duration_ms"),
    ));
    for line in execution["guest_log"].as_array().into_iter().flatten() {
        output.line(&format!("        log {}", line.as_str().unwrap_or_default()));
    }
    for exchange in exchanges {
        let query: Vec<String> = exchange
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        let status = match &exchange.answer {
            Ok((status, _)) => status.to_string(),
            Err(kind) => kind.as_str().to_owned(),
        };
        output.line(&format!(
            "        {} {}{query} -> {status}",
            exchange.method, exchange.url
        ));
        if !exchange.request.body.is_empty() {
            output.line(&format!("          > {}", shortened(&exchange.request.body)));
        }
        if let Ok((_, answered)) = &exchange.answer
            && !answered.body.is_empty()
        {
            output.line(&format!("          < {}", shortened(&answered.body)));
        }
    }
}

fn of_exchange(exchange: &Exchange) -> Value {
    let (status, body) = match &exchange.answer {
        Ok((status, answered)) => (json!(status), shortened(&answered.body)),
        Err(kind) => (json!(kind.as_str()), String::new()),
    };
    json!({
        "method": exchange.method,
        "url": exchange.url,
        "query": exchange.query,
        "request_body": shortened(&exchange.request.body),
        "status": status,
        "response_body": body,
    })
}

/// The beginning of a body on one line.
fn shortened(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(SHOWN)
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}
