//! GET /orders and GET /orders/{id}: one's own, newest first, with no gaps or repeats while orders are placed.

use trestle_tests::{Shopper, shop};
use uuid::Uuid;

use crate::fixture::{PRICE, Stocked, calm, id};

#[tokio::test]
async fn pages_have_no_gaps_and_no_repeats_while_orders_are_placed() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(90).await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        let order = customer.order(variant, 1).await.expect(201).body;
        placed.insert(0, id(&order).to_owned());
    }
    for limit in [1, 3, 7, 100] {
        let mut seen = Vec::new();
        let mut path = format!("/orders?limit={limit}");
        for _ in 0..20 {
            let page = customer.get(&path).await.expect(200);
            seen.extend(page.items().iter().map(|order| id(order).to_owned()));
            let Some(cursor) = page.body["next_cursor"].as_str() else {
                break;
            };
            path = format!("/orders?limit={limit}&cursor={cursor}");
            customer.order(variant, 1).await.expect(201);
        }
        assert!(seen.ends_with(&placed), "limit {limit}: {seen:?}");
        let mut unique = seen.clone();
        unique.dedup();
        assert_eq!(unique, seen);
        placed = {
            let page = customer.get("/orders?limit=100").await.expect(200);
            page.items().iter().map(|order| id(order).to_owned()).collect()
        };
    }
}

#[tokio::test]
async fn an_order_is_its_customers_alone() {
    let _calm = calm().await;
    let url = shop().await.url();
    let customer = Shopper::customer(&url).await;
    let other = Shopper::customer(&url).await;
    let (stocked, variant) = Stocked::one(20).await;
    let order = customer.order(variant, 2).await.expect(201).body;
    assert_eq!(order["total"]["amount"], 2 * PRICE);
    assert_eq!(order["items"][0]["product_id"], stocked.product);
    assert_eq!(order["items"][0]["options"][0], "Size 1");
    assert_eq!(order["address"]["postal_code"], "SW1Y 4JH");
    let path = format!("/orders/{}", id(&order));
    let found = customer.get(&path).await.expect(200);
    assert_eq!(found.body, order);
    assert_eq!(found.header("cache-control"), "private, no-store");
    other.get(&path).await.refused(404, "not_found");
    assert!(other.get("/orders").await.expect(200).items().is_empty());
    Shopper::visitor(&url)
        .get(&path)
        .await
        .refused(401, "unauthenticated");
    Shopper::visitor(&url)
        .get("/orders")
        .await
        .refused(401, "unauthenticated");
    for missing in [Uuid::now_v7().to_string(), "1".into()] {
        customer
            .get(&format!("/orders/{missing}"))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_bad_page_is_refused_by_its_parameter() {
    let _calm = calm().await;
    let url = shop().await.url();
    let customer = Shopper::customer(&url).await;
    let other = Shopper::customer(&url).await;
    let (_, variant) = Stocked::one(20).await;
    for _ in 0..2 {
        customer.order(variant, 1).await.expect(201);
    }
    let page = customer.get("/orders?limit=1").await.expect(200);
    let cursor = page.body["next_cursor"].as_str().unwrap();
    for (query, field) in [
        ("limit=0".to_owned(), "limit"),
        ("limit=101".to_owned(), "limit"),
        ("limit=many".to_owned(), "limit"),
        ("cursor=spoilt".to_owned(), "cursor"),
        ("state=paid".to_owned(), "state"),
    ] {
        let answer = customer
            .get(&format!("/orders?{query}"))
            .await
            .refused(400, "invalid_request");
        assert_eq!(answer.fields(), [field], "{query}");
    }
    let answer = other.get(&format!("/orders?limit=1&cursor={cursor}")).await;
    assert_eq!(answer.refused(400, "invalid_request").fields(), ["cursor"]);
}
