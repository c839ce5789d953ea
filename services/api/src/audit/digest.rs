//! What a shop's tables hold, in a few digits each: two databases with the same rows have the same digests, whichever server
//! they are on and in whatever order they were written.
//!
//! A row's digest is SHA-256 of its values, cut to 96 bits, and a table's is all of its rows' by exclusive or: rows are
//! unique by their keys, so none can cancel another. The two halves are 48 bits each, because MariaDB rounds a number that
//! comes from a text to 53. Values are compared by their bytes, as hexadecimal digits, because two
//! servers may have other words for a column's type, but not for what is in it.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{AssertSqlSafe, MySqlConnection};

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Digest {
    pub rows: u64,
    /// 24 hexadecimal digits.
    pub digest: String,
}

/// A table's column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Bytes, not text, a number or a time.
    pub is_binary: bool,
    /// The server works it out from the others.
    pub is_generated: bool,
}

/// The shop's tables with their columns, in order. Without sqlx's own, which says when and how fast migrations ran.
///
/// # Errors
/// When the database cannot be asked.
pub async fn tables(connection: &mut MySqlConnection) -> Result<BTreeMap<String, Vec<Column>>, sqlx::Error> {
    let columns: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT CAST(c.table_name AS CHAR), CAST(c.column_name AS CHAR), CAST(c.data_type AS CHAR), CAST(c.extra AS CHAR)
         FROM information_schema.columns c
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
         WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' AND c.table_name <> '_sqlx_migrations'
         ORDER BY c.table_name, c.ordinal_position",
    )
    .fetch_all(connection)
    .await?;
    let mut tables = BTreeMap::<_, Vec<_>>::new();
    for (table, name, kind, extra) in columns {
        tables.entry(table).or_default().push(Column {
            name,
            is_binary: [
                "binary",
                "varbinary",
                "tinyblob",
                "blob",
                "mediumblob",
                "longblob",
            ]
            .contains(&kind.to_ascii_lowercase().as_str()),
            is_generated: extra.to_ascii_uppercase().contains("GENERATED")
                && !extra.to_ascii_uppercase().contains("DEFAULT_GENERATED"),
        });
    }
    Ok(tables)
}

/// The digests of all tables, by name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of(connection: &mut MySqlConnection) -> Result<BTreeMap<String, Digest>, sqlx::Error> {
    let mut digests = BTreeMap::new();
    for (table, columns) in tables(connection).await? {
        let values: Vec<_> = columns
            .iter()
            .map(|Column { name, .. }| format!("'{name}', COALESCE(HEX(`{name}`), '-')"))
            .collect();
        let row = format!("CONCAT_WS(',', {})", values.join(", "));
        let half = |from: u32| {
            let bits = format!("CAST(CONV(SUBSTR(sum, {from}, 12), 16, 10) AS UNSIGNED)");
            format!("LPAD(HEX(COALESCE(BIT_XOR({bits}), 0)), 12, '0')")
        };
        let (first, second) = (half(1), half(13));
        let sql = format!(
            "SELECT CAST(COUNT(*) AS SIGNED), CONCAT({first}, {second})
             FROM (SELECT SHA2({row}, 256) AS sum FROM `{table}`) sums"
        );
        // Names come from the database's own schema, which this program made.
        let (rows, digest): (i64, String) = sqlx::query_as(AssertSqlSafe(sql))
            .persistent(false)
            .fetch_one(&mut *connection)
            .await?;
        let rows = rows.unsigned_abs();
        digests.insert(table, Digest { rows, digest });
    }
    Ok(digests)
}
