//! The launcher's own lines: where progress and events go.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::supervisor::Report;

/// Appends each line to a file, with its time in seconds since 1970. A line that cannot be written is lost: there is nobody to
/// tell.
pub fn to_file(path: PathBuf) -> Report {
    Arc::new(move |line| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = format!("{}.{:03} {line}\n", now.as_secs(), now.subsec_millis());
        if let Ok(mut file) = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
        {
            let _ = file.write_all(text.as_bytes());
        }
    })
}

/// Tells two listeners.
pub fn both(first: Report, second: Report) -> Report {
    Arc::new(move |line| {
        first(line);
        second(line);
    })
}
