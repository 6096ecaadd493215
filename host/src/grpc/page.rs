//! Pages of lists that are in memory whole: a size, a sealed token to the next one, and never more
//! than an answer may hold.

use prost::Message;

use super::MAX_ANSWER_BYTES;
use super::ask::given;
use super::unary::Call;
use crate::error::Fault;

/// What a page may hold, so that the rest of the answer has room.
const MAX_PAGE_BYTES: usize = MAX_ANSWER_BYTES - 64 * 1024;

/// A page that was asked for.
pub(super) struct Page {
    /// What the token is bound to: the list and its filters.
    list: String,
    /// Items at most.
    size: usize,
    /// Where the page before ended.
    after: Option<String>,
}

impl Page {
    /// The page of `list` that `size` and `token` name. No size means all that fits: the clients'
    /// adapters read one page, whatever it says of a next one.
    pub(super) fn new(call: &Call, list: String, size: u32, token: String) -> Result<Self, Fault> {
        let after = given(Some(token))
            .map(|token| call.host.access.open_cursor(&call.caller, &list, &token))
            .transpose()?;
        Ok(Self {
            list,
            size: match usize::try_from(size).unwrap_or(usize::MAX) {
                0 => usize::MAX,
                size => size,
            },
            after,
        })
    }

    /// The page's items, how many there are on all pages, and the token of the next. `items` are in
    /// the order of their `position`s, which are unique.
    pub(super) fn cut<T, V: Message>(
        self,
        call: &Call,
        items: Vec<T>,
        position: impl Fn(&T) -> &str,
        view: impl Fn(&T) -> V,
    ) -> Result<(Vec<V>, u32, String), Fault> {
        let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let mut rest = items
            .iter()
            .filter(|item| self.after.as_deref().is_none_or(|after| position(item) > after))
            .peekable();
        let (mut shown, mut bytes, mut last) = (Vec::new(), 0, None);
        while shown.len() < self.size
            && let Some(item) = rest.peek()
        {
            let seen = view(item);
            // A tag and a length stand before each.
            bytes += seen.encoded_len() + 6;
            if bytes > MAX_PAGE_BYTES && !shown.is_empty() {
                break;
            }
            shown.push(seen);
            last = rest.next();
        }
        let next = match last {
            Some(last) if rest.peek().is_some() => {
                call.host
                    .access
                    .seal_cursor(&call.caller, &self.list, position(last))?
            }
            _ => String::new(),
        };
        Ok((shown, total, next))
    }
}
