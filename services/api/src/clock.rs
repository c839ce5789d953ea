//! The one place where the wall clock is read.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the place that the others are sent to"
)]

use time::OffsetDateTime;

/// Milliseconds since 1970, UTC.
pub fn now_ms() -> u64 {
    u64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// The time now, UTC.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
