//! Many customers at once: at every door of the shop, some retrying, some hanging up, all until they hear an end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use tokio::sync::Barrier;
use trestle_tests::{Answer, Shopper, shop};

/// Customers through the proxy and at each replica's own door.
pub async fn customers(count: usize) -> Vec<Shopper> {
    let shop = shop().await;
    let replicas = shop.replicas();
    let mut customers = Vec::new();
    for number in 0..count {
        let customer = Shopper::customer(&shop.url()).await;
        customers.push(match number % 3 {
            0 => customer,
            n => customer.at(&format!("http://{}", replicas[n - 1].address)),
        });
    }
    customers
}

/// Orders with one Idempotency-Key until there is an end: 201, or a 409 with the code `sold_out`, which is None. Of four
/// customers one hangs up first and tries again, and one sends it twice at once.
pub async fn insist(
    customer: &Shopper,
    number: usize,
    start: Arc<Barrier>,
    sold_out: &str,
    request: impl Fn() -> RequestBuilder,
) -> Option<Answer> {
    start.wait().await;
    match number % 4 {
        1 => {
            let patience = Duration::from_millis(number as u64 % 16 * 4);
            request().timeout(patience).send().await.ok();
        }
        2 => {
            let _both = tokio::join!(request().send(), request().send());
        }
        _ => {}
    }
    let began = Instant::now();
    loop {
        let answer = customer.send(request()).await;
        match (answer.status, answer.code()) {
            (201, _) => return Some(answer),
            (409, code) if code == sold_out => return None,
            // Under way, or too many at once: both say so with Retry-After.
            (409 | 503, "order_in_progress" | "unavailable" | "overloaded") => {
                assert!(!answer.header("retry-after").is_empty());
            }
            _ => unreachable!("{}", answer.text),
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "no end: {}",
            answer.text
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
