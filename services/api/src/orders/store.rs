//! The SQL of orders that are there already. What a customer asks for is found by its owner too; without an owner it is
//! the backoffice that asks.

use std::collections::HashMap;

use sqlx::{MySql, QueryBuilder};
use time::PrimitiveDateTime;
use uuid::Uuid;

use super::order::Order;
use super::rows::{LineRow, OrderRow};
use super::ship::Parcel;
use super::state::State;
use crate::db::Connection;
use crate::error::Result;
use crate::types::id::{CustomerId, OrderId};

/// One order: this customer's, or anybody's when no owner is named.
pub async fn find(
    connection: &mut Connection,
    owner: Option<CustomerId>,
    order: OrderId,
) -> Result<Option<Order>> {
    let row = sqlx::query_as!(
        OrderRow,
        r#"SELECT
            orders.id AS "id: Uuid",
            orders.state,
            currency,
            subtotal,
            orders.discount,
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
            orders.created_at,
            orders.updated_at,
            coupon_uses.code AS "coupon?: String",
            order_shipments.shipped_at AS "shipped_at?: PrimitiveDateTime",
            order_shipments.carrier AS "carrier?: String",
            order_shipments.tracking AS "tracking?: String"
        FROM orders
        LEFT JOIN coupon_uses ON coupon_uses.order_id = orders.id
        LEFT JOIN order_shipments ON order_shipments.order_id = orders.id
        WHERE orders.id = ? AND orders.customer_id = COALESCE(?, orders.customer_id)"#,
        order.0,
        owner.map(|owner| owner.0),
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
            orders.id AS "id: Uuid",
            orders.state,
            currency,
            subtotal,
            orders.discount,
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
            orders.created_at,
            orders.updated_at,
            coupon_uses.code AS "coupon?: String",
            order_shipments.shipped_at AS "shipped_at?: PrimitiveDateTime",
            order_shipments.carrier AS "carrier?: String",
            order_shipments.tracking AS "tracking?: String"
        FROM orders
        LEFT JOIN coupon_uses ON coupon_uses.order_id = orders.id
        LEFT JOIN order_shipments ON order_shipments.order_id = orders.id
        WHERE orders.customer_id = ? AND orders.id < ?
        ORDER BY orders.id DESC
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
            row.with(lines)
        })
        .collect()
}

/// The state of one order, of this customer if an owner is named; the row is locked until the transaction ends.
pub async fn lock_state(
    tx: &mut Connection,
    owner: Option<CustomerId>,
    order: OrderId,
) -> Result<Option<State>> {
    let state = sqlx::query_scalar!(
        "SELECT state
        FROM orders
        WHERE id = ? AND customer_id = COALESCE(?, customer_id)
        FOR UPDATE",
        order.0,
        owner.map(|owner| owner.0),
    )
    .fetch_optional(tx)
    .await?;
    state.as_deref().map(State::read).transpose()
}

/// Takes an order from one state to another: the only statement that does. False when it is not in the first any more.
///
/// # Errors
/// 409 when there is no such step.
pub async fn step(tx: &mut Connection, order: OrderId, from: State, to: State) -> Result<bool> {
    from.check(to)?;
    // Due from now on is the refund of what is cancelled; at other ends nothing is.
    let done = sqlx::query!(
        "UPDATE orders
        SET state = ?,
            settle_by = IF(?, UTC_TIMESTAMP(6), NULL),
            updated_at = UTC_TIMESTAMP(6)
        WHERE id = ? AND state = ?",
        to.as_str(),
        to == State::Cancelled,
        order.0,
        from.as_str(),
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

/// Writes how an order was handed over.
pub async fn insert_shipment(tx: &mut Connection, order: OrderId, parcel: &Parcel) -> Result<()> {
    sqlx::query!(
        "INSERT INTO order_shipments (order_id, shipped_at, carrier, tracking)
        VALUES (?, UTC_TIMESTAMP(6), ?, ?)",
        order.0,
        parcel.carrier,
        parcel.tracking,
    )
    .execute(tx)
    .await?;
    Ok(())
}
