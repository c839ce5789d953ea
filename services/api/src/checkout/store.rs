//! The SQL of placing, settling, replaying and recovering orders.

use sqlx::{MySql, QueryBuilder};
use uuid::Uuid;

use super::bill::{BillLine, Cost, Offered};
use super::place::Attempt;
use super::request::Item;
use crate::db::{Connection, is_duplicate};
use crate::error::{Error, Result};
use crate::orders::state::State;
use crate::types::id::{CustomerId, OrderId, ProductId, VariantId};
use crate::types::money::Money;

/// A pending order is recovery's once this long has passed: longer than a request's own deadline (8 s).
const SETTLE_WITHIN_SECONDS: i64 = 10;
/// What a request or a replica touched this recently, it is still working on.
const LEFT_ALONE_SECONDS: i64 = 3;

#[derive(sqlx::FromRow)]
struct OfferedRow {
    id: u64,
    product_id: u64,
    title: String,
    option1: String,
    option2: String,
    option3: String,
    sku: Option<String>,
    price: i64,
}

/// Those of the variants that can be bought, with the prices of now.
pub async fn offered(connection: &mut Connection, items: &[Item]) -> Result<Vec<Offered>> {
    let mut query = QueryBuilder::<MySql>::new(
        "SELECT variants.id, product_id, title, option1, option2, option3, sku, price
        FROM variants
        JOIN products ON products.id = variants.product_id
        WHERE published = 1
            AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)
            AND variants.id IN (",
    );
    let mut ids = query.separated(", ");
    for item in items {
        ids.push_bind(item.variant.0);
    }
    query.push(")");
    let rows: Vec<OfferedRow> = query.build_query_as().fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|row| Offered {
            variant: VariantId(row.id),
            product: ProductId(row.product_id),
            title: row.title,
            options: [row.option1, row.option2, row.option3],
            sku: row.sku,
            price: row.price,
        })
        .collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    Done,
    /// The customer used this Idempotency-Key before.
    KeyTaken,
    /// The customer has no such address.
    NoAddress,
}

/// Writes the pending order with a copy of the customer's address.
pub async fn insert_order(tx: &mut Connection, attempt: &Attempt, cost: Cost) -> Result<Inserted> {
    let done = sqlx::query!(
        "INSERT INTO orders (
            id, customer_id, idempotency_key, request_hash, state, currency, subtotal, discount, total,
            ship_name, ship_line1, ship_line2, ship_city, ship_region, ship_postal_code, ship_country, ship_phone,
            settle_by, created_at, updated_at
        )
        SELECT
            ?, customer_id, ?, ?, 'pending', ?, ?, ?, ?,
            name, line1, line2, city, region, postal_code, country, phone,
            UTC_TIMESTAMP(6) + INTERVAL ? SECOND, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)
        FROM addresses
        WHERE id = ? AND customer_id = ?",
        attempt.order.0,
        attempt.key,
        attempt.wanted.hash.as_slice(),
        cost.total.currency.as_str(),
        cost.subtotal,
        cost.discount,
        cost.total.amount,
        SETTLE_WITHIN_SECONDS,
        attempt.wanted.address.0,
        attempt.customer.0,
    )
    .execute(tx)
    .await;
    match done {
        Ok(done) if done.rows_affected() == 1 => Ok(Inserted::Done),
        Ok(_) => Ok(Inserted::NoAddress),
        Err(error) if is_duplicate(&error) => Ok(Inserted::KeyTaken),
        Err(error) => Err(error.into()),
    }
}

/// Whether the customer has an order under this key.
pub async fn key_is_taken(connection: &mut Connection, attempt: &Attempt) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT id AS "id: Uuid"
        FROM orders
        WHERE customer_id = ? AND idempotency_key = ?"#,
        attempt.customer.0,
        attempt.key,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Writes an order's lines.
pub async fn insert_lines(tx: &mut Connection, order: OrderId, lines: &[BillLine]) -> Result<()> {
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO order_lines (order_id, line_no, variant_id, product_id, title,
        option1, option2, option3, sku, price, quantity, discount, total) ",
    );
    query.push_values((1_i16..).zip(lines), |mut row, (number, line)| {
        let offered = &line.offered;
        let [option1, option2, option3] = &offered.options;
        row.push_bind(order.0)
            .push_bind(number)
            .push_bind(offered.variant.0)
            .push_bind(offered.product.0)
            .push_bind(&offered.title)
            .push_bind(option1)
            .push_bind(option2)
            .push_bind(option3)
            .push_bind(&offered.sku)
            .push_bind(offered.price)
            .push_bind(line.quantity)
            .push_bind(line.discount)
            .push_bind(line.total);
    });
    query.build().execute(tx).await?;
    Ok(())
}

/// Keeps the answer for retries with the same key.
pub async fn store_response(tx: &mut Connection, order: OrderId, status: i16, body: &[u8]) -> Result<()> {
    sqlx::query!(
        "INSERT INTO order_responses (order_id, status, body, created_at)
        VALUES (?, ?, ?, UTC_TIMESTAMP(6))",
        order.0,
        status,
        body,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What is known of the order that has a key.
#[derive(Debug)]
pub struct Known {
    pub order: OrderId,
    pub hash: Vec<u8>,
    pub state: State,
    /// Status and body, until they are purged.
    pub response: Option<(i16, Vec<u8>)>,
}

/// The order that this customer placed under this key.
pub async fn known(connection: &mut Connection, customer: CustomerId, key: &str) -> Result<Option<Known>> {
    let row = sqlx::query!(
        r#"SELECT
            orders.id AS "id: Uuid",
            request_hash,
            state,
            order_responses.status AS "status?: i16",
            order_responses.body AS "body?: Vec<u8>"
        FROM orders
        LEFT JOIN order_responses ON order_responses.order_id = orders.id
        WHERE customer_id = ? AND idempotency_key = ?"#,
        customer.0,
        key,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Known {
            order: OrderId(row.id),
            hash: row.request_hash,
            state: State::read(&row.state)?,
            response: row.status.zip(row.body),
        })
    })
    .transpose()
}

/// An order for which something is overdue at the gateway.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    pub order: OrderId,
    pub customer: CustomerId,
    pub state: State,
    pub total: Money,
}

/// Claims orders past their `settle_by`, so that other replicas leave them alone for a while: `updated_at` says when
/// somebody last took one up, and `settle_by` stays what it is, so that the audit sees an order that nobody ends.
pub async fn claim_due(tx: &mut Connection, limit: u32) -> Result<Vec<Due>> {
    let rows = sqlx::query!(
        r#"SELECT
            id AS "id: Uuid",
            customer_id AS "customer_id: Uuid",
            state,
            currency,
            total
        FROM orders
        WHERE settle_by <= UTC_TIMESTAMP(6)
            AND updated_at <= UTC_TIMESTAMP(6) - INTERVAL ? SECOND
        ORDER BY settle_by
        LIMIT ?
        FOR UPDATE SKIP LOCKED"#,
        LEFT_ALONE_SECONDS,
        limit,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        sqlx::query!(
            "UPDATE orders
            SET updated_at = UTC_TIMESTAMP(6)
            WHERE id = ?",
            row.id,
        )
        .execute(&mut *tx)
        .await?;
        due.push(Due {
            order: OrderId(row.id),
            customer: CustomerId(row.customer_id),
            state: State::read(&row.state)?,
            total: Money::new(row.total, row.currency.parse().map_err(Error::Internal)?),
        });
    }
    Ok(due)
}
