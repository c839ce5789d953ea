//! The SQL of stock as the backoffice reads it, and of adjustments that were made. Stock itself is written by
//! `checkout::stock` alone.

use time::PrimitiveDateTime;
use uuid::Uuid;

use super::Movement;
use crate::db::{self, Connection};
use crate::error::Result;
use crate::types::id::{CustomerId, OrderId, ProductId, VariantId};

pub struct OnHand {
    pub product: ProductId,
    pub on_hand: i32,
}

pub async fn stock(connection: &mut Connection, variant: VariantId) -> Result<Option<OnHand>> {
    let row = sqlx::query!(
        "SELECT variants.product_id, stock.on_hand
        FROM variants
        JOIN stock ON stock.variant_id = variants.id
        WHERE variants.id = ?",
        variant.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| OnHand {
        product: ProductId(row.product_id),
        on_hand: row.on_hand,
    }))
}

/// One page of a variant's ledger, newest first, from the row before `before` on.
pub async fn movements(
    connection: &mut Connection,
    variant: VariantId,
    before: u64,
    limit: u32,
) -> Result<Vec<Movement>> {
    let rows = sqlx::query!(
        r#"SELECT
            id,
            kind,
            quantity,
            order_id AS "order_id: Uuid",
            reason,
            created_at AS "created_at: PrimitiveDateTime"
        FROM stock_movements
        WHERE variant_id = ?
            AND id < ?
        ORDER BY id DESC
        LIMIT ?"#,
        variant.0,
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Movement {
            id: row.id,
            kind: row.kind,
            quantity: row.quantity,
            order_id: row.order_id.map(OrderId),
            reason: row.reason,
            created_at: row.created_at.assume_utc(),
        })
        .collect())
}

/// False when the admin has used this key before.
pub async fn take_key(
    tx: &mut Connection,
    admin: CustomerId,
    key: &str,
    variant: VariantId,
    change: i32,
    reason: &str,
) -> Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO stock_adjustments (
            admin_id, idempotency_key, variant_id, quantity, reason, on_hand, created_at
        )
        VALUES (?, ?, ?, ?, ?, 0, UTC_TIMESTAMP(6))",
        admin.0,
        key,
        variant.0,
        change,
        reason,
    )
    .execute(tx)
    .await;
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if db::is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// An adjustment that was made.
pub struct Made {
    pub variant: VariantId,
    pub change: i32,
    pub reason: String,
    pub on_hand: i32,
}

pub async fn adjustment(connection: &mut Connection, admin: CustomerId, key: &str) -> Result<Option<Made>> {
    let row = sqlx::query!(
        "SELECT variant_id, quantity, reason, on_hand
        FROM stock_adjustments
        WHERE admin_id = ? AND idempotency_key = ?",
        admin.0,
        key,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Made {
        variant: VariantId(row.variant_id),
        change: row.quantity,
        reason: row.reason,
        on_hand: row.on_hand,
    }))
}

/// Keeps an adjustment's answer for its retries.
pub async fn keep_answer(tx: &mut Connection, admin: CustomerId, key: &str, on_hand: i32) -> Result<()> {
    sqlx::query!(
        "UPDATE stock_adjustments
        SET on_hand = ?
        WHERE admin_id = ? AND idempotency_key = ?",
        on_hand,
        admin.0,
        key,
    )
    .execute(tx)
    .await?;
    Ok(())
}
