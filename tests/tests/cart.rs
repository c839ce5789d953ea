//! The cart: a visitor's and a customer's, merged at login, and every error of its routes.

use reqwest::Method;
use serde_json::{Value, json};
use trestle_tests::{Shopper, eventually, first_product, shop, sql};

async fn variants(count: i64) -> Vec<u64> {
    let shop = shop().await;
    sqlx::query_scalar(
        "SELECT variants.id FROM variants JOIN products ON products.id = variants.product_id
         WHERE products.published = 1 ORDER BY variants.id LIMIT ?",
    )
    .bind(count)
    .fetch_all(&mut sql(shop).await)
    .await
    .unwrap()
}

async fn visitor() -> Shopper {
    Shopper::visitor(&shop().await.url())
}

fn quantities(cart: &Value) -> Vec<(u64, i64)> {
    let items = cart["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            (
                item["variant_id"].as_u64().unwrap(),
                item["quantity"].as_i64().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_visitor_fills_a_cart_and_finds_it_on_every_replica() {
    let shop = shop().await;
    let product = first_product(shop, 20).await;
    let variant = &product["variants"][0];
    let id = variant["id"].as_u64().unwrap();
    let visitor = visitor().await;
    let empty = visitor.get("/cart").await.expect(200);
    assert_eq!(empty.body["items"], json!([]));
    assert!(empty.header("set-cookie").is_empty(), "looking makes no cart");

    let cart = visitor.put_in_cart(id, 3).await.expect(200);
    assert!(cart.header("set-cookie").contains("HttpOnly"));
    let price = variant["price"]["amount"].as_i64().unwrap();
    let item = &cart.body["items"][0];
    assert_eq!(
        (&item["title"], &item["price"]),
        (&product["title"], &variant["price"])
    );
    assert_eq!(item["total"]["amount"], price * 3);
    assert_eq!(
        (&cart.body["total"]["amount"], &cart.body["count"]),
        (&json!(price * 3), &json!(3))
    );
    assert_eq!(item["available"], true);
    for _ in 0..6 {
        assert_eq!(visitor.get("/cart").await.expect(200).body, cart.body);
    }
    // The same again is the same cart.
    assert_eq!(
        quantities(&visitor.put_in_cart(id, 3).await.expect(200).body),
        [(id, 3)]
    );
    assert_eq!(
        quantities(&visitor.put_in_cart(id, 1).await.expect(200).body),
        [(id, 1)]
    );
    assert_eq!(
        quantities(
            &visitor
                .delete(&format!("/cart/items/{id}"))
                .await
                .expect(200)
                .body
        ),
        []
    );
    visitor.put_in_cart(id, 2).await.expect(200);
    assert_eq!(quantities(&visitor.delete("/cart").await.expect(200).body), []);
    assert_eq!(visitor.get("/cart").await.expect(200).body["count"], 0);
}

#[tokio::test]
async fn a_shopper_sees_each_acknowledged_change_at_once_on_every_replica() {
    let shop = shop().await;
    let ids = variants(4).await;
    let customer = Shopper::customer(&shop.url()).await;
    let doors: Vec<_> = shop
        .replicas()
        .iter()
        .map(|it| customer.at(&format!("http://{}", it.address)))
        .collect();
    for round in 0..40_usize {
        let id = ids[round % ids.len()];
        let quantity = i32::try_from(round % 99 + 1).unwrap();
        let written = doors[round % 2].put_in_cart(id, quantity).await.expect(200);
        let read = doors[(round + 1) % 2].get("/cart").await.expect(200);
        assert_eq!(read.body, written.body, "round {round}");
    }
}

#[tokio::test]
async fn a_cart_holds_fifty_lines_and_ninety_nine_pieces_a_line() {
    let ids = variants(51).await;
    let visitor = visitor().await;
    for id in &ids[..50] {
        visitor.put_in_cart(*id, 99).await.expect(200);
    }
    visitor.put_in_cart(ids[50], 1).await.refused(422, "cart_full");
    assert_eq!(visitor.get("/cart").await.expect(200).items().len(), 50);
    // A line that is there can still be changed.
    visitor.put_in_cart(ids[0], 1).await.expect(200);
}

#[tokio::test]
async fn a_visitors_cart_joins_the_customers_at_login_and_only_once() {
    let shop = shop().await;
    let ids = variants(3).await;
    let mut customer = Shopper::customer(&shop.url()).await;
    customer.put_in_cart(ids[0], 60).await.expect(200);
    customer.put_in_cart(ids[1], 1).await.expect(200);

    // The same person at another browser, not logged in.
    let mut browser = visitor().await;
    browser.email.clone_from(&customer.email);
    browser.put_in_cart(ids[0], 60).await.expect(200);
    browser.put_in_cart(ids[2], 5).await.expect(200);
    let login = browser.log_in().await.expect(201);
    assert_eq!(login.body["cart"]["merged"], 2);
    assert_eq!(
        login.body["cart"]["capped"],
        json!([{"variant_id": ids[0], "requested": 120, "quantity": 99}])
    );
    let expected = vec![(ids[0], 99), (ids[1], 1), (ids[2], 5)];
    let mut merged = quantities(&browser.get("/cart").await.expect(200).body);
    merged.sort_unstable();
    assert_eq!(merged, expected);
    // The first browser sees it too, and a second login merges nothing.
    let mut first = quantities(&customer.get("/cart").await.expect(200).body);
    first.sort_unstable();
    assert_eq!(first, expected);
    let again = customer.log_in().await.expect(201);
    assert_eq!(again.body["cart"]["merged"], 0);
    assert_eq!(quantities(&customer.get("/cart").await.body).len(), 3);
}

#[tokio::test]
async fn a_visitors_cart_becomes_the_new_customers_at_registration() {
    let ids = variants(2).await;
    let mut visitor = visitor().await;
    visitor.put_in_cart(ids[0], 2).await.expect(200);
    visitor.put_in_cart(ids[1], 1).await.expect(200);
    let registered = visitor.register().await.expect(201);
    assert_eq!(registered.body["cart"], json!({"merged": 2, "capped": []}));
    assert_eq!(
        quantities(&visitor.get("/cart").await.body),
        [(ids[0], 2), (ids[1], 1)]
    );
    // Logged out, the browser does not show the customer's cart.
    let stranger = Shopper {
        token: None,
        ..visitor.clone()
    };
    assert_eq!(stranger.get("/cart").await.expect(200).body["count"], 0);
}

#[tokio::test]
async fn a_cookie_that_somebody_changed_is_no_cart() {
    let ids = variants(1).await;
    let owner = visitor().await;
    let cart = owner.put_in_cart(ids[0], 7).await.expect(200);
    let cookie = cart.header("set-cookie").split(';').next().unwrap().to_owned();
    let thief = visitor().await;
    let with = |value: &str| thief.request(Method::GET, "/cart").header("Cookie", value);
    assert_eq!(
        thief.send(with(&cookie)).await.expect(200).body["count"],
        7,
        "the cookie itself works"
    );
    let (name, value) = cookie.split_once('=').unwrap();
    let changed: String = value.chars().rev().collect();
    for spoilt in [changed.as_str(), "", "AAAA", &value[1..], &"A".repeat(2000)] {
        let answer = thief.send(with(&format!("{name}={spoilt}"))).await.expect(200);
        assert_eq!(answer.body["count"], 0, "{spoilt}");
    }
}

#[tokio::test]
async fn every_bad_change_is_refused_and_named() {
    let ids = variants(1).await;
    let visitor = visitor().await;
    let path = format!("/cart/items/{}", ids[0]);
    for quantity in [
        json!(0),
        json!(-1),
        json!(100),
        json!("3"),
        json!(1.5),
        json!(null),
        json!(1_000_000_000_000_i64),
    ] {
        let answer = visitor.put(&path, &json!({"quantity": quantity})).await;
        assert_eq!(answer.status, 422, "{quantity}: {}", answer.text);
        answer.refused(422, "validation_failed");
    }
    let answer = visitor
        .put(&path, &json!({"quantity": 1, "price": 1}))
        .await
        .refused(422, "validation_failed");
    assert_eq!(answer.fields(), ["price"]);
    let answer = visitor
        .put(&path, &json!({}))
        .await
        .refused(422, "validation_failed");
    assert_eq!(answer.fields(), ["quantity"]);
    visitor
        .put("/cart/items/abc", &json!({"quantity": 1}))
        .await
        .refused(400, "invalid_request");
    visitor
        .put("/cart/items/999999999", &json!({"quantity": 1}))
        .await
        .refused(404, "not_found");
    let json_type = ("Content-Type", "application/json");
    let request = visitor
        .request(Method::PUT, &path)
        .header(json_type.0, json_type.1)
        .body("{nonsense");
    visitor.send(request).await.refused(400, "invalid_request");
    let request = visitor.request(Method::PUT, &path).body("quantity=1");
    visitor.send(request).await.refused(415, "unsupported_media_type");
    let request = visitor
        .request(Method::PUT, &path)
        .header(json_type.0, json_type.1)
        .body("x".repeat(70_000));
    visitor.send(request).await.refused(413, "payload_too_large");
    visitor
        .send(visitor.request(Method::POST, "/cart"))
        .await
        .refused(405, "method_not_allowed");
    let request = visitor.request(Method::GET, "/cart").bearer_auth("nonsense");
    visitor.send(request).await.refused(401, "unauthenticated");
    assert_eq!(
        visitor.get("/cart").await.expect(200).body["count"],
        0,
        "nothing came of it"
    );
    visitor.delete(&path).await.expect(200);
}

#[tokio::test]
async fn two_changes_of_one_cart_at_once_are_both_there() {
    let shop = shop().await;
    let ids = variants(30).await;
    let customer = Shopper::customer(&shop.url()).await;
    let changes = ids.iter().map(|id| customer.put_in_cart(*id, 1));
    for answer in futures_util::future::join_all(changes).await {
        answer.expect(200);
    }
    eventually("all thirty lines", async || {
        customer.get("/cart").await.items().len() == 30
    })
    .await;
}

#[tokio::test]
async fn a_product_that_is_withdrawn_stays_in_the_cart_without_a_price() {
    let shop = shop().await;
    let mut database = sql(shop).await;
    let product: u64 = sqlx::query_scalar("SELECT MAX(id) - 7 FROM products")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let variant: u64 = sqlx::query_scalar("SELECT MIN(id) FROM variants WHERE product_id = ?")
        .bind(product)
        .fetch_one(&mut database)
        .await
        .unwrap();
    let visitor = visitor().await;
    visitor.put_in_cart(variant, 1).await.expect(200);
    for statement in [
        "UPDATE products SET published = 0 WHERE id = ?",
        "UPDATE product_state SET version = version + 1 WHERE product_id = ?",
        "INSERT INTO changes (kind, id_key, version, created_at)
         SELECT 'product', product_id, version, UTC_TIMESTAMP(6) FROM product_state WHERE product_id = ?",
    ] {
        sqlx::query(statement)
            .bind(product)
            .execute(&mut database)
            .await
            .unwrap();
    }
    eventually("the line is not available", async || {
        let cart = visitor.get("/cart").await.expect(200).body;
        cart["items"][0]["available"] == false && cart["total"]["amount"] == 0
    })
    .await;
    visitor.put_in_cart(variant, 2).await.refused(404, "not_found");
    visitor
        .delete(&format!("/cart/items/{variant}"))
        .await
        .expect(200);
}
