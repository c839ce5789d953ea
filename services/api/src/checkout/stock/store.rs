//! The SQL of stock. `LAST_INSERT_ID(expression)` hands a number from an UPDATE to its own answer: what is left
//! after a sale is known without a further round trip while the row is locked.

use std::collections::HashMap;

use sqlx::{MySql, QueryBuilder};

use super::Piece;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::{OrderId, ProductId, VariantId};

/// Writes one ledger row a variant; takings are negative.
pub async fn write_ledger(
    tx: &mut Connection,
    kind: &str,
    order: OrderId,
    quantities: impl Iterator<Item = (VariantId, i32)>,
) -> Result<()> {
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO stock_movements (variant_id, kind, quantity, order_id, created_at) ",
    );
    query.push_values(quantities, |mut row, (variant, quantity)| {
        row.push_bind(variant.0)
            .push_bind(kind)
            .push_bind(quantity)
            .push_bind(order.0)
            .push("UTC_TIMESTAMP(6)");
    });
    query.build().execute(tx).await?;
    Ok(())
}

/// Writes a ledger row that belongs to no order.
pub async fn write_adjustment(
    tx: &mut Connection,
    kind: &str,
    variant: VariantId,
    quantity: i32,
    reason: &str,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO stock_movements (variant_id, kind, quantity, reason, created_at)
        VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6))",
        variant.0,
        kind,
        quantity,
        reason,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The stock of a variant that has none yet.
pub async fn insert(tx: &mut Connection, variant: VariantId, on_hand: i32) -> Result<()> {
    sqlx::query!(
        "INSERT INTO stock (variant_id, on_hand) VALUES (?, ?)",
        variant.0,
        on_hand,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Changes what is on hand and answers it; None when it would be below 0 or above `most`.
pub async fn adjust(tx: &mut Connection, variant: VariantId, change: i32, most: i32) -> Result<Option<i32>> {
    let done = sqlx::query!(
        "UPDATE stock
        SET on_hand = LAST_INSERT_ID(on_hand + ?)
        WHERE variant_id = ?
            AND on_hand + ? BETWEEN 0 AND ?",
        change,
        variant.0,
        change,
        most,
    )
    .execute(tx)
    .await?;
    answer(&done)
}

/// Takes `quantity` of a variant and answers what is left; None when there are not that many.
pub async fn take(tx: &mut Connection, variant: VariantId, quantity: i32) -> Result<Option<i32>> {
    let done = sqlx::query!(
        "UPDATE stock
        SET on_hand = LAST_INSERT_ID(on_hand - ?)
        WHERE variant_id = ? AND on_hand >= ?",
        quantity,
        variant.0,
        quantity,
    )
    .execute(tx)
    .await?;
    answer(&done)
}

/// Gives `quantity` of a variant back and answers how many there were before; None when there is no such row.
pub async fn give(tx: &mut Connection, variant: VariantId, quantity: i32) -> Result<Option<i32>> {
    let done = sqlx::query!(
        "UPDATE stock
        SET on_hand = LAST_INSERT_ID(on_hand) + ?
        WHERE variant_id = ?",
        quantity,
        variant.0,
    )
    .execute(tx)
    .await?;
    answer(&done)
}

fn answer(done: &sqlx::mysql::MySqlQueryResult) -> Result<Option<i32>> {
    if done.rows_affected() != 1 {
        return Ok(None);
    }
    i32::try_from(done.last_insert_id())
        .map(Some)
        .map_err(|_| Error::Internal("stock on hand is past its column's bound".into()))
}

/// What is on hand now of each of these variants.
pub async fn on_hand(
    connection: &mut Connection,
    variants: impl Iterator<Item = VariantId>,
) -> Result<HashMap<VariantId, i32>> {
    let mut query = QueryBuilder::<MySql>::new("SELECT variant_id, on_hand FROM stock WHERE variant_id IN (");
    let mut ids = query.separated(", ");
    for variant in variants {
        ids.push_bind(variant.0);
    }
    query.push(")");
    let rows: Vec<(u64, i32)> = query.build_query_as().fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|(variant, on_hand)| (VariantId(variant), on_hand))
        .collect())
}

/// What an order took.
pub async fn pieces_of(connection: &mut Connection, order: OrderId) -> Result<Vec<Piece>> {
    let rows = sqlx::query!(
        "SELECT variant_id, product_id, quantity
        FROM order_lines
        WHERE order_id = ?",
        order.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Piece {
            variant: VariantId(row.variant_id),
            product: ProductId(row.product_id),
            quantity: row.quantity,
        })
        .collect())
}

/// Gives a product a new version, which is answered, and counts anew whether any of its variants can be bought.
pub async fn bump_product(tx: &mut Connection, product: ProductId) -> Result<u64> {
    let done = sqlx::query!(
        "UPDATE product_state
        SET version = LAST_INSERT_ID(version + 1)
        WHERE product_id = ?",
        product.0,
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() != 1 {
        return Err(Error::Internal(format!("product {product} has no state row")));
    }
    // A statement of its own: it reads after the row above was locked, so that two sales of a product's last two
    // variants cannot each believe that the other variant is still there.
    sqlx::query!(
        "UPDATE product_state
        SET in_stock = EXISTS (
            SELECT 1
            FROM variants
            JOIN stock ON stock.variant_id = variants.id
            WHERE variants.product_id = ?
                AND stock.on_hand > 0
                AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)
        )
        WHERE product_id = ?",
        product.0,
        product.0,
    )
    .execute(tx)
    .await?;
    Ok(done.last_insert_id())
}
