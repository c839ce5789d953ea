//! Customers are looked up, without their secrets; the log says who did what, and nothing changes it.

use reqwest::Method;
use serde_json::json;
use trestle_tests::{Shopper, shop};

use crate::fixture::{Made, admin, ids_of, word};

#[tokio::test]
async fn a_customer_is_found_by_the_beginning_of_their_address_with_what_they_ordered() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(50, 1000)]).await;
    let shared = word();
    let mut customers = Vec::new();
    for number in 0..5 {
        let mut customer = Shopper::visitor(&shop.url());
        customer.email = format!("{shared}-{number}@example.com");
        customer.register().await.expect(201);
        customers.push(customer);
    }
    let path = format!("/admin/customers?email={}", shared.to_uppercase());
    let ids = ids_of(&admin, &path).await;
    let page = admin.get(&path).await.expect(200);
    let emails: Vec<_> = page
        .items()
        .iter()
        .map(|item| item["email"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = customers.iter().map(|customer| customer.email.as_str()).collect();
    assert_eq!((emails, ids.len()), (expected, 5));
    // Neither a pattern nor the middle of an address finds anybody.
    for none in ["%25", &shared[1..]] {
        let page = admin
            .get(&format!("/admin/customers?email={none}"))
            .await
            .expect(200);
        assert_eq!(page.items().len(), 0, "{none}");
    }

    let buyer = &mut customers[2];
    buyer.add_address().await;
    for _ in 0..12 {
        buyer.order(made.variants[0], 1).await.expect(201);
    }
    let found = admin
        .get(&format!("/admin/customers/{}", ids[2].trim_matches('"')))
        .await
        .expect(200);
    assert_eq!(found.body["email"], buyer.email);
    assert_eq!(
        (&found.body["role"], &found.body["orders"]),
        (&json!("customer"), &json!(12))
    );
    assert_eq!(found.body["latest_orders"].as_array().unwrap().len(), 10);
    for secret in ["password", "argon2", "London", "hash"] {
        assert!(!found.text.contains(secret), "{secret}");
    }
    let nobody = format!("/admin/customers/{}", uuid::Uuid::now_v7());
    admin.get(&nobody).await.refused(404, "not_found");
}

#[tokio::test]
async fn the_log_says_who_did_what_by_which_request_and_nothing_changes_it() {
    let shop = shop().await;
    let (ann, bob) = (admin(shop).await, admin(shop).await);
    let made = Made::new(&ann, &[(1, 1000)]).await;
    let body = json!({"title": "Bob's"});
    let edited = made.edit(&bob, &body).await.expect(200);
    let of = |query: String| {
        let ann = ann.clone();
        async move { ann.get(&format!("/admin/log?{query}")).await.expect(200) }
    };
    let page = of(format!("subject_kind=product&subject_id={}", made.id)).await;
    let last = &page.items()[0];
    assert_eq!(last["action"], "product.edit");
    assert_eq!(last["admin_email"], bob.email);
    assert_eq!(last["request_id"], edited.header("x-request-id"));
    assert_eq!(last["detail"], format!("title: {:?} -> \"Bob's\"", made.title));
    assert_eq!(page.items().len(), 4);

    let bobs = of(format!("admin={}&limit=1", last["admin_id"].as_str().unwrap())).await;
    assert_eq!((&bobs.items()[0]["id"], bobs.items().len()), (&last["id"], 1));
    let everything = format!("/admin/log?subject_kind=product&subject_id={}", made.id);
    assert_eq!(ids_of(&ann, &everything).await.len(), 4);
    // Bob was made an admin by a command, which is nobody's request.
    let granted = of(format!(
        "subject_kind=customer&subject_id={}",
        last["admin_id"].as_str().unwrap()
    ))
    .await;
    assert_eq!(granted.items()[0]["action"], "admin.grant");
    assert!(granted.items()[0]["admin_id"].is_null() && granted.items()[0]["request_id"].is_null());

    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let sent = ann.send(ann.request(method, "/admin/log").json(&json!({}))).await;
        sent.refused(405, "method_not_allowed");
    }
    for bad in [
        "admin=7",
        "subject_id=7",
        "subject_kind=%C3%A9",
        "subject_kind=",
        "cursor=x",
        "who=me",
    ] {
        let refused = ann.get(&format!("/admin/log?{bad}")).await;
        refused.refused(400, "invalid_request");
    }
    // A change that was refused is not in it.
    made.edit(&ann, &json!({"category": "no-such"}))
        .await
        .refused(422, "validation_failed");
    assert_eq!(ids_of(&ann, &everything).await.len(), 4);
}
