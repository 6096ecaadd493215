//! How far a call is, as it says itself while it runs: told to whoever waits for it, kept nowhere.

use tokio::sync::mpsc;

use super::log::sanitise;

/// Steps that may wait to be told; what comes when there is no room is left out.
const WAITING: usize = 64;
/// Bytes of a step's text.
const MAX_TEXT_BYTES: usize = 200;

/// One step of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// How much is done; none for a word without a measure.
    pub done: Option<f64>,
    /// Of how much, when that is known.
    pub total: Option<f64>,
    /// What happens, in a few harmless words.
    pub message: String,
}

/// Where a call tells its steps. Cheap to clone; telling never waits.
#[derive(Debug, Clone)]
pub struct Progress(mpsc::Sender<Step>);

impl Progress {
    /// A teller and its listener.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<Step>) {
        let (teller, listener) = mpsc::channel(WAITING);
        (Self(teller), listener)
    }

    /// Tells a step.
    pub fn tell(&self, step: Step) {
        // A listener that is gone or slow costs the call nothing.
        drop(self.0.try_send(step));
    }

    /// Tells a step as a guest writes it: `DONE[/TOTAL] WORDS`. What is not of that form is words.
    pub(crate) fn tell_guests(&self, text: &str) {
        self.tell(parse(text));
    }
}

fn parse(text: &str) -> Step {
    let (first, words) = text.split_once(' ').unwrap_or((text, ""));
    let (done, total) = match first.split_once('/') {
        Some((done, total)) => (number(done), Some(number(total))),
        None => (number(first), None),
    };
    match (done, total) {
        (Some(done), None) => step(Some(done), None, words),
        (Some(done), Some(Some(total))) => step(Some(done), Some(total), words),
        (None, _) | (_, Some(None)) => step(None, None, text),
    }
}

fn step(done: Option<f64>, total: Option<f64>, message: &str) -> Step {
    Step {
        done,
        total,
        message: sanitise(message.trim(), MAX_TEXT_BYTES),
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_step_is_read_or_taken_as_words() {
        assert_eq!(
            parse("50/100 half way"),
            step(Some(50.0), Some(100.0), "half way")
        );
        assert_eq!(parse("3"), step(Some(3.0), None, ""));
        for words in ["half way", "-1/2 x", "1/NaN x", "inf", "1/2/3", ""] {
            assert_eq!(parse(words), step(None, None, words), "{words}");
        }
        assert_eq!(parse("1 a\u{1b}[31m").message, "a\\u{1b}[31m");
    }

    #[test]
    fn telling_never_waits() {
        let (teller, mut listener) = Progress::channel();
        for number in 0..(WAITING + 10) {
            teller.tell_guests(&format!("{number} x"));
        }
        let mut told = 0;
        while listener.try_recv().is_ok() {
            told += 1;
        }
        assert_eq!(told, WAITING);
        drop(listener);
        teller.tell_guests("1 nobody listens");
    }
}
