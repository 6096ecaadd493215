//! Log lines: one subscriber, set up once by the command line. Standard output is data, so logs
//! go to standard error.

use tracing_subscriber::EnvFilter;

use crate::config;

/// Starts logging to standard error. A filter that does not parse falls back to `info`, loudly.
pub fn start(settings: &config::Log) {
    let parsed = EnvFilter::try_new(&settings.filter);
    let refused = parsed.as_ref().err().map(ToString::to_string);
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = if settings.json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
    if let Some(error) = refused {
        tracing::warn!(
            filter = settings.filter,
            error,
            "log.filter does not parse; using `info`"
        );
    }
}
