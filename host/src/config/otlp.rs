//! The settings of the collector, parsed: its URL and the headers that it wants.

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::Telemetry;

/// Where a collector takes traces, below its base URL
/// (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>).
const TRACES: &str = "/v1/traces";

impl Telemetry {
    /// Where traces go; none when nothing is exported.
    ///
    /// # Errors
    /// What is wrong with the endpoint.
    pub fn traces_url(&self) -> Result<Option<Uri>, String> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok(None);
        };
        let wanted = "give it as https://host:port or https://host:port/path";
        let parsed: Uri = endpoint
            .parse()
            .map_err(|error| format!("it is not a URL ({error}); {wanted}"))?;
        let known_scheme = matches!(parsed.scheme_str(), Some("http" | "https"));
        let authority = parsed.authority().map_or("", |authority| authority.as_str());
        if !known_scheme || authority.is_empty() {
            return Err(format!("it is not an http URL; {wanted}"));
        }
        if authority.contains('@') {
            return Err("a URL holds no credentials; put them in `telemetry.otlp_headers`".to_owned());
        }
        if endpoint.contains(['?', '#']) {
            return Err(format!("it has a query or a fragment; {wanted}"));
        }
        let base = endpoint.trim_end_matches('/');
        let base = base.strip_suffix(TRACES).unwrap_or(base);
        format!("{base}{TRACES}")
            .parse()
            .map(Some)
            .map_err(|error| format!("it is not a URL ({error})"))
    }

    /// The headers that the collector gets, none of which prints its value.
    ///
    /// # Errors
    /// Which of them cannot be sent, by its place: they may be secret.
    pub fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        // Into header values, marked sensitive.
        let text = self.otlp_headers.as_ref().map_or("", |hidden| hidden.expose());
        let pairs = text.split(',').map(str::trim).enumerate();
        for (at, pair) in pairs.filter(|(_, pair)| !pair.is_empty()) {
            let (name, value) =
                parse_header(pair).ok_or_else(|| format!("its part {} is not `name=value`", at + 1))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let url = self.traces_url().unwrap_or_else(|problem| {
            let endpoint = self.otlp_endpoint.as_deref().unwrap_or_default();
            problems.push(format!("`telemetry.otlp_endpoint` is `{endpoint}`: {problem}"));
            None
        });
        let headers = self.headers().unwrap_or_else(|problem| {
            problems.push(format!("`telemetry.otlp_headers`: {problem}"));
            HeaderMap::new()
        });
        if let Some(url) = url
            && url.scheme_str() == Some("http")
            && !headers.is_empty()
            && !is_loopback(&url)
        {
            problems.push(
                "`telemetry.otlp_headers` would travel readable: use an https endpoint, or a collector on this machine"
                    .to_owned(),
            );
        }
        problems
    }
}

fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn parse_header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    let mut value = HeaderValue::from_bytes(&decode(value.trim())?).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// Undoes percent-encoding; none when it is broken.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Hidden;

    fn telemetry(endpoint: &str, headers: &str) -> Telemetry {
        Telemetry {
            otlp_endpoint: Some(endpoint.to_owned()),
            otlp_headers: Some(Hidden::new(headers)),
            ..Telemetry::default()
        }
    }

    #[test]
    fn traces_go_below_the_base_url() {
        for (endpoint, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            (
                "https://api.example.com/otel",
                "https://api.example.com/otel/v1/traces",
            ),
            (
                "https://api.example.com/otel/v1/traces",
                "https://api.example.com/otel/v1/traces",
            ),
        ] {
            let parsed = telemetry(endpoint, "").traces_url().expect("a URL");
            assert_eq!(parsed.expect("set").to_string(), url);
        }
        for bad in [
            "localhost:4318",
            "collector",
            "grpc://collector:4317",
            "https://user:key@collector",
            "https://collector/otel?key=1",
            "",
        ] {
            assert!(telemetry(bad, "").traces_url().is_err(), "{bad}");
        }
    }

    #[test]
    fn headers_are_read_as_the_standard_writes_them_and_never_shown() {
        let telemetry = telemetry("https://c.example", "x-api-key=ls%20key%3D1, project = one ");
        let headers = telemetry.headers().expect("headers");
        assert_eq!(headers["x-api-key"], "ls key=1");
        assert_eq!(headers["project"], "one");
        let json = serde_json::to_string(&telemetry).expect("JSON");
        for shown in [format!("{telemetry:?}"), format!("{headers:?}"), json] {
            assert!(
                !shown.contains("ls key") && !shown.contains("ls%20key"),
                "{shown}"
            );
        }
    }

    #[test]
    fn wrong_header_is_named_by_its_place_and_not_by_its_text() {
        for headers in [
            "a=1,key-4711",
            "a=1,key-4711 x=2",
            "a=1,b=%zz-key-4711",
            "a=1,b=%4",
        ] {
            let problems = telemetry("https://c.example", headers).problems();
            assert_eq!(
                problems,
                ["`telemetry.otlp_headers`: its part 2 is not `name=value`"]
            );
        }
    }

    #[test]
    fn headers_do_not_travel_readable() {
        let problems = |endpoint| telemetry(endpoint, "x-api-key=1").problems().len();
        assert_eq!(problems("http://collector.example:4318"), 1);
        assert_eq!(problems("http://localhost:4318"), 0);
        assert_eq!(problems("http://[::1]:4318"), 0);
        assert_eq!(problems("https://collector.example:4318"), 0);
        assert_eq!(telemetry("http://collector.example:4318", "").problems().len(), 0);
    }
}
