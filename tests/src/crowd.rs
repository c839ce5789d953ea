//! Shoppers who go on buying while something happens to the shop, and whether what they were told is true afterwards.
//!
//! Each puts a piece into the cart and orders it, several times a second. An order that gets no final answer is asked for
//! again with the same Idempotency-Key, as the storefront does, so that only what was never answered stays unknown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinHandle;
use trestle::Stack;
use uuid::Uuid;

use crate::{Answer, Good, Shopper, within};

/// Between two purchases of one shopper: a light load.
const PAUSE: Duration = Duration::from_millis(150);
/// No crowd shops longer, whatever its test does.
const AT_MOST: Duration = Duration::from_secs(180);
/// Between two tries of the same order, and how long they go on: longer than any tier takes to come back, and than an
/// order that lost its replica takes to be settled by another (10 s).
const AGAIN_AFTER: Duration = Duration::from_millis(200);
const INSIST_FOR: Duration = Duration::from_secs(60);

/// A crowd at work.
pub struct Crowd {
    shared: Arc<Shared>,
    buyers: Vec<JoinHandle<Buyer>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: Mutex<Vec<Instant>>,
    failures: Mutex<Vec<Failure>>,
}

/// A request that failed: 5xx, or no answer after one repeat on a new connection.
#[derive(Debug, Clone)]
pub struct Failure {
    pub at: Instant,
    pub what: String,
}

/// One shopper and what they were told of their orders.
struct Buyer {
    shopper: Shopper,
    good: Good,
    /// Order id and total of each that was paid.
    paid: BTreeMap<String, Value>,
    /// Keys that never got a final answer.
    unknown: usize,
}

/// What the crowd was told in all.
pub struct Told {
    buyers: Vec<Buyer>,
    pub paid: usize,
    pub failures: Vec<Failure>,
    acknowledged: Vec<Instant>,
}

impl Crowd {
    /// Customers register, one after the other, and begin to buy this.
    pub async fn start(stack: &Stack, shoppers: usize, good: Good) -> Self {
        let shared = Arc::new(Shared::default());
        let mut buyers = Vec::new();
        for _ in 0..shoppers {
            let buyer = Buyer {
                shopper: Shopper::customer(&stack.url()).await,
                good,
                paid: BTreeMap::new(),
                unknown: 0,
            };
            buyers.push(tokio::spawn(buyer.shop(Arc::clone(&shared))));
        }
        let crowd = Self { shared, buyers };
        crowd.buys(shoppers * 2).await;
        crowd
    }

    /// Waits until this many more orders were acknowledged.
    ///
    /// # Panics
    /// When that takes a minute.
    pub async fn buys(&self, more: usize) {
        let count = || lock(&self.shared.acknowledged).len();
        let wanted = count() + more;
        within(INSIST_FOR, "orders are acknowledged", async || {
            (count() >= wanted).then_some(())
        })
        .await;
    }

    /// Waits until nothing has failed for this long.
    ///
    /// # Panics
    /// When that takes a minute.
    pub async fn is_content_for(&self, quiet: Duration) {
        let last = || lock(&self.shared.failures).last().map(|failure| failure.at);
        let began = Instant::now();
        within(INSIST_FOR, "nothing fails any more", async || {
            (last().unwrap_or(began).elapsed() >= quiet).then_some(())
        })
        .await;
    }

    /// They finish what they are at.
    ///
    /// # Panics
    /// When one of them did.
    pub async fn stop(self) -> Told {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut buyers = Vec::new();
        for buyer in self.buyers {
            buyers.push(buyer.await.expect("a shopper"));
        }
        Told {
            paid: buyers.iter().map(|buyer| buyer.paid.len()).sum(),
            failures: lock(&self.shared.failures).clone(),
            acknowledged: lock(&self.shared.acknowledged).clone(),
            buyers,
        }
    }
}

impl Buyer {
    async fn shop(mut self, shared: Arc<Shared>) -> Self {
        let began = Instant::now();
        while !shared.stop.load(Ordering::Relaxed) && began.elapsed() < AT_MOST {
            let product = format!("/products/{}", self.good.product);
            self.ask(&shared, self.shopper.request(reqwest::Method::GET, &product))
                .await;
            let line = format!("/cart/items/{}", self.good.variant);
            let put = self.shopper.request(reqwest::Method::PUT, &line);
            self.ask(&shared, put.json(&serde_json::json!({"quantity": 1})))
                .await;
            self.buy(&shared).await;
            tokio::time::sleep(PAUSE).await;
        }
        self
    }

    async fn buy(&mut self, shared: &Shared) {
        let key = Uuid::new_v4().to_string();
        let began = Instant::now();
        while began.elapsed() < INSIST_FOR {
            let request = self
                .shopper
                .order_request(self.good.variant, 1, &key, "tok_approve");
            match self.ask(shared, request).await {
                Some(answer) if answer.status == 201 => {
                    let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
                    self.paid.insert(id, answer.body["total"].clone());
                    lock(&shared.acknowledged).push(Instant::now());
                    return;
                }
                // Its replica died before it was paid, and another one gave it up: an end that the shopper was told of.
                Some(answer) if answer.status == 402 => return,
                // Another request with this key is under way, or the payment is.
                _ => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
        self.unknown += 1;
    }

    /// The answer, unless the request failed, which is noted.
    async fn ask(&self, shared: &Shared, request: reqwest::RequestBuilder) -> Option<Answer> {
        let what = match self.shopper.try_send(request).await {
            Ok(answer) if answer.status < 500 => return Some(answer),
            Ok(answer) => format!("{} {}", answer.status, answer.code()),
            Err(_) => "no answer".to_owned(),
        };
        lock(&shared.failures).push(Failure {
            at: Instant::now(),
            what,
        });
        None
    }
}

impl Told {
    /// The longest time without an acknowledged order that touches what came after `moment`.
    pub fn longest_pause(&self, moment: Instant) -> Duration {
        let before = self.acknowledged.iter().filter(|at| **at <= moment).max();
        let times: Vec<Instant> = before
            .into_iter()
            .chain(self.acknowledged.iter().filter(|at| **at > moment))
            .copied()
            .collect();
        times
            .windows(2)
            .map(|pair| pair[1].saturating_duration_since(pair[0]))
            .max()
            .unwrap_or_default()
    }

    /// The failures by kind, for the test's summary.
    pub fn failures_by_kind(&self) -> String {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for failure in &self.failures {
            *kinds.entry(&failure.what).or_default() += 1;
        }
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(what, count)| format!("{count} x {what}"))
            .collect();
        kinds.join(", ")
    }

    /// Compares what each shopper was told with what the shop says now, asked as that shopper, and runs the audit.
    ///
    /// # Panics
    /// When an acknowledged order is not there once, with its total, or when there are orders that nobody asked for.
    pub async fn is_true(&self, stack: &Stack) {
        assert!(self.paid > 0, "nobody bought anything");
        for buyer in &self.buyers {
            let there = buyer.orders().await;
            for (id, total) in &buyer.paid {
                let found: Vec<&Value> = there.iter().filter(|order| order["id"] == id.as_str()).collect();
                assert_eq!(found.len(), 1, "order {id} was acknowledged: {found:?}");
                assert_eq!(
                    (&found[0]["state"], &found[0]["total"]),
                    (&Value::from("paid"), total)
                );
            }
            let paid = there.iter().filter(|order| order["state"] == "paid").count();
            let most = buyer.paid.len() + buyer.unknown;
            assert!(paid <= most, "{paid} orders are paid, {most} were asked for");
        }
        let audit = stack.api_output(&["audit", "--settled"]).await.expect("an audit");
        let text = String::from_utf8_lossy(&audit.stdout);
        assert!(audit.status.success(), "{text}");
    }
}

impl Buyer {
    /// All orders of this shopper, by the shop.
    async fn orders(&self) -> Vec<Value> {
        // The token has had its five minutes, perhaps.
        let mut shopper = self.shopper.clone();
        shopper.log_in().await.expect(201);
        let mut all = Vec::new();
        let mut path = "/orders?limit=100".to_owned();
        loop {
            let page = shopper.get(&path).await.expect(200);
            all.extend_from_slice(page.items());
            let Some(cursor) = page.body["next_cursor"].as_str() else {
                return all;
            };
            path = format!("/orders?limit=100&cursor={cursor}");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while it is held")
}
