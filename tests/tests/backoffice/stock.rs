//! Stock is adjusted with a reason, once for each key, and never goes below 0, whoever buys meanwhile.

use reqwest::Method;
use serde_json::json;
use trestle_tests::{Shopper, repetitions, shop};

use crate::fixture::{Made, adjust, adjust_with, admin, audit_is_clean, ids_of, logged, on_hand, word};

#[tokio::test]
async fn an_adjustment_is_in_the_ledger_with_its_reason_and_a_retry_changes_nothing() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(10, 1000)]).await;
    let variant = made.variants[0];
    let key = word();
    let first = adjust_with(&admin, variant, &key, 5).await.expect(200).body;
    assert_eq!(first, json!({"variant_id": variant, "change": 5, "on_hand": 15}));
    let customer = Shopper::customer(&shop.url()).await;
    let order = customer.order(variant, 4).await.expect(201).body;
    let again = adjust_with(&admin, variant, &key, 5).await.expect(200).body;
    assert_eq!(again, first, "a retry hears what the first did");
    assert_eq!(on_hand(&admin, variant).await, 11);
    adjust_with(&admin, variant, &key, 6)
        .await
        .refused(422, "idempotency_key_reused");
    let request = admin
        .request(Method::POST, &format!("/admin/variants/{variant}/stock"))
        .header("Idempotency-Key", &key);
    let body = json!({"change": 5, "reason": "found"});
    let otherwise = admin.send(request.json(&body)).await;
    otherwise.refused(422, "idempotency_key_reused");
    adjust(&admin, variant, -3).await.expect(200);

    let path = format!("/admin/variants/{variant}/stock");
    let stock = admin.get(&path).await.expect(200);
    let ledger: Vec<_> = stock
        .items()
        .iter()
        .map(|row| (row["kind"].as_str().unwrap(), row["quantity"].as_i64().unwrap()))
        .collect();
    assert_eq!(
        ledger,
        [("adjust", -3), ("hold", -4), ("adjust", 5), ("initial", 10)]
    );
    assert_eq!(stock.items()[0]["reason"], "counted");
    assert_eq!(stock.items()[1]["order_id"], order["id"]);
    assert_eq!(ids_of(&admin, &format!("{path}?")).await.len(), 4);
    assert_eq!(
        logged(&admin, "variant", &variant.to_string()).await,
        ["stock.adjust", "stock.adjust"]
    );
    audit_is_clean().await;
}

#[tokio::test]
async fn stock_is_never_taken_below_nothing() {
    let admin = admin(shop().await).await;
    let made = Made::new(&admin, &[(3, 1000)]).await;
    let variant = made.variants[0];
    let refused = adjust(&admin, variant, -4).await.refused(409, "out_of_stock");
    assert_eq!(
        refused.body["items"],
        json!([{"variant_id": variant, "requested": 4, "left": 3}])
    );
    assert_eq!(adjust(&admin, variant, -3).await.expect(200).body["on_hand"], 0);
    for change in [0, 1_000_001, -1_000_001] {
        let refused = adjust(&admin, variant, change).await;
        assert_eq!(refused.refused(422, "validation_failed").fields(), ["change"]);
    }
    let path = format!("/admin/variants/{variant}/stock");
    let request = || admin.request(Method::POST, &path);
    let without = request().json(&json!({"change": 1, "reason": "x"}));
    admin.send(without).await.refused(400, "idempotency_key_missing");
    let body = json!({"change": 1, "reason": " "});
    let unsaid = request().header("Idempotency-Key", word()).json(&body);
    let refused = admin.send(unsaid).await.refused(422, "validation_failed");
    assert_eq!(refused.fields(), ["reason"]);
    adjust(&admin, 999_999_999, 1).await.refused(404, "not_found");
    // What was refused left nothing in the ledger.
    assert_eq!(ids_of(&admin, &format!("{path}?")).await.len(), 2);
}

#[tokio::test]
async fn adjusters_and_buyers_at_once_never_take_more_than_there_is() {
    let shop = shop().await;
    let admin = admin(shop).await;
    for _ in 0..repetitions() {
        let made = Made::new(&admin, &[(30, 1000)]).await;
        let variant = made.variants[0];
        let mut buyers = Vec::new();
        for _ in 0..4 {
            buyers.push(Shopper::customer(&shop.url()).await);
        }
        let tasks: Vec<_> = (0..32_usize)
            .map(|number| {
                let (admin, buyer) = (admin.clone(), buyers[number % 4].clone());
                tokio::spawn(async move {
                    match number % 4 {
                        0 | 1 => match buyer.order(variant, 2).await {
                            bought if bought.status == 201 => -2,
                            refused => {
                                refused.refused(409, "out_of_stock");
                                0
                            }
                        },
                        2 => match adjust(&admin, variant, -5).await {
                            taken if taken.status == 200 => -5,
                            refused => {
                                refused.refused(409, "out_of_stock");
                                0
                            }
                        },
                        _ => {
                            let given = adjust(&admin, variant, 1).await.expect(200);
                            assert!(given.body["on_hand"].as_i64().unwrap() >= 1);
                            1
                        }
                    }
                })
            })
            .collect();
        let mut left = 30;
        for task in tasks {
            left += task.await.unwrap();
        }
        assert!(left >= 0, "{left}");
        assert_eq!(on_hand(&admin, variant).await, left);
    }
    audit_is_clean().await;
}
