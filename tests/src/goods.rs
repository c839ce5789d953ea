//! Products of a test alone, and orders of several of them.

use serde_json::{Value, json};
use trestle::Stack;
use uuid::Uuid;

use crate::{Answer, Shopper, sql};

/// A product with one variant.
#[derive(Debug, Clone, Copy)]
pub struct Good {
    pub product: u64,
    pub variant: u64,
}

/// Makes a product in this category, which is made too when there is none, with that many on hand.
///
/// # Panics
/// When the database refuses.
pub async fn good(stack: &Stack, category: &str, stock: i32) -> Good {
    let mut database = sql(stack).await;
    let mut insert = async |query: sqlx::query::Query<'_, sqlx::MySql, sqlx::mysql::MySqlArguments>| {
        let done = query.execute(&mut database).await.expect("a row is written");
        done.last_insert_id()
    };
    insert(
        sqlx::query("INSERT IGNORE INTO categories (handle, name) VALUES (?, ?)")
            .bind(category)
            .bind(category),
    )
    .await;
    let product = insert(
        sqlx::query(
            "INSERT INTO products (handle, title, description, search_text, category_id, price_min, created_at, updated_at)
             SELECT ?, 'Good thing', '', '', id, 1250, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM categories WHERE handle = ?",
        )
        .bind(format!("good-{}", Uuid::new_v4().simple()))
        .bind(category),
    )
    .await;
    insert(
        sqlx::query("INSERT INTO product_state (product_id, version, in_stock) VALUES (?, 1, ?)")
            .bind(product)
            .bind(stock > 0),
    )
    .await;
    let variant = insert(
        sqlx::query("INSERT INTO variants (product_id, position, price) VALUES (?, 1, 1250)").bind(product),
    )
    .await;
    insert(
        sqlx::query("INSERT INTO stock (variant_id, on_hand) VALUES (?, ?)")
            .bind(variant)
            .bind(stock),
    )
    .await;
    insert(
        sqlx::query(
            "INSERT INTO stock_movements (variant_id, quantity, kind, created_at) VALUES (?, ?, 'initial', UTC_TIMESTAMP(6))",
        )
        .bind(variant)
        .bind(stock),
    )
    .await;
    Good { product, variant }
}

/// Takes a product off the shelf as catalogue writes do: the product, its version, the change feed.
///
/// # Panics
/// When the database refuses.
pub async fn withdraw(stack: &Stack, product: u64) {
    let mut database = sql(stack).await;
    for statement in [
        "START TRANSACTION",
        "UPDATE products SET published = 0 WHERE id = ?",
        "UPDATE product_state SET version = version + 1 WHERE product_id = ?",
        "INSERT INTO changes (kind, id_key, version, created_at)
         SELECT 'product', product_id, version, UTC_TIMESTAMP(6) FROM product_state WHERE product_id = ?",
        "COMMIT",
    ] {
        if statement.contains('?') {
            let query = sqlx::query(statement).bind(product);
            query.execute(&mut database).await.expect("withdrawn");
        } else {
            sqlx::raw_sql(statement)
                .execute(&mut database)
                .await
                .expect("withdrawn");
        }
    }
}

/// Orders these, one line each, paid with this token.
pub async fn order(shopper: &Shopper, goods: &[(Good, i32)], payment: &str) -> Answer {
    let items: Vec<Value> = goods
        .iter()
        .map(|(good, quantity)| json!({"variant_id": good.variant, "quantity": quantity}))
        .collect();
    let body = json!({"items": items, "address_id": shopper.address_id, "payment_token": payment});
    let request = shopper
        .request(reqwest::Method::POST, "/orders")
        .header("Idempotency-Key", Uuid::new_v4().to_string())
        .json(&body);
    shopper.send(request).await
}
