//! Payments that do not end well: lost, late, never answered, cut off by the death of a replica. Each order ends in one
//! right state, whoever ends it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use trestle_tests::{Shopper, eventually, repetitions, shop, within};

use crate::fixture::{PRICE, Stocked, alone, audit_is_clean, calm, ended, gateway, id, on_hand};

#[tokio::test]
async fn a_payment_that_timed_out_fails_and_gives_the_stock_back() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let request = || customer.order_request(variant, 4, "never", "tok_timeout");
    let order = customer.send(request()).await.expect(202).body;
    assert_eq!(
        (&order["state"], &order["payment"]),
        (&json!("pending"), &json!("pending"))
    );
    let early = customer.send(request()).await.refused(409, "order_in_progress");
    assert_eq!(early.header("retry-after"), "1");
    assert_eq!(on_hand(variant).await, 16);
    assert_eq!(ended(&customer, id(&order)).await["state"], "failed");
    assert_eq!(on_hand(variant).await, 20);
    assert_eq!(gateway(id(&order)).await, Some(("voided".into(), 0, 0)));
    let late = customer.send(request()).await.refused(402, "payment_declined");
    assert_eq!(late.body["order"]["id"], order["id"]);
    audit_is_clean(shop).await;
}

#[tokio::test]
async fn a_payment_whose_answer_was_lost_is_found_and_the_order_paid() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    customer.put_in_cart(variant, 4).await.expect(200);
    let request = || customer.order_request(variant, 4, "lost", "tok_lost");
    let order = customer.send(request()).await.expect(202).body;
    let order = ended(&customer, id(&order)).await;
    assert_eq!(
        (&order["state"], &order["payment"]),
        (&json!("paid"), &json!("captured"))
    );
    assert_eq!(gateway(id(&order)).await, Some(("captured".into(), 4 * PRICE, 0)));
    assert_eq!(on_hand(variant).await, 16);
    // The retry hears the good end, and the cart was emptied by it.
    assert_eq!(customer.send(request()).await.expect(201).body, order);
    assert!(customer.get("/cart").await.expect(200).items().is_empty());
    audit_is_clean(shop).await;
}

/// The gateway captures 9 to 13 s after the charge, recovery voids after 10 to 12: either may be first.
#[tokio::test]
async fn recovery_racing_late_captures_ends_each_order_in_one_right_state() {
    let _calm = calm().await;
    let shop = shop().await;
    let (_, variant) = Stocked::one(90).await;
    let mut customers = Vec::new();
    for _ in 0..8 * repetitions().min(4) {
        customers.push(Shopper::customer(&shop.url()).await);
    }
    let orders = customers.iter().map(async |customer| {
        let order = customer
            .send(customer.order_request(variant, 1, "late", "tok_late"))
            .await
            .expect(202)
            .body;
        ended(customer, id(&order)).await
    });
    let orders = join_all(orders).await;
    // Until the last late capture has come and found what it found.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut paid = 0;
    for (order, customer) in orders.iter().zip(&customers) {
        let booked = gateway(id(order)).await.unwrap();
        match order["state"].as_str().unwrap() {
            "paid" => {
                paid += 1;
                assert_eq!(booked, ("captured".into(), PRICE, 0));
            }
            "failed" => assert_eq!(booked, ("voided".into(), 0, 0)),
            other => unreachable!("{other}"),
        }
        let again = customer
            .get(&format!("/orders/{}", id(order)))
            .await
            .expect(200)
            .body;
        assert_eq!(again, *order, "an order changed after its end");
    }
    eprintln!("{paid} of {} late captures won against recovery", orders.len());
    assert_eq!(on_hand(variant).await, 90 - paid);
    audit_is_clean(shop).await;
}

/// Two replicas that are ready again, for the tests that come after.
async fn two_are_ready() {
    let shop = shop().await;
    let probe = Shopper::visitor(&shop.url());
    eventually("two replicas are ready", async || {
        let replicas = shop.replicas();
        let mut ready = 0;
        for replica in &replicas {
            let url = format!("http://{}/readyz", replica.ops_address);
            let answer = probe.http.get(url).timeout(Duration::from_secs(1)).send().await;
            ready += usize::from(answer.is_ok_and(|answer| answer.status().is_success()));
        }
        ready == 2
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_replica_dies_during_payment_is_ended_by_another() {
    let _alone = alone().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    for (token, left, state) in [("tok_slow", 20, "failed"), ("tok_lost", 18, "paid")] {
        let replica = shop.replicas().into_iter().next().unwrap();
        let there = customer.at(&format!("http://{}", replica.address));
        let request = there.order_request(variant, 2, token, token);
        let cut_off = tokio::spawn(request.send());
        within(Duration::from_secs(5), "the order is placed", async || {
            (on_hand(variant).await == 18).then_some(())
        })
        .await;
        if token == "tok_lost" {
            // The capture follows the placing at once, and is what this case is about.
            within(Duration::from_secs(2), "the payment is captured", async || {
                let orders = customer.get("/orders?limit=1").await;
                gateway(id(orders.items().first()?)).await.map(drop)
            })
            .await;
        }
        shop.kill(&replica.name).unwrap();
        assert!(cut_off.await.unwrap().is_err(), "the replica answered");
        let (order, _) = within(Duration::from_secs(25), "recovery ends the order", async || {
            let answer = customer
                .send(customer.order_request(variant, 2, token, token))
                .await;
            match answer.status {
                201 => Some(answer.body),
                402 => Some(answer.body["order"].clone()),
                409 | 502..=504 => None,
                _ => unreachable!("{}", answer.text),
            }
        })
        .await;
        assert_eq!(order["state"], state, "{token}");
        assert_eq!(on_hand(variant).await, left);
        two_are_ready().await;
    }
    audit_is_clean(shop).await;
}
