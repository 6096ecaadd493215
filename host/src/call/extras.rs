//! What only some doors add to a call: the rules of a session, who is told how far the call is,
//! the user's answers to what a tool asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::capability::{Progress, Step, Tape};
use crate::egress::Meter;
use crate::id::SessionId;
use crate::servers::Rules;

/// Between two words on a call that says nothing itself: less than the least patient client waits.
const BEAT: Duration = Duration::from_secs(3);

/// What only some doors add.
#[derive(Debug, Default)]
pub struct Extras {
    /// Which tools the caller's session shows; none for all.
    pub rules: Option<Rules>,
    /// That session, for the record.
    pub session: Option<SessionId>,
    /// Who is told how far the call is.
    pub progress: Option<Progress>,
    /// The user's answers to what this tool asked before.
    pub answers: Option<Answers>,
    /// Characters of the result, so that a model can read it whole: a tool with pages answers
    /// fewer items and the cursor to the rest. The first item comes whatever its size.
    pub max_result_chars: Option<usize>,
    /// Where the exchanges with the vendor are kept: what raw requests would show, and so for who may
    /// send them, on connections that allow them.
    pub tape: Option<Arc<Tape>>,
}

/// What a tool with a content result may ask, and what it was answered.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Answers by the key under which the tool asked.
    pub responses: Map<String, Value>,
    /// What the tool gave along with its question.
    pub state: Option<String>,
    /// What the caller's program can ask its user, by the names of MCP (`elicitation`, `sampling`).
    pub capabilities: Vec<String>,
}

impl Answers {
    /// As the guest gets it.
    pub(super) fn ext(&self) -> Vec<(String, String)> {
        let mut ext = vec![("client_capabilities".to_owned(), self.capabilities.join(","))];
        if !self.responses.is_empty() {
            let responses = serde_json::to_string(&self.responses).expect("an object is plain data");
            ext.push(("input_responses".to_owned(), responses));
        }
        if let Some(state) = &self.state {
            ext.push(("request_state".to_owned(), state.clone()));
        }
        ext
    }
}

/// Runs `call` and says from time to time that it still runs, and what it waits for.
pub(super) async fn told<T>(
    progress: Option<&Progress>,
    meter: &Arc<Meter>,
    call: impl Future<Output = T>,
) -> T {
    let Some(progress) = progress else {
        return call.await;
    };
    tokio::pin!(call);
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
    let mut waits = 0;
    loop {
        tokio::select! {
            biased;
            ended = &mut call => return ended,
            _ = beat.tick() => {
                let now = meter.waits.load(Ordering::Relaxed);
                let message = if now > waits {
                    "waiting as long as the vendor asks"
                } else {
                    "waiting for the vendor"
                };
                waits = now;
                progress.tell(Step { done: None, total: None, message: message.to_owned() });
            }
        }
    }
}
