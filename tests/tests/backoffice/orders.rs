//! Orders in the hands of the shop's people: found, shipped, cancelled.

use serde_json::json;
use trestle_tests::{Shopper, shop};
use uuid::Uuid;

use crate::fixture::{Made, admin, audit_is_clean, id, ids_of, logged, on_hand, placed_at};

#[tokio::test]
async fn an_order_is_found_shipped_and_its_customer_sees_it() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(9, 1000)]).await;
    let customer = Shopper::customer(&shop.url()).await;
    let order = customer.order(made.variants[0], 2).await.expect(201).body;
    let order = id(&order);
    let path = format!("/admin/orders/{order}");
    let found = admin.get(&path).await.expect(200).body;
    assert_eq!(
        (&found["state"], &found["customer_email"]),
        (&json!("paid"), &json!(customer.email))
    );
    assert_eq!(found["address"]["city"], "London");

    let parcel = json!({"carrier": "Royal Mail", "tracking": "RM123"});
    let shipped = admin
        .post(&format!("{path}/ship"), &parcel)
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&shipped["state"], &shipped["carrier"], &shipped["tracking"]),
        (&json!("shipped"), &json!("Royal Mail"), &json!("RM123"))
    );
    let other = json!({"carrier": "Another"});
    let again = admin.post(&format!("{path}/ship"), &other).await.expect(200).body;
    assert_eq!(again, shipped, "a retry changes nothing");
    let seen = customer.get(&format!("/orders/{order}")).await.expect(200).body;
    assert_eq!(
        (&seen["state"], &seen["tracking"]),
        (&json!("shipped"), &json!("RM123"))
    );
    let reason = json!({"reason": "too late"});
    admin
        .post(&format!("{path}/cancel"), &reason)
        .await
        .refused(409, "illegal_transition");
    customer
        .post(&format!("/orders/{order}/cancel"), &json!({}))
        .await
        .refused(409, "illegal_transition");
    assert_eq!(logged(&admin, "order", order).await, ["order.ship"]);
    audit_is_clean().await;
}

#[tokio::test]
async fn a_cancelled_order_gives_back_stock_and_money_once_and_ships_no_more() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(9, 1000)]).await;
    let customer = Shopper::customer(&shop.url()).await;
    let order = customer.order(made.variants[0], 4).await.expect(201).body;
    let order = id(&order);
    let path = format!("/admin/orders/{order}");
    let unsaid = admin
        .post(&format!("{path}/cancel"), &json!({"reason": ""}))
        .await;
    assert_eq!(unsaid.refused(422, "validation_failed").fields(), ["reason"]);
    let cancels: Vec<_> = (0..8)
        .map(|_| {
            let (admin, path) = (admin.clone(), format!("{path}/cancel"));
            tokio::spawn(async move { admin.post(&path, &json!({"reason": "asked for"})).await })
        })
        .collect();
    for cancel in cancels {
        assert_eq!(cancel.await.unwrap().expect(200).body["state"], "cancelled");
    }
    let seen = customer.get(&format!("/orders/{order}")).await.expect(200).body;
    assert_eq!(seen["state"], "cancelled");
    assert_eq!(on_hand(&admin, made.variants[0]).await, 9);
    admin
        .post(&format!("{path}/ship"), &json!({}))
        .await
        .refused(409, "illegal_transition");
    assert_eq!(logged(&admin, "order", order).await, ["order.cancel"]);
    let nobodys = Uuid::now_v7();
    for path in [
        format!("/admin/orders/{nobodys}/ship"),
        "/admin/orders/7/ship".into(),
    ] {
        admin.post(&path, &json!({})).await.refused(404, "not_found");
    }
    let declined = customer.order_request(made.variants[0], 1, "declined", "tok_decline");
    let failed = customer.send(declined).await.expect(402).body;
    let path = format!("/admin/orders/{}/ship", id(&failed["order"]));
    admin
        .post(&path, &json!({}))
        .await
        .refused(409, "illegal_transition");
    audit_is_clean().await;
}

#[tokio::test]
async fn orders_are_searched_by_state_customer_id_and_time() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(20, 1000)]).await;
    let customer = Shopper::customer(&shop.url()).await;
    let mut orders = Vec::new();
    for number in 1..=5 {
        let order = customer.order(made.variants[0], 1).await.expect(201).body;
        // The second and third at the same moment.
        let minute = [0, 10, 20, 20, 40, 50][number];
        placed_at(id(&order), &format!("2002-05-06 07:{minute}:00.5")).await;
        orders.insert(0, order["id"].to_string());
    }
    let second = Uuid::try_parse(orders[2].trim_matches('"')).unwrap();
    assert!(
        second > Uuid::try_parse(orders[3].trim_matches('"')).unwrap(),
        "newest first"
    );
    let list = |query: &str| {
        let path = format!("/admin/orders?email={}&{query}", customer.email);
        let admin = admin.clone();
        async move { ids_of(&admin, &path).await }
    };
    assert_eq!(list("").await, orders);
    assert_eq!(
        list("from=2002-05-06T07:20:00.5Z&until=2002-05-06T07:50:00Z").await,
        orders[1..4]
    );
    assert_eq!(list("from=2002-05-06T09:40:00%2B02:00").await, orders[..2]);
    let path = format!("/admin/orders/{}/ship", orders[1].trim_matches('"'));
    admin.post(&path, &json!({})).await.expect(200);
    assert_eq!(list("state=shipped").await, orders[1..2]);
    assert_eq!(list("state=paid").await.len(), 4);
    assert_eq!(list("state=pending").await.len(), 0);
    assert_eq!(
        list(&format!("id={}", orders[4].trim_matches('"'))).await,
        orders[4..]
    );
    let all = "/admin/orders?from=2002-05-06T00:00:00Z&until=2002-05-07T00:00:00Z";
    assert_eq!(ids_of(&admin, all).await, orders);
    let page = admin.get(&format!("{all}&limit=1")).await.expect(200);
    let cursor = page.body["next_cursor"].as_str().unwrap();
    for bad in [
        format!("/admin/orders?cursor={cursor}"),
        "/admin/orders?state=lost".into(),
        "/admin/orders?from=yesterday".into(),
        "/admin/orders?id=7".into(),
        "/admin/orders?limit=101".into(),
    ] {
        admin.get(&bad).await.refused(400, "invalid_request");
    }
}
