//! The catalogue's SQL.

mod list;
pub mod ranking;
pub mod sitemap;

use time::PrimitiveDateTime;
use time::format_description::well_known::Rfc3339;

pub use list::{list, summaries};

use super::product::{Category, FEW_LEFT, Picture, Product, Variant};
use super::rating::Rating;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::{ProductId, VariantId};
use crate::types::money::{Currency, Money};

/// What is known of a product id.
pub struct Found {
    pub version: u64,
    /// None when it is not published.
    pub product: Option<Product>,
}

/// Reads a product. Its version is read first, so that the bytes may be newer than the version says, never older.
pub async fn product(
    connection: &mut Connection,
    id: ProductId,
    currency: Currency,
) -> Result<Option<Found>> {
    let row = sqlx::query!(
        r#"SELECT
            products.handle,
            products.title,
            products.description,
            products.vendor,
            products.option1_name,
            products.option2_name,
            products.option3_name,
            products.published AS "published: bool",
            products.created_at AS "created_at: PrimitiveDateTime",
            categories.handle AS category_handle,
            categories.name AS category_name,
            product_state.version,
            product_ratings.average AS "average?: i8",
            product_ratings.reviews AS "reviews?: i32"
        FROM products
        JOIN categories ON categories.id = products.category_id
        JOIN product_state ON product_state.product_id = products.id
        LEFT JOIN product_ratings ON product_ratings.product_id = products.id
        WHERE products.id = ?"#,
        id.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if !row.published {
        return Ok(Some(Found {
            version: row.version,
            product: None,
        }));
    }
    let mut options = vec![row.option1_name, row.option2_name, row.option3_name];
    options.retain(|name| !name.is_empty());
    let variants = variants(&mut *connection, id, options.len(), currency).await?;
    let pictures = pictures(connection, id).await?;
    let price = variants
        .iter()
        .map(|variant| variant.price.amount)
        .min()
        .unwrap_or_default();
    let created_at = row.created_at.assume_utc().format(&Rfc3339);
    let product = Product {
        id,
        handle: row.handle,
        title: row.title,
        description: row.description,
        vendor: row.vendor,
        category: Category {
            handle: row.category_handle,
            name: row.category_name,
        },
        price: Money::new(price, currency),
        in_stock: variants.iter().any(|variant| variant.in_stock),
        rating: Rating::new(row.average, row.reviews),
        options,
        variants,
        pictures,
        version: row.version,
        created_at: created_at
            .map_err(|error| Error::Internal(format!("a time cannot be written: {error}")))?,
    };
    Ok(Some(Found {
        version: row.version,
        product: Some(product),
    }))
}

async fn variants(
    connection: &mut Connection,
    id: ProductId,
    options: usize,
    currency: Currency,
) -> Result<Vec<Variant>> {
    let rows = sqlx::query!(
        r#"SELECT
            variants.id,
            variants.sku,
            variants.option1,
            variants.option2,
            variants.option3,
            variants.price,
            stock.on_hand
        FROM variants
        JOIN stock ON stock.variant_id = variants.id
        WHERE variants.product_id = ?
            AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)
        ORDER BY variants.position, variants.id"#,
        id.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Variant {
            id: VariantId(row.id),
            sku: row.sku,
            options: [row.option1, row.option2, row.option3]
                .into_iter()
                .take(options)
                .collect(),
            price: Money::new(row.price, currency),
            in_stock: row.on_hand > 0,
            left: (row.on_hand <= FEW_LEFT).then_some(row.on_hand),
        })
        .collect())
}

async fn pictures(connection: &mut Connection, id: ProductId) -> Result<Vec<Picture>> {
    let rows = sqlx::query!(
        "SELECT url, alt, variant_id
         FROM product_pictures
         WHERE product_id = ?
         ORDER BY position",
        id.0,
    )
    .fetch_all(connection)
    .await?;
    let picture = |url, alt, variant: Option<u64>| Picture {
        url,
        alt,
        variant_id: variant.map(VariantId),
    };
    Ok(rows
        .into_iter()
        .map(|row| picture(row.url, row.alt, row.variant_id))
        .collect())
}

pub async fn categories(connection: &mut Connection) -> Result<Vec<Category>> {
    Ok(sqlx::query_as!(
        Category,
        "SELECT handle, name FROM categories ORDER BY name, id LIMIT 1000"
    )
    .fetch_all(connection)
    .await?)
}
