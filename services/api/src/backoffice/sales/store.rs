//! The SQL of sales. Orders of the range are found by `orders_created`; an order's lines add up to its total
//! (invariant 2), so the lines alone tell units and revenue.

use time::{Date, format_description::well_known::Iso8601};

use super::{Line, Range, Sum};
use crate::catalog::product::Category;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::money::{Currency, Money};

pub async fn by_day(connection: &mut Connection, range: Range, currency: Currency) -> Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"SELECT
            DATE(orders.created_at) AS "day!: Date",
            CAST(COUNT(DISTINCT orders.id) AS SIGNED) AS "orders!: i64",
            CAST(SUM(order_lines.quantity) AS SIGNED) AS "units!: i64",
            CAST(SUM(order_lines.total) AS SIGNED) AS "revenue!: i64"
        FROM orders
        JOIN order_lines ON order_lines.order_id = orders.id
        WHERE orders.created_at >= ?
            AND orders.created_at < ?
            AND orders.state IN ('paid', 'shipped')
        GROUP BY DATE(orders.created_at)
        ORDER BY DATE(orders.created_at)
        LIMIT 366"#,
        range.from,
        range.before,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let day = row.day.format(&Iso8601::DATE);
            let day = day.map_err(|error| Error::Internal(format!("a day cannot be written: {error}")))?;
            Ok(Line {
                day: Some(day),
                category: None,
                sum: Sum {
                    orders: row.orders,
                    units: row.units,
                    revenue: Money::new(row.revenue, currency),
                },
            })
        })
        .collect()
}

/// By the category that each product has now, the best first.
pub async fn by_category(connection: &mut Connection, range: Range, currency: Currency) -> Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"SELECT
            categories.handle,
            categories.name,
            CAST(COUNT(DISTINCT orders.id) AS SIGNED) AS "orders!: i64",
            CAST(SUM(order_lines.quantity) AS SIGNED) AS "units!: i64",
            CAST(SUM(order_lines.total) AS SIGNED) AS "revenue!: i64"
        FROM orders
        JOIN order_lines ON order_lines.order_id = orders.id
        JOIN products ON products.id = order_lines.product_id
        JOIN categories ON categories.id = products.category_id
        WHERE orders.created_at >= ?
            AND orders.created_at < ?
            AND orders.state IN ('paid', 'shipped')
        GROUP BY categories.id, categories.handle, categories.name
        ORDER BY SUM(order_lines.total) DESC, categories.id
        LIMIT 1000"#,
        range.from,
        range.before,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Line {
            day: None,
            category: Some(Category {
                handle: row.handle,
                name: row.name,
            }),
            sum: Sum {
                orders: row.orders,
                units: row.units,
                revenue: Money::new(row.revenue, currency),
            },
        })
        .collect())
}

pub async fn total(connection: &mut Connection, range: Range, currency: Currency) -> Result<Sum> {
    let row = sqlx::query!(
        r#"SELECT
            CAST(COUNT(DISTINCT orders.id) AS SIGNED) AS "orders!: i64",
            CAST(COALESCE(SUM(order_lines.quantity), 0) AS SIGNED) AS "units!: i64",
            CAST(COALESCE(SUM(order_lines.total), 0) AS SIGNED) AS "revenue!: i64"
        FROM orders
        JOIN order_lines ON order_lines.order_id = orders.id
        WHERE orders.created_at >= ?
            AND orders.created_at < ?
            AND orders.state IN ('paid', 'shipped')"#,
        range.from,
        range.before,
    )
    .fetch_one(connection)
    .await?;
    Ok(Sum {
        orders: row.orders,
        units: row.units,
        revenue: Money::new(row.revenue, currency),
    })
}
