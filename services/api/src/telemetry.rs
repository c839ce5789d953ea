//! Log lines: JSON for machines, pretty for a person. Written to standard output. What is logged can be changed while the
//! process runs, at the operations port.

mod lines;

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::config::LogFormat;

/// What is logged now, and the way to change it.
pub struct Log {
    /// Whether each request gets a line.
    pub access: AtomicBool,
    /// The filter as it was given.
    filter: Mutex<String>,
    reload: reload::Handle<EnvFilter, Registry>,
}

impl Log {
    /// Starts logging.
    ///
    /// # Errors
    /// What is wrong with the filter.
    pub fn start(filter: &str, format: LogFormat, access: bool) -> Result<Self, String> {
        let (layer, reload) = reload::Layer::new(parse(filter)?);
        lines::start();
        let lines = tracing_subscriber::fmt::layer()
            .with_target(false)
            .with_writer(|| lines::Output);
        let registry = tracing_subscriber::registry().with(layer);
        match format {
            LogFormat::Json => {
                let lines = lines
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_span_list(false);
                registry.with(lines).init();
            }
            LogFormat::Pretty => registry.with(lines).init(),
        }
        Ok(Self {
            access: AtomicBool::new(access),
            filter: Mutex::new(filter.trim().to_owned()),
            reload,
        })
    }

    pub fn filter(&self) -> String {
        self.filter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs by another filter from now on.
    ///
    /// # Errors
    /// What is wrong with it; then nothing has changed.
    pub fn set_filter(&self, filter: &str) -> Result<(), String> {
        let parsed = parse(filter)?;
        let mut current = self.filter.lock().unwrap_or_else(PoisonError::into_inner);
        self.reload.reload(parsed).map_err(|error| error.to_string())?;
        filter.trim().clone_into(&mut current);
        Ok(())
    }
}

/// The last lines, which may still be kept back, are written when this is dropped.
pub struct LastLines;

impl Drop for LastLines {
    fn drop(&mut self) {
        lines::flush();
    }
}

/// Reads a filter: a level, or TARGET=LEVEL, or several with commas.
///
/// # Errors
/// A sentence that names what is wrong.
pub fn parse(filter: &str) -> Result<EnvFilter, String> {
    let directives: Vec<&str> = filter.split(',').map(str::trim).collect();
    for directive in &directives {
        // To the library a single word that is no level is a program part that logs all, and everything else is silent:
        // a misspelt level would switch the log off.
        let level = !directive.is_empty() && directive.parse::<LevelFilter>().is_ok();
        if !level && !directive.contains('=') {
            return Err(format!(
                "{directive:?} is neither a level (off, error, warn, info, debug, trace) nor TARGET=LEVEL"
            ));
        }
    }
    EnvFilter::try_new(directives.join(",")).map_err(|error| format!("{filter:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_filter_is_a_level_or_targets_with_levels() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,sqlx=warn",
            " debug , hyper=off\n",
            "trestle_api::db=trace",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (bad, named) in [
            ("verbse", "verbse"),
            ("", "\"\""),
            ("info,", "\"\""),
            ("sqlx=loud", "sqlx=loud"),
        ] {
            let error = parse(bad).err().unwrap_or_default();
            assert!(error.contains(named), "{bad}: {error}");
        }
    }
}
