//! Every setting in one table, and the only reader of the environment: `VALETKEY_<SECTION>_<KEY>`
//! overrides the file. A few settings also have the variable that the field has agreed on.
//!
//! Called by [`super::Config::load`] and by the command line. A variable that begins with
//! `VALETKEY_` and means nothing is an error, like an unknown key of the file.

use std::collections::BTreeMap;

use crate::secret::Secret;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The section of the file.
    pub section: &'static str,
    /// The key in the section.
    pub key: &'static str,
    /// The least and the largest value, for numbers.
    pub range: Option<(u64, u64)>,
    /// The variable that other programs read for the same, if there is one; ours goes over it.
    pub standard_variable: Option<&'static str>,
}

/// What one variable sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The variable's name.
    pub variable: String,
    /// Its text.
    pub text: String,
}

impl Setting {
    /// `section.key`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// Its environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("VALETKEY_{}_{}", self.section, self.key).to_uppercase()
    }
}

const fn text(section: &'static str, key: &'static str) -> Setting {
    Setting {
        section,
        key,
        range: None,
        standard_variable: None,
    }
}

const fn standard(section: &'static str, key: &'static str, variable: &'static str) -> Setting {
    Setting {
        section,
        key,
        range: None,
        standard_variable: Some(variable),
    }
}

const fn number(section: &'static str, key: &'static str, least: u64, largest: u64) -> Setting {
    Setting {
        section,
        key,
        range: Some((least, largest)),
        standard_variable: None,
    }
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
/// One hour in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// Every setting, in the order of the reference.
pub const SETTINGS: &[Setting] = &[
    text("server", "listen"),
    text("server", "public_url"),
    text("server", "insecure_behind_proxy"),
    number("server", "max_body_bytes", KIB, 64 * MIB),
    number("server", "max_component_bytes", 64 * KIB, 256 * MIB),
    number("server", "default_deadline_ms", 100, HOUR_MS),
    number("server", "max_deadline_ms", 100, HOUR_MS),
    number("server", "drain_ms", 0, HOUR_MS),
    text("tls", "certificate_file"),
    text("tls", "key_file"),
    text("storage", "data_dir"),
    text("storage", "key_file"),
    number("sandbox", "memory_bytes", MIB, 4 * GIB),
    number("sandbox", "max_memory_bytes", MIB, 4 * GIB),
    number("sandbox", "cpu_ms", 10, 60_000),
    number("sandbox", "table_elements", 100, 1_000_000),
    number("sandbox", "host_calls", 1, 1_000_000),
    number("sandbox", "http_requests", 1, 10_000),
    number("sandbox", "max_http_requests", 1, 10_000),
    number("sandbox", "output_bytes", KIB, 64 * MIB),
    number("sandbox", "log_lines", 0, 10_000),
    number("sandbox", "log_line_bytes", 64, 64 * KIB),
    number("sandbox", "max_instances", 1, 5_000),
    number("sandbox", "drain_ms", 0, HOUR_MS),
    number("sandbox", "compile_seconds", 1, 600),
    number("sandbox", "max_component_bytes", 64 * KIB, 256 * MIB),
    number("egress", "connect_ms", 1, 60_000),
    number("egress", "tls_ms", 1, 60_000),
    number("egress", "first_byte_ms", 1, 600_000),
    number("egress", "idle_body_ms", 1, 600_000),
    number("egress", "total_ms", 1, HOUR_MS),
    number("egress", "max_header_bytes", KIB, MIB),
    number("egress", "max_header_fields", 10, 1_000),
    number("egress", "max_request_bytes", KIB, 256 * MIB),
    number("egress", "max_response_bytes", KIB, 256 * MIB),
    number("egress", "max_ratio", 2, 10_000),
    number("egress", "attempts", 1, 10),
    number("egress", "max_wait_ms", 0, HOUR_MS),
    number("egress", "breaker_failures", 0, 10_000),
    number("egress", "breaker_pause_ms", 100, 600_000),
    number("egress", "dns_cache_ms", 0, 600_000),
    number("egress", "idle_per_host", 0, 10_000),
    text("egress", "extra_ca_file"),
    text("egress", "send_traceparent"),
    number("oauth", "flow_seconds", 30, 86_400),
    number("oauth", "max_open_flows", 10, 10_000_000),
    number("oauth", "refresh_margin_seconds", 0, 86_400),
    number("oauth", "renew_interval_seconds", 0, 86_400),
    number("oauth", "max_token_response_bytes", KIB, MIB),
    number("oauth", "token_request_ms", 100, 600_000),
    text("pages", "operator_name"),
    number("files", "max_file_bytes", KIB, 1024 * GIB),
    number("files", "max_environment_bytes", KIB, 16 * 1024 * GIB),
    number("files", "keep_seconds", 60, 2_592_000),
    number("admission", "per_environment", 1, 100_000),
    number("admission", "per_account", 1, 100_000),
    number("admission", "queue_factor", 0, 1_000),
    number("journal", "commit_ms", 1, 10_000),
    number("journal", "file_bytes", 64 * KIB, 16 * GIB),
    number("journal", "keep_days", 1, 36_500),
    text("connectors", "watch_dir"),
    text("mcp", "allowed_origins"),
    number("mcp", "max_result_chars", 1_000, 10_000_000),
    number("mcp", "max_streams", 0, 100_000),
    text("mcp", "issuers"),
    text("log", "filter"),
    text("log", "json"),
    // https://opentelemetry.io/docs/specs/otel/protocol/exporter/
    standard("telemetry", "otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    standard("telemetry", "otlp_headers", "OTEL_EXPORTER_OTLP_HEADERS"),
    standard("telemetry", "service_name", "OTEL_SERVICE_NAME"),
    number("telemetry", "sample_one_in", 1, 1_000_000),
    text("telemetry", "record_content"),
];

/// Variables of the command line and of the tests, which are no settings.
const OTHERS: &[&str] = &[
    "VALETKEY_CONFIG",
    "VALETKEY_SERVER",
    "VALETKEY_CLIENT_ID",
    "VALETKEY_CLIENT_SECRET",
    "VALETKEY_BLESS",
];

/// What the environment sets, by `section.key`. Variables that mean nothing come back
/// with the nearest name there is.
pub(super) fn read() -> (BTreeMap<String, Found>, Vec<String>) {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    let variables = std::env::vars_os();
    sort(variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
}

fn sort(variables: impl Iterator<Item = (String, String)>) -> (BTreeMap<String, Found>, Vec<String>) {
    let known: BTreeMap<String, &Setting> = SETTINGS
        .iter()
        .map(|setting| (setting.variable(), setting))
        .collect();
    let standard: BTreeMap<&str, &Setting> = SETTINGS
        .iter()
        .filter_map(|setting| Some((setting.standard_variable?, setting)))
        .collect();
    let mut set = BTreeMap::new();
    let mut problems = Vec::new();
    for (variable, text) in variables {
        if let Some(setting) = known.get(&variable) {
            set.insert(setting.name(), Found { variable, text });
        } else if let Some(setting) = standard.get(variable.as_str()) {
            // Empty is as good as absent, says the standard.
            if !text.is_empty() {
                set.entry(setting.name()).or_insert(Found { variable, text });
            }
        } else if variable.starts_with("VALETKEY_") && !OTHERS.contains(&variable.as_str()) {
            let near = super::load::nearest(&variable, known.keys().map(String::as_str));
            problems.push(format!("the environment variable {variable} is no setting{near}"));
        }
    }
    (set, problems)
}

/// Whether people asked for output without colour (<https://no-color.org>).
#[must_use]
pub fn no_color() -> bool {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    let value = std::env::var_os("NO_COLOR");
    value.is_some_and(|value| !value.is_empty())
}

/// A secret that a command was told to take from the environment, by the name of its variable; none
/// when it is not set, empty or no text.
#[must_use]
pub fn secret(variable: &str) -> Option<Secret> {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    let value = std::env::var(variable).ok()?;
    (!value.is_empty()).then(|| Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_setting_is_in_the_table_and_nothing_else() {
        let defaults = serde_json::to_value(Config::default()).unwrap();
        let mut fields: Vec<String> = Vec::new();
        for (section, keys) in defaults.as_object().unwrap() {
            fields.extend(
                keys.as_object()
                    .unwrap()
                    .keys()
                    .map(|key| format!("{section}.{key}")),
            );
        }
        let mut table: Vec<String> = SETTINGS.iter().map(Setting::name).collect();
        fields.sort();
        table.sort();
        assert_eq!(fields, table);
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_right_one() {
        let variables = [
            ("VALETKEY_SERVER_LISTEN", "127.0.0.1:1"),
            ("VALETKEY_SERVER_LISTN", "127.0.0.1:2"),
            ("VALETKEY_CLIENT_ID", "vkc_1"),
            ("HOME", "/root"),
        ];
        let (set, problems) = sort(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let found = Found {
            variable: "VALETKEY_SERVER_LISTEN".to_owned(),
            text: "127.0.0.1:1".to_owned(),
        };
        assert_eq!(set, BTreeMap::from([("server.listen".to_owned(), found)]));
        assert_eq!(
            problems,
            [
                "the environment variable VALETKEY_SERVER_LISTN is no setting; did you mean `VALETKEY_SERVER_LISTEN`?"
            ]
        );
    }

    #[test]
    fn our_own_variable_goes_over_the_standard_one_in_any_order() {
        let own = ("VALETKEY_TELEMETRY_SERVICE_NAME", "keys");
        let standard = ("OTEL_SERVICE_NAME", "shared");
        let sorted = |variables: &[(&str, &str)]| {
            let variables = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            sort(variables).0
        };
        for order in [[own, standard], [standard, own]] {
            assert_eq!(sorted(&order)["telemetry.service_name"].text, "keys");
        }
        let found = &sorted(&[standard, ("OTEL_EXPORTER_OTLP_ENDPOINT", "")]);
        assert_eq!(found["telemetry.service_name"].variable, "OTEL_SERVICE_NAME");
        assert_eq!(found.len(), 1, "an empty variable sets nothing");
    }
}
