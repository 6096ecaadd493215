//! Texts in pieces: the connector's own words, and numbers for what the host holds.

/// The number of a text or of a part of an answer that the host holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held(u32);

impl Held {
    /// The value of this number, for tests that stand in for the host.
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The connector's own words.
    Text(String),
    /// What the host puts there.
    Held(Held),
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Held> for Piece {
    fn from(value: Held) -> Self {
        Self::Held(value)
    }
}

/// A text in pieces: one of them, or several by [`pieces!`](crate::pieces).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Vec<Piece>);

impl Text {
    pub(super) fn pieces(self) -> Vec<Piece> {
        self.0
    }
}

impl<P: Into<Piece>> From<P> for Text {
    fn from(piece: P) -> Self {
        Self(vec![piece.into()])
    }
}

impl From<Vec<Piece>> for Text {
    fn from(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }
}

/// A text of several pieces: words and [`Held`](crate::auth::Held) values.
#[macro_export]
macro_rules! pieces {
    ($($piece:expr),* $(,)?) => {
        $crate::auth::Text::from(::std::vec![$($crate::auth::Piece::from($piece)),*])
    };
}

/// A name and the pieces of its value.
pub type Parameter = (String, Vec<Piece>);
