//! What coupons do to orders: the discount and its spread, what speaks against a coupon, uses that come back, and what
//! the cart says of a coupon beforehand.

use futures_util::future::join_all;
use serde_json::{Value, json};
use trestle_tests::{Shopper, money, shop};
use uuid::Uuid;

use crate::coupon::{buy_with, change, coupon, new_code, order_with, used};
use crate::fixture::{PRICE, Stocked, audit_is_clean, calm, ended, gateway, id, on_hand};

fn amount(value: &Value) -> i64 {
    value["amount"].as_i64().unwrap()
}

#[tokio::test]
async fn a_percentage_comes_off_and_is_spread_over_the_lines() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let stocked = Stocked::new(&[20, 20, 20]).await;
    let [a, b, c] = stocked.variants[..] else {
        unreachable!()
    };
    stocked.costs(b, 999).await;
    let code = coupon(json!({"percent": 33}), json!({})).await;
    // Codes are read in either case.
    let items = [(a, 1), (b, 1), (c, 3)];
    let request = order_with(&customer, &items, &code.to_lowercase(), "spread", "tok_approve");
    let order = customer.send(request).await.expect(201).body;
    // 33 % of 5999 is 1979.67. Shares rounded down: 412, 329, 1237; of the two left over, one goes to the largest
    // remainder, the second line's, the other to the next, the third's.
    assert_eq!(order["subtotal"], money(5999));
    assert_eq!(order["discount"], money(1980));
    assert_eq!(order["total"], money(4019));
    assert_eq!(order["coupon"], code);
    let lines: Vec<_> = order["items"].as_array().unwrap().iter().collect();
    let discounts: Vec<_> = lines.iter().map(|line| amount(&line["discount"])).collect();
    assert_eq!(discounts, [412, 330, 1238]);
    let totals: Vec<_> = lines.iter().map(|line| amount(&line["total"])).collect();
    assert_eq!(totals, [838, 669, 2512]);
    assert_eq!(gateway(id(&order)).await, Some(("captured".into(), 4019, 0)));
    let path = format!("/orders/{}", id(&order));
    assert_eq!(customer.get(&path).await.expect(200).body, order);
    assert_eq!(used(&code).await, 1);
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn an_order_that_a_coupon_pays_whole_is_captured_and_refunded_as_nothing() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let codes = [
        coupon(json!({"amount": money(PRICE * 9)}), json!({})).await,
        coupon(json!({"percent": 100}), json!({})).await,
    ];
    for code in &codes {
        let order = buy_with(&customer, variant, code).await.expect(201).body;
        assert_eq!((&order["discount"], &order["total"]), (&money(PRICE), &money(0)));
        assert_eq!(order["items"][0]["total"], money(0));
        assert_eq!(order["payment"], "captured");
        assert_eq!(gateway(id(&order)).await, Some(("captured".into(), 0, 0)));
        let path = format!("/orders/{}/cancel", id(&order));
        let cancelled = customer.post(&path, &json!({})).await.expect(200).body;
        assert_eq!(cancelled["payment"], "refunded");
        assert_eq!(gateway(id(&order)).await, Some(("refunded".into(), 0, 0)));
        buy_with(&customer, variant, code).await.expect(201);
    }
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn what_speaks_against_a_coupon_is_said_and_nothing_is_sold() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let other = Shopper::customer(&shop.url()).await;
    let (stocked, variant) = Stocked::one(20).await;
    let ten = || json!({"percent": 10});
    let unknown = [
        new_code(),
        coupon(ten(), json!({"active": false})).await,
        coupon(ten(), json!({"valid_from": "2999-01-01T00:00:00Z"})).await,
    ];
    let mut details = Vec::new();
    for code in &unknown {
        let answer = buy_with(&customer, variant, code).await;
        let answer = answer.refused(422, "validation_failed");
        assert_eq!(answer.fields(), ["coupon"]);
        details.push(answer.body["errors"].clone());
    }
    // Nobody finds out by guessing what is not announced yet.
    assert_eq!(details[0], details[1]);
    assert_eq!(details[0], details[2]);
    for bad in ["", "A", "TEN PERCENT", "%"] {
        let answer = buy_with(&customer, variant, bad).await;
        assert_eq!(
            answer.refused(422, "validation_failed").fields(),
            ["coupon"],
            "{bad:?}"
        );
    }

    let expired = coupon(ten(), json!({"valid_until": "2020-01-01T00:00:00Z"})).await;
    let large = coupon(ten(), json!({"minimum": money(PRICE + 1)})).await;
    let once = coupon(ten(), json!({"max_uses": 1})).await;
    let once_each = coupon(ten(), json!({"max_uses_per_customer": 1})).await;
    buy_with(&other, variant, &once).await.expect(201);
    buy_with(&customer, variant, &once_each).await.expect(201);
    buy_with(&other, variant, &once_each).await.expect(201);
    for (code, problem, detail) in [
        (
            &expired,
            "coupon_not_applicable",
            "the coupon is not valid any more",
        ),
        (
            &large,
            "coupon_not_applicable",
            "the order is too small for the coupon",
        ),
        (&once, "coupon_used_up", "the coupon is used up"),
        (
            &once_each,
            "coupon_used_up",
            "you have used the coupon as often as you can",
        ),
    ] {
        let answer = buy_with(&customer, variant, code).await.refused(409, problem);
        assert_eq!(answer.body["detail"], detail);
    }
    assert_eq!(on_hand(variant).await, 17, "a refused order took stock");
    assert_eq!((used(&expired).await, used(&large).await), (0, 0));
    assert_eq!((used(&once).await, used(&once_each).await), (1, 2));
    // At the minimum it applies; and a coupon that takes nothing off is not used up by it.
    let request = order_with(&customer, &[(variant, 2)], &large, "two", "tok_approve");
    assert_eq!(
        customer.send(request).await.expect(201).body["discount"],
        money(250)
    );
    stocked.costs(variant, 4).await;
    let any = coupon(ten(), json!({"max_uses": 1})).await;
    let answer = buy_with(&customer, variant, &any).await;
    answer.refused(409, "coupon_not_applicable");
    assert_eq!(used(&any).await, 0);
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn the_expected_total_is_the_one_with_the_discount() {
    let _calm = calm().await;
    let customer = Shopper::customer(&shop().await.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let code = coupon(json!({"percent": 20}), json!({})).await;
    let order = async |expected: i64| {
        let body = json!({
            "items": [{"variant_id": variant, "quantity": 1}], "address_id": customer.address_id,
            "payment_token": "tok_approve", "coupon": code, "expected_total": money(expected),
        });
        let request = customer.request(reqwest::Method::POST, "/orders");
        customer
            .send(request.header("Idempotency-Key", "expected").json(&body))
            .await
    };
    let answer = order(PRICE).await.refused(409, "price_changed");
    assert_eq!(answer.body["total"], money(1000));
    assert_eq!(used(&code).await, 0);
    assert_eq!(order(1000).await.expect(201).body["total"], money(1000));
}

#[tokio::test]
async fn a_retry_hears_the_stored_answer_though_the_coupon_is_used_up_or_gone() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let code = coupon(json!({"percent": 50}), json!({"max_uses": 1})).await;
    let send = async |at: &Shopper, code: &str, token: &str| {
        at.send(order_with(at, &[(variant, 1)], code, token, token)).await
    };
    // A failed order keeps its answer, and its key; the use came back for the next.
    let failed = send(&customer, &code, "tok_decline").await;
    let failed = failed.refused(402, "payment_declined");
    assert_eq!(failed.body["order"]["coupon"], code);
    let paid = send(&customer, &code, "tok_approve").await.expect(201);
    change(&code, &json!({"active": false})).await.expect(200);
    for replica in shop.replicas() {
        let there = customer.at(&format!("http://{}", replica.address));
        assert_eq!(
            send(&there, &code, "tok_approve").await.expect(201).text,
            paid.text
        );
        let again = send(&there, &code, "tok_decline").await;
        assert_eq!(
            again.refused(402, "payment_declined").body["order"],
            failed.body["order"]
        );
    }
    // The coupon belongs to the request.
    let other = send(&customer, &new_code(), "tok_approve").await;
    other.refused(422, "idempotency_key_reused");
    assert_eq!(used(&code).await, 1);
}

/// Each card of the sandbox. A late capture may win against recovery or lose.
#[tokio::test]
async fn whatever_becomes_of_the_payment_the_use_follows_the_order() {
    let _calm = calm().await;
    let shop = shop().await;
    let (_, variant) = Stocked::one(20).await;
    let code = coupon(json!({"percent": 10}), json!({"max_uses_per_customer": 1})).await;
    let tokens = [
        ("tok_approve", 201, "paid"),
        ("tok_decline", 402, "failed"),
        ("tok_slow", 201, "paid"),
        ("tok_timeout", 202, "failed"),
        ("tok_lost", 202, "paid"),
        ("tok_late", 202, "paid or failed"),
    ];
    let orders = tokens.map(async |(token, status, end)| {
        let customer = Shopper::customer(&shop.url()).await;
        let request = order_with(&customer, &[(variant, 1)], &code, token, token);
        let answer = customer.send(request).await.expect(status);
        let order = if status == 402 {
            &answer.body["order"]
        } else {
            &answer.body
        };
        assert_eq!(order["discount"], money(125));
        let order = ended(&customer, id(order)).await;
        let state = order["state"].as_str().unwrap();
        assert!(end.contains(state), "{token}: {state}");
        if state == "paid" {
            buy_with(&customer, variant, &code)
                .await
                .refused(409, "coupon_used_up");
            return 1;
        }
        // The use is the customer's again.
        buy_with(&customer, variant, &code).await.expect(201);
        1
    });
    let lives: i64 = join_all(orders).await.into_iter().sum();
    assert_eq!(used(&code).await, lives);
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn a_use_comes_back_once_however_often_the_order_is_cancelled() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let code = coupon(json!({"percent": 10}), json!({"max_uses": 2})).await;
    let order = buy_with(&customer, variant, &code).await.expect(201).body;
    buy_with(&customer, variant, &code).await.expect(201);
    buy_with(&customer, variant, &code)
        .await
        .refused(409, "coupon_used_up");
    let path = format!("/orders/{}/cancel", id(&order));
    let cancels = (0..10).map(async |_| {
        let cancelled = customer.post(&path, &json!({})).await.expect(200).body;
        assert_eq!(
            (&cancelled["state"], &cancelled["coupon"]),
            (&json!("cancelled"), &json!(code))
        );
    });
    join_all(cancels).await;
    assert_eq!(used(&code).await, 1);
    buy_with(&customer, variant, &code).await.expect(201);
    buy_with(&customer, variant, &code)
        .await
        .refused(409, "coupon_used_up");
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn the_cart_says_what_a_coupon_would_do() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let visitor = Shopper::visitor(&shop.url());
    let (_, variant) = Stocked::one(20).await;
    let code = coupon(
        json!({"percent": 10}),
        json!({"minimum": money(2 * PRICE), "max_uses_per_customer": 1}),
    )
    .await;
    let path = format!("/cart?coupon={}", code.to_lowercase());
    for shopper in [&customer, &visitor] {
        shopper.put_in_cart(variant, 1).await.expect(200);
        let cart = shopper.get(&path).await.expect(200).body;
        assert_eq!(
            cart["coupon"],
            json!({
                "code": code, "applies": false, "reason": "below_minimum",
                "detail": "the order is too small for the coupon", "minimum": money(2 * PRICE),
            })
        );
        assert_eq!((&cart["discount"], &cart["total"]), (&money(0), &money(PRICE)));
        shopper.put_in_cart(variant, 3).await.expect(200);
        let cart = shopper.get(&path).await.expect(200).body;
        assert_eq!(
            (&cart["coupon"]["applies"], &cart["coupon"]["reason"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(cart["subtotal"], money(3 * PRICE));
        assert_eq!((&cart["discount"], &cart["total"]), (&money(375), &money(3375)));
        // Without the question the cart is what it was.
        let plain = shopper.get("/cart").await.expect(200).body;
        assert_eq!(
            (&plain["coupon"], &plain["total"]),
            (&Value::Null, &money(3 * PRICE))
        );
    }
    assert_eq!(used(&code).await, 0, "a look took a use");

    let reason = async |shopper: &Shopper, code: &str| {
        let cart = shopper
            .get(&format!("/cart?coupon={code}"))
            .await
            .expect(200)
            .body;
        cart["coupon"]["reason"].clone()
    };
    let request = order_with(&customer, &[(variant, 2)], &code, "mine", "tok_approve");
    customer.send(request).await.expect(201);
    customer.put_in_cart(variant, 3).await.expect(200);
    assert_eq!(reason(&customer, &code).await, "used_up_by_you");
    assert_eq!(reason(&visitor, &code).await, Value::Null);
    change(&code, &json!({"max_uses": 1})).await.expect(200);
    assert_eq!(reason(&visitor, &code).await, "used_up");
    change(&code, &json!({"valid_until": "2020-01-01T00:00:00Z"}))
        .await
        .expect(200);
    assert_eq!(reason(&visitor, &code).await, "expired");
    change(&code, &json!({"active": false})).await.expect(200);
    assert_eq!(reason(&visitor, &code).await, "unknown");
    assert_eq!(reason(&visitor, &new_code()).await, "unknown");
    for bad in ["coupon=A", "coupon=", "coupon=%C3%84BC", "coupons=ABC"] {
        let answer = visitor.get(&format!("/cart?{bad}")).await;
        let answer = answer.refused(400, "invalid_request");
        assert_eq!(answer.fields(), [bad.split('=').next().unwrap()], "{bad}");
    }
}

/// A customer's own orders are read from the database, whichever replica is asked.
#[tokio::test]
async fn a_customer_reads_their_own_order_changes_on_every_replica_at_once() {
    let _calm = calm().await;
    let shop = shop().await;
    let (_, variant) = Stocked::one(90).await;
    let customer = Shopper::customer(&shop.url()).await;
    let doors: Vec<Shopper> = shop
        .replicas()
        .iter()
        .map(|replica| customer.at(&format!("http://{}", replica.address)))
        .collect();
    for turn in 0..10 {
        let (here, there) = (&doors[turn % 2], &doors[(turn + 1) % 2]);
        let key = Uuid::new_v4().to_string();
        let order = here.send(here.order_request(variant, 1, &key, "tok_approve"));
        let order = order.await.expect(201).body;
        let path = format!("/orders/{}", id(&order));
        assert_eq!(there.get(&path).await.expect(200).body, order);
        assert_eq!(there.get("/orders?limit=1").await.expect(200).items()[0], order);
        let cancelled = there.post(&format!("{path}/cancel"), &json!({})).await;
        let cancelled = cancelled.expect(200).body;
        for door in [here, there] {
            let seen = door.get(&path).await.expect(200);
            assert_eq!(seen.body, cancelled);
            assert_eq!(seen.header("cache-status"), "");
            assert_eq!(
                door.get("/orders?limit=1").await.expect(200).items()[0],
                cancelled
            );
        }
    }
}
