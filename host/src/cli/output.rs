//! Printing: data to standard output, talk to standard error, progress only where a person looks.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use crate::config::env;

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// Whether data is JSON for programs.
    pub(super) json: bool,
    colour: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            colour: io::stderr().is_terminal() && !env::no_color(),
        }
    }

    /// A value as JSON: on one line for programs, indented for people.
    pub(super) fn data(&self, value: &impl Serialize) {
        let text = if self.json {
            serde_json::to_string(value)
        } else {
            serde_json::to_string_pretty(value)
        };
        self.line(&text.expect("what is printed is plain data"));
    }

    /// A line of data. A reader that went away (`| head`) is no error.
    pub(super) fn line(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// Rows below their titles, columns aligned; for people.
    pub(super) fn table(&self, titles: &[&str], rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = titles.iter().map(|title| title.chars().count()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let titles: Vec<String> = titles.iter().map(|title| title.to_uppercase()).collect();
        for row in std::iter::once(&titles).chain(rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            self.line(line.trim_end());
        }
    }

    /// A word to the person.
    pub(super) fn say(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// What went wrong.
    pub(super) fn error(&self, text: &str) {
        let (on, off) = if self.colour {
            ("\x1b[1;31m", "\x1b[0m")
        } else {
            ("", "")
        };
        self.say(&format!("{on}error:{off} {text}"));
    }

    /// What to do next.
    pub(super) fn hint(&self, text: &str) {
        let (on, off) = if self.colour {
            ("\x1b[1;36m", "\x1b[0m")
        } else {
            ("", "")
        };
        self.say(&format!("{on}hint:{off} {text}"));
    }

    /// Shows that long work goes on, when a person looks. It vanishes when it is dropped.
    pub(super) fn progress(&self, what: impl Into<String>) -> Progress {
        if self.json || !io::stderr().is_terminal() {
            return Progress(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(what.into());
        let style = if self.colour {
            "{spinner:.cyan} {msg} ({elapsed})"
        } else {
            "{spinner} {msg} ({elapsed})"
        };
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress(bar)
    }
}

/// A line that says what goes on.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Says what goes on now.
    pub(super) fn say(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A member of a JSON object as the text of a cell; empty when it is missing.
pub(super) fn cell(value: &Value, member: &str) -> String {
    match &value[member] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
