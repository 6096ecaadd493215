//! A call's steps as progress notifications: only for a caller that gave a token, growing from one
//! to the next, and none after the result.

use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext;
use tokio::sync::mpsc::Receiver;

use crate::call::Step;

/// By how much a word without a measure goes on: notifications must grow.
const WORD: f64 = 0.001;

/// Runs `call` and passes its steps on while it runs.
pub(super) async fn passed_on<T>(
    context: &RequestContext<RoleServer>,
    token: ProgressToken,
    mut steps: Receiver<Step>,
    call: impl Future<Output = T>,
) -> T {
    tokio::pin!(call);
    let mut last: Option<f64> = None;
    loop {
        tokio::select! {
            biased;
            Some(step) = steps.recv() => tell(context, &token, step, &mut last).await,
            ended = &mut call => {
                while let Ok(step) = steps.try_recv() {
                    tell(context, &token, step, &mut last).await;
                }
                return ended;
            }
        }
    }
}

async fn tell(
    context: &RequestContext<RoleServer>,
    token: &ProgressToken,
    step: Step,
    last: &mut Option<f64>,
) {
    let Some(now) = next(*last, step.done) else { return };
    *last = Some(now);
    let mut told = ProgressNotificationParam::new(token.clone(), now);
    told.total = step.total;
    told.message = (!step.message.is_empty()).then_some(step.message);
    // A client that went away is noticed elsewhere.
    drop(context.peer.notify_progress(told).await);
}

/// The next measure; none for one that does not grow.
fn next(last: Option<f64>, done: Option<f64>) -> Option<f64> {
    match (last, done) {
        (None, done) => Some(done.unwrap_or(0.0)),
        (Some(last), None) => Some(last + WORD),
        (Some(last), Some(done)) => (done > last).then_some(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_only_grows() {
        assert_eq!(next(None, None), Some(0.0));
        assert_eq!(next(None, Some(3.0)), Some(3.0));
        assert_eq!(next(Some(3.0), Some(3.0)), None);
        assert_eq!(next(Some(3.0), Some(2.0)), None);
        assert_eq!(next(Some(3.0), Some(4.0)), Some(4.0));
        assert!(next(Some(3.0), None).is_some_and(|now| now > 3.0 && now < 4.0));
    }
}
