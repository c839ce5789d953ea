//! The cart's SQL.

use uuid::Uuid;

use super::cached::{Cart, Line, Redis};
use crate::clock::now_ms;
use crate::db::Connection;
use crate::error::Result;
use crate::types::id::{CartId, CustomerId, ProductId, VariantId};

/// A cart's row, without its lines.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub id: CartId,
    pub version: u64,
}

pub async fn lines(connection: &mut Connection, cart: CartId) -> Result<Vec<Line>> {
    let rows = sqlx::query!(
        "SELECT variant_id, product_id, quantity
         FROM cart_lines
         WHERE cart_id = ?
         ORDER BY added_at, variant_id",
        cart.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Line {
            variant: VariantId(row.variant_id),
            product: ProductId(row.product_id),
            quantity: row.quantity,
        })
        .collect())
}

async fn with_lines(connection: &mut Connection, head: Option<Head>, read_at: u64) -> Result<Option<Cart>> {
    let Some(head) = head else { return Ok(None) };
    // The version was read first: lines may only be newer than it says, never older.
    let lines = lines(connection, head.id).await?;
    Ok(Some(Cart {
        id: head.id,
        version: head.version,
        lines,
        read_at,
        redis: Redis::Bypassed,
    }))
}

pub async fn of_customer(connection: &mut Connection, customer: CustomerId) -> Result<Option<Cart>> {
    let read_at = now_ms();
    let head = sqlx::query!(
        r#"SELECT id AS "id: Uuid", version
         FROM carts
         WHERE customer_id = ?"#,
        customer.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    with_lines(
        connection,
        head.map(|row| Head {
            id: CartId(row.id),
            version: row.version,
        }),
        read_at,
    )
    .await
}

pub async fn anonymous(connection: &mut Connection, id: CartId) -> Result<Option<Cart>> {
    let read_at = now_ms();
    let head = sqlx::query!(
        "SELECT version
         FROM carts
         WHERE id = ?
           AND customer_id IS NULL",
        id.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    with_lines(
        connection,
        head.map(|row| Head {
            id,
            version: row.version,
        }),
        read_at,
    )
    .await
}

pub async fn lock_of_customer(tx: &mut Connection, customer: CustomerId) -> Result<Option<Head>> {
    let row = sqlx::query!(
        r#"SELECT id AS "id: Uuid", version
         FROM carts
         WHERE customer_id = ?
         FOR UPDATE"#,
        customer.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| Head {
        id: CartId(row.id),
        version: row.version,
    }))
}

pub async fn lock_anonymous(tx: &mut Connection, id: CartId) -> Result<Option<Head>> {
    let row = sqlx::query!(
        "SELECT version
         FROM carts
         WHERE id = ?
           AND customer_id IS NULL
         FOR UPDATE",
        id.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| Head {
        id,
        version: row.version,
    }))
}

/// Makes a cart. Two requests of one customer can come here at once: the second finds the first's (1062).
pub async fn create(tx: &mut Connection, customer: Option<CustomerId>) -> Result<Head> {
    let id = CartId::generate();
    let outcome = sqlx::query!(
        "INSERT INTO carts (id, customer_id, version, updated_at)
         VALUES (?, ?, 0, UTC_TIMESTAMP(6))",
        id.0,
        customer.map(|customer| customer.0),
    )
    .execute(&mut *tx)
    .await;
    match (outcome, customer) {
        (Ok(_), _) => Ok(Head { id, version: 0 }),
        (Err(error), Some(customer)) if crate::db::is_duplicate(&error) => lock_of_customer(tx, customer)
            .await?
            .ok_or(crate::error::Error::Database(error)),
        (Err(error), _) => Err(error.into()),
    }
}

/// Counts a change; answers the new version.
pub async fn bump(tx: &mut Connection, head: Head) -> Result<u64> {
    sqlx::query!(
        "UPDATE carts
         SET version = version + 1, updated_at = UTC_TIMESTAMP(6)
         WHERE id = ?",
        head.id.0,
    )
    .execute(tx)
    .await?;
    Ok(head.version + 1)
}

/// The product of a variant that is for sale now.
pub async fn product_of(tx: &mut Connection, variant: VariantId) -> Result<Option<ProductId>> {
    let product = sqlx::query_scalar!(
        "SELECT variants.product_id
         FROM variants
         JOIN products ON products.id = variants.product_id
         WHERE variants.id = ?
           AND products.published = 1
           AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)",
        variant.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(product.map(ProductId))
}

/// Changes the quantity of a line that is there; answers whether it was.
pub async fn update_line(
    tx: &mut Connection,
    cart: CartId,
    variant: VariantId,
    quantity: i32,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE cart_lines
         SET quantity = ?
         WHERE cart_id = ?
           AND variant_id = ?",
        quantity,
        cart.0,
        variant.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn insert_line(tx: &mut Connection, cart: CartId, line: &Line) -> Result<()> {
    sqlx::query!(
        "INSERT INTO cart_lines (cart_id, variant_id, product_id, quantity, added_at)
         VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6))",
        cart.0,
        line.variant.0,
        line.product.0,
        line.quantity,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Answers whether the line was there.
pub async fn delete_line(tx: &mut Connection, cart: CartId, variant: VariantId) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM cart_lines
         WHERE cart_id = ?
           AND variant_id = ?",
        cart.0,
        variant.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Answers how many lines there were.
pub async fn delete_lines(tx: &mut Connection, cart: CartId) -> Result<u64> {
    let done = sqlx::query!("DELETE FROM cart_lines WHERE cart_id = ?", cart.0)
        .execute(tx)
        .await?;
    Ok(done.rows_affected())
}

pub async fn delete_cart(tx: &mut Connection, cart: CartId) -> Result<()> {
    sqlx::query!("DELETE FROM carts WHERE id = ?", cart.0)
        .execute(tx)
        .await?;
    Ok(())
}
