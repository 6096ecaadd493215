//! The browser's cookie: what tells one browser from another while an account is connected.
//!
//! Used by the pages alone. It names nobody and opens nothing: it says that the browser which
//! comes back from the vendor is the one that was sent there.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::runtime::Runtime;
use crate::secret::Secret;

/// Over https the prefix keeps other hosts of the domain from setting it (RFC 6265bis, 4.1.3.2).
const SECURE_NAME: &str = "__Host-valetkey-browser";
const PLAIN_NAME: &str = "valetkey-browser";
/// Length of a value of ours.
const VALUE_LENGTH: usize = 43;

fn is_secure(host: &Runtime) -> bool {
    host.public_url.starts_with("https://")
}

fn name(host: &Runtime) -> &'static str {
    if is_secure(host) { SECURE_NAME } else { PLAIN_NAME }
}

/// The cookie that a browser brought, if it is of our form and there is one.
pub(super) fn of(host: &Runtime, headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name(host))
        .map(|(_, value)| value);
    let value = values.next().filter(|_| values.next().is_none())?;
    let ours = value.len() == VALUE_LENGTH
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    ours.then(|| Secret::new(value.to_owned()))
}

/// A new one.
pub(super) fn new() -> Secret {
    Secret::new(crate::random::token())
}

/// Gives it to the browser for as long as an attempt lives. `Lax`, because a vendor sends the
/// browser back from its own site.
pub(super) fn give(host: &Runtime, browser: &Secret, headers: &mut HeaderMap) {
    let secure = if is_secure(host) { "; Secure" } else { "" };
    let cookie = format!(
        "{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        name(host),
        browser.expose(),
        host.config.oauth.flow_seconds
    );
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
}
