//! Text that others wrote, on its way to a person's eyes.
//!
//! Markup is the renderer's business. This is about what no escaping helps against: characters
//! that nobody sees and that change how the text around them reads.

use std::fmt::{self, Display, Write as _};

/// Whether a character is invisible or turns the direction of its neighbours: controls, marks and
/// overrides of direction (Unicode Standard Annex 9), blanks of no width, tags. The joiners stay:
/// Persian, Hindi and families of emoji are written with them.
#[must_use]
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// A text of others, displayed with a sign in place of every deceptive character. White space is
/// a blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a>(pub &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            out.write_char(match character {
                '\t' | '\n' | '\r' => ' ',
                deceptive if is_deceptive(deceptive) => char::REPLACEMENT_CHARACTER,
                plain => plain,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_hides_text_is_shown_as_a_sign() {
        let shown = |text| Shown(text).to_string();
        assert_eq!(
            shown("a\u{202e}b\u{2066}c\u{200f}d"),
            "a\u{fffd}b\u{fffd}c\u{fffd}d"
        );
        assert_eq!(
            shown("one\ntwo\tthree\u{0}\u{1b}[2J"),
            "one two three\u{fffd}\u{fffd}[2J"
        );
        assert_eq!(
            shown("in\u{200b}vis\u{feff}ible\u{e0041}"),
            "in\u{fffd}vis\u{fffd}ible\u{fffd}"
        );
        let honest = "Zoë & Söhne, שלום, می\u{200c}خواهم, 👩\u{200d}👧 <b>";
        assert_eq!(shown(honest), honest);
    }
}
