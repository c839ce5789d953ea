//! The SQL of the catalogue as it is edited.

pub mod list;
pub mod variants;

use sqlx::{MySql, QueryBuilder};
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{Picture, Product, Variant};
use crate::catalog::product::Category;
use crate::db::{self, Connection};
use crate::error::{Error, FieldError, Result};
use crate::types::id::{ProductId, VariantId};
use crate::types::money::{Currency, Money};

/// A product's own row, what an edit may change of it.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    pub title: String,
    pub description: String,
    pub search_text: String,
    pub vendor: String,
    pub tags: String,
    pub category_id: u64,
    pub options: [String; 3],
    pub published: bool,
}

impl Fields {
    /// How many options the product has.
    pub fn named_options(&self) -> usize {
        self.options.iter().filter(|name| !name.is_empty()).count()
    }
}

/// A product, locked for an edit.
pub struct Stored {
    pub id: ProductId,
    pub revision: u64,
    pub fields: Fields,
}

/// Microseconds since 1970: `updated_at` is a DATETIME(6).
pub fn revision(updated_at: OffsetDateTime) -> u64 {
    u64::try_from(updated_at.unix_timestamp_nanos() / 1_000).unwrap_or_default()
}

pub async fn lock(tx: &mut Connection, id: ProductId) -> Result<Option<Stored>> {
    let row = sqlx::query!(
        r#"SELECT
            title,
            description,
            search_text,
            vendor,
            tags,
            category_id,
            option1_name,
            option2_name,
            option3_name,
            published AS "published: bool",
            updated_at AS "updated_at: PrimitiveDateTime"
        FROM products
        WHERE id = ?
        FOR UPDATE"#,
        id.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| Stored {
        id,
        revision: revision(row.updated_at.assume_utc()),
        fields: Fields {
            title: row.title,
            description: row.description,
            search_text: row.search_text,
            vendor: row.vendor,
            tags: row.tags,
            category_id: row.category_id,
            options: [row.option1_name, row.option2_name, row.option3_name],
            published: row.published,
        },
    }))
}

/// A new product at revision and version 1, not published, without variants.
pub async fn insert(tx: &mut Connection, handle: &str, new: &Fields) -> Result<ProductId> {
    let inserted = sqlx::query!(
        "INSERT INTO products (
            handle, title, description, search_text, vendor, tags, category_id,
            option1_name, option2_name, option3_name, price_min, published, created_at, updated_at
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
        handle,
        new.title,
        new.description,
        new.search_text,
        new.vendor,
        new.tags,
        new.category_id,
        new.options[0],
        new.options[1],
        new.options[2],
    )
    .execute(&mut *tx)
    .await;
    let id = unique(inserted, "handle")?.last_insert_id();
    sqlx::query!(
        "INSERT INTO product_state (product_id, version, in_stock) VALUES (?, 1, 0)",
        id
    )
    .execute(tx)
    .await?;
    Ok(ProductId(id))
}

/// Writes a locked product's own row.
pub async fn write(tx: &mut Connection, id: ProductId, fields: &Fields) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE products
        SET title = ?,
            description = ?,
            search_text = ?,
            vendor = ?,
            tags = ?,
            category_id = ?,
            option1_name = ?,
            option2_name = ?,
            option3_name = ?,
            published = ?
        WHERE id = ?",
        fields.title,
        fields.description,
        fields.search_text,
        fields.vendor,
        fields.tags,
        fields.category_id,
        fields.options[0],
        fields.options[1],
        fields.options[2],
        fields.published,
        id.0,
    )
    .execute(tx)
    .await?;
    one(&done, id)
}

/// Gives a locked product its next revision, and the lowest price of its variants for sale.
pub async fn revise(tx: &mut Connection, id: ProductId) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE products
        SET price_min = COALESCE((
                SELECT MIN(variants.price)
                FROM variants
                WHERE variants.product_id = ?
                    AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)
            ), 0),
            updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)
        WHERE id = ?",
        id.0,
        id.0,
    )
    .execute(tx)
    .await?;
    one(&done, id)
}

fn one(done: &sqlx::mysql::MySqlQueryResult, id: ProductId) -> Result<()> {
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::Internal(format!("the locked product {id} is gone")))
    }
}

/// A value that another row has already becomes 409 with the name of its field.
fn unique<T>(outcome: Result<T, sqlx::Error>, field: &str) -> Result<T> {
    outcome.map_err(|error| {
        if db::is_duplicate(&error) {
            Error::AlreadyExists(FieldError {
                field: field.to_owned(),
                message: "is taken already".to_owned(),
            })
        } else {
            error.into()
        }
    })
}

/// The whole product as it is edited.
pub async fn product(
    connection: &mut Connection,
    id: ProductId,
    currency: Currency,
) -> Result<Option<Product>> {
    let row = sqlx::query!(
        r#"SELECT
            products.handle,
            products.title,
            products.description,
            products.vendor,
            products.tags,
            products.option1_name,
            products.option2_name,
            products.option3_name,
            products.published AS "published: bool",
            products.created_at AS "created_at: PrimitiveDateTime",
            products.updated_at AS "updated_at: PrimitiveDateTime",
            categories.handle AS category_handle,
            categories.name AS category_name
        FROM products
        JOIN categories ON categories.id = products.category_id
        WHERE products.id = ?"#,
        id.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut options = vec![row.option1_name, row.option2_name, row.option3_name];
    options.retain(|name| !name.is_empty());
    let variants = variants::of(&mut *connection, id).await?;
    Ok(Some(Product {
        id,
        handle: row.handle,
        title: row.title,
        description: row.description,
        vendor: row.vendor,
        tags: row.tags,
        category: Category {
            handle: row.category_handle,
            name: row.category_name,
        },
        published: row.published,
        variants: variants
            .into_iter()
            .map(|variant| Variant {
                id: variant.id,
                sku: variant.sku,
                options: variant.options.into_iter().take(options.len()).collect(),
                price: Money::new(variant.price, currency),
                withdrawn: variant.is_withdrawn,
            })
            .collect(),
        options,
        pictures: pictures(connection, id).await?,
        created_at: row.created_at.assume_utc(),
        updated_at: row.updated_at.assume_utc(),
    }))
}

pub async fn pictures(connection: &mut Connection, product: ProductId) -> Result<Vec<Picture>> {
    let rows = sqlx::query!(
        "SELECT url, alt, variant_id
        FROM product_pictures
        WHERE product_id = ?
        ORDER BY position",
        product.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Picture {
            url: row.url,
            alt: row.alt,
            variant_id: row.variant_id.map(VariantId),
        })
        .collect())
}

/// Replaces the pictures of a product.
pub async fn write_pictures(tx: &mut Connection, product: ProductId, pictures: &[Picture]) -> Result<()> {
    sqlx::query!("DELETE FROM product_pictures WHERE product_id = ?", product.0)
        .execute(&mut *tx)
        .await?;
    if pictures.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT INTO product_pictures (product_id, position, url, alt, variant_id) ",
    );
    query.push_values((1_i32..).zip(pictures), |mut row, (position, picture)| {
        row.push_bind(product.0)
            .push_bind(position)
            .push_bind(&picture.url)
            .push_bind(&picture.alt)
            .push_bind(picture.variant_id.map(|id| id.0));
    });
    // Each number of rows is another statement, not worth keeping.
    query.build().persistent(false).execute(tx).await?;
    Ok(())
}

pub async fn category(connection: &mut Connection, handle: &str) -> Result<Option<u64>> {
    Ok(
        sqlx::query_scalar!("SELECT id FROM categories WHERE handle = ?", handle)
            .fetch_optional(connection)
            .await?,
    )
}

/// # Errors
/// 409 when there is a category with this handle.
pub async fn insert_category(tx: &mut Connection, new: &Category) -> Result<()> {
    let inserted = sqlx::query!(
        "INSERT INTO categories (handle, name) VALUES (?, ?)",
        new.handle,
        new.name
    )
    .execute(tx)
    .await;
    unique(inserted, "name").map(drop)
}
