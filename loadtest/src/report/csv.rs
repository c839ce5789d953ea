//! CSV files beside a report, for those who draw their own pictures.

use anyhow::{Context, Result};

/// One file: a row of names, then the rows.
///
/// # Errors
/// When a row has not as many fields as there are names.
pub fn rows<R>(names: &[&str], rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>>
where
    R: IntoIterator<Item = String>,
{
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(names).context("CSV")?;
    for row in rows {
        writer.write_record(row).context("CSV")?;
    }
    writer.into_inner().context("CSV")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let file = rows(&["a", "b"], [["1,5".to_owned(), "x\"y".to_owned()]]).unwrap();
        assert_eq!(String::from_utf8(file).unwrap(), "a,b\n\"1,5\",\"x\"\"y\"\n");
    }

    #[test]
    fn a_short_row_is_refused() {
        assert!(rows(&["a", "b"], [["1".to_owned()]]).is_err());
    }
}
