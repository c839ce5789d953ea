//! POST /orders/{id}/cancel: stock and money come back once; and what product pages say of a stock that runs out.

use serde_json::{Value, json};
use sqlx::Connection as _;
use trestle_tests::{Answer, Shopper, eventually, shop, sql, within};
use uuid::Uuid;

use crate::fixture::{PRICE, Stocked, audit_is_clean, calm, ended, gateway, id, on_hand, on_order};

async fn cancel(customer: &Shopper, order: &str) -> Answer {
    customer
        .post(&format!("/orders/{order}/cancel"), &json!({}))
        .await
}

#[tokio::test]
async fn a_cancelled_order_gives_back_stock_and_money_once() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(12).await;
    let order = customer.order(variant, 5).await.expect(201).body;
    let order = id(&order);
    assert_eq!(gateway(order).await, Some(("captured".into(), 5 * PRICE, 0)));
    let cancelled = cancel(&customer, order).await.expect(200).body;
    assert_eq!(
        (&cancelled["state"], &cancelled["payment"]),
        (&json!("cancelled"), &json!("refunded"))
    );
    // Cancelling again changes nothing and is no error: a retry is safe.
    assert_eq!(cancel(&customer, order).await.expect(200).body, cancelled);
    assert_eq!(on_hand(variant).await, 12);
    assert_eq!(
        gateway(order).await,
        Some(("refunded".into(), 5 * PRICE, 5 * PRICE))
    );
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn ten_cancels_at_once_give_back_once() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(12).await;
    let order = customer.order(variant, 5).await.expect(201).body;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (customer, order) = (customer.clone(), id(&order).to_owned());
            tokio::spawn(async move { cancel(&customer, &order).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().expect(200).body["state"], "cancelled");
    }
    assert_eq!(on_hand(variant).await, 12);
    assert_eq!(
        gateway(id(&order)).await,
        Some(("refunded".into(), 5 * PRICE, 5 * PRICE))
    );
}

#[tokio::test]
async fn only_a_paid_order_of_ones_own_can_be_cancelled() {
    let _calm = calm().await;
    let url = shop().await.url();
    let customer = Shopper::customer(&url).await;
    let other = Shopper::customer(&url).await;
    let (_, variant) = Stocked::one(20).await;
    let order = customer.order(variant, 1).await.expect(201).body;
    cancel(&Shopper::visitor(&url), id(&order))
        .await
        .refused(401, "unauthenticated");
    cancel(&other, id(&order)).await.refused(404, "not_found");
    cancel(&customer, &Uuid::now_v7().to_string())
        .await
        .refused(404, "not_found");
    cancel(&customer, "mine").await.refused(404, "not_found");

    let refused = async |order: &Value, state: &str| {
        let answer = cancel(&customer, id(order)).await;
        let detail = answer.refused(409, "illegal_transition").body["detail"].clone();
        assert_eq!(detail, format!("an order that is {state} cannot be cancelled"));
    };
    let declined = customer.send(customer.order_request(variant, 1, "failed", "tok_decline"));
    refused(&declined.await.expect(402).body["order"], "failed").await;
    // In one transaction: another test's audit may come between.
    let mut database = sql(shop().await).await;
    let mut shipping = database.begin().await.unwrap();
    for statement in [
        "UPDATE orders SET state = 'shipped' WHERE id = ?",
        "INSERT INTO order_shipments (order_id, shipped_at, carrier, tracking)
         VALUES (?, '2026-03-01 09:30:00', 'DHL', '00340434')",
    ] {
        let order = Uuid::try_parse(id(&order)).unwrap();
        sqlx::query(statement)
            .bind(order)
            .execute(&mut *shipping)
            .await
            .unwrap();
    }
    shipping.commit().await.unwrap();
    refused(&order, "shipped").await;
    let shipped = customer.get(&format!("/orders/{}", id(&order))).await.expect(200);
    assert_eq!(
        (
            &shipped.body["shipped_at"],
            &shipped.body["carrier"],
            &shipped.body["tracking"]
        ),
        (&json!("2026-03-01T09:30:00Z"), &json!("DHL"), &json!("00340434"))
    );
    assert_eq!(
        (&order["shipped_at"], &order["carrier"]),
        (&Value::Null, &Value::Null)
    );
    let timeout = customer.send(customer.order_request(variant, 1, "pending", "tok_timeout"));
    let pending = timeout.await.expect(202).body;
    refused(&pending, "pending").await;
    assert_eq!(ended(&customer, id(&pending)).await["state"], "failed");
    assert_eq!(on_hand(variant).await, 19);
}

#[tokio::test]
async fn a_refund_that_was_cut_off_is_made_by_recovery() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let order = customer.order(variant, 2).await.expect(201).body;
    let order = id(&order);
    cancel(&customer, order).await.expect(200);
    // As a replica leaves it that dies between the two transactions.
    for statement in [
        "UPDATE gateway_payments SET state = 'captured', refunded = 0 WHERE order_id = ?",
        "UPDATE orders SET settle_by = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6) WHERE id = ?",
    ] {
        on_order(statement, order).await;
    }
    let path = format!("/orders/{order}");
    assert_eq!(
        customer.get(&path).await.expect(200).body["payment"],
        "refund_pending"
    );
    eventually("the money comes back", async || {
        customer.get(&path).await.expect(200).body["payment"] == "refunded"
    })
    .await;
    assert_eq!(
        gateway(order).await,
        Some(("refunded".into(), 2 * PRICE, 2 * PRICE))
    );
    assert_eq!(on_hand(variant).await, 20, "recovery restocked again");
    audit_is_clean(shop).await;
}

/// What each replica's product page says: in stock, and how many are left if it says that.
async fn pages_say(product: u64, in_stock: bool, left: Option<i64>) {
    for replica in shop().await.replicas() {
        let visitor = Shopper::visitor(&format!("http://{}", replica.address));
        within(
            std::time::Duration::from_secs(2),
            "the page says so",
            async || {
                let page = visitor
                    .get(&format!("/products/{product}"))
                    .await
                    .expect(200)
                    .body;
                let variant = &page["variants"][0];
                let said = (
                    page["in_stock"].as_bool(),
                    variant["in_stock"].as_bool(),
                    variant["left"].as_i64(),
                );
                (said == (Some(in_stock), Some(in_stock), left)).then_some(())
            },
        )
        .await;
    }
}

#[tokio::test]
async fn product_pages_follow_the_last_ten_pieces_down_and_up() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (stocked, variant) = Stocked::one(12).await;
    let product = stocked.product;
    pages_say(product, true, None).await;
    customer.order(variant, 1).await.expect(201);
    pages_say(product, true, None).await;
    customer.order(variant, 1).await.expect(201);
    pages_say(product, true, Some(10)).await;
    let last = customer.order(variant, 10).await.expect(201).body;
    pages_say(product, false, Some(0)).await;
    customer.order(variant, 1).await.refused(409, "out_of_stock");
    cancel(&customer, id(&last)).await.expect(200);
    pages_say(product, true, Some(10)).await;
}
