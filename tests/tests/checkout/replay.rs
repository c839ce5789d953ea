//! The same Idempotency-Key: the same request hears the same answer, on every replica and for ever; another is refused.

use reqwest::Method;
use serde_json::json;
use trestle_tests::{Answer, Shopper, shop, within};

use crate::fixture::{Stocked, calm, id, on_hand, on_order};

async fn send(customer: &Shopper, variant: u64, quantity: i32, key: &str, token: &str) -> Answer {
    customer
        .send(customer.order_request(variant, quantity, key, token))
        .await
}

#[tokio::test]
async fn a_retry_hears_the_stored_answer_on_every_replica() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let first = send(&customer, variant, 2, "again", "tok_approve")
        .await
        .expect(201);
    for replica in shop.replicas() {
        let there = customer.at(&format!("http://{}", replica.address));
        let again = send(&there, variant, 2, "again", "tok_approve").await.expect(201);
        assert_eq!(again.text, first.text);
    }
    assert_eq!(on_hand(variant).await, 18, "a retry bought again");
    // The same request, written in another way.
    let spaced = format!(
        "{{\n \"payment_token\": \"tok_approve\", \"coupon\": null, \"address_id\": {},\n \"items\": [ {{\"quantity\": 2, \"variant_id\": {variant}}} ] }}",
        json!(customer.address_id)
    );
    let spaced = customer
        .request(Method::POST, "/orders")
        .header("Idempotency-Key", "again")
        .header("Content-Type", "application/json")
        .body(spaced);
    assert_eq!(customer.send(spaced).await.expect(201).text, first.text);
}

#[tokio::test]
async fn a_key_belongs_to_one_request_and_one_customer() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let other = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let mine = send(&customer, variant, 1, "mine", "tok_approve")
        .await
        .expect(201)
        .body;
    send(&customer, variant, 2, "mine", "tok_approve")
        .await
        .refused(422, "idempotency_key_reused");
    let theirs = send(&other, variant, 1, "mine", "tok_approve")
        .await
        .expect(201)
        .body;
    assert_ne!(mine["id"], theirs["id"]);
    // Keys differ by case.
    let upper = send(&customer, variant, 1, "MINE", "tok_approve")
        .await
        .expect(201)
        .body;
    assert_ne!(mine["id"], upper["id"]);
    assert_eq!(on_hand(variant).await, 17);
}

#[tokio::test]
async fn a_declined_payment_gives_the_stock_back_and_stays_declined() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let first = send(&customer, variant, 3, "no", "tok_decline").await;
    let first = first.refused(402, "payment_declined");
    assert_eq!(first.body["order"]["state"], "failed");
    assert_eq!(first.body["order"]["payment"], "none");
    assert_eq!(on_hand(variant).await, 20);
    let again = send(&customer, variant, 3, "no", "tok_decline").await;
    let again = again.refused(402, "payment_declined");
    assert_eq!(again.body["order"], first.body["order"]);
}

#[tokio::test]
async fn a_retry_is_answered_from_the_order_once_the_stored_answer_is_purged() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let purge = "DELETE FROM order_responses WHERE order_id = ?";
    let order = send(&customer, variant, 1, "old", "tok_approve")
        .await
        .expect(201)
        .body;
    on_order(purge, id(&order)).await;
    let again = send(&customer, variant, 1, "old", "tok_approve")
        .await
        .expect(201)
        .body;
    assert_eq!(again, order);
    send(&customer, variant, 2, "old", "tok_approve")
        .await
        .refused(422, "idempotency_key_reused");
    customer
        .post(&format!("/orders/{}/cancel", id(&order)), &json!({}))
        .await
        .expect(200);
    let again = send(&customer, variant, 1, "old", "tok_approve")
        .await
        .expect(201)
        .body;
    assert_eq!(
        (&again["id"], &again["state"]),
        (&order["id"], &json!("cancelled"))
    );

    let declined = send(&customer, variant, 1, "bad", "tok_decline")
        .await
        .expect(402)
        .body;
    on_order(purge, id(&declined["order"])).await;
    let again = send(&customer, variant, 1, "bad", "tok_decline").await;
    assert_eq!(
        again.refused(402, "payment_declined").body["order"],
        declined["order"]
    );
}

#[tokio::test]
async fn a_retry_hears_its_order_though_it_could_not_be_placed_now() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(1).await;
    let first = send(&customer, variant, 1, "last", "tok_approve")
        .await
        .expect(201);
    let address = customer.address_id.as_deref().unwrap();
    customer
        .delete(&format!("/customers/me/addresses/{address}"))
        .await
        .expect(204);
    let again = send(&customer, variant, 1, "last", "tok_approve")
        .await
        .expect(201);
    assert_eq!(again.text, first.text);
}

#[tokio::test]
async fn a_retry_while_the_payment_is_under_way_is_told_to_wait() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let slow = tokio::spawn({
        let customer = customer.clone();
        async move { send(&customer, variant, 1, "slow", "tok_slow").await }
    });
    within(
        std::time::Duration::from_secs(5),
        "the order is placed",
        async || (on_hand(variant).await == 19).then_some(()),
    )
    .await;
    let early = send(&customer, variant, 1, "slow", "tok_slow").await;
    assert_eq!(early.refused(409, "order_in_progress").header("retry-after"), "1");
    let first = slow.await.unwrap().expect(201);
    let late = send(&customer, variant, 1, "slow", "tok_slow").await.expect(201);
    assert_eq!(late.text, first.text);
}

#[tokio::test]
async fn a_paid_order_takes_what_was_bought_off_the_cart() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let stocked = Stocked::new(&[20, 20]).await;
    let [first, second] = stocked.variants[..] else {
        unreachable!()
    };
    customer.put_in_cart(first, 3).await.expect(200);
    customer.put_in_cart(second, 1).await.expect(200);
    send(&customer, first, 1, "declined", "tok_decline")
        .await
        .expect(402);
    let order = send(&customer, first, 2, "paid", "tok_approve").await.expect(201);
    assert!(order.header("set-cookie").starts_with("trestle_cart="));
    let lines = |answer: &Answer| -> Vec<(u64, i64)> {
        let mut lines: Vec<_> = answer
            .items()
            .iter()
            .map(|line| {
                (
                    line["variant_id"].as_u64().unwrap(),
                    line["quantity"].as_i64().unwrap(),
                )
            })
            .collect();
        lines.sort_unstable();
        lines
    };
    for _ in 0..4 {
        let cart = customer.get("/cart").await.expect(200);
        assert_eq!(lines(&cart), [(first, 1), (second, 1)]);
    }
}
