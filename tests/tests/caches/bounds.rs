//! The table of bounds (`cache::key`, ARCHITECTURE.md): how old an answer may be, and what is asked of MySQL for it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::Connection as _;
use trestle_api::cache::Key;
use trestle_api::cache::key::{
    ABSENT_BOUND_MS, BEST_SELLERS_BOUND, CHANGE_SEEN, LIST_BOUND, PRODUCT_BOUND, SITEMAP_BOUND, STALE_KEPT,
};
use trestle_tests::{eventually, sql, within};

use super::fixture::{SLACK, alone, caches, change, doors, operations, products, switch};

#[test]
fn the_table_says_what_the_documentation_says() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md")).unwrap();
    let row = |name: &str| {
        let row = page.lines().find(|line| line.starts_with(&format!("| {name}")));
        row.unwrap_or_else(|| panic!("no row {name}")).to_owned()
    };
    let (seen, product, list) = (
        CHANGE_SEEN.as_secs(),
        PRODUCT_BOUND.as_secs(),
        LIST_BOUND.as_secs(),
    );
    assert!(row("one product").contains(&format!(
        "| {seen} s ({product} s when the feed cannot be read) |"
    )));
    assert!(row("lists").contains(&format!("| {list} s |")));
    assert!(row("that there is no such product").contains(&format!("({} s when", ABSENT_BOUND_MS / 1000)));
    assert!(row("best sellers").contains(&format!("| {} s |", BEST_SELLERS_BOUND.as_secs())));
    assert_eq!(STALE_KEPT, Duration::from_secs(600));
    assert_eq!(Key::Product(1).bound(), PRODUCT_BOUND);
    assert_eq!(Key::BestSellers("".into()).bound(), BEST_SELLERS_BOUND);
    assert!(row("best sellers, the sitemap").contains(&format!("| {} s |", SITEMAP_BOUND.as_secs())));
    assert_eq!(Key::Sitemap(1).bound(), SITEMAP_BOUND);
    for list in [
        Key::List("".into()),
        Key::Categories,
        Key::Reviews("".into()),
        Key::New("".into()),
        Key::Related(1),
    ] {
        assert_eq!(list.bound(), LIST_BOUND, "{list:?}");
    }
}

#[tokio::test]
async fn a_list_shows_a_change_within_its_bound_on_every_replica() {
    let (shop, _alone) = alone().await;
    let product = products(shop, 1).await[0];
    let path = "/products?limit=60&sort=newest";
    let doors = doors(shop);
    for door in &doors {
        door.get(path).await.expect(200);
    }
    let version = change(&mut sql(shop).await, product).await;
    let began = Instant::now();
    for door in &doors {
        let seen = async || {
            let list = door.get(path).await.expect(200);
            let item = list.items().iter().find(|item| item["id"] == product)?.clone();
            (item["title"] == format!("Version {version}")).then_some(())
        };
        let left = (LIST_BOUND + SLACK).saturating_sub(began.elapsed());
        within(left, "the new title in the list", seen).await;
    }
}

#[tokio::test]
async fn a_list_that_is_asked_for_is_renewed_before_its_bound_and_nobody_waits() {
    let (shop, _alone) = alone().await;
    let (door, port) = (&doors(shop)[0], &operations(shop)[0]);
    let path = "/products?limit=7&sort=price_desc";
    door.get(path).await.expect(200);
    let before = caches(port).await["memory"]["early_refreshes"].as_u64().unwrap();
    let began = Instant::now();
    while began.elapsed() < LIST_BOUND + Duration::from_secs(1) {
        let answer = door.get(path).await.expect(200);
        assert_eq!(
            answer.header("cache-status"),
            "memory; hit",
            "after {:?}",
            began.elapsed()
        );
        assert!(answer.header("age").parse::<u64>().unwrap() < LIST_BOUND.as_secs());
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert!(caches(port).await["memory"]["early_refreshes"].as_u64().unwrap() > before);
}

#[tokio::test]
async fn that_there_is_no_such_product_is_cached_and_ends_when_it_comes_to_be() {
    let (shop, _alone) = alone().await;
    let mut database = sql(shop).await;
    let id: u64 = sqlx::query_scalar("SELECT MAX(id) + 1000 FROM products")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let path = format!("/products/{id}");
    let (door, port) = (&doors(shop)[0], &operations(shop)[0]);
    let loads = async || caches(port).await["database"]["loads"].as_u64().unwrap();
    let before = loads().await;
    for _ in 0..20 {
        door.get(&path).await.refused(404, "not_found");
    }
    let status = door.get(&path).await;
    assert_eq!(
        (status.status, status.header("cache-status")),
        (404, "memory; hit")
    );
    assert_eq!(loads().await - before, 1);
    // At once: an audit of another test must not see it published with nothing for sale.
    let mut whole = database.begin().await.unwrap();
    for statement in [
        "INSERT INTO products (id, handle, title, description, search_text, category_id, price_min, created_at, updated_at)
         SELECT ?, 'late-comer', 'Late', '', '', MIN(id), 100, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM categories",
        "INSERT INTO product_state (product_id, version, in_stock) VALUES (?, 1, 0)",
        "INSERT INTO variants (product_id, position, price) VALUES (?, 1, 100)",
        "INSERT INTO stock (variant_id, on_hand) SELECT id, 0 FROM variants WHERE product_id = ?",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *whole).await.unwrap();
    }
    whole.commit().await.unwrap();
    change(&mut database, id).await;
    let there = async || (door.get(&path).await.status == 200).then_some(());
    within(CHANGE_SEEN + SLACK, "the product that came to be", there).await;
}

/// A table that is locked stands for a slow database: what asks for products waits until it is unlocked.
async fn locked(shop: &trestle::Stack) -> sqlx::MySqlConnection {
    let mut lock = sql(shop).await;
    sqlx::raw_sql("LOCK TABLES products WRITE")
        .execute(&mut lock)
        .await
        .unwrap();
    lock
}

#[tokio::test]
async fn five_hundred_who_ask_at_once_cause_one_read_a_replica_and_without_any_layer_too() {
    let (shop, _alone) = alone().await;
    let asked = products(shop, 2).await;
    for (product, state) in asked.into_iter().zip(["on", "off"]) {
        switch(shop, &json!({"memory": "off", "redis": state})).await;
        switch(shop, &json!({"memory": state})).await;
        let path = format!("/products/{product}");
        for (door, port) in doors(shop).iter().zip(operations(shop)) {
            super::fixture::tell_redis(shop, &["FLUSHALL"]).await;
            let before = caches(&port).await;
            let mut lock = locked(shop).await;
            let crowd = async {
                for answer in join_all((0..500).map(|_| door.get(&path))).await {
                    answer.expect(200);
                }
            };
            let unlock = async {
                eventually("all wait for one", async || {
                    grown(&caches(&port).await, &before, "joins") == 499
                })
                .await;
                sqlx::raw_sql("UNLOCK TABLES").execute(&mut lock).await.unwrap();
            };
            tokio::join!(crowd, unlock);
            assert_eq!(grown(&caches(&port).await, &before, "loads"), 1, "layers {state}");
            lock.close().await.unwrap();
        }
    }
}

fn grown(now: &serde_json::Value, before: &serde_json::Value, count: &str) -> u64 {
    let of = |state: &serde_json::Value| state["database"][count].as_u64().unwrap();
    of(now) - of(before)
}
