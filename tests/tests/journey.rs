//! The buying journeys, from the front page to the order, through the proxy and over both replicas.

use reqwest::Method;
use serde_json::json;
use trestle_tests::{Shopper, first_product, shop, sql};

async fn audit_is_clean() {
    let audit = shop().await.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

#[tokio::test]
async fn a_returning_customer_browses_buys_and_looks_the_order_up() {
    let shop = shop().await;
    let newcomer = Shopper::customer(&shop.url()).await;
    let mut customer = Shopper {
        token: None,
        ..Shopper::visitor(&shop.url())
    };
    customer.email.clone_from(&newcomer.email);
    customer.log_in().await.expect(201);
    assert_eq!(
        customer.get("/customers/me").await.expect(200).body["email"],
        customer.email.as_str()
    );

    let page = customer.get("/products?in_stock=true&limit=10").await.expect(200);
    assert!(!page.items().is_empty());
    let product = first_product(shop, 5).await;
    let variant = &product["variants"][0];
    let id = variant["id"].as_u64().unwrap();
    let cart = customer.put_in_cart(id, 2).await.expect(200).body;

    let addresses = customer.get("/customers/me/addresses").await.expect(200);
    let body = json!({
        "items": [{"variant_id": id, "quantity": 2}],
        "address_id": addresses.items()[0]["id"],
        "payment_token": "tok_approve",
        "expected_total": cart["total"],
    });
    let request = customer
        .request(Method::POST, "/orders")
        .header("Idempotency-Key", "first-order")
        .json(&body);
    let order = customer.send(request).await.expect(201).body;
    assert_eq!(
        (&order["state"], &order["payment"]),
        (&json!("paid"), &json!("captured"))
    );
    assert_eq!(order["total"], cart["total"]);
    assert_eq!(order["items"][0]["title"], product["title"]);
    assert_eq!(order["address"]["city"], "London");
    // What was ordered is off the cart, on every replica, at once.
    for _ in 0..4 {
        assert_eq!(customer.get("/cart").await.expect(200).body["count"], 0);
    }
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    for _ in 0..4 {
        assert_eq!(customer.get(&path).await.expect(200).body["state"], "paid");
        assert_eq!(
            customer.get("/orders").await.expect(200).items()[0]["id"],
            order["id"]
        );
    }
    let cancelled = customer
        .post(&format!("{path}/cancel"), &json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&cancelled["state"], &cancelled["payment"]),
        (&json!("cancelled"), &json!("refunded"))
    );
    let ledger: i64 =
        sqlx::query_scalar("SELECT CAST(SUM(quantity) AS SIGNED) FROM stock_movements WHERE variant_id = ?")
            .bind(id)
            .fetch_one(&mut sql(shop).await)
            .await
            .unwrap();
    let on_hand: i32 = sqlx::query_scalar("SELECT on_hand FROM stock WHERE variant_id = ?")
        .bind(id)
        .fetch_one(&mut sql(shop).await)
        .await
        .unwrap();
    assert_eq!(ledger, i64::from(on_hand));
    audit_is_clean().await;
}

#[tokio::test]
async fn a_visitor_fills_a_cart_first_and_registers_at_checkout() {
    let shop = shop().await;
    let product = first_product(shop, 5).await;
    let id = product["variants"][0]["id"].as_u64().unwrap();
    let mut visitor = Shopper::visitor(&shop.url());
    visitor.put_in_cart(id, 1).await.expect(200);
    visitor.order(id, 1).await.refused(401, "unauthenticated");
    let registered = visitor.register().await.expect(201);
    assert_eq!(registered.body["cart"]["merged"], 1);
    visitor.add_address().await;
    let cart = visitor.get("/cart").await.expect(200).body;
    assert_eq!(cart["count"], 1);
    let order = visitor.order(id, 1).await.expect(201).body;
    assert_eq!(order["total"], cart["total"]);
    assert_eq!(visitor.get("/cart").await.expect(200).body["count"], 0);
    audit_is_clean().await;
}
