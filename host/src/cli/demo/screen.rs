//! What the demo prints: results to standard output, talk to standard error; with `--json`
//! everything but the one line of data is talk.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::config::env;

/// Where the demo's words go.
pub(super) struct Screen {
    json: bool,
    colour: bool,
}

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            colour: std::io::stderr().is_terminal() && !env::no_color(),
        }
    }

    /// A line of data. A reader that went away is no error.
    pub(super) fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// A line of a result.
    pub(super) fn result(&self, text: &str) {
        if self.json {
            self.say(text);
        } else {
            self.data(text);
        }
    }

    /// A word to the person.
    pub(super) fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// A step that is done.
    pub(super) fn done(&self, text: &str) {
        self.say(&format!("{} {text}", self.paint("32", "✓")));
    }

    /// What did not go as it should.
    pub(super) fn bad(&self, text: &str) {
        self.say(&format!("{} {text}", self.paint("31", "✗")));
    }

    /// A title above what follows.
    pub(super) fn title(&self, text: &str) {
        self.say(&format!("\n{}", self.paint("1", text)));
    }

    /// Something on the side.
    pub(super) fn aside(&self, text: &str) {
        self.say(&format!("  {}", self.paint("2", text)));
    }

    /// A line that moves while long work goes on, where a person looks.
    pub(super) fn progress(&self, text: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner().with_message(text.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
