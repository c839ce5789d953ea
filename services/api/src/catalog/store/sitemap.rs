//! Which products search engines are told of: parts of the primary key, read from the end of `products_newest`.

use crate::db::Connection;
use crate::error::Result;

/// The newest product's id; None in an empty shop.
pub async fn newest(connection: &mut Connection) -> Result<Option<u64>> {
    Ok(sqlx::query_scalar!(
        "SELECT id
        FROM products
        WHERE published = 1
        ORDER BY id DESC
        LIMIT 1"
    )
    .fetch_optional(connection)
    .await?)
}

/// The published products after `first` and up to `last`, the newest first.
pub async fn between(connection: &mut Connection, first: u64, last: u64) -> Result<Vec<u64>> {
    Ok(sqlx::query_scalar!(
        "SELECT id
        FROM products
        WHERE published = 1
          AND id > ?
          AND id <= ?
        ORDER BY id DESC",
        first,
        last,
    )
    .fetch_all(connection)
    .await?)
}
