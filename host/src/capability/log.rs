//! A guest's log lines: untrusted text, made harmless before anything keeps it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The lines that a guest logged: sanitised, cut, counted.
#[derive(Debug, Default)]
pub struct GuestLog {
    lines: Mutex<Vec<LogLine>>,
    dropped: AtomicU32,
}

/// One line of a guest's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// The text, control characters escaped.
    pub message: String,
}

impl GuestLog {
    /// Keeps a line unless the limit is reached; then it is counted.
    pub fn push(&self, line: LogLine, limit: u32) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < limit as usize {
            lines.push(line);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The kept lines and how many were dropped.
    #[must_use]
    pub fn take(&self) -> (Vec<LogLine>, u32) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        (lines, self.dropped.load(Ordering::Relaxed))
    }
}

/// The level of a guest's line; what is not a level is `info`.
pub(crate) fn level(text: &str) -> &'static str {
    match text {
        "debug" => "debug",
        "warn" => "warn",
        "error" => "error",
        _ => "info",
    }
}

/// Untrusted text as one harmless line of at most `limit` bytes: control characters, line breaks
/// and marks that reorder or hide text are escaped; what is cut is marked by `…`.
#[must_use]
pub fn sanitise(text: &str, limit: usize) -> String {
    const CUT: char = '…';
    let mut line = String::with_capacity(text.len().min(limit));
    for c in text.chars() {
        let before = line.len();
        if is_harmless(c) {
            line.push(c);
        } else {
            line.extend(c.escape_default());
        }
        if line.len() > limit {
            line.truncate(before);
            while line.len() + CUT.len_utf8() > limit && line.pop().is_some() {}
            if line.len() + CUT.len_utf8() <= limit {
                line.push(CUT);
            }
            break;
        }
    }
    line
}

fn is_harmless(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_cuts_what_could_forge_a_log() {
        assert_eq!(
            sanitise("a\u{1b}[31mred\nINFO forged\u{202e}", 200),
            "a\\u{1b}[31mred\\nINFO forged\\u{202e}"
        );
        let cut = sanitise(&"ä".repeat(5_000), 2_048);
        assert!(cut.len() <= 2_048 && cut.ends_with('…'), "{} bytes", cut.len());
        assert_eq!(sanitise(&"\n".repeat(10), 5), "\\n…");
        assert_eq!(sanitise("exactly", 7), "exactly");
        assert_eq!(sanitise("abc", 0), "");
    }

    #[test]
    fn only_four_levels_exist() {
        assert_eq!(level("warn"), "warn");
        assert_eq!(level("\u{1b}[31mfatal"), "info");
    }
}
