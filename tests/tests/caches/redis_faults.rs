//! Redis broken in every way: answers stay right and quick, and it is used again when it is well.

use std::time::{Duration, Instant};

use reqwest::Client;
use trestle::Stack;
use trestle_api::cache::key::CHANGE_SEEN;
use trestle_tests::{Shopper, eventually, within};

use super::fixture::{
    SLACK, a_change_is_seen_everywhere, alone, ask_redis, caches, doors, first_variant, operate, operations,
    products, quantity, tell_redis,
};

/// One request, on a busy test machine.
const QUICK: Duration = Duration::from_secs(2);

/// What the breaker makes of a fault.
#[derive(PartialEq)]
enum Breaker {
    /// Redis does not answer: it is left alone.
    Opens,
    /// Redis answers, if only to refuse: it goes on being asked.
    StaysClosed,
}

/// One customer: with a cookie, as a program without one, and on another device whose cookie is old.
struct Customer {
    first: Shopper,
    program: Shopper,
    second: Shopper,
    variant: u64,
}

impl Customer {
    async fn new(shop: &Stack, variant: u64) -> Self {
        let first = Shopper::customer(&shop.url()).await;
        first.put_in_cart(variant, 1).await.expect(200);
        let mut second = Shopper::visitor(&shop.url());
        second.email.clone_from(&first.email);
        second.log_in().await.expect(201);
        let program = Shopper {
            http: Client::new(),
            ..first.clone()
        };
        eventually("Redis has the cart", async || {
            second.get("/cart").await.expect(200).header("cache-status") == "redis; hit"
        })
        .await;
        Self {
            first,
            program,
            second,
            variant,
        }
    }

    /// Changes the cart at one replica and looks at it from every other.
    async fn changes_the_cart(&self, shop: &Stack, to: i32) {
        let doors = doors(shop);
        let changed_at = self
            .first
            .at(&doors[usize::try_from(to).unwrap() % doors.len()].base);
        let began = Instant::now();
        changed_at.put_in_cart(self.variant, to).await.expect(200);
        assert!(began.elapsed() < QUICK, "{:?}", began.elapsed());
        let acknowledged = Instant::now();
        for door in &doors {
            for device in [&self.first, &self.program] {
                let began = Instant::now();
                let cart = device.at(&door.base).get("/cart").await.expect(200);
                assert_eq!(quantity(&cart), i64::from(to));
                assert!(began.elapsed() < QUICK, "{:?}", began.elapsed());
            }
        }
        for door in &doors {
            let second = self.second.at(&door.base);
            let sees = async || {
                let cart = second.get("/cart").await.expect(200);
                (quantity(&cart) == i64::from(to)).then_some(())
            };
            let left = (CHANGE_SEEN + SLACK).saturating_sub(acknowledged.elapsed());
            within(left, "the other device sees the change", sees).await;
        }
    }
}

async fn is_survived(shop: &Stack, breaker: Breaker, broken: impl AsyncFn(), healed: impl AsyncFn()) {
    let product = products(shop, 3).await[2];
    let customer = Customer::new(shop, first_variant(shop, product).await).await;
    let path = format!("/products/{product}");
    let (doors, ports) = (doors(shop), operations(shop));
    a_change_is_seen_everywhere(shop, product).await;
    let shown = doors[0].get(&path).await.expect(200).body;

    broken().await;
    for port in &ports {
        operate(Client::new().post(format!("{port}/caches/flush?layer=memory")))
            .await
            .expect(200);
    }
    for door in &doors {
        let began = Instant::now();
        let answer = door.get(&path).await.expect(200);
        assert_eq!(answer.body, shown);
        assert!(began.elapsed() < QUICK, "{:?}", began.elapsed());
        // One that refuses to write can still be read.
        let from = answer.header("cache-status");
        assert_eq!(
            from.starts_with("redis; hit"),
            breaker == Breaker::StaysClosed,
            "{from}"
        );
    }
    for pieces in 2..6 {
        customer.changes_the_cart(shop, pieces).await;
    }
    a_change_is_seen_everywhere(shop, product).await;
    if breaker == Breaker::Opens {
        eventually("the breaker opens", async || {
            customer.first.at(&doors[0].base).get("/cart").await.expect(200);
            doors[0].get("/instance").await.body["cache"]["redis"]["breaker"] == "open"
        })
        .await;
        assert!(caches(&ports[0]).await["redis"]["breaker_opened"].as_u64() >= Some(1));
    } else {
        let mut refused = 0;
        for port in &ports {
            let state = caches(port).await;
            assert_eq!(state["redis"]["breaker"], "closed");
            refused += state["redis"]["calls"]["refused"].as_u64().unwrap();
        }
        assert!(refused > 0, "Redis refused something");
    }

    healed().await;
    let healed = Instant::now();
    for (door, port) in doors.iter().zip(&ports) {
        let at_door = customer.first.at(&door.base);
        eventually("Redis is used again", async || {
            at_door.put_in_cart(customer.variant, 7).await.expect(200);
            let cart = at_door.get("/cart").await.expect(200);
            assert_eq!(quantity(&cart), 7);
            cart.header("cache-status") == "redis; hit" && caches(port).await["redis"]["breaker"] == "closed"
        })
        .await;
    }
    println!("used again everywhere after {:?}", healed.elapsed());
    assert!(
        healed.elapsed() < Duration::from_secs(8),
        "{:?}",
        healed.elapsed()
    );
    customer.changes_the_cart(shop, 8).await;
    a_change_is_seen_everywhere(shop, product).await;
}

#[tokio::test]
async fn redis_hangs() {
    let (shop, _alone) = alone().await;
    let broken = async || shop.pause("redis").unwrap();
    is_survived(shop, Breaker::Opens, broken, async || {
        shop.resume("redis").unwrap();
    })
    .await;
}

#[tokio::test]
async fn redis_is_killed() {
    let (shop, _alone) = alone().await;
    let broken = async || shop.kill_and_hold("redis").await.unwrap();
    let healed = async || shop.restart_process("redis").await.unwrap();
    is_survived(shop, Breaker::Opens, broken, healed).await;
}

#[tokio::test]
async fn redis_is_out_of_memory() {
    let (shop, _alone) = alone().await;
    let broken = async || {
        tell_redis(shop, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;
        tell_redis(shop, &["CONFIG", "SET", "maxmemory", "1"]).await;
    };
    let healed = async || {
        tell_redis(shop, &["CONFIG", "SET", "maxmemory", "64mb"]).await;
        tell_redis(shop, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    };
    is_survived(shop, Breaker::StaysClosed, broken, healed).await;
}

/// The replica of a primary that is gone, as after a failover that clients did not hear of.
#[tokio::test]
async fn redis_is_read_only() {
    let (shop, _alone) = alone().await;
    let broken = async || tell_redis(shop, &["REPLICAOF", "127.0.0.1", "1"]).await;
    let healed = async || tell_redis(shop, &["REPLICAOF", "NO", "ONE"]).await;
    is_survived(shop, Breaker::StaysClosed, broken, healed).await;
}

/// Another Redis takes over that had not heard of the last change, as with asynchronous replication.
#[tokio::test]
async fn redis_fails_over_to_one_that_is_behind() {
    let (shop, _alone) = alone().await;
    let product = products(shop, 3).await[2];
    let customer = Customer::new(shop, first_variant(shop, product).await).await;
    let keys: Vec<String> = ask_redis(shop, &["KEYS", "trestle:1:cart:*"]).await;
    let mut behind = Vec::new();
    for key in keys {
        let value: Vec<u8> = ask_redis(shop, &["GET", &key]).await;
        behind.push((key, value));
    }
    customer.first.put_in_cart(customer.variant, 9).await.expect(200);
    let client = trestle_api::cache::redis::client(&shop.redis_url().unwrap()).unwrap();
    let mut link = client.get_multiplexed_async_connection().await.unwrap();
    for (key, value) in behind {
        let mut set = redis::cmd("SET");
        let set = set.arg(key).arg(value).arg("PX").arg(60_000);
        let () = set.query_async(&mut link).await.unwrap();
    }
    let mut kill = redis::cmd("CLIENT");
    let kill = kill.arg("KILL").arg("TYPE").arg("normal");
    let _: i64 = kill.query_async(&mut link).await.unwrap();

    let path = format!("/products/{product}");
    for (door, port) in doors(shop).iter().zip(operations(shop)) {
        let second = customer.second.at(&door.base);
        // On the connection that asks for the cart then.
        eventually("there is a link again", async || {
            operate(Client::new().post(format!("{port}/caches/flush?layer=memory")))
                .await
                .expect(200);
            let answer = second.get(&path).await.expect(200);
            answer.header("cache-status").starts_with("redis; hit")
        })
        .await;
        assert_eq!(quantity(&second.get("/cart").await.expect(200)), 9);
    }
}
