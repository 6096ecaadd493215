//! The page that a call has to fetch, and the tokens of those after it.

/// The page that this call has to fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The vendor's token; none for the first page.
    pub token: Option<String>,
    /// How many items it should have at most; none for tools without pages.
    pub size: Option<u32>,
}

impl Page {
    /// Where the page begins, for vendors that count items.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.number(0)
    }

    /// The token of the page after one of `count` items; none when that was the last, being shorter
    /// than asked for.
    #[must_use]
    pub fn next_offset(&self, count: usize) -> Option<String> {
        self.is_full(count as u64)
            .then(|| (self.offset() + count as u64).to_string())
    }

    /// The page's number, for vendors that number pages from `first` on.
    #[must_use]
    pub fn number(&self, first: u64) -> u64 {
        self.token
            .as_deref()
            .and_then(|token| token.parse().ok())
            .unwrap_or(first)
    }

    /// The token of the page after one of `count` items; none when that was the last.
    #[must_use]
    pub fn next_number(&self, first: u64, count: usize) -> Option<String> {
        self.is_full(count as u64)
            .then(|| (self.number(first) + 1).to_string())
    }

    /// Whether a page of `count` items may have a successor, as far as its length tells.
    pub(crate) fn is_full(&self, count: u64) -> bool {
        count >= u64::from(self.size.unwrap_or(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_on_until_a_short_one() {
        let page = |token: Option<&str>| Page {
            token: token.map(str::to_owned),
            size: Some(2),
        };
        assert_eq!(page(None).next_offset(2).as_deref(), Some("2"));
        assert_eq!(page(Some("4")).next_offset(2).as_deref(), Some("6"));
        assert_eq!(page(Some("4")).next_offset(1), None);
        assert_eq!(page(None).next_number(1, 2).as_deref(), Some("2"));
        assert_eq!(page(Some("3")).next_number(1, 0), None);
        assert_eq!(Page::default().next_offset(0), None);
    }
}
