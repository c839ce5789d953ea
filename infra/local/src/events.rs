//! The launcher's own lines: where progress and events go.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::supervisor::Report;

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Appends each line to a file, with its time in UTC. A line that cannot be written is lost: there is nobody to
/// tell.
pub fn to_file(path: PathBuf) -> Report {
    Arc::new(move |line| {
        let now = OffsetDateTime::now_utc().format(TIME).unwrap_or_default();
        let text = format!("{now} {line}\n");
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
