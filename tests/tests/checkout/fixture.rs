//! Products with a known stock, and what the database says of them.

use serde_json::Value;
use sqlx::Connection as _;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use trestle::Stack;
use trestle_tests::{Shopper, eventually, shop, sql};
use uuid::Uuid;

/// Tests that freeze or kill a replica hold this alone; all others share it.
static REPLICAS: RwLock<()> = RwLock::const_new(());

pub async fn calm() -> RwLockReadGuard<'static, ()> {
    REPLICAS.read().await
}

pub async fn alone() -> RwLockWriteGuard<'static, ()> {
    REPLICAS.write().await
}

pub const PRICE: i64 = 1250;

/// A product of this test alone.
pub struct Stocked {
    pub product: u64,
    pub variants: Vec<u64>,
}

impl Stocked {
    /// One variant for each number, with that many on hand, each at `PRICE`.
    pub async fn new(stock: &[i32]) -> Self {
        let mut database = sql(shop().await).await;
        sqlx::query(
            "INSERT IGNORE INTO categories (handle, name) VALUES ('counted-things', 'Counted things')",
        )
        .execute(&mut database)
        .await
        .unwrap();
        // At once: an audit of another test must not see a variant without its stock.
        let mut database = database.begin().await.unwrap();
        let product = sqlx::query(
            "INSERT INTO products (handle, title, description, search_text, category_id, price_min, created_at, updated_at)
             SELECT ?, 'Counted thing', '', '', id, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)
             FROM categories WHERE handle = 'counted-things'",
        )
        .bind(format!("counted-{}", Uuid::new_v4().simple()))
        .bind(PRICE)
        .execute(&mut *database)
        .await
        .unwrap()
        .last_insert_id();
        sqlx::query("INSERT INTO product_state (product_id, version, in_stock) VALUES (?, 1, ?)")
            .bind(product)
            .bind(stock.iter().any(|count| *count > 0))
            .execute(&mut *database)
            .await
            .unwrap();
        let mut variants = Vec::new();
        for (position, count) in (1..).zip(stock) {
            let variant = sqlx::query(
                "INSERT INTO variants (product_id, position, option1, price) VALUES (?, ?, ?, ?)",
            )
            .bind(product)
            .bind(position)
            .bind(format!("Size {position}"))
            .bind(PRICE)
            .execute(&mut *database)
            .await
            .unwrap()
            .last_insert_id();
            for statement in [
                "INSERT INTO stock (variant_id, on_hand) VALUES (?, ?)",
                "INSERT INTO stock_movements (variant_id, quantity, kind, created_at)
                 VALUES (?, ?, 'initial', UTC_TIMESTAMP(6))",
            ] {
                let query = sqlx::query(statement).bind(variant).bind(count);
                query.execute(&mut *database).await.unwrap();
            }
            variants.push(variant);
        }
        database.commit().await.unwrap();
        Self { product, variants }
    }

    /// A product with one variant, and that variant.
    pub async fn one(stock: i32) -> (Self, u64) {
        let stocked = Self::new(&[stock]).await;
        let variant = stocked.variants[0];
        (stocked, variant)
    }

    /// Gives one of its variants a price of its own, below the others'.
    pub async fn costs(&self, variant: u64, price: i64) {
        let mut database = sql(shop().await).await;
        let mut database = database.begin().await.unwrap();
        for (statement, id) in [
            ("UPDATE variants SET price = ? WHERE id = ?", variant),
            ("UPDATE products SET price_min = ? WHERE id = ?", self.product),
        ] {
            let query = sqlx::query(statement).bind(price).bind(id);
            query.execute(&mut *database).await.unwrap();
        }
        database.commit().await.unwrap();
    }
}

pub async fn on_hand(variant: u64) -> i32 {
    sqlx::query_scalar("SELECT on_hand FROM stock WHERE variant_id = ?")
        .bind(variant)
        .fetch_one(&mut sql(shop().await).await)
        .await
        .unwrap()
}

/// The gateway's state and what it captured and refunded; None when it knows nothing of the order.
pub async fn gateway(order: &str) -> Option<(String, i64, i64)> {
    sqlx::query_as("SELECT state, captured, refunded FROM gateway_payments WHERE order_id = ?")
        .bind(Uuid::try_parse(order).unwrap())
        .fetch_optional(&mut sql(shop().await).await)
        .await
        .unwrap()
}

/// Runs one statement about one order.
pub async fn on_order(statement: &'static str, order: &str) {
    let done = sqlx::query(statement)
        .bind(Uuid::try_parse(order).unwrap())
        .execute(&mut sql(shop().await).await)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1, "{statement}");
}

pub fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

/// The order once it is not pending any more.
pub async fn ended(customer: &Shopper, order: &str) -> Value {
    let mut found = Value::Null;
    eventually("the order has an end", async || {
        found = customer.get(&format!("/orders/{order}")).await.expect(200).body;
        found["state"] != "pending"
    })
    .await;
    found
}

pub async fn audit_is_clean(shop: &Stack) {
    let audit = shop.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}
