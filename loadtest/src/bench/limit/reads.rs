//! The three statements of a product read from MySQL, on connections of their own: no HTTP, no JSON, no pool.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use sqlx::MySqlConnection;
use time::PrimitiveDateTime;
use tokio::task::JoinSet;

use super::{Stopwatch, WindowArgs, connect};
use crate::bench::compare::Sample;

/// Which products: those that the shop is asked for too.
pub const PRODUCTS: &str = "SELECT id FROM products WHERE published = 1 ORDER BY id LIMIT 1000";

const PRODUCT: &str = "SELECT products.handle, products.title, products.description, products.vendor,
    products.option1_name, products.option2_name, products.option3_name,
    products.published AS published, products.created_at AS created_at,
    categories.handle AS category_handle, categories.name AS category_name,
    product_state.version, product_ratings.average AS average, product_ratings.reviews AS reviews
    FROM products
    JOIN categories ON categories.id = products.category_id
    JOIN product_state ON product_state.product_id = products.id
    LEFT JOIN product_ratings ON product_ratings.product_id = products.id
    WHERE products.id = ?";
const VARIANTS: &str =
    "SELECT variants.id, variants.sku, variants.option1, variants.option2, variants.option3,
    variants.price, stock.on_hand
    FROM variants
    JOIN stock ON stock.variant_id = variants.id
    WHERE variants.product_id = ?
        AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)
    ORDER BY variants.position, variants.id";
const PICTURES: &str =
    "SELECT url, alt, variant_id FROM product_pictures WHERE product_id = ? ORDER BY position";

type ProductRow = (
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    bool,
    PrimitiveDateTime,
    String,
    String,
    u64,
    Option<i8>,
    Option<i32>,
);
type VariantRow = (u64, Option<String>, String, String, String, i64, i32);
type PictureRow = (String, String, Option<u64>);

/// # Errors
/// When the database refuses.
pub async fn run(args: WindowArgs) -> Result<Sample> {
    let products: Vec<u64> = sqlx::query_scalar(PRODUCTS)
        .fetch_all(&mut connect().await?)
        .await?;
    let (products, done, stop) = (
        Rc::new(products),
        Rc::new(Cell::new(0_u64)),
        Rc::new(Cell::new(false)),
    );
    let mut readers = JoinSet::new();
    for number in 0..usize::from(args.parallel) {
        let mut connection = connect().await?;
        let (products, done, stop) = (Rc::clone(&products), Rc::clone(&done), Rc::clone(&stop));
        readers.spawn_local(async move {
            let mut at = number * 61;
            while !stop.get() {
                let id = products.get(at % products.len().max(1));
                read(&mut connection, *id.context("the shop has no products")?).await?;
                done.set(done.get() + 1);
                at += 617;
            }
            anyhow::Ok(())
        });
    }
    let watched = Stopwatch::new(args).watch(|| done.get()).await?;
    stop.set(true);
    while let Some(reader) = readers.join_next().await {
        reader??;
    }
    Ok(Sample {
        all: done.get(),
        ..watched
    })
}

async fn read(connection: &mut MySqlConnection, id: u64) -> Result<()> {
    let product: ProductRow = sqlx::query_as(PRODUCT)
        .bind(id)
        .fetch_one(&mut *connection)
        .await?;
    let variants: Vec<VariantRow> = sqlx::query_as(VARIANTS)
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
    let pictures: Vec<PictureRow> = sqlx::query_as(PICTURES).bind(id).fetch_all(connection).await?;
    black_box((product, variants, pictures));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::is_in;
    use super::*;

    #[test]
    fn the_statements_are_the_shops() {
        let source = include_str!("../../../../services/api/src/catalog/store.rs");
        for statement in [PRODUCT, VARIANTS, PICTURES] {
            assert!(is_in(source, statement), "{statement}");
        }
        assert!(!is_in(source, "SELECT url, alt FROM product_pictures"));
    }
}
