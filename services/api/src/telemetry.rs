//! Log lines: JSON for machines, pretty for a person. Written to standard output.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging; a filter that cannot be read was refused before.
pub fn start(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false);
    match format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init(),
        LogFormat::Pretty => builder.init(),
    }
}
