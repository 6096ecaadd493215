//! An answer's body on its way into a file instead of into a guest: bounded like any body, without
//! the live secrets, never whole in memory.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::decode::{self, BodyError, Bounds};
use super::redact::{Flow, Redactor};
use crate::files::{Facts, Shelf};

/// How an answer's body is kept.
#[derive(Debug, Clone)]
pub struct Keep {
    /// Where.
    pub shelf: Shelf,
    /// What the file is called; none for the vendor's own name.
    pub name: Option<String>,
    /// Media types that are kept (`image/*`, `application/pdf`); empty for any.
    pub content_types: Vec<String>,
    /// The most that is kept; none for what a file may have.
    pub max_bytes: Option<u64>,
}

/// Reads a body into a file.
pub(super) async fn read(
    keep: &Keep,
    headers: &HeaderMap,
    mut body: Incoming,
    bounds: &Bounds,
    redactors: &[&Redactor],
) -> Result<Arc<Facts>, BodyError> {
    decode::expect_identity(headers)?;
    let content_type = text(headers.get(CONTENT_TYPE));
    if !is_wanted(content_type, &keep.content_types) {
        return Err(BodyError::Unwanted);
    }
    let most = keep.max_bytes.unwrap_or(u64::MAX);
    if body.size_hint().lower() > most {
        return Err(BodyError::TooLarge(usize::try_from(most).unwrap_or(usize::MAX)));
    }
    let name = keep.name.clone().or_else(|| name_of(headers)).unwrap_or_default();
    let mut file = keep.shelf.begin(&name, content_type);
    let mut flows: Vec<Flow<'_>> = redactors.iter().map(|redactor| Flow::new(redactor)).collect();
    let mut received = 0_u64;
    loop {
        let by = bounds.until.min(Instant::now() + bounds.idle);
        let piece = match timeout_at(by, body.frame()).await {
            Err(_) => return Err(BodyError::Stalled),
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(BodyError::Broken(error)),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        received += piece.len() as u64;
        if received > most {
            return Err(BodyError::TooLarge(usize::try_from(most).unwrap_or(usize::MAX)));
        }
        let clean = flows.iter_mut().fold(piece, |piece, flow| flow.push(piece));
        file.push(clean).await?;
    }
    // What one holds back goes through those after it.
    for at in 0..flows.len() {
        let rest = flows[at].rest();
        let clean = flows[at + 1..]
            .iter_mut()
            .fold(rest, |piece, flow| flow.push(piece));
        file.push(clean).await?;
    }
    Ok(file.finish().await?)
}

fn text(value: Option<&http::HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_wanted(content_type: &str, wanted: &[String]) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    wanted.is_empty()
        || wanted.iter().any(|wanted| match wanted.strip_suffix("/*") {
            Some(kind) => essence
                .split('/')
                .next()
                .is_some_and(|found| found.eq_ignore_ascii_case(kind)),
            None => essence.eq_ignore_ascii_case(wanted),
        })
}

/// The plain `filename` of a `content-disposition`; the encoded forms are left to the connector.
fn name_of(headers: &HeaderMap) -> Option<String> {
    let text = text(headers.get(CONTENT_DISPOSITION));
    let (_, rest) = text.split_once("filename=")?;
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split(';').next()?.trim(),
    };
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_compared_without_their_parameters() {
        let wanted = ["image/*".to_owned(), "application/pdf".to_owned()];
        for good in ["image/png", "IMAGE/jpeg; q=1", "application/pdf; charset=x"] {
            assert!(is_wanted(good, &wanted), "{good}");
        }
        for bad in ["text/html", "application/pdfx", "", "imagex/png"] {
            assert!(!is_wanted(bad, &wanted), "{bad}");
        }
        assert!(is_wanted("anything/else", &[]));
    }

    #[test]
    fn the_vendors_name_is_taken_where_it_is_plain() {
        for (text, expected) in [
            ("attachment; filename=\"a b.pdf\"; size=3", Some("a b.pdf")),
            ("attachment; filename=a.pdf; size=3", Some("a.pdf")),
            ("attachment", None),
            ("attachment; filename=\"\"", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_DISPOSITION, text.parse().unwrap())]);
            assert_eq!(name_of(&headers).as_deref(), expected);
        }
    }
}
