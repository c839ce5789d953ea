//! A customer's addresses: theirs, checked, and bounded in number.

use serde_json::{Value, json};
use trestle_tests::{Shopper, address};

use crate::shop;

const PATH: &str = "/customers/me/addresses";

async fn customer() -> Shopper {
    let mut shopper = Shopper::visitor(&shop().await.url());
    shopper.register().await.expect(201);
    shopper
}

#[tokio::test]
async fn an_address_is_made_read_replaced_and_removed() {
    let ann = customer().await;
    assert_eq!(
        ann.get(PATH).await.expect(200).body,
        json!({"items": [], "next_cursor": null})
    );
    let made = ann.post(PATH, &address()).await.expect(201).body;
    assert_eq!(
        (&made["line2"], &made["region"], &made["phone"]),
        (&json!(""), &json!(""), &json!(""))
    );
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(ann.get(&path).await.expect(200).body, made);

    let mut other = address();
    other["line2"] = json!("Flat 2");
    other["country"] = json!("KR");
    for _ in 0..2 {
        let replaced = ann.put(&path, &other).await.expect(200).body;
        assert_eq!(
            (&replaced["id"], &replaced["country"]),
            (&made["id"], &json!("KR"))
        );
        assert_eq!(ann.get(PATH).await.expect(200).items(), [replaced]);
    }
    let gone = ann.delete(&path).await.expect(204);
    assert_eq!(
        (gone.text.as_str(), gone.header("cache-control")),
        ("", "private, no-store")
    );
    ann.delete(&path).await.refused(404, "not_found");
    ann.get(&path).await.refused(404, "not_found");
    ann.put(&path, &other).await.refused(404, "not_found");
}

#[tokio::test]
async fn nobody_reaches_anothers_address() {
    let (ann, ben) = (customer().await, customer().await);
    let made = ann.post(PATH, &address()).await.expect(201).body;
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    ben.get(&path).await.refused(404, "not_found");
    ben.put(&path, &address()).await.refused(404, "not_found");
    ben.delete(&path).await.refused(404, "not_found");
    assert!(ben.get(PATH).await.expect(200).items().is_empty());
    assert_eq!(ann.get(&path).await.expect(200).body, made);
}

#[tokio::test]
async fn what_is_no_id_is_not_there() {
    let ann = customer().await;
    for id in ["1", "x", "00000000-0000-0000-0000-000000000000", "%20"] {
        let path = format!("{PATH}/{id}");
        ann.get(&path).await.refused(404, "not_found");
        ann.put(&path, &address()).await.refused(404, "not_found");
        ann.delete(&path).await.refused(404, "not_found");
    }
    ann.get(&format!("{PATH}/%ff"))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn every_field_at_fault_is_named() {
    let ann = customer().await;
    let mut bad = address();
    let long = |n: usize| Value::from("x".repeat(n));
    for (field, value) in [
        ("name", long(101)),
        ("line1", long(201)),
        ("line2", long(201)),
        ("city", json!("  ")),
        ("region", long(101)),
        ("postal_code", long(21)),
        ("country", json!("gb")),
        ("phone", json!("1\n2")),
    ] {
        bad[field] = value;
    }
    let answer = ann.post(PATH, &bad).await.refused(422, "validation_failed");
    let mut fields = answer.fields();
    fields.sort_unstable();
    let all = [
        "city",
        "country",
        "line1",
        "line2",
        "name",
        "phone",
        "postal_code",
        "region",
    ];
    assert_eq!(fields, all);
    assert!(ann.get(PATH).await.expect(200).items().is_empty());
}

#[tokio::test]
async fn a_customer_keeps_twenty_and_parallel_requests_make_no_more() {
    let ann = customer().await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..25 {
        let ann = ann.clone();
        tries.spawn(async move { ann.post(PATH, &address()).await });
    }
    let answers = tries.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 20);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.refused(422, "validation_failed").fields(), ["addresses"]);
    }
    let items = ann.get(PATH).await.expect(200).items().to_vec();
    assert_eq!(items.len(), 20);
    let path = format!("{PATH}/{}", items[0]["id"].as_str().unwrap());
    ann.delete(&path).await.expect(204);
    ann.post(PATH, &address()).await.expect(201);
}
