//! Times and days in queries and cursors, all in UTC.

use time::format_description::well_known::Rfc3339;
use time::macros::{datetime, format_description};
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::error::{Error, Result};

/// What is before or after all that a database can hold is as good as the end of that.
const EARLIEST: PrimitiveDateTime = datetime!(1000-01-01 00:00:00);
const LATEST: PrimitiveDateTime = datetime!(9999-12-31 23:59:59.999999);

/// # Errors
/// 400 that names the parameter.
pub fn time(field: &'static str, text: &str) -> Result<PrimitiveDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    let time = time.map_err(|_| Error::query(field, "is not a time such as 2026-03-01T09:30:00Z"))?;
    let utc = time
        .checked_to_offset(UtcOffset::UTC)
        .map_or(LATEST, |time| PrimitiveDateTime::new(time.date(), time.time()));
    Ok(utc.clamp(EARLIEST, LATEST))
}

/// # Errors
/// 400 that names the parameter.
pub fn day(field: &'static str, text: &str) -> Result<Date> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    match day {
        Ok(day) if (1970..=9998).contains(&day.year()) => Ok(day),
        _ => Err(Error::query(field, "is not a day such as 2026-03-01")),
    }
}

/// Microseconds since 1970, for a cursor.
pub fn micros(time: OffsetDateTime) -> u64 {
    u64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or_default()
}

/// # Errors
/// 400 for a number that `micros` did not make.
pub fn of_micros(micros: u64) -> Result<PrimitiveDateTime> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000);
    let time = time.map_err(|_| Error::query("cursor", "is not one that this list gave"))?;
    Ok(PrimitiveDateTime::new(time.date(), time.time()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_utc_and_come_back_from_a_cursor() {
        let noon = time("from", "2026-03-01T12:00:00.000007Z").unwrap();
        assert_eq!(time("from", "2026-03-01T14:00:00.000007+02:00").unwrap(), noon);
        assert_eq!(of_micros(micros(noon.assume_utc())).unwrap(), noon);
        assert_eq!(time("until", "9999-12-31T23:59:59-01:00").unwrap(), LATEST);
        assert_eq!(time("from", "0000-01-01T00:00:00+01:00").unwrap(), EARLIEST);
        for bad in ["", "2026-03-01", "now"] {
            assert!(time("from", bad).is_err(), "{bad}");
        }
        assert!(of_micros(u64::MAX).is_err());
        assert!(day("from", "2026-02-29").is_err());
        assert!(day("from", "2028-02-29").is_ok());
    }
}
