//! The SQL of variants as they are edited.

use super::unique;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::{ProductId, VariantId};

#[derive(Debug, Clone)]
pub struct StoredVariant {
    pub id: VariantId,
    pub position: i32,
    pub sku: Option<String>,
    pub options: [String; 3],
    pub price: i64,
    pub is_withdrawn: bool,
}

/// The variants of a product, the withdrawn ones, too.
pub async fn of(connection: &mut Connection, product: ProductId) -> Result<Vec<StoredVariant>> {
    let rows = sqlx::query!(
        r#"SELECT
            variants.id,
            variants.position,
            variants.sku,
            variants.option1,
            variants.option2,
            variants.option3,
            variants.price,
            withdrawn_variants.variant_id IS NOT NULL AS "is_withdrawn!: i64"
        FROM variants
        LEFT JOIN withdrawn_variants ON withdrawn_variants.variant_id = variants.id
        WHERE variants.product_id = ?
        ORDER BY variants.position, variants.id"#,
        product.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StoredVariant {
            id: VariantId(row.id),
            position: row.position,
            sku: row.sku,
            options: [row.option1, row.option2, row.option3],
            price: row.price,
            is_withdrawn: row.is_withdrawn != 0,
        })
        .collect())
}

/// The product that a variant belongs to.
pub async fn product_of(connection: &mut Connection, variant: VariantId) -> Result<Option<ProductId>> {
    let product = sqlx::query_scalar!("SELECT product_id FROM variants WHERE id = ?", variant.0)
        .fetch_optional(connection)
        .await?;
    Ok(product.map(ProductId))
}

/// # Errors
/// 409 when another variant has the SKU, or one of this product the option values.
pub async fn insert(
    tx: &mut Connection,
    product: ProductId,
    position: i32,
    new: &StoredVariant,
) -> Result<VariantId> {
    let inserted = sqlx::query!(
        "INSERT INTO variants (product_id, position, sku, option1, option2, option3, price)
        VALUES (?, ?, ?, ?, ?, ?, ?)",
        product.0,
        position,
        new.sku,
        new.options[0],
        new.options[1],
        new.options[2],
        new.price,
    )
    .execute(tx)
    .await;
    unique_key(inserted).map(|done| VariantId(done.last_insert_id()))
}

/// # Errors
/// As `insert`.
pub async fn write(tx: &mut Connection, variant: &StoredVariant) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE variants
        SET sku = ?,
            option1 = ?,
            option2 = ?,
            option3 = ?,
            price = ?
        WHERE id = ?",
        variant.sku,
        variant.options[0],
        variant.options[1],
        variant.options[2],
        variant.price,
        variant.id.0,
    )
    .execute(tx)
    .await;
    if unique_key(done)?.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::Internal(format!(
            "variant {} of a locked product is gone",
            variant.id
        )))
    }
}

/// Takes a variant out of the shop, or puts it back.
pub async fn withdraw(tx: &mut Connection, variant: VariantId, withdrawn: bool) -> Result<()> {
    if withdrawn {
        sqlx::query!(
            "INSERT INTO withdrawn_variants (variant_id, at) VALUES (?, UTC_TIMESTAMP(6))",
            variant.0
        )
        .execute(tx)
        .await?;
    } else {
        sqlx::query!("DELETE FROM withdrawn_variants WHERE variant_id = ?", variant.0)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// The same for a variant, which has two such keys. The server names the one at the end of its message.
fn unique_key<T>(outcome: Result<T, sqlx::Error>) -> Result<T> {
    let is_sku = outcome.as_ref().err().is_some_and(|error| {
        error
            .as_database_error()
            .is_some_and(|error| error.message().ends_with("variants_sku'"))
    });
    unique(outcome, if is_sku { "sku" } else { "options" })
}
