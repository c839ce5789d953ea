//! Which products stand first: the ids of best sellers, new and related ones. All of it reads a bounded number of rows,
//! found by keys, however large the shop is.

use sqlx::{MySql, QueryBuilder};

use crate::db::Connection;
use crate::error::Result;
use crate::types::id::ProductId;

/// At most this many best sellers and new products.
const TOP: usize = 50;
/// At most this many related ones.
const RELATED: usize = 10;
/// Orders of a product that say what is bought with it.
const RELATED_ORDERS: u32 = 200;

/// The products sold most in the last 3,333 orders that were paid, the newer first of two that sold alike. The orders are
/// the end of the primary key, because their ids sort by time; STRAIGHT_JOIN, because the lines are to be found by those
/// orders and never the other way round.
pub async fn best_sellers(connection: &mut Connection, category: Option<&str>) -> Result<Vec<u64>> {
    let category = match category {
        Some(handle) => match category_id(&mut *connection, handle).await? {
            Some(id) => Some(id),
            // Of a category that there is not nothing was sold: no reason to look through the orders.
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    Ok(sqlx::query_scalar!(
        "SELECT STRAIGHT_JOIN products.id
        FROM (
            SELECT id
            FROM orders
            WHERE state IN ('paid', 'shipped')
            ORDER BY id DESC
            LIMIT 3333
        ) AS recent
        JOIN order_lines ON order_lines.order_id = recent.id
        JOIN products ON products.id = order_lines.product_id
        WHERE products.published = 1
          AND (? IS NULL OR products.category_id = ?)
        GROUP BY products.id
        ORDER BY SUM(order_lines.quantity) DESC, products.id DESC
        LIMIT 50",
        category,
        category,
    )
    .fetch_all(connection)
    .await?)
}

async fn category_id(connection: &mut Connection, handle: &str) -> Result<Option<u64>> {
    Ok(
        sqlx::query_scalar!("SELECT id FROM categories WHERE handle = ?", handle)
            .fetch_optional(connection)
            .await?,
    )
}

/// The newest products: the end of an index.
pub async fn newest(connection: &mut Connection, category: Option<&str>) -> Result<Vec<u64>> {
    let Some(category) = category else {
        return Ok(sqlx::query_scalar!(
            "SELECT id
            FROM products
            WHERE published = 1
            ORDER BY id DESC
            LIMIT ?",
            TOP as u64,
        )
        .fetch_all(connection)
        .await?);
    };
    Ok(sqlx::query_scalar!(
        "SELECT id
        FROM products
        WHERE category_id = (SELECT id FROM categories WHERE handle = ?)
          AND published = 1
        ORDER BY id DESC
        LIMIT ?",
        category,
        TOP as u64,
    )
    .fetch_all(connection)
    .await?)
}

/// What goes with a product; None when it is not for sale.
pub async fn related(connection: &mut Connection, product: ProductId) -> Result<Option<Vec<u64>>> {
    let category = sqlx::query_scalar!(
        "SELECT category_id
        FROM products
        WHERE id = ? AND published = 1",
        product.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(category) = category else {
        return Ok(None);
    };
    let mut ids = bought_together(&mut *connection, product).await?;
    if ids.len() < RELATED {
        // Enough to fill up with when all that is chosen, and the product itself, are among them.
        let others = sqlx::query_scalar!(
            "SELECT id
            FROM products
            WHERE category_id = ? AND published = 1
            ORDER BY id DESC
            LIMIT ?",
            category,
            2 * RELATED as u64 + 1,
        )
        .fetch_all(connection)
        .await?;
        for id in others {
            if ids.len() < RELATED && id != product.0 && !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    Ok(Some(ids))
}

/// What was in the same orders, most often first, then the newer. The orders are found variant by variant: InnoDB keeps
/// the primary key at the end of `order_lines_variant`, so that the latest of a variant are the end of its range.
async fn bought_together(connection: &mut Connection, product: ProductId) -> Result<Vec<u64>> {
    let variants = sqlx::query_scalar!("SELECT id FROM variants WHERE product_id = ?", product.0)
        .fetch_all(&mut *connection)
        .await?;
    if variants.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::<MySql>::new(
        "SELECT STRAIGHT_JOIN products.id
        FROM (SELECT order_id FROM (",
    );
    // Without brackets around a single one: MySQL before 8.0.22 takes them only in a UNION.
    let (open, close) = if variants.len() == 1 { ("", "") } else { ("(", ")") };
    for (index, variant) in variants.into_iter().enumerate() {
        sql.push(if index == 0 { "" } else { " UNION " })
            .push(open)
            .push("SELECT order_id FROM order_lines WHERE variant_id = ")
            .push_bind(variant)
            .push(" ORDER BY order_id DESC LIMIT ")
            .push_bind(RELATED_ORDERS)
            .push(close);
    }
    sql.push(") AS sold ORDER BY order_id DESC LIMIT ")
        .push_bind(RELATED_ORDERS)
        .push(
            ") AS recent
        JOIN orders ON orders.id = recent.order_id
        JOIN order_lines ON order_lines.order_id = recent.order_id
        JOIN products ON products.id = order_lines.product_id
        WHERE orders.state IN ('paid', 'shipped')
          AND products.published = 1
          AND products.id <> ",
        )
        .push_bind(product.0)
        .push(
            "
        GROUP BY products.id
        ORDER BY COUNT(DISTINCT recent.order_id) DESC, products.id DESC
        LIMIT ",
        )
        .push_bind(RELATED as u64);
    // Each number of variants is another statement, not worth keeping.
    let query = sql.build_query_scalar().persistent(false);
    Ok(query.fetch_all(connection).await?)
}
