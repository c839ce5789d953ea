//! Faults: Redis killed, frozen, emptied and back; a replica killed under traffic. Answers stay right, and nothing
//! that was acknowledged is lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Mutex, MutexGuard};
use trestle_tests::{Answer, Shopper, eventually, first_product, is_in_containers, shop, sql, within};

/// One fault at a time: they share the stack.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The shop as it should be: what the last test took away is back, and every replica knows it.
async fn alone() -> MutexGuard<'static, ()> {
    let alone = ONE_AT_A_TIME.lock().await;
    let shop = shop().await;
    eventually("every replica reads its database", async || {
        for replica in shop.replicas() {
            let url = format!("http://{}/readyz", replica.ops_address);
            let Ok(answer) = Shopper::visitor("").http.get(url).send().await else {
                return false;
            };
            let body: Value = answer.json().await.unwrap_or_default();
            if body["ready"] != true || body["database"]["age_ms"].as_u64().is_none_or(|age| age > 800) {
                return false;
            }
        }
        true
    })
    .await;
    alone
}

async fn empty_redis(shop: &trestle::Stack) {
    let client = trestle_api::cache::redis::client(&shop.redis_url().unwrap()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
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

    empty_redis(shop).await;
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

/// How the database is taken away: frozen, so that links hang, or killed, so that they break.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    Frozen,
    Killed,
}

async fn what_goes_on_while_the_database_is_away(loss: Loss) {
    let _alone = alone().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let visitor = Shopper::visitor(&shop.url());
    let product = first_product(shop, 20).await;
    let path = format!("/products/{}", product["id"]);
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    visitor.put_in_cart(variant, 1).await.expect(200);
    for _ in 0..6 {
        visitor.get(&path).await.expect(200);
        visitor.get("/products?limit=4").await.expect(200);
    }
    match loss {
        Loss::Frozen => shop.pause("database").unwrap(),
        Loss::Killed => shop.kill_and_hold("database").await.unwrap(),
    }
    empty_redis(shop).await;
    // Past the lists' bound of 5 s they are served stale, and say so.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let timed = async |work: &mut (dyn Future<Output = Answer> + Unpin)| {
        let began = Instant::now();
        (work.await, began.elapsed())
    };
    let shown = timed(&mut Box::pin(visitor.get(&path))).await;
    let list = timed(&mut Box::pin(visitor.get("/products?limit=4"))).await;
    let cart = timed(&mut Box::pin(visitor.get("/cart"))).await;
    let write = timed(&mut Box::pin(visitor.put_in_cart(variant, 2))).await;
    let order = timed(&mut Box::pin(customer.order(variant, 1))).await;
    match loss {
        Loss::Frozen => shop.resume("database").unwrap(),
        Loss::Killed => shop.restart_process("database").await.unwrap(),
    }
    let back = Instant::now();
    eventually("all is normal", async || {
        visitor.put_in_cart(variant, 3).await.status == 200
            && visitor.get("/cart").await.status == 200
            && customer.get("/customers/me").await.status == 200
            && customer.order(variant, 1).await.status == 201
            && !visitor
                .get("/products?limit=4")
                .await
                .header("cache-status")
                .contains("stale")
    })
    .await;
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());

    let soon = Duration::from_millis(1_800);
    for (what, (_, took)) in [
        ("a product", &shown),
        ("a list", &list),
        ("a cart", &cart),
        ("a write", &write),
        ("an order", &order),
    ] {
        assert!(*took < soon, "{what} took {took:?}, {loss:?}");
    }
    shown.0.expect(200);
    let list = list.0.expect(200);
    let status = list.header("cache-status");
    assert!(status.contains("detail=stale"), "{status}");
    assert!(list.header("age").parse::<u32>().unwrap() >= 5);
    // Whose token could have been revoked meanwhile is not told about the database.
    for (refused, names) in [
        (cart.0, "the database"),
        (write.0, "the database"),
        (order.0, "ended sessions"),
    ] {
        let refused = refused.refused(503, "unavailable");
        assert_eq!(refused.header("retry-after"), "1");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(names), "{detail}");
    }
}

#[tokio::test]
async fn cached_products_are_served_while_the_database_hangs_and_writes_are_refused() {
    what_goes_on_while_the_database_is_away(Loss::Frozen).await;
}

#[tokio::test]
async fn cached_products_are_served_while_the_database_is_gone_and_writes_are_refused() {
    what_goes_on_while_the_database_is_away(Loss::Killed).await;
}

#[tokio::test]
async fn a_replica_that_starts_without_a_database_waits_for_it_and_says_so() {
    // In containers a database that is down has no address either: tests/compose/lifecycle.rs.
    if is_in_containers() {
        return;
    }
    let _alone = alone().await;
    let shop = shop().await;
    shop.kill_and_hold("database").await.unwrap();
    let before: Vec<i32> = shop.replicas().iter().map(|replica| replica.pid).collect();
    shop.kill("api-1").unwrap();
    let waiting = async || {
        let replica = shop.replicas().into_iter().find(|it| it.name == "api-1")?;
        let url = format!("http://{}/readyz", replica.ops_address);
        let answer = Shopper::visitor("").http.get(url).send().await.ok()?;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.ok()?;
        let said = body["schema"]["last_error"]["message"].is_string();
        (!before.contains(&replica.pid) && said).then_some((replica, status, body))
    };
    let ((new, status, body), _) = within(Duration::from_secs(20), "the new replica waits", waiting).await;
    assert_eq!((status, &body["ready"]), (503, &Value::Bool(false)), "{body}");
    assert_eq!(body["schema"]["state"], "waiting", "{body}");
    let why = body["schema"]["last_error"]["message"].as_str().unwrap();
    assert!(why.contains("os error"), "{why}");
    let refused = tokio::net::TcpStream::connect(new.address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    // Long enough for many looks at it: the process goes on, and its log is not filled.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let log = std::fs::read_to_string(shop.log("api-1")).unwrap();
    shop.restart_process("database").await.unwrap();
    let back = Instant::now();
    eventually("it is ready", async || all_ready(&shop.replicas()).await).await;
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
    let now = shop.replicas().into_iter().find(|it| it.name == "api-1").unwrap();
    assert_eq!(now.pid, new.pid, "it never ended");
    let own = log.rsplit("\"starting\"").next().unwrap_or_default();
    let lines = own.matches("\"waiting\"").count();
    assert_eq!(lines, 1, "{own}");
}

/// Told to end by anybody, not taken out of nginx first.
#[tokio::test]
async fn a_replica_that_is_told_to_end_under_traffic_fails_no_request() {
    let _alone = alone().await;
    let shop = shop().await;
    let product = first_product(shop, 20).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut shoppers = Vec::new();
    for _ in 0..4 {
        let customer = Shopper::customer(&shop.url()).await;
        shoppers.push(tokio::spawn(shop_until(
            Arc::clone(&stop),
            customer,
            [variant, variant],
        )));
    }
    for name in ["api-1", "api-2"] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let pid = |replica: &trestle::Replica| (replica.name == name).then_some(replica.pid);
        let before = shop.replicas().iter().find_map(pid);
        shop.signal(name, nix::sys::signal::Signal::SIGTERM).unwrap();
        let replaced = async || {
            let replicas = shop.replicas();
            let now = replicas.iter().find_map(pid);
            now.is_some() && now != before && all_ready(&replicas).await
        };
        let took = eventually("another in its place", replaced).await;
        assert!(took > Duration::from_millis(2_500), "it lingered, {took:?}");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    for shopper in shoppers {
        let (_, journal) = shopper.await.unwrap();
        assert_eq!(journal.failed, 0);
        assert!(journal.quantity > 0, "it put something into its cart");
    }
}

/// What nginx does with a replica that has not said that it leaves: it connects, and before its request comes the listener is closed.
#[tokio::test]
async fn a_connection_made_as_the_listener_closes_is_served() {
    let _alone = alone().await;
    let shop = shop().await;
    let replica = shop.replicas().remove(1);
    shop.signal(&replica.name, nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    let mut newest = std::collections::VecDeque::new();
    let began = Instant::now();
    while let Ok(client) = tokio::net::TcpStream::connect(replica.address).await {
        assert!(began.elapsed() < Duration::from_secs(10), "it goes on accepting");
        newest.push_back(client);
        if newest.len() > 20 {
            newest.pop_front();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for mut client in newest {
        let request = "GET /api/v1/products?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    eventually("another in its place", async || {
        let replicas = shop.replicas();
        replicas.len() == 2 && all_ready(&replicas).await
    })
    .await;
}

/// Whatever is not finished: a client that does not send its body, a database that does not answer.
#[tokio::test]
async fn a_replica_ends_by_25_s_whatever_is_stuck() {
    let _alone = alone().await;
    let shop = shop().await;
    let replica = shop.replicas().remove(1);
    let mut client = tokio::net::TcpStream::connect(replica.address).await.unwrap();
    let head = "PUT /api/v1/cart/items/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    client.write_all(head.as_bytes()).await.unwrap();
    shop.pause("database").unwrap();
    shop.signal(&replica.name, nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    let gone = async || {
        let process = format!("/proc/{}", replica.pid);
        (!Path::new(&process).exists()).then(Instant::now)
    };
    let took = within(Duration::from_secs(26), "the end", gone).await.1;
    shop.resume("database").unwrap();
    println!("it ended after {took:?}");
    eventually("another in its place", async || {
        let replicas = shop.replicas();
        replicas.len() == 2 && all_ready(&replicas).await
    })
    .await;
}
