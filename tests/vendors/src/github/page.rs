//! Pages by number, and the `Link` header that names the others.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::text::{Pairs, encode, first};

const USUAL: usize = 30;
const MOST: usize = 100;

/// Which page of a list is asked for.
pub(crate) struct Page {
    number: usize,
    size: usize,
    query: Pairs,
}

impl Page {
    /// Reads `page` and `per_page`; what makes no sense is taken as the usual, as the vendor does.
    pub(crate) fn of(query: &Pairs) -> Self {
        let number = |name: &str| first(query, name).and_then(|text| text.parse::<usize>().ok());
        Self {
            number: number("page").unwrap_or(1).max(1),
            size: number("per_page")
                .filter(|size| *size > 0)
                .unwrap_or(USUAL)
                .min(MOST),
            query: query.clone(),
        }
    }

    /// How many items come up to the end of this page.
    pub(crate) fn end(&self) -> usize {
        self.number.saturating_mul(self.size)
    }

    pub(crate) fn take<T: Clone>(&self, items: &[T]) -> Vec<T> {
        let from = (self.number - 1).saturating_mul(self.size).min(items.len());
        items[from..self.end().min(items.len())].to_vec()
    }

    /// A list as an answer; `address` is where the vendor has it, which is not where it was asked.
    pub(crate) fn answer(&self, items: &[Value], address: &str) -> Response {
        self.linked(Json(self.take(items)).into_response(), items.len(), address)
    }

    /// Adds the `Link` header to an answer that holds this page of `total` items.
    pub(crate) fn linked(&self, mut response: Response, total: usize, address: &str) -> Response {
        let last = total.div_ceil(self.size).max(1);
        let target = |number: usize| {
            let mut pairs: Vec<String> = self
                .query
                .iter()
                .filter(|(name, _)| name != "page")
                .map(|(name, value)| format!("{name}={}", encode(value)))
                .collect();
            pairs.push(format!("page={number}"));
            format!("<{address}?{}>", pairs.join("&"))
        };
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(format!("{}; rel=\"prev\"", target(self.number - 1)));
        }
        if self.number < last {
            links.push(format!("{}; rel=\"next\"", target(self.number + 1)));
            links.push(format!("{}; rel=\"last\"", target(last)));
        }
        if let (false, Ok(value)) = (links.is_empty(), links.join(", ").parse()) {
            response.headers_mut().insert("link", value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Page {
        Page::of(&crate::text::parse_form(query))
    }

    #[test]
    fn pages_are_counted_from_one_and_never_too_big() {
        let items: Vec<usize> = (0..250).collect();
        assert_eq!(page("").take(&items), (0..30).collect::<Vec<_>>());
        assert_eq!(page("page=0&per_page=0").take(&items).len(), 30);
        assert_eq!(
            page("page=3&per_page=500").take(&items),
            (200..250).collect::<Vec<_>>()
        );
        assert!(page("page=9&per_page=50").take(&items).is_empty());
    }

    #[test]
    fn the_link_leads_below_the_repositorys_number() {
        let items: Vec<Value> = (0..70).map(Value::from).collect();
        let link = |query: &str| {
            let response = page(query).answer(&items, "http://v/repositories/7/issues");
            let value = response.headers().get("link").cloned();
            value.map(|value| value.to_str().unwrap_or_default().to_owned())
        };
        assert_eq!(
            link("state=all&per_page=30").as_deref(),
            Some(
                "<http://v/repositories/7/issues?state=all&per_page=30&page=2>; rel=\"next\", \
                 <http://v/repositories/7/issues?state=all&per_page=30&page=3>; rel=\"last\""
            )
        );
        assert_eq!(
            link("page=3&per_page=30").as_deref(),
            Some("<http://v/repositories/7/issues?per_page=30&page=2>; rel=\"prev\"")
        );
        assert_eq!(link("per_page=100"), None);
    }
}
