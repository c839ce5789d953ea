//! Writers, readers who each stay on one replica, and customers who wander, while Redis and the switches are played
//! with at random. `TRESTLE_SEED` repeats a run's choices; a run takes 15 s, and longer under `TRESTLE_REPEAT`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::json;
use tokio::task::JoinSet;
use trestle::Stack;
use trestle_api::cache::key::{CHANGE_SEEN, LIST_BOUND};
use trestle_tests::{Shopper, repetitions, sql};

use super::fixture::{
    alone, change, doors, first_variant, operate, operations, products, quantity, switch_at, tell_redis,
};

/// What so much at once adds to a bound on two cores.
const BUSY: Duration = Duration::from_secs(2);

/// Choices that a seed repeats (splitmix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64, player: u64) -> Self {
        Self(seed ^ player.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    async fn pause(&mut self, from: u64, to: u64) {
        let more = self.below(usize::try_from(to - from).unwrap());
        tokio::time::sleep(Duration::from_millis(from + more as u64)).await;
    }
}

/// A number that grows, and since when it had which value.
#[derive(Default)]
struct History(Mutex<VecDeque<(Instant, u64)>>);

impl History {
    fn add(&self, value: u64) {
        self.0.lock().unwrap().push_back((Instant::now(), value));
    }

    /// The highest that was there this long ago.
    fn before(&self, ago: Duration) -> u64 {
        let values = self.0.lock().unwrap();
        let old = values.iter().filter(|(at, _)| at.elapsed() > ago);
        old.map(|(_, value)| *value).max().unwrap_or(0)
    }
}

struct Product {
    id: u64,
    committed: History,
    /// The highest version that each replica showed to anybody.
    shown: [AtomicU64; 3],
}

type Products = Arc<Vec<Product>>;

async fn write(stop: Arc<AtomicBool>, mut dice: Dice, products: Products, shop: &'static Stack) -> usize {
    let mut database = sql(shop).await;
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        let product = &products[dice.below(products.len())];
        let version = change(&mut database, product.id).await;
        product.committed.add(version);
        written += 1;
        dice.pause(10, 120).await;
    }
    written
}

/// Reads at one replica: no version is older than what anybody saw there before, and none beyond its bound.
async fn read(
    stop: Arc<AtomicBool>,
    mut dice: Dice,
    products: Products,
    replica: usize,
    door: Shopper,
) -> usize {
    let mut seen = 0;
    while !stop.load(Ordering::Relaxed) {
        let product = &products[dice.below(products.len())];
        let least = product.shown[replica].load(Ordering::SeqCst);
        let bound = product.committed.before(CHANGE_SEEN + BUSY);
        let answer = door.get(&format!("/products/{}", product.id)).await.expect(200);
        let version = answer.body["version"].as_u64().unwrap();
        let from = answer.header("cache-status");
        assert!(
            version >= least,
            "product {}: {version} after {least}, {from}",
            product.id
        );
        assert!(
            version >= bound,
            "product {}: {version} is older than {bound}, {from}",
            product.id
        );
        assert_eq!(answer.body["title"], format!("Version {version}"), "{from}");
        product.shown[replica].fetch_max(version, Ordering::SeqCst);
        seen += 1;
        if dice.below(10) == 0 {
            look_at_the_list(&products, &door).await;
        }
        dice.pause(1, 20).await;
    }
    seen
}

async fn look_at_the_list(products: &Products, door: &Shopper) {
    let bounds: Vec<_> = products
        .iter()
        .map(|it| it.committed.before(LIST_BOUND + BUSY))
        .collect();
    let list = door.get("/products?limit=60").await.expect(200);
    for (product, bound) in products.iter().zip(bounds) {
        let item = list.items().iter().find(|item| item["id"] == product.id).unwrap();
        let title = item["title"].as_str().unwrap();
        let version: u64 = title.trim_start_matches("Version ").parse().unwrap();
        assert!(
            version >= bound,
            "in a list: {version} is older than {bound}, {}",
            list.header("cache-status")
        );
    }
}

/// A customer who goes from replica to replica and always sees the cart that was last acknowledged. `other` is the same
/// customer's second device, which looks now and then.
async fn wander(
    stop: Arc<AtomicBool>,
    mut dice: Dice,
    customer: Shopper,
    other: Shopper,
    variant: u64,
    doors: Vec<String>,
) -> usize {
    let versions = History::default();
    let mut pieces = 0;
    let mut looked = 0;
    while !stop.load(Ordering::Relaxed) {
        let here = customer.at(&doors[dice.below(doors.len())]);
        match dice.below(8) {
            0 => {
                let cart = here.delete(&format!("/cart/items/{variant}")).await.expect(200);
                pieces = 0;
                versions.add(cart.body["version"].as_u64().unwrap());
            }
            1 | 2 => {
                pieces = 1 + i32::try_from(dice.below(99)).unwrap();
                let cart = here.put_in_cart(variant, pieces).await.expect(200);
                versions.add(cart.body["version"].as_u64().unwrap());
            }
            3 => {
                let least = versions.before(CHANGE_SEEN + BUSY);
                let cart = other.at(&here.base).get("/cart").await.expect(200);
                let version = cart.body["version"].as_u64().unwrap();
                assert!(
                    version >= least,
                    "the other device: {version} is older than {least}"
                );
            }
            _ => {
                let cart = here.get("/cart").await.expect(200);
                let from = cart.header("cache-status");
                assert_eq!(quantity(&cart), i64::from(pieces), "{}, {from}", cart.text);
                looked += 1;
            }
        }
        dice.pause(1, 40).await;
    }
    looked
}

/// Breaks Redis and empties it; leaves it well.
async fn break_redis(stop: Arc<AtomicBool>, mut dice: Dice, shop: &'static Stack) -> Vec<&'static str> {
    let mut played = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let what = ["pause", "empty", "restart", "read-only"][dice.below(4)];
        played.push(what);
        match what {
            "pause" => {
                shop.pause("redis").unwrap();
                dice.pause(100, 1500).await;
                shop.resume("redis").unwrap();
            }
            "restart" => {
                shop.kill_and_hold("redis").await.unwrap();
                dice.pause(0, 500).await;
                shop.restart_process("redis").await.unwrap();
            }
            "read-only" => {
                tell_redis(shop, &["REPLICAOF", "127.0.0.1", "1"]).await;
                dice.pause(100, 1500).await;
                tell_redis(shop, &["REPLICAOF", "NO", "ONE"]).await;
            }
            _ => tell_redis(shop, &["FLUSHALL"]).await,
        }
        dice.pause(50, 2500).await;
    }
    played
}

/// Switches and flushes layers of one replica after the other; leaves them on.
async fn switch_layers(stop: Arc<AtomicBool>, mut dice: Dice, shop: &'static Stack) -> Vec<&'static str> {
    let ports = operations(shop);
    let http = Client::new();
    let mut played = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let port = &ports[dice.below(ports.len())];
        let what = ["memory", "redis", "flush", "flicker", "flicker"][dice.below(5)];
        played.push(what);
        match what {
            "flush" => {
                let layer = ["?layer=memory", "?layer=redis"][dice.below(2)];
                // Redis may be broken just now.
                operate(http.post(format!("{port}/caches/flush{layer}"))).await;
            }
            // A replica without memory that hears of changes now from MySQL, now from Redis.
            "flicker" => {
                switch_at(port, &json!({"memory": "off"})).await;
                for _ in 0..20 {
                    switch_at(port, &json!({"redis": "off"})).await;
                    dice.pause(5, 60).await;
                    switch_at(port, &json!({"redis": "on"})).await;
                    dice.pause(5, 60).await;
                }
                switch_at(port, &json!({"memory": "on"})).await;
            }
            layer => {
                switch_at(port, &json!({layer: "off"})).await;
                dice.pause(100, 1500).await;
                switch_at(port, &json!({layer: "on"})).await;
            }
        }
        dice.pause(50, 500).await;
    }
    played
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_only_grow_and_carts_are_the_last_acknowledged_whatever_happens_to_redis() {
    let (shop, _alone) = alone().await;
    let seed = std::env::var("TRESTLE_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("TRESTLE_SEED={seed}");
    let mut database = sql(shop).await;
    let ids = products(shop, 6).await;
    let mut all = Vec::new();
    for id in &ids {
        let product = Product {
            id: *id,
            committed: History::default(),
            shown: Default::default(),
        };
        product.committed.add(change(&mut database, *id).await);
        all.push(product);
    }
    // What was there before this test may still be shown, in lists longest.
    tokio::time::sleep(LIST_BOUND).await;
    let all = Arc::new(all);
    let stop = Arc::new(AtomicBool::new(false));
    let mut player = 0;
    let mut dice = || {
        player += 1;
        Dice::new(seed, player)
    };
    let (mut writers, mut readers, mut wanderers) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    for _ in 0..2 {
        writers.spawn(write(Arc::clone(&stop), dice(), Arc::clone(&all), shop));
    }
    for (replica, door) in doors(shop).into_iter().enumerate() {
        for _ in 0..2 {
            readers.spawn(read(
                Arc::clone(&stop),
                dice(),
                Arc::clone(&all),
                replica,
                door.clone(),
            ));
        }
    }
    let addresses: Vec<_> = doors(shop).into_iter().map(|door| door.base).collect();
    let variant = first_variant(shop, ids[0]).await;
    for number in 0..4 {
        let mut customer = Shopper::customer(&shop.url()).await;
        customer.put_in_cart(variant, 1).await.expect(200);
        customer
            .delete(&format!("/cart/items/{variant}"))
            .await
            .expect(200);
        let mut other = Shopper::visitor(&shop.url());
        other.email.clone_from(&customer.email);
        other.log_in().await.expect(201);
        if number == 0 {
            // A program that keeps no cookies.
            customer.http = Client::new();
        }
        let addresses = addresses.clone();
        wanderers.spawn(wander(
            Arc::clone(&stop),
            dice(),
            customer,
            other,
            variant,
            addresses,
        ));
    }
    let breaker = tokio::spawn(break_redis(Arc::clone(&stop), dice(), shop));
    let switcher = tokio::spawn(switch_layers(Arc::clone(&stop), dice(), shop));
    let until = Instant::now() + Duration::from_secs(5) * u32::try_from(repetitions()).unwrap();
    while Instant::now() < until && !breaker.is_finished() && !switcher.is_finished() {
        // The first who sees something wrong ends the run.
        tokio::select! {
            Some(ended) = readers.join_next() => panic!("TRESTLE_SEED={seed}: a reader: {ended:?}"),
            Some(ended) = wanderers.join_next() => panic!("TRESTLE_SEED={seed}: a customer: {ended:?}"),
            Some(ended) = writers.join_next() => panic!("TRESTLE_SEED={seed}: a writer: {ended:?}"),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    }
    stop.store(true, Ordering::Relaxed);
    let played = (breaker.await.unwrap(), switcher.await.unwrap());
    let sum = |counts: Vec<usize>| counts.into_iter().sum::<usize>();
    let (writes, reads, looks) = (
        sum(writers.join_all().await),
        sum(readers.join_all().await),
        sum(wanderers.join_all().await),
    );
    println!("{writes} changes, {reads} reads, {looks} looks at carts, {played:?}");
    assert!(writes > 20 && reads > 200 && looks > 20);
}
