//! Many buyers of one variant: exactly what is there is sold, whoever retries, hangs up or freezes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::{Connection as _, Executor as _};
use tokio::sync::Barrier;
use trestle_tests::{Shopper, eventually, repetitions, shop, sql};
use uuid::Uuid;

use crate::crowd::{customers, insist};
use crate::fixture::{PRICE, Stocked, alone, audit_is_clean, calm, id, on_hand};

const BUYERS: usize = 64;
const STOCK: i32 = 20;

/// What a buyer was told in the end: the order, or that there is none left.
type End = Option<String>;

/// Buys one piece.
async fn buy(customer: Shopper, variant: u64, number: usize, start: Arc<Barrier>) -> End {
    let key = Uuid::new_v4().to_string();
    let request = || customer.order_request(variant, 1, &key, "tok_approve");
    let answer = insist(&customer, number, start, "out_of_stock", request).await?;
    Some(id(&answer.body).to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_buyers_of_twenty_pieces_get_exactly_twenty() {
    let _calm = calm().await;
    let shop = shop().await;
    let customers = customers(BUYERS).await;
    for _ in 0..repetitions() {
        let (_, variant) = Stocked::one(STOCK).await;
        let start = Arc::new(Barrier::new(BUYERS));
        let buyers = customers.iter().enumerate().map(|(number, customer)| {
            tokio::spawn(buy(customer.clone(), variant, number, Arc::clone(&start)))
        });
        let told: Vec<End> = join_all(buyers).await.into_iter().map(Result::unwrap).collect();
        let acknowledged: BTreeSet<&String> = told.iter().flatten().collect();
        assert_eq!(acknowledged.len(), 20, "each buyer's order is one of its own");
        assert_eq!(told.iter().flatten().count(), 20);
        assert_eq!(on_hand(variant).await, 0);
        let paid: Vec<Uuid> = sqlx::query_scalar(
            "SELECT orders.id FROM orders JOIN order_lines ON order_lines.order_id = orders.id
             WHERE variant_id = ? AND state = 'paid' AND orders.total = ? AND order_lines.quantity = 1",
        )
        .bind(variant)
        .bind(PRICE)
        .fetch_all(&mut sql(shop).await)
        .await
        .unwrap();
        let paid: BTreeSet<String> = paid.iter().map(Uuid::to_string).collect();
        assert_eq!(paid.iter().collect::<BTreeSet<_>>(), acknowledged);
        audit_is_clean(shop).await;
    }
}

#[tokio::test]
async fn baskets_of_the_same_variants_in_any_order_do_not_block_each_other() {
    let _calm = calm().await;
    let shop = shop().await;
    let stocked = Stocked::new(&[40, 40, 40]).await;
    let [a, b, c] = stocked.variants[..] else {
        unreachable!()
    };
    let customer = Shopper::customer(&shop.url()).await;
    let orders = (0..30).map(|number| {
        let (customer, mut variants) = (customer.clone(), vec![a, b, c]);
        variants.rotate_left(number % 3);
        if number % 2 == 0 {
            variants.reverse();
        }
        async move {
            let items: Vec<_> = variants
                .iter()
                .map(|variant| serde_json::json!({"variant_id": variant, "quantity": 1}))
                .collect();
            let body = serde_json::json!({
                "items": items, "address_id": customer.address_id, "payment_token": "tok_approve"
            });
            let request = customer.request(reqwest::Method::POST, "/orders");
            let request = request
                .header("Idempotency-Key", format!("basket-{number}"))
                .json(&body);
            customer.send(request).await.expect(201)
        }
    });
    join_all(orders).await;
    for variant in [a, b, c] {
        assert_eq!(on_hand(variant).await, 10);
    }
    audit_is_clean(shop).await;
}

/// The replica is frozen between its stock update and COMMIT: the test holds the row that Place wants after the stock's.
#[tokio::test]
async fn a_frozen_replica_keeps_a_variant_from_others_for_fifteen_seconds_at_most() {
    let _alone = alone().await;
    let shop = shop().await;
    let (stocked, variant) = Stocked::one(5).await;
    let customer = Shopper::customer(&shop.url()).await;
    let replicas = shop.replicas();
    let [frozen, other] = &replicas[..] else {
        unreachable!()
    };

    let mut holder = sql(shop).await;
    holder.execute("START TRANSACTION").await.unwrap();
    sqlx::query("SELECT version FROM product_state WHERE product_id = ? FOR UPDATE")
        .bind(stocked.product)
        .execute(&mut holder)
        .await
        .unwrap();
    let there = customer.at(&format!("http://{}", frozen.address));
    let first = tokio::spawn(there.order_request(variant, 2, "frozen", "tok_approve").send());
    // The stock's row is taken once nobody else can lock it.
    let mut probe = sql(shop).await;
    eventually("the stock is taken and not committed", async || {
        probe.execute("START TRANSACTION").await.unwrap();
        let free = sqlx::query("SELECT on_hand FROM stock WHERE variant_id = ? FOR UPDATE SKIP LOCKED")
            .bind(variant)
            .fetch_optional(&mut probe)
            .await
            .unwrap();
        probe.execute("ROLLBACK").await.unwrap();
        free.is_none()
    })
    .await;
    shop.pause(&frozen.name).unwrap();
    holder.execute("ROLLBACK").await.unwrap();
    holder.close().await.unwrap();

    let began = Instant::now();
    let buyer = Shopper::customer(&format!("http://{}", other.address)).await;
    let sold = loop {
        let answer = buyer
            .send(buyer.order_request(variant, 1, "sold", "tok_approve"))
            .await;
        match answer.status {
            201 => break began.elapsed(),
            503 => assert!(began.elapsed() < Duration::from_secs(20), "{}", answer.text),
            _ => unreachable!("{}", answer.text),
        }
    };
    shop.resume(&frozen.name).unwrap();
    eprintln!("sold {sold:?} after the freeze");
    assert!(sold < Duration::from_secs(15), "{sold:?}");
    // The thawed replica's order was never placed, and it says so or is tried again; nothing is half there.
    drop(first.await.unwrap());
    eventually("the first order is placed or refused whole", async || {
        let answer = customer
            .send(customer.order_request(variant, 2, "frozen", "tok_approve"))
            .await;
        answer.status == 201
    })
    .await;
    assert_eq!(on_hand(variant).await, 2);
    audit_is_clean(shop).await;
}
