//! The backoffice's coupons: made, listed and changed by admins alone, each change from a revision and in the log.

use reqwest::Method;
use serde_json::{Value, json};
use trestle_tests::{Answer, Shopper, money, shop};

use crate::coupon::{admin, buy_with, change, coupon, look_up, new_code, used};
use crate::fixture::{Stocked, calm};

async fn patch(code: &str, tag: Option<&str>, change: &Value) -> Answer {
    let admin = admin().await;
    let mut request = admin.request(Method::PATCH, &format!("/admin/coupons/{code}"));
    if let Some(tag) = tag {
        request = request.header("If-Match", tag);
    }
    admin.send(request.json(change)).await
}

#[tokio::test]
async fn a_coupon_is_made_and_found() {
    let _calm = calm().await;
    let admin = admin().await;
    let code = new_code();
    let form = json!({
        "code": code.to_lowercase(), "off": {"amount": money(500)}, "minimum": money(2000),
        "valid_from": "2026-01-01T01:00:00+01:00", "valid_until": "2999-01-01T00:00:00.5Z",
        "max_uses": 100, "max_uses_per_customer": 2,
    });
    let made = admin.post("/admin/coupons", &form).await.expect(201);
    assert_eq!(made.header("location"), format!("/api/v1/admin/coupons/{code}"));
    assert_eq!(made.header("etag"), "\"1\"");
    assert_eq!(made.header("cache-control"), "private, no-store");
    let expected = json!({
        "code": code, "off": {"amount": money(500)}, "minimum": money(2000),
        "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2999-01-01T00:00:00.5Z",
        "max_uses": 100, "max_uses_per_customer": 2, "active": true, "used": 0, "revision": 1,
        "created_at": made.body["created_at"], "updated_at": made.body["created_at"],
    });
    assert_eq!(made.body, expected);
    assert_eq!(look_up(&code.to_lowercase()).await.body, expected);
    let again = admin.post("/admin/coupons", &form).await;
    again.refused(409, "coupon_exists");
    for missing in [new_code(), "no%20code".into(), "A".into()] {
        let answer = admin.get(&format!("/admin/coupons/{missing}")).await;
        answer.refused(404, "not_found");
    }
}

#[tokio::test]
async fn each_field_at_fault_is_named() {
    let _calm = calm().await;
    let eur = json!({"amount": 1, "currency": "EUR"});
    for (field, value, named) in [
        ("code", json!("A"), "code"),
        ("off", json!({"percent": 0}), "off.percent"),
        ("off", json!({"percent": 101}), "off.percent"),
        ("off", json!({"percent": 1, "amount": eur}), "off"),
        ("off", json!({}), "off"),
        ("off", json!({"amount": money(0)}), "off.amount.amount"),
        ("off", json!({"amount": eur}), "off.amount.currency"),
        ("minimum", json!(money(-1)), "minimum.amount"),
        ("valid_from", json!("yesterday"), "valid_from"),
        ("valid_until", json!("2019-12-31T23:59:59Z"), "valid_until"),
        ("max_uses", json!(0), "max_uses"),
        ("max_uses_per_customer", json!(-1), "max_uses_per_customer"),
        ("used", json!(5), "used"),
    ] {
        let mut form = json!({
            "code": new_code(), "off": {"percent": 5}, "valid_from": "2020-01-01T00:00:00Z",
        });
        form[field] = value;
        let answer = admin().await.post("/admin/coupons", &form).await;
        let answer = answer.refused(422, "validation_failed");
        assert_eq!(answer.fields(), [named], "{form}");
    }
}

#[tokio::test]
async fn pages_by_code_have_no_gaps_and_no_repeats() {
    let _calm = calm().await;
    let admin = admin().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(coupon(json!({"percent": 1}), json!({})).await);
    }
    made.sort();
    let (mut seen, mut path) = (Vec::<String>::new(), "/admin/coupons?limit=2".to_owned());
    for _ in 0..200 {
        let page = admin.get(&path).await.expect(200);
        seen.extend(
            page.items()
                .iter()
                .map(|coupon| coupon["code"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!("/admin/coupons?limit=2&cursor={cursor}");
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    assert!(made.iter().all(|code| seen.contains(code)));
    for (query, field) in [
        ("limit=0", "limit"),
        ("cursor=spoilt", "cursor"),
        ("sort=used", "sort"),
    ] {
        let answer = admin.get(&format!("/admin/coupons?{query}")).await;
        assert_eq!(answer.refused(400, "invalid_request").fields(), [field]);
    }
}

#[tokio::test]
async fn of_two_changes_from_one_revision_the_second_is_refused() {
    let _calm = calm().await;
    let code = coupon(json!({"percent": 5}), json!({"max_uses": 5})).await;
    let off = json!({"active": false});
    let answer = patch(&code, None, &off).await;
    assert_eq!(
        answer.refused(428, "precondition_required").fields(),
        ["If-Match"]
    );
    let first = patch(&code, Some("\"1\""), &off).await.expect(200);
    assert_eq!(
        (first.header("etag"), &first.body["revision"]),
        ("\"2\"", &json!(2))
    );
    assert_eq!(
        (&first.body["active"], &first.body["max_uses"]),
        (&json!(false), &json!(5))
    );
    for stale in ["\"1\"", "W/\"1\"", "\"3\"", "\"other\""] {
        let answer = patch(&code, Some(stale), &json!({"max_uses": null})).await;
        answer.refused(412, "precondition_failed");
    }
    assert_eq!(look_up(&code).await.body, first.body);
    let second = patch(
        &code,
        Some("\"2\""),
        &json!({"max_uses": null, "valid_until": "2999-01-01T00:00:00Z"}),
    )
    .await
    .expect(200)
    .body;
    assert_eq!(
        (&second["max_uses"], &second["valid_until"], &second["active"]),
        (&Value::Null, &json!("2999-01-01T00:00:00Z"), &json!(false))
    );
    // What a coupon gives never changes.
    for fixed in ["off", "code", "minimum", "max_uses_per_customer", "used"] {
        let answer = patch(&code, Some("\"3\""), &json!({fixed: null})).await;
        assert_eq!(answer.refused(422, "validation_failed").fields(), [fixed]);
    }
    let answer = patch(&new_code(), Some("\"1\""), &off).await;
    answer.refused(404, "not_found");

    let log = format!("/admin/log?subject_kind=coupon&subject_id={code}");
    let log = admin().await.get(&log).await.expect(200);
    let said: Vec<_> = log.items().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(said, ["coupon.edit", "coupon.edit", "coupon.create"]);
    assert_eq!(log.items()[1]["detail"], "active false");
    assert_eq!(log.items()[0]["admin_email"], json!(admin().await.email));
}

#[tokio::test]
async fn a_change_holds_for_the_next_order_on_every_replica() {
    let _calm = calm().await;
    let shop = shop().await;
    let customer = Shopper::customer(&shop.url()).await;
    let (_, variant) = Stocked::one(20).await;
    let code = coupon(json!({"percent": 5}), json!({"max_uses": 2})).await;
    let doors: Vec<Shopper> = shop
        .replicas()
        .iter()
        .map(|replica| customer.at(&format!("http://{}", replica.address)))
        .collect();
    for door in &doors {
        buy_with(door, variant, &code).await.expect(201);
    }
    // A limit cannot say that there were fewer uses than there were.
    let answer = change(&code, &json!({"max_uses": 1, "active": false})).await;
    assert_eq!(answer.refused(422, "validation_failed").fields(), ["max_uses"]);
    for door in &doors {
        buy_with(door, variant, &code)
            .await
            .refused(409, "coupon_used_up");
    }
    change(&code, &json!({"max_uses": 4})).await.expect(200);
    for door in &doors {
        buy_with(door, variant, &code).await.expect(201);
    }
    change(&code, &json!({"max_uses": null, "active": false}))
        .await
        .expect(200);
    for door in &doors {
        let answer = buy_with(door, variant, &code).await;
        answer.refused(422, "validation_failed");
    }
    change(&code, &json!({"active": true})).await.expect(200);
    for door in &doors {
        buy_with(door, variant, &code).await.expect(201);
    }
    assert_eq!(used(&code).await, 6);
}

/// Its ETag is for If-Match: the revision does not count uses.
#[tokio::test]
async fn whoever_asks_again_with_if_none_match_hears_of_new_uses() {
    let _calm = calm().await;
    let code = coupon(json!({"percent": 5}), json!({})).await;
    let etag = look_up(&code).await.header("etag").to_owned();
    let (_, variant) = Stocked::one(20).await;
    let customer = Shopper::customer(&shop().await.url()).await;
    buy_with(&customer, variant, &code).await.expect(201);
    let admin = admin().await;
    let request = admin
        .request(Method::GET, &format!("/admin/coupons/{code}"))
        .header("If-None-Match", &etag);
    let now = admin.send(request).await.expect(200);
    assert_eq!((now.header("etag"), &now.body["used"]), (&*etag, &json!(1)));
}

#[tokio::test]
async fn nobody_but_an_admin_sees_or_changes_coupons() {
    let _calm = calm().await;
    let url = shop().await.url();
    let code = coupon(json!({"percent": 5}), json!({})).await;
    let path = format!("/admin/coupons/{code}");
    let form = json!({"code": new_code(), "off": {"percent": 100}});
    let customer = Shopper::customer(&url).await;
    let visitor = Shopper::visitor(&url);
    for (shopper, status, problem) in [(&visitor, 401, "unauthenticated"), (&customer, 403, "forbidden")] {
        shopper.get("/admin/coupons").await.refused(status, problem);
        shopper.get(&path).await.refused(status, problem);
        shopper
            .post("/admin/coupons", &form)
            .await
            .refused(status, problem);
        shopper
            .patch(&path, &json!({"max_uses": null}))
            .await
            .refused(status, problem);
    }
}
