//! Faults: Redis killed, frozen, emptied and back; a replica killed under traffic. Answers stay right, and nothing
//! that was acknowledged is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};
use trestle_tests::{Shopper, eventually, first_product, shop, sql};

/// One fault at a time: they share the stack.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// What a shopper sees, without what may differ (version counters of carts grow, ages differ).
async fn views(shopper: &Shopper, product: u64) -> Vec<Value> {
    let mut views = Vec::new();
    for path in [
        &format!("/products/{product}"),
        "/products?limit=5&sort=price_asc",
        "/categories",
        "/cart",
        "/orders",
    ] {
        views.push(shopper.get(path).await.expect(200).body);
    }
    views.push(shopper.get("/customers/me").await.expect(200).body);
    views
}

#[tokio::test]
async fn the_shop_answers_the_same_with_redis_killed_restarted_and_emptied() {
    let _alone = alone().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let product = first_product(shop, 20).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let product = product["id"].as_u64().unwrap();
    customer.put_in_cart(variant, 2).await.expect(200);
    let before = views(&customer, product).await;

    shop.kill_and_hold("redis").await.unwrap();
    for _ in 0..4 {
        assert_eq!(views(&customer, product).await, before, "Redis is down");
    }
    // Changes are acknowledged, seen at once, and nobody is logged out.
    for quantity in 3..8 {
        let written = customer.put_in_cart(variant, quantity).await.expect(200).body;
        assert_eq!(customer.get("/cart").await.expect(200).body, written);
    }
    let before = views(&customer, product).await;

    shop.restart_process("redis").await.unwrap();
    for _ in 0..4 {
        assert_eq!(views(&customer, product).await, before, "Redis is back, empty");
    }
    eventually("Redis is used again", async || {
        customer.put_in_cart(variant, 7).await.expect(200);
        customer.get("/cart").await.expect(200).header("cache-status") == "redis; hit"
    })
    .await;
    let before = views(&customer, product).await;

    let client = trestle_api::cache::redis::client(&shop.redis_url().unwrap()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    assert_eq!(views(&customer, product).await, before, "Redis was emptied");
}

#[tokio::test]
async fn a_redis_that_hangs_costs_little_and_comes_back() {
    let _alone = alone().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let product = first_product(shop, 20).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    customer.put_in_cart(variant, 1).await.expect(200);
    shop.pause("redis").unwrap();
    for quantity in 2..12 {
        let began = Instant::now();
        let written = customer.put_in_cart(variant, quantity).await.expect(200).body;
        assert_eq!(customer.get("/cart").await.expect(200).body, written);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    shop.resume("redis").unwrap();
    eventually("Redis is used again", async || {
        customer.put_in_cart(variant, 1).await.expect(200);
        customer.get("/cart").await.expect(200).header("cache-status") == "redis; hit"
    })
    .await;
}

/// What one shopper was told, to be compared with the database.
#[derive(Default)]
struct Journal {
    orders: Vec<String>,
    /// The quantity last acknowledged for the cart line.
    quantity: i32,
    /// The one sent last: it may be there without having been acknowledged.
    sent: i32,
    failed: usize,
}

async fn shop_until(stop: Arc<AtomicBool>, customer: Shopper, variants: [u64; 2]) -> (Shopper, Journal) {
    let mut journal = Journal::default();
    for round in 0..2000_i32 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        journal.sent = round % 90 + 1;
        let answer = customer.put_in_cart(variants[0], journal.sent).await;
        if answer.status == 200 {
            journal.quantity = journal.sent;
        } else {
            journal.failed += 1;
        }
        if round % 3 == 0 {
            let answer = customer.order(variants[1], 1).await;
            match answer.status {
                201 => journal
                    .orders
                    .push(answer.body["id"].as_str().unwrap().to_owned()),
                // Sold out is an answer, not a failure.
                409 => {}
                _ => journal.failed += 1,
            }
        }
    }
    (customer, journal)
}

#[tokio::test]
async fn a_replica_killed_under_traffic_loses_nothing_that_was_acknowledged() {
    let _alone = alone().await;
    let shop = shop().await;
    let mut database = sql(shop).await;
    let product = first_product(shop, 20).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let other: u64 = sqlx::query_scalar(
        "SELECT variant_id FROM stock WHERE variant_id <> ? ORDER BY on_hand DESC LIMIT 1",
    )
    .bind(variant)
    .fetch_one(&mut database)
    .await
    .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut shoppers = Vec::new();
    for _ in 0..6 {
        let customer = Shopper::customer(&shop.url()).await;
        shoppers.push(tokio::spawn(shop_until(
            Arc::clone(&stop),
            customer,
            [variant, other],
        )));
    }
    let began = Instant::now();
    for victim in ["api-1", "api-2"] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        shop.kill(victim).unwrap();
        eventually("two replicas are ready again", async || {
            let replicas = shop.replicas();
            replicas.len() == 2 && all_ready(&replicas).await
        })
        .await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    let mut told = BTreeMap::new();
    let mut failed = 0;
    for shopper in shoppers {
        let (customer, journal) = shopper.await.unwrap();
        failed += journal.failed;
        // The line holds what was last acknowledged, or what was sent after it and never answered.
        let cart = customer.get("/cart").await.expect(200).body;
        let line = cart["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["variant_id"] == variant)
            .unwrap();
        let quantity = line["quantity"].as_i64().unwrap();
        let may_be = [i64::from(journal.quantity), i64::from(journal.sent)];
        assert!(may_be.contains(&quantity), "{quantity} is none of {may_be:?}");
        told.insert(customer.email.clone(), journal.orders);
    }
    let orders: usize = told.values().map(Vec::len).sum();
    println!(
        "{orders} orders acknowledged, {failed} requests failed, in {:?}",
        began.elapsed()
    );
    assert!(orders > 0);
    for id in told.values().flatten() {
        let id = uuid::Uuid::parse_str(id).unwrap();
        let state: String = sqlx::query_scalar("SELECT state FROM orders WHERE id = ?")
            .bind(id)
            .fetch_one(&mut database)
            .await
            .unwrap();
        assert_eq!(state, "paid", "{id}");
    }
    let audit = shop.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

async fn all_ready(replicas: &[trestle::Replica]) -> bool {
    for replica in replicas {
        let url = format!("http://{}/readyz", replica.ops_address);
        let ready = Shopper::visitor("").http.get(url).send().await;
        if !ready.is_ok_and(|answer| answer.status().is_success()) {
            return false;
        }
    }
    true
}

/// What it missed while it was frozen is far behind what the change feed usually looks back over.
#[tokio::test]
async fn a_replica_that_was_frozen_believes_no_session_that_ended_meanwhile() {
    let _alone = alone().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let doors: Vec<_> = shop
        .replicas()
        .iter()
        .map(|it| (it.name.clone(), customer.at(&format!("http://{}", it.address))))
        .collect();
    let (frozen, door) = &doors[1];
    door.get("/customers/me").await.expect(200);
    shop.pause(frozen).unwrap();
    doors[0].1.delete("/sessions/current").await.expect(204);
    tokio::time::sleep(Duration::from_secs(13)).await;
    shop.resume(frozen).unwrap();
    let thawed = Instant::now();
    while thawed.elapsed() < Duration::from_secs(3) {
        let answer = door.get("/customers/me").await;
        assert!(
            [401, 503].contains(&answer.status),
            "{} after the thaw",
            answer.text
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    door.get("/customers/me").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn cached_products_are_served_while_the_database_hangs_and_writes_are_refused() {
    let _alone = alone().await;
    let shop = shop().await;
    let visitor = Shopper::visitor(&shop.url());
    let product = first_product(shop, 20).await;
    let path = format!("/products/{}", product["id"]);
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    for _ in 0..4 {
        visitor.get(&path).await.expect(200);
        visitor.get("/products?limit=4").await.expect(200);
    }
    shop.pause("database").unwrap();
    // Past the lists' bound of 5 s they are served stale, and say so.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let product = visitor.get(&path).await;
    let list = visitor.get("/products?limit=4").await;
    let write = visitor.put_in_cart(variant, 1).await;
    shop.resume("database").unwrap();
    product.expect(200);
    let list = list.expect(200);
    assert!(
        list.header("cache-status").contains("detail=stale"),
        "{}",
        list.header("cache-status")
    );
    assert!(list.header("age").parse::<u32>().unwrap() >= 5);
    let write = write.refused(503, "unavailable");
    assert!(!write.header("retry-after").is_empty());
    let back = Instant::now();
    eventually("writes work again", async || {
        visitor.put_in_cart(variant, 1).await.status == 200
    })
    .await;
    assert!(back.elapsed() < Duration::from_secs(8), "{:?}", back.elapsed());
}
