//! The SQL of orders that are there already. Whatever a customer asks for is found by its owner too.

use std::collections::HashMap;

use sqlx::{MySql, QueryBuilder};
use time::PrimitiveDateTime;
use uuid::Uuid;

use super::order::{Line, Order, ShippedTo};
use super::state::{Payment, State};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::{CustomerId, OrderId, ProductId, VariantId};
use crate::types::money::{Currency, Money};

struct OrderRow {
    id: Uuid,
    state: String,
    currency: String,
    subtotal: i64,
    discount: i64,
    total: i64,
    ship_name: String,
    ship_line1: String,
    ship_line2: String,
    ship_city: String,
    ship_region: String,
    ship_postal_code: String,
    ship_country: String,
    ship_phone: String,
    settle_by: Option<PrimitiveDateTime>,
    created_at: PrimitiveDateTime,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    order_id: Uuid,
    variant_id: u64,
    product_id: u64,
    title: String,
    option1: String,
    option2: String,
    option3: String,
    sku: Option<String>,
    price: i64,
    quantity: i32,
    discount: i64,
    total: i64,
}

/// One order of this customer.
pub async fn find(
    connection: &mut Connection,
    customer: CustomerId,
    order: OrderId,
) -> Result<Option<Order>> {
    let row = sqlx::query_as!(
        OrderRow,
        r#"SELECT
            id AS "id: Uuid",
            state,
            currency,
            subtotal,
            discount,
            total,
            ship_name,
            ship_line1,
            ship_line2,
            ship_city,
            ship_region,
            ship_postal_code,
            ship_country,
            ship_phone,
            settle_by,
            created_at
        FROM orders
        WHERE id = ? AND customer_id = ?"#,
        order.0,
        customer.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let orders = with_lines(connection, row.into_iter().collect()).await?;
    Ok(orders.into_iter().next())
}

/// This customer's orders, newest first, from the one before `before` on.
pub async fn page(
    connection: &mut Connection,
    customer: CustomerId,
    before: Uuid,
    limit: u32,
) -> Result<Vec<Order>> {
    let rows = sqlx::query_as!(
        OrderRow,
        r#"SELECT
            id AS "id: Uuid",
            state,
            currency,
            subtotal,
            discount,
            total,
            ship_name,
            ship_line1,
            ship_line2,
            ship_city,
            ship_region,
            ship_postal_code,
            ship_country,
            ship_phone,
            settle_by,
            created_at
        FROM orders
        WHERE customer_id = ? AND id < ?
        ORDER BY id DESC
        LIMIT ?"#,
        customer.0,
        before,
        limit,
    )
    .fetch_all(&mut *connection)
    .await?;
    with_lines(connection, rows).await
}

async fn with_lines(connection: &mut Connection, rows: Vec<OrderRow>) -> Result<Vec<Order>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<MySql>::new(
        "SELECT order_id, variant_id, product_id, title, option1, option2, option3, sku, price, quantity, discount, total
        FROM order_lines
        WHERE order_id IN (",
    );
    let mut ids = query.separated(", ");
    for row in &rows {
        ids.push_bind(row.id);
    }
    query.push(") ORDER BY order_id, line_no");
    let lines: Vec<LineRow> = query.build_query_as().fetch_all(connection).await?;
    let mut by_order: HashMap<Uuid, Vec<LineRow>> = HashMap::with_capacity(rows.len());
    for line in lines {
        by_order.entry(line.order_id).or_default().push(line);
    }
    rows.into_iter()
        .map(|row| {
            let lines = by_order.remove(&row.id).unwrap_or_default();
            assemble(row, lines)
        })
        .collect()
}

fn assemble(row: OrderRow, lines: Vec<LineRow>) -> Result<Order> {
    let state = State::read(&row.state)?;
    let currency: Currency = row.currency.parse().map_err(Error::Internal)?;
    let money = |amount| Money::new(amount, currency);
    let items = lines
        .into_iter()
        .map(|line| Line {
            variant_id: VariantId(line.variant_id),
            product_id: ProductId(line.product_id),
            title: line.title,
            options: [line.option1, line.option2, line.option3]
                .into_iter()
                .filter(|option| !option.is_empty())
                .collect(),
            sku: line.sku,
            quantity: line.quantity,
            price: money(line.price),
            discount: money(line.discount),
            total: money(line.total),
        })
        .collect();
    Ok(Order {
        id: OrderId(row.id),
        state,
        created_at: row.created_at.assume_utc(),
        items,
        subtotal: money(row.subtotal),
        discount: money(row.discount),
        total: money(row.total),
        address: ShippedTo {
            name: row.ship_name,
            line1: row.ship_line1,
            line2: row.ship_line2,
            city: row.ship_city,
            region: row.ship_region,
            postal_code: row.ship_postal_code,
            country: row.ship_country,
            phone: row.ship_phone,
        },
        payment: Payment::of(state, row.settle_by.is_some()),
    })
}

/// The state of one order of this customer; the row is locked until the transaction ends.
pub async fn lock_state(tx: &mut Connection, customer: CustomerId, order: OrderId) -> Result<Option<State>> {
    let state = sqlx::query_scalar!(
        "SELECT state
        FROM orders
        WHERE id = ? AND customer_id = ?
        FOR UPDATE",
        order.0,
        customer.0,
    )
    .fetch_optional(tx)
    .await?;
    state.as_deref().map(State::read).transpose()
}

/// Cancels a paid order; its refund is due from now on. False when it is not paid.
pub async fn cancel(tx: &mut Connection, order: OrderId) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE orders
        SET state = 'cancelled',
            settle_by = UTC_TIMESTAMP(6),
            updated_at = UTC_TIMESTAMP(6)
        WHERE id = ? AND state = 'paid'",
        order.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says that a cancelled order's money came back: nothing is due any more.
pub async fn refunded(connection: &mut Connection, order: OrderId) -> Result<()> {
    sqlx::query!(
        "UPDATE orders
        SET settle_by = NULL,
            updated_at = UTC_TIMESTAMP(6)
        WHERE id = ? AND state = 'cancelled'",
        order.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}
