//! Settings from a file, the environment and the command line, the later over the earlier, each
//! with where it came from. Everything that is wrong is said at once.
//!
//! Called by the command line. It never fills a gap silently: unknown keys are errors.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;
use toml::Table;

use super::Config;
use super::env::{self, SETTINGS, Setting};
use crate::text::is_deceptive;

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The settings file.
    File,
    /// An environment variable, by its name.
    Environment(String),
    /// An option of the command line.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File => out.write_str("file"),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::CommandLine => out.write_str("command line"),
        }
    }
}

/// Settings in force.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file they were read from, if any.
    pub file: Option<PathBuf>,
    /// Where each came from, by `section.key`.
    pub sources: BTreeMap<String, Source>,
}

/// Why there are no usable settings.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the settings file {path} is not TOML\n{problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What and where.
        problem: String,
    },
    /// Settings that are not acceptable, each with what is wanted.
    #[error("{}", list(.0))]
    Problems(Vec<String>),
}

fn list(problems: &[String]) -> String {
    match problems {
        [problem] => problem.clone(),
        _ => {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("\n  - {problem}"))
                .collect();
            format!(
                "{} settings are not acceptable:{}",
                problems.len(),
                lines.concat()
            )
        }
    }
}

/// The file that is read when none is named, if it is there.
pub const DEFAULT_FILE: &str = "valetkey.toml";

impl Config {
    /// Reads settings: `path` (or `valetkey.toml` of the working folder, if there is one), then
    /// the environment, then `overrides` (`section.key` and its text).
    ///
    /// # Errors
    /// The file cannot be read, or the list of everything that is not acceptable.
    pub fn load(path: Option<&Path>, overrides: &[(&str, String)]) -> Result<Loaded, ConfigError> {
        let default = Path::new(DEFAULT_FILE);
        let file = path.or_else(|| default.is_file().then_some(default));
        let table = file.map(read_file).transpose()?.unwrap_or_default();
        let (environment, problems) = env::read();
        let loaded = assemble(table, &environment, overrides, problems)?;
        Ok(Loaded {
            file: file.map(Path::to_owned),
            ..loaded
        })
    }

    /// What is wrong with these settings, as one sentence each; empty when they are acceptable.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for setting in SETTINGS {
            let (Some((least, largest)), Some(value)) = (setting.range, self.value(setting).as_u64()) else {
                continue;
            };
            if value < least || value > largest {
                problems.push(format!(
                    "`{}` is {value}; it may be {least} to {largest}",
                    setting.name()
                ));
            }
        }
        let server = &self.server;
        if !server.listen.ip().is_loopback() && !server.insecure_behind_proxy {
            problems.push(format!(
                "`server.listen` is {}, which other machines reach, and this host does not terminate TLS: put a proxy that does in front of it and set `server.insecure_behind_proxy = true`, or listen on 127.0.0.1",
                server.listen
            ));
        }
        if let Some(url) = &server.public_url
            && let Some(problem) = public_url_problem(url)
        {
            problems.push(format!("`server.public_url` is `{url}`: {problem}"));
        }
        if server.default_deadline_ms > server.max_deadline_ms {
            problems.push(
                "`server.default_deadline_ms` is larger than `server.max_deadline_ms`; a call that names no deadline would be refused"
                    .to_owned(),
            );
        }
        if self.sandbox.memory_bytes > self.sandbox.max_memory_bytes {
            problems.push("`sandbox.memory_bytes` is larger than `sandbox.max_memory_bytes`".to_owned());
        }
        if let Some(name) = &self.pages.operator_name
            && (name.trim().is_empty() || name.len() > 100 || name.chars().any(is_deceptive))
        {
            problems.push(
                "`pages.operator_name` must have 1 to 100 bytes without control, invisible or direction-changing characters"
                    .to_owned(),
            );
        }
        if self.sandbox.http_requests > self.sandbox.max_http_requests {
            problems.push("`sandbox.http_requests` is larger than `sandbox.max_http_requests`".to_owned());
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            problems.push(format!("`log.filter` is `{}`: {error}", self.log.filter));
        }
        problems
    }

    /// One setting's value; null when it is not set.
    #[must_use]
    pub fn value(&self, setting: &Setting) -> Value {
        let all = serde_json::to_value(self).expect("settings are plain data");
        all[setting.section][setting.key].clone()
    }
}

fn public_url_problem(url: &str) -> Option<String> {
    let parsed = match url.parse::<http::Uri>() {
        Ok(parsed) => parsed,
        Err(error) => return Some(format!("it is not a URL ({error})")),
    };
    let scheme = parsed.scheme_str().unwrap_or_default();
    let host = parsed.host().unwrap_or_default();
    if host.is_empty() || !matches!(scheme, "http" | "https") {
        return Some("give it as https://host or https://host:port".to_owned());
    }
    let loopback = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    if scheme == "http" && !loopback {
        return Some("vendors send authorization codes to it, so it must be https".to_owned());
    }
    let origin = format!("{scheme}://{}", parsed.authority()?);
    (origin != url).then(|| format!("it must be an origin alone, without a path: `{origin}`"))
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    text.parse()
        .map_err(|error: toml::de::Error| ConfigError::Syntax {
            path: path.to_owned(),
            problem: error.to_string(),
        })
}

fn assemble(
    file: Table,
    environment: &BTreeMap<String, String>,
    overrides: &[(&str, String)],
    mut problems: Vec<String>,
) -> Result<Loaded, ConfigError> {
    let defaults = Config::default();
    let mut merged = Table::new();
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    let mut set = |setting: &Setting, value: toml::Value, source: Source, problems: &mut Vec<String>| {
        let one = Table::from_iter([(
            setting.section.to_owned(),
            toml::Value::Table(Table::from_iter([(setting.key.to_owned(), value.clone())])),
        )]);
        if let Err(error) = one.try_into::<Config>() {
            let wanted = wanted(&defaults, setting);
            let why = error.message();
            problems.push(format!("`{}` ({source}) wants {wanted}: {why}", setting.name()));
            return;
        }
        let section = merged
            .entry(setting.section)
            .or_insert_with(|| toml::Value::Table(Table::new()));
        if let Some(section) = section.as_table_mut() {
            section.insert(setting.key.to_owned(), value);
        }
        sources.insert(setting.name(), source);
    };

    for (section, keys) in file {
        let known: Vec<&Setting> = SETTINGS
            .iter()
            .filter(|setting| setting.section == section)
            .collect();
        let toml::Value::Table(keys) = keys else {
            problems.push(format!(
                "`{section}` stands outside of a section; write it below its [section]"
            ));
            continue;
        };
        if known.is_empty() {
            let near = nearest(&section, SETTINGS.iter().map(|setting| setting.section));
            problems.push(format!("there is no section `[{section}]`{near}"));
            continue;
        }
        for (key, value) in keys {
            match known.iter().find(|setting| setting.key == key) {
                Some(setting) => set(setting, value, Source::File, &mut problems),
                None => {
                    let near = nearest(&key, known.iter().map(|setting| setting.key));
                    problems.push(format!("section `[{section}]` has no key `{key}`{near}"));
                }
            }
        }
    }
    for setting in SETTINGS {
        if let Some(text) = environment.get(&setting.name()) {
            let source = Source::Environment(setting.variable());
            set(setting, typed(&defaults, setting, text), source, &mut problems);
        }
        if let Some((_, text)) = overrides.iter().find(|(name, _)| *name == setting.name()) {
            set(
                setting,
                typed(&defaults, setting, text),
                Source::CommandLine,
                &mut problems,
            );
        }
    }
    if !problems.is_empty() {
        return Err(ConfigError::Problems(problems));
    }

    let config: Config = merged
        .try_into()
        .map_err(|error| ConfigError::Problems(vec![error.message().to_owned()]))?;
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ConfigError::Problems(problems));
    }
    for setting in SETTINGS {
        sources.entry(setting.name()).or_insert(Source::Default);
    }
    Ok(Loaded {
        config,
        file: None,
        sources,
    })
}

/// A text of the environment or the command line as the type that the setting has. What does not
/// parse stays a text and is refused as such.
fn typed(defaults: &Config, setting: &Setting, text: &str) -> toml::Value {
    let parsed = match defaults.value(setting) {
        Value::Number(_) => text.trim().parse().ok().map(toml::Value::Integer),
        Value::Bool(_) => text.trim().parse().ok().map(toml::Value::Boolean),
        _ => None,
    };
    parsed.unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

fn wanted(defaults: &Config, setting: &Setting) -> &'static str {
    match (setting.key, defaults.value(setting)) {
        ("listen", _) => "an address and a port like 127.0.0.1:8470",
        (_, Value::Number(_)) => "a whole number",
        (_, Value::Bool(_)) => "true or false",
        _ => "a text",
    }
}

/// `; did you mean …?` when something known is near enough.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(2))
        .min()
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<Loaded, String> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let overrides: Vec<(&str, String)> = overrides
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        assemble(text.parse().unwrap(), &environment, &overrides, Vec::new())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_over_the_environment_and_that_over_the_file() {
        let text = "[server]\nlisten = '127.0.0.1:1'\nmax_body_bytes = 2048\n[log]\njson = true";
        let environment = [("server.listen", "127.0.0.1:2"), ("sandbox.cpu_ms", "500")];
        let loaded = load(text, &environment, &[("server.listen", "127.0.0.1:3")]).unwrap();
        assert_eq!(loaded.config.server.listen.port(), 3);
        assert_eq!(loaded.config.server.max_body_bytes, 2048);
        assert_eq!(loaded.config.sandbox.cpu_ms, 500);
        assert!(loaded.config.log.json);
        assert_eq!(loaded.sources["server.listen"], Source::CommandLine);
        assert_eq!(loaded.sources["server.max_body_bytes"], Source::File);
        assert_eq!(
            loaded.sources["sandbox.cpu_ms"].to_string(),
            "environment VALETKEY_SANDBOX_CPU_MS"
        );
        assert_eq!(loaded.sources["log.filter"], Source::Default);
    }

    #[test]
    fn every_mistake_is_named_at_once_with_what_is_meant() {
        let text = "[server]\nlisen = 'x'\n[sandbx]\ncpu_ms = 1\n[egress]\nattempts = 'three'";
        let error = load(text, &[], &[]).unwrap_err();
        assert!(
            error.contains("section `[server]` has no key `lisen`; did you mean `listen`?"),
            "{error}"
        );
        assert!(
            error.contains("there is no section `[sandbx]`; did you mean `sandbox`?"),
            "{error}"
        );
        assert!(
            error.contains("`egress.attempts` (file) wants a whole number"),
            "{error}"
        );
    }

    #[test]
    fn a_value_out_of_its_range_is_refused_with_the_range() {
        let error = load("[egress]\nattempts = 99", &[], &[]).unwrap_err();
        assert_eq!(error, "`egress.attempts` is 99; it may be 1 to 10");
    }

    #[test]
    fn a_usual_limit_is_not_above_the_most_that_a_manifest_may_ask_for() {
        for text in [
            "[sandbox]\nhttp_requests = 101",
            "[sandbox]\nmax_http_requests = 19",
            "[sandbox]\nmemory_bytes = 268435457",
        ] {
            let error = load(text, &[], &[]).unwrap_err();
            assert!(error.contains("is larger than `sandbox.max_"), "{text}: {error}");
        }
        assert!(load("[sandbox]\nhttp_requests = 100", &[], &[]).is_ok());
    }

    #[test]
    fn an_address_that_others_reach_needs_a_proxy_in_front() {
        let open = "[server]\nlisten = '0.0.0.0:80'";
        assert!(
            load(open, &[], &[])
                .unwrap_err()
                .contains("insecure_behind_proxy")
        );
        assert!(load(&format!("{open}\ninsecure_behind_proxy = true"), &[], &[]).is_ok());
    }

    #[test]
    fn the_public_url_is_an_origin_that_vendors_may_send_codes_to() {
        for (url, fine) in [
            ("https://keys.example.com", true),
            ("https://keys.example.com:8443", true),
            ("http://127.0.0.1:8470", true),
            ("http://keys.example.com", false),
            ("https://keys.example.com/", false),
            ("https://keys.example.com/base", false),
            ("https://user@keys.example.com?x=1", false),
            ("keys.example.com", false),
        ] {
            assert_eq!(public_url_problem(url).is_none(), fine, "{url}");
        }
    }
}
