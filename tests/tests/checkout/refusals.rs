//! Every error of POST /orders, each with its code and the field at fault; and that a refusal leaves nothing behind.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use trestle_tests::{Shopper, shop, sql};
use uuid::Uuid;

use crate::fixture::{PRICE, Stocked, calm, on_hand};

fn post(customer: &Shopper, key: &str, body: &Value) -> RequestBuilder {
    customer
        .request(Method::POST, "/orders")
        .header("Idempotency-Key", key)
        .json(body)
}

fn new_key() -> String {
    Uuid::new_v4().to_string()
}

fn body(customer: &Shopper, items: Value) -> Value {
    json!({"items": items, "address_id": customer.address_id, "payment_token": "tok_approve"})
}

#[tokio::test]
async fn a_visitor_cannot_order() {
    let _calm = calm().await;
    let visitor = Shopper::visitor(&shop().await.url());
    let answer = visitor
        .send(post(&visitor, "k", &body(&visitor, json!([]))))
        .await;
    answer.refused(401, "unauthenticated");
}

#[tokio::test]
async fn the_idempotency_key_is_required_and_bounded() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let order = body(&customer, json!([{"variant_id": variant, "quantity": 1}]));
    let none = customer.request(Method::POST, "/orders").json(&order);
    let answer = customer.send(none).await.refused(400, "idempotency_key_missing");
    assert_eq!(answer.fields(), ["Idempotency-Key"]);
    for bad in ["", "two words", &"x".repeat(256)] {
        let answer = customer.send(post(&customer, bad, &order)).await;
        let answer = answer.refused(400, "invalid_request");
        assert_eq!(answer.fields(), ["Idempotency-Key"], "{bad:?}");
    }
    let longest = "x".repeat(255);
    customer.send(post(&customer, &longest, &order)).await.expect(201);
}

#[tokio::test]
async fn a_body_that_is_no_order_is_refused() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let raw = |media: &'static str, text: String| {
        customer
            .request(Method::POST, "/orders")
            .header("Idempotency-Key", "raw")
            .header("Content-Type", media)
            .body(text)
    };
    let send = async |media, text: &str| customer.send(raw(media, text.to_owned())).await;
    send("text/plain", "{}")
        .await
        .refused(415, "unsupported_media_type");
    send("application/json", "{")
        .await
        .refused(400, "invalid_request");
    send("application/json", "{}")
        .await
        .refused(422, "validation_failed");
    let large = format!("{{\"items\": [{}]}}", " ".repeat(70_000));
    assert_eq!(send("application/json", &large).await.status, 413);
    let delete = customer.request(Method::DELETE, "/orders");
    customer.send(delete).await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn each_field_at_fault_is_named() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let other = Shopper::customer(&shop().await.url()).await;
    let stocked = Stocked::new(&[20, 20]).await;
    let [first, second] = stocked.variants[..] else {
        unreachable!()
    };
    let good = json!({"variant_id": first, "quantity": 1});
    let many: Vec<Value> = (1..=51)
        .map(|n| json!({"variant_id": n, "quantity": 1}))
        .collect();
    let with = |name: &str, value: Value| {
        let mut body = body(&customer, json!([good]));
        body[name] = value;
        body
    };
    let cases = [
        (with("items", json!([])), "items"),
        (with("items", json!(many)), "items"),
        (
            with("items", json!([good, {"variant_id": second, "quantity": 0}])),
            "items[1].quantity",
        ),
        (
            with("items", json!([{"variant_id": first, "quantity": 100}])),
            "items[0].quantity",
        ),
        (
            with("items", json!([good, {"variant_id": first, "quantity": 2}])),
            "items[1].variant_id",
        ),
        (
            with("items", json!([{"variant_id": 0, "quantity": 1}])),
            "items[0].variant_id",
        ),
        (
            with("items", json!([good, {"variant_id": i64::MAX, "quantity": 1}])),
            "items[1].variant_id",
        ),
        (
            with("items", json!([{"variant_id": first, "quantity": 1, "price": 1}])),
            "items[0].price",
        ),
        (with("address_id", json!("home")), "address_id"),
        (with("address_id", json!(Uuid::now_v7())), "address_id"),
        (with("address_id", json!(other.address_id)), "address_id"),
        (with("payment_token", json!("tok_gold")), "payment_token"),
        (with("coupon", json!("HALF-OFF")), "coupon"),
        (with("customer_id", json!(Uuid::now_v7())), "customer_id"),
        (with("total", json!(1)), "total"),
    ];
    for (body, field) in cases {
        let answer = customer.send(post(&customer, &new_key(), &body)).await;
        let answer = answer.refused(422, "validation_failed");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    assert_eq!(on_hand(first).await, 20, "a refused order took stock");
}

#[tokio::test]
async fn what_is_not_published_cannot_be_bought() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (stocked, variant) = Stocked::one(20).await;
    sqlx::query("UPDATE products SET published = 0 WHERE id = ?")
        .bind(stocked.product)
        .execute(&mut sql(shop().await).await)
        .await
        .unwrap();
    let answer = customer.order(variant, 1).await.refused(422, "validation_failed");
    assert_eq!(answer.fields(), ["items[0].variant_id"]);
}

#[tokio::test]
async fn another_total_than_expected_is_told_and_nothing_is_sold() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let mut order = body(&customer, json!([{"variant_id": variant, "quantity": 2}]));
    order["expected_total"] = json!({"amount": 1, "currency": "USD"});
    let key = new_key();
    let answer = customer
        .send(post(&customer, &key, &order))
        .await
        .refused(409, "price_changed");
    assert_eq!(
        answer.body["total"],
        json!({"amount": 2 * PRICE, "currency": "USD"})
    );
    assert_eq!(on_hand(variant).await, 20);
    // The refusal left no row: the key is free, even for another body.
    order["expected_total"] = answer.body["total"].clone();
    let order = customer
        .send(post(&customer, &key, &order))
        .await
        .expect(201)
        .body;
    assert_eq!(order["total"]["amount"], 2 * PRICE);
}

#[tokio::test]
async fn every_short_variant_is_named_with_what_is_left() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let stocked = Stocked::new(&[20, 3, 0]).await;
    let [plenty, few, none] = stocked.variants[..] else {
        unreachable!()
    };
    let items = json!([
        {"variant_id": none, "quantity": 1},
        {"variant_id": few, "quantity": 4},
        {"variant_id": plenty, "quantity": 5},
    ]);
    let key = new_key();
    let answer = customer
        .send(post(&customer, &key, &body(&customer, items)))
        .await;
    let answer = answer.refused(409, "out_of_stock");
    assert_eq!(
        answer.body["items"],
        json!([
            {"variant_id": few, "requested": 4, "left": 3},
            {"variant_id": none, "requested": 1, "left": 0},
        ])
    );
    for (variant, left) in [(plenty, 20), (few, 3), (none, 0)] {
        assert_eq!(on_hand(variant).await, left, "a refused order took stock");
    }
    assert!(customer.get("/orders").await.expect(200).items().is_empty());
    let items = json!([{"variant_id": few, "quantity": 3}]);
    customer
        .send(post(&customer, &key, &body(&customer, items)))
        .await
        .expect(201);
}
