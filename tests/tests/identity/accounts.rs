//! Registration, login, and what the shop knows of a customer.

use serde_json::json;
use trestle_tests::{Answer, Shopper};

use crate::{shop, sql};

/// A problem without what differs from one request to the next.
fn without_request_id(answer: &Answer) -> serde_json::Value {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    body
}

#[tokio::test]
async fn who_registers_is_logged_in_and_known() {
    let shop = shop().await;
    let mut ann = Shopper::visitor(&shop.url());
    let registered = ann.register().await.expect(201);
    assert_eq!(registered.header("cache-control"), "private, no-store");
    let body = &registered.body;
    assert_eq!(body["customer"]["email"], ann.email);
    assert_eq!(body["customer"]["role"], "customer");
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(300))
    );
    assert_eq!(body["refresh_expires_in"], 30 * 24 * 3600);
    assert_eq!(body["cart"], json!({"merged": 0, "capped": []}));

    let me = ann.get("/customers/me").await.expect(200);
    assert_eq!(me.body, body["customer"]);
    assert_eq!(me.header("cache-control"), "private, no-store");

    let again = ann.log_in().await.expect(201);
    assert_eq!(again.body["customer"], body["customer"]);
    assert_ne!(again.body["refresh_token"], body["refresh_token"]);
}

#[tokio::test]
async fn an_e_mail_address_has_one_account_however_it_is_typed() {
    let shop = shop().await;
    let mut ann = Shopper::visitor(&shop.url());
    ann.register().await.expect(201);
    let typed = format!("  {}\t", ann.email.to_uppercase());
    let body = json!({"email": typed, "password": "correct horse battery", "name": "Other"});
    ann.post("/customers", &body).await.refused(409, "email_taken");
    let body = json!({"email": typed, "password": "correct horse battery"});
    ann.post("/sessions", &body).await.expect(201);
    let me = ann.get("/customers/me").await.expect(200);
    assert_eq!(me.body["name"], "Ada Lovelace");
}

#[tokio::test]
async fn one_of_many_registrations_at_a_time_has_the_address() {
    let shop = shop().await;
    let ann = Shopper::visitor(&shop.url());
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let mut ann = ann.clone();
        tries.spawn(async move { ann.register().await });
    }
    let statuses: Vec<_> = tries
        .join_all()
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    let count = |status| statuses.iter().filter(|&&s| s == status).count();
    assert_eq!((count(201), count(409)), (1, 5), "{statuses:?}");
}

#[tokio::test]
async fn a_registration_names_every_field_at_fault() {
    let nobody = Shopper::visitor(&shop().await.url());
    let body = json!({"email": "ann", "password": "1234567", "name": " "});
    let answer = nobody.post("/customers", &body).await;
    let answer = answer.refused(422, "validation_failed");
    assert_eq!(answer.fields(), ["email", "password", "name"]);
    let long = |n: usize| "x".repeat(n);
    let body = json!({"email": format!("a@{}.com", long(250)), "password": long(129), "name": long(101)});
    let answer = nobody.post("/customers", &body).await;
    let answer = answer.refused(422, "validation_failed");
    assert_eq!(answer.fields(), ["email", "password", "name"]);
}

#[tokio::test]
async fn a_wrong_password_and_no_account_get_the_same_answer() {
    let shop = shop().await;
    let ann = Shopper::customer(&shop.url()).await;
    let mut ben = Shopper::visitor(&shop.url());
    ben.register().await.expect(201);
    let statement = format!(
        "UPDATE customers SET password_hash = NULL WHERE email = '{}'",
        ben.email
    );
    assert_eq!(sql(shop, statement).await, 1);

    let log_in = async |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        let answer = ann.post("/sessions", &body).await;
        without_request_id(&answer.refused(401, "unauthenticated"))
    };
    let wrong = log_in(&ann.email, "correct horse batterz").await;
    assert_eq!(log_in("nobody@example.com", "correct horse battery").await, wrong);
    assert_eq!(
        log_in(&ben.email, "correct horse battery").await,
        wrong,
        "has no hash"
    );
    assert_eq!(log_in("not an address", "correct horse battery").await, wrong);
    assert_eq!(log_in(&ann.email, "").await, wrong);
    assert_eq!(log_in(&ann.email, &"x".repeat(129)).await, wrong);
}

#[tokio::test]
async fn a_customer_changes_their_name_and_nothing_else() {
    let ann = Shopper::customer(&shop().await.url()).await;
    let before = ann.get("/customers/me").await.expect(200).body;
    for _ in 0..2 {
        let renamed = ann
            .patch("/customers/me", &json!({"name": " Ann O'Nym 안 "}))
            .await;
        let mut body = renamed.expect(200).body;
        assert_eq!(body["name"], "Ann O'Nym 안");
        assert_eq!(ann.get("/customers/me").await.expect(200).body, body);
        body["name"] = before["name"].clone();
        assert_eq!(body, before);
    }
    for name in ["", " \t", "a\u{0}b", &"x".repeat(101)] {
        let answer = ann.patch("/customers/me", &json!({"name": name})).await;
        assert_eq!(answer.refused(422, "validation_failed").fields(), ["name"]);
    }
}
