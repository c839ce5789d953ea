//! Many buyers with one coupon: its limits hold, whoever retries, hangs up or fails to pay.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Barrier;
use trestle_tests::{Shopper, money, repetitions, shop};
use uuid::Uuid;

use crate::coupon::{coupon, order_with, used};
use crate::crowd::{customers, insist};
use crate::fixture::{Stocked, audit_is_clean, calm, ended, id, on_hand};

const BUYERS: usize = 64;
const USES: usize = 10;

/// Buys one piece with the coupon: the order, or None when there is no use left.
async fn buy(
    customer: Shopper,
    variant: u64,
    code: String,
    number: usize,
    start: Arc<Barrier>,
) -> Option<String> {
    let key = Uuid::new_v4().to_string();
    let request = || order_with(&customer, &[(variant, 1)], &code, &key, "tok_approve");
    let answer = insist(&customer, number, start, "coupon_used_up", request).await?;
    assert_eq!(answer.body["discount"], money(125));
    Some(id(&answer.body).to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_buyers_of_ten_uses_get_exactly_ten() {
    let _calm = calm().await;
    let shop = shop().await;
    let customers = customers(BUYERS).await;
    for _ in 0..repetitions() {
        let (_, variant) = Stocked::one(90).await;
        let code = coupon(json!({"percent": 10}), json!({"max_uses": USES})).await;
        let start = Arc::new(Barrier::new(BUYERS));
        let buyers = customers.iter().enumerate().map(|(number, customer)| {
            let start = Arc::clone(&start);
            tokio::spawn(buy(customer.clone(), variant, code.clone(), number, start))
        });
        let told = join_all(buyers).await;
        let told: Vec<String> = told.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(told.len(), USES);
        assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), USES);
        assert_eq!(used(&code).await, 10);
        assert_eq!(on_hand(variant).await, 80);
        audit_is_clean(shop).await;
    }
}

#[tokio::test]
async fn sixteen_orders_of_one_customer_at_once_get_the_uses_that_one_customer_has() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let replicas = shop.replicas();
    for _ in 0..repetitions() {
        let (_, variant) = Stocked::one(90).await;
        let code = coupon(json!({"percent": 10}), json!({"max_uses_per_customer": 2})).await;
        let orders = (0..16).map(async |number: usize| {
            let door = customer.at(&format!("http://{}", replicas[number % 2].address));
            let key = Uuid::new_v4().to_string();
            loop {
                let answer = door
                    .send(order_with(&door, &[(variant, 1)], &code, &key, "tok_approve"))
                    .await;
                match (answer.status, answer.code()) {
                    (201, _) => return 1,
                    (409, "coupon_used_up") => return 0,
                    (503, _) => assert!(!answer.header("retry-after").is_empty()),
                    _ => unreachable!("{}", answer.text),
                }
            }
        });
        let placed: i64 = join_all(orders).await.into_iter().sum();
        assert_eq!(placed, 2);
        assert_eq!(used(&code).await, 2);
        assert_eq!(on_hand(variant).await, 88);
    }
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn uses_that_come_and_go_at_once_are_counted_right() {
    let _calm = calm().await;
    let shop = shop().await;
    let customers = customers(24).await;
    let (_, variant) = Stocked::one(90).await;
    let code = coupon(json!({"percent": 10}), json!({"max_uses": 6})).await;
    let turns = customers.iter().enumerate().map(async |(number, customer)| {
        let mut lives = 0;
        for turn in 0..3 {
            let token = ["tok_approve", "tok_decline"][(number + turn) % 2];
            let key = format!("turn-{turn}");
            let answer = customer
                .send(order_with(customer, &[(variant, 1)], &code, &key, token))
                .await;
            match (answer.status, answer.code()) {
                (201, _) if turn == 0 => {
                    let path = format!("/orders/{}/cancel", id(&answer.body));
                    customer.post(&path, &json!({})).await.expect(200);
                }
                (201, _) => lives += 1,
                (202, _) => lives += i64::from(ended(customer, id(&answer.body)).await["state"] == "paid"),
                (402, "payment_declined") | (409, "coupon_used_up") => {}
                _ => unreachable!("{}", answer.text),
            }
        }
        lives
    });
    let lives: i64 = join_all(turns).await.into_iter().sum();
    assert!(lives <= 6, "{lives} uses of 6");
    assert_eq!(used(&code).await, lives);
    assert_eq!(i64::from(on_hand(variant).await), 90 - lives);
    audit_is_clean(shop).await;
}
