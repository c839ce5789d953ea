//! The gateway's books. The shop's own code never reads this table: it asks the gateway.

use super::Booked;
use crate::db::{Connection, is_duplicate};
use crate::error::Result;
use crate::types::id::OrderId;
use crate::types::money::Money;

/// Writes an order's row; false when it has one.
pub async fn insert(tx: &mut Connection, order: OrderId, amount: Money, booked: Booked) -> Result<bool> {
    let captured = if booked == Booked::Captured {
        amount.amount
    } else {
        0
    };
    let done = sqlx::query!(
        "INSERT INTO gateway_payments (order_id, state, currency, captured, created_at, updated_at)
        VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
        order.0,
        booked.as_str(),
        amount.currency.as_str(),
        captured,
    )
    .execute(tx)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What the books say of an order.
pub async fn booked(tx: &mut Connection, order: OrderId) -> Result<Option<Booked>> {
    let state = sqlx::query_scalar!(
        "SELECT state
        FROM gateway_payments
        WHERE order_id = ?",
        order.0,
    )
    .fetch_optional(tx)
    .await?;
    state.as_deref().map(Booked::read).transpose()
}

/// Refunds what was captured; false when there is nothing that is captured and not refunded.
pub async fn refund(tx: &mut Connection, order: OrderId) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE gateway_payments
        SET refunded = captured,
            state = 'refunded',
            updated_at = UTC_TIMESTAMP(6)
        WHERE order_id = ? AND state = 'captured'",
        order.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
