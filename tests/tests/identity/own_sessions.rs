//! A customer looks at their own sessions and ends them.

use std::collections::HashSet;

use serde_json::json;
use trestle_tests::Shopper;

use crate::{is_refused_at, replicas, shop};

async fn customer() -> Shopper {
    let mut shopper = Shopper::visitor(&shop().await.url());
    shopper.register().await.expect(201);
    shopper
}

/// The same customer, logged in once more, with a browser that calls itself so.
async fn log_in_with(shopper: &Shopper, browser: &str) -> Shopper {
    let mut there = shopper.clone();
    let body = json!({"email": shopper.email, "password": "correct horse battery"});
    let request = there
        .request(reqwest::Method::POST, "/sessions")
        .header("user-agent", browser)
        .json(&body);
    let answer = there.send(request).await.expect(201);
    there.keep_tokens(&answer);
    there
}

async fn current_id(shopper: &Shopper) -> String {
    let sessions = shopper.get("/sessions").await.expect(200);
    let current = sessions.items().iter().find(|session| session["current"] == true);
    current.expect("a current session")["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn the_list_tells_sessions_apart_and_holds_the_live_ones_only() {
    let desk = customer().await;
    let long = format!("Phone/{}", "9".repeat(300));
    let phone = log_in_with(&desk, &long).await;
    let gone = log_in_with(&desk, "Library/1.0").await;
    gone.delete("/sessions/current").await.expect(204);

    let list = phone.get("/sessions").await.expect(200);
    assert_eq!(list.header("cache-control"), "private, no-store");
    assert_eq!(list.body["next_cursor"], json!(null));
    let [newest, oldest] = list.items() else {
        panic!("two sessions live: {}", list.text)
    };
    assert_eq!(
        (&newest["current"], &oldest["current"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(newest["user_agent"], long[..200]);
    for session in [newest, oldest] {
        let fields: HashSet<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
        let wanted = ["id", "current", "user_agent", "created_at", "expires_at"];
        assert_eq!(fields, HashSet::from(wanted));
        assert!(session["created_at"].as_str().unwrap().ends_with('Z'));
        assert!(session["created_at"].as_str() < session["expires_at"].as_str());
    }
    // The other session sees the same list, from its own place.
    assert_eq!(current_id(&desk).await, oldest["id"].as_str().unwrap());

    // Nobody else's are in it.
    let stranger = customer().await;
    assert_eq!(stranger.get("/sessions").await.expect(200).items().len(), 1);
}

#[tokio::test]
async fn the_list_comes_in_pages() {
    let ann = customer().await;
    for number in 0..4 {
        log_in_with(&ann, &format!("Browser/{number}")).await;
    }
    let mut ids = Vec::new();
    let mut path = "/sessions?limit=2".to_owned();
    loop {
        let page = ann.get(&path).await.expect(200);
        assert!(page.items().len() <= 2);
        ids.extend(
            page.items()
                .iter()
                .map(|session| session["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        path = format!("/sessions?limit=2&cursor={cursor}");
        // A cursor is of no use to another customer.
        customer().await.get(&path).await.refused(400, "invalid_request");
    }
    assert_eq!(ids.len(), 5);
    assert!(
        ids.is_sorted_by(|one, next| one > next),
        "newest first, none twice"
    );
    for query in ["limit=0", "limit=101", "cursor=x", "customer_id=1"] {
        let answer = ann.get(&format!("/sessions?{query}")).await;
        answer.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn one_session_is_ended_from_another_and_only_by_its_customer() {
    let stack = shop().await;
    let [one, other] = replicas(stack);
    let desk = customer().await;
    let phone = log_in_with(&desk, "Phone/1.0").await;
    let path = format!("/sessions/{}", current_id(&phone).await);

    let stranger = customer().await;
    stranger.delete(&path).await.refused(404, "not_found");
    Shopper::visitor(&stack.url())
        .delete(&path)
        .await
        .refused(401, "unauthenticated");
    phone.get("/customers/me").await.expect(200);

    desk.at(&one).delete(&path).await.expect(204);
    phone
        .at(&one)
        .get("/customers/me")
        .await
        .refused(401, "unauthenticated");
    is_refused_at(&other, &phone).await;
    let body = json!({"refresh_token": phone.refresh_token});
    phone
        .post("/sessions/refresh", &body)
        .await
        .refused(401, "unauthenticated");
    desk.delete(&path).await.refused(404, "not_found");
    desk.delete("/sessions/x").await.refused(404, "not_found");
    desk.get("/customers/me").await.expect(200);

    // One's own is a logout.
    let path = format!("/sessions/{}", current_id(&desk).await);
    desk.at(&one).delete(&path).await.expect(204);
    desk.at(&one)
        .get("/customers/me")
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn all_other_sessions_are_ended_at_once() {
    let [one, other] = replicas(shop().await);
    let desk = customer().await;
    let phone = log_in_with(&desk, "Phone/1.0").await;
    let tablet = log_in_with(&desk, "Tablet/1.0").await;
    let stranger = customer().await;
    tablet.at(&one).delete("/sessions").await.expect(204);
    for gone in [&desk, &phone] {
        is_refused_at(&one, gone).await;
        is_refused_at(&other, gone).await;
    }
    for left in [&tablet, &stranger] {
        left.at(&other).get("/customers/me").await.expect(200);
    }
    assert_eq!(tablet.get("/sessions").await.expect(200).items().len(), 1);
}
