//! A shop of three replicas, each with a door of its own, and what breaks and watches its caches.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Connection as _;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use trestle::Stack;
use trestle_api::cache::key::CHANGE_SEEN;
use trestle_tests::{Answer, Shopper, eventually, sql, within};

/// What a busy test machine adds to a bound.
pub const SLACK: Duration = Duration::from_millis(700);

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
static SHOP: OnceCell<Stack> = OnceCell::const_new();

/// The shop, for one test at a time, with every layer on.
pub async fn alone() -> (&'static Stack, MutexGuard<'static, ()>) {
    let guard = ONE_AT_A_TIME.lock().await;
    let start = async || {
        // Crowds reach the caches here, instead of the line in front of the shop.
        let builder = Stack::builder().env("TRESTLE_MAX_REQUESTS", "4096");
        let builder = builder.replicas(3).products(60);
        builder.start().await.expect("the shop starts")
    };
    let shop = SHOP.get_or_init(start).await;
    // A test that failed may have left Redis broken.
    shop.resume("redis").unwrap();
    tell_redis(shop, &["REPLICAOF", "NO", "ONE"]).await;
    tell_redis(shop, &["CONFIG", "SET", "maxmemory", "64mb"]).await;
    switch(shop, &json!({"memory": "on", "redis": "on"})).await;
    // Or the database away a moment ago: then customers are not believed yet.
    for port in operations(shop) {
        let feed = async || -> bool {
            let answer = reqwest::get(format!("{port}/readyz")).await.unwrap();
            let state: Value = answer.json().await.unwrap();
            state["change_feed"]["state"] == "ok"
        };
        eventually("the change feed is read", feed).await;
    }
    (shop, guard)
}

/// A visitor at each replica's own door.
pub fn doors(shop: &Stack) -> Vec<Shopper> {
    let replicas = shop.replicas();
    assert_eq!(replicas.len(), 3);
    let door = |it: &trestle::Replica| Shopper::visitor(&format!("http://{}", it.address));
    replicas.iter().map(door).collect()
}

/// The operations port of each replica.
pub fn operations(shop: &Stack) -> Vec<String> {
    let replicas = shop.replicas();
    replicas
        .iter()
        .map(|it| format!("http://{}", it.ops_address))
        .collect()
}

/// A request to an operations port, which has no /api/v1.
pub async fn operate(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("the operations port answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        text,
        body,
    }
}

/// Switches layers on every replica.
pub async fn switch(shop: &Stack, layers: &Value) {
    for port in operations(shop) {
        switch_at(&port, layers).await;
    }
}

pub async fn switch_at(port: &str, layers: &Value) {
    let http = reqwest::Client::new();
    let answer = operate(http.put(format!("{port}/caches")).json(layers))
        .await
        .expect(200);
    for (layer, state) in layers.as_object().unwrap() {
        assert_eq!(&answer.body[layer]["state"], state);
    }
}

/// What `GET /caches` says at one replica.
pub async fn caches(port: &str) -> Value {
    operate(reqwest::Client::new().get(format!("{port}/caches")))
        .await
        .expect(200)
        .body
}

/// What a catalogue write does, in one transaction: the change, the version, the feed. Answers the new version, which
/// the title names.
pub async fn change(database: &mut sqlx::MySqlConnection, product: u64) -> u64 {
    let mut tx = database.begin().await.unwrap();
    sqlx::query("UPDATE product_state SET version = version + 1 WHERE product_id = ?")
        .bind(product)
        .execute(&mut *tx)
        .await
        .unwrap();
    let version: u64 = sqlx::query_scalar("SELECT version FROM product_state WHERE product_id = ?")
        .bind(product)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    sqlx::query("UPDATE products SET title = ? WHERE id = ?")
        .bind(format!("Version {version}"))
        .bind(product)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO changes (kind, id_key, version, created_at) VALUES ('product', ?, ?, UTC_TIMESTAMP(6))",
    )
    .bind(product)
    .bind(version)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    version
}

/// Changes a product that every replica has just shown, and sees the change at each within the bound.
pub async fn a_change_is_seen_everywhere(shop: &Stack, product: u64) {
    let doors = doors(shop);
    let path = format!("/products/{product}");
    for door in &doors {
        door.get(&path).await.expect(200);
    }
    let version = change(&mut sql(shop).await, product).await;
    let began = std::time::Instant::now();
    for door in &doors {
        let seen = async || {
            let body = door.get(&path).await.expect(200).body;
            (body["version"].as_u64().unwrap() >= version).then(|| body["title"].clone())
        };
        let left = (CHANGE_SEEN + SLACK).saturating_sub(began.elapsed());
        let (title, _) = within(left, "the new version", seen).await;
        assert_eq!(title, format!("Version {version}"));
    }
}

/// Products that can be bought, the newest first.
pub async fn products(shop: &Stack, count: i64) -> Vec<u64> {
    sqlx::query_scalar(
        "SELECT variants.product_id FROM variants JOIN stock ON stock.variant_id = variants.id
         WHERE variants.position = 1 AND stock.on_hand >= 20 ORDER BY variants.product_id DESC LIMIT ?",
    )
    .bind(count)
    .fetch_all(&mut sql(shop).await)
    .await
    .unwrap()
}

pub async fn first_variant(shop: &Stack, product: u64) -> u64 {
    sqlx::query_scalar("SELECT id FROM variants WHERE product_id = ? AND position = 1")
        .bind(product)
        .fetch_one(&mut sql(shop).await)
        .await
        .unwrap()
}

/// A command to Redis itself.
pub async fn tell_redis(shop: &Stack, command: &[&str]) {
    let _: redis::Value = ask_redis(shop, command).await;
}

/// The same, and what it answers.
pub async fn ask_redis<T: redis::FromRedisValue>(shop: &Stack, command: &[&str]) -> T {
    let client = trestle_api::cache::redis::client(&shop.redis_url().unwrap()).unwrap();
    let mut link = client.get_multiplexed_async_connection().await.unwrap();
    let mut sent = redis::cmd(command[0]);
    for argument in &command[1..] {
        sent.arg(*argument);
    }
    sent.query_async(&mut link).await.unwrap()
}

/// The quantity of a cart's only line; 0 when it has none.
pub fn quantity(cart: &Answer) -> i64 {
    cart.body["items"][0]["quantity"].as_i64().unwrap_or(0)
}
