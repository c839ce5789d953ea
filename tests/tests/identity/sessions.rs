//! Refresh tokens and logout (invariant 5).

use std::time::{Duration, Instant};

use serde_json::json;
use trestle::Stack;
use trestle_tests::{Answer, Shopper, repetitions};

use crate::{is_refused_at, replicas, shop, sql};

async fn refresh(shopper: &Shopper, token: &str) -> Answer {
    let body = json!({"refresh_token": token});
    shopper.post("/sessions/refresh", &body).await
}

/// Lets `seconds` pass for the used refresh tokens of this customer.
async fn age_used_tokens(stack: &Stack, shopper: &Shopper, seconds: u32) -> u64 {
    let statement = format!(
        "UPDATE refresh_tokens
        SET rotated_at = rotated_at - INTERVAL {seconds} SECOND
        WHERE rotated_at IS NOT NULL
            AND session_id IN (
                SELECT s.id
                FROM sessions s
                JOIN customers c ON c.id = s.customer_id
                WHERE c.email = '{}'
            )",
        shopper.email
    );
    sql(stack, statement).await
}

fn text<'a>(answer: &'a Answer, field: &str) -> &'a str {
    answer.body[field].as_str().expect(field)
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_session() {
    let mut ann = Shopper::customer(&shop().await.url()).await;
    for _ in 0..3 {
        let old = ann.refresh_token.clone().unwrap();
        let answer = refresh(&ann, &old).await.expect(200);
        assert_eq!(answer.header("cache-control"), "private, no-store");
        let fields = [
            "access_token",
            "expires_in",
            "refresh_expires_in",
            "refresh_token",
            "token_type",
        ];
        let mut found: Vec<_> = answer.body.as_object().unwrap().keys().collect();
        found.sort_unstable();
        assert_eq!(found, fields);
        ann.keep_tokens(&answer);
        assert_ne!(ann.refresh_token.as_ref().unwrap(), &old);
        ann.get("/customers/me").await.expect(200);
    }
}

#[tokio::test]
async fn parallel_refreshes_with_one_token_all_succeed() {
    let stack = shop().await;
    let [one, other] = replicas(stack);
    for _ in 0..repetitions() {
        let ann = Shopper::customer(&stack.url()).await;
        let token = ann.refresh_token.clone().unwrap();
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..8 {
            let ann = ann.at(if number % 2 == 0 { &one } else { &other });
            let token = token.clone();
            tries.spawn(async move { refresh(&ann, &token).await.expect(200) });
        }
        let answers = tries.join_all().await;
        for answer in &answers {
            refresh(&ann, text(answer, "refresh_token")).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_used_token_is_good_for_its_grace_and_then_ends_the_session() {
    let stack = shop().await;
    let ann = Shopper::customer(&stack.url()).await;
    let first = ann.refresh_token.clone().unwrap();
    let second = refresh(&ann, &first).await.expect(200);
    assert_eq!(age_used_tokens(stack, &ann, 20).await, 1);
    refresh(&ann, &first).await.expect(200);
    assert_eq!(age_used_tokens(stack, &ann, 11).await, 1);

    let [one, other] = replicas(stack);
    let answer = refresh(&ann.at(&one), &first).await;
    answer.refused(401, "unauthenticated");
    // On the replica that saw it at once, on the other within two seconds.
    ann.at(&one)
        .get("/customers/me")
        .await
        .refused(401, "unauthenticated");
    is_refused_at(&other, &ann).await;
    let good = text(&second, "refresh_token");
    refresh(&ann, good).await.refused(401, "unauthenticated");
    // Another session of the same customer goes on.
    let mut ann = ann;
    ann.log_in().await.expect(201);
    ann.get("/customers/me").await.expect(200);
}

#[tokio::test]
async fn spoilt_unknown_and_expired_refresh_tokens_are_refused() {
    let stack = shop().await;
    let ann = Shopper::customer(&stack.url()).await;
    let access = ann.token.clone().unwrap();
    for token in [
        "",
        "x",
        &"A".repeat(43),
        &"!".repeat(43),
        &"A".repeat(5_000),
        &access,
    ] {
        refresh(&ann, token).await.refused(401, "unauthenticated");
    }
    let statement = format!(
        "UPDATE sessions s
        JOIN customers c ON c.id = s.customer_id
        SET s.expires_at = UTC_TIMESTAMP(6) + INTERVAL 60 SECOND
        WHERE c.email = '{}'",
        ann.email
    );
    assert_eq!(sql(stack, statement.clone()).await, 1);
    let last = refresh(&ann, ann.refresh_token.as_ref().unwrap())
        .await
        .expect(200);
    // No token outlives its session.
    for field in ["expires_in", "refresh_expires_in"] {
        let left = last.body[field].as_u64().unwrap();
        assert!((50..=60).contains(&left), "{field} is {left}");
    }
    assert_eq!(sql(stack, statement.replace("+ INTERVAL", "- INTERVAL")).await, 1);
    let token = text(&last, "refresh_token");
    refresh(&ann, token).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_logout_ends_this_session_at_once_here_and_soon_on_the_other_replica() {
    let stack = shop().await;
    let mut ann = Shopper::customer(&stack.url()).await;
    let first = ann.clone();
    ann.log_in().await.expect(201);
    let [one, other] = replicas(stack);
    ann.at(&other).get("/customers/me").await.expect(200);
    let began = Instant::now();
    let gone = ann.at(&one).delete("/sessions/current").await.expect(204);
    assert_eq!(
        (gone.text.as_str(), gone.header("cache-control")),
        ("", "private, no-store")
    );
    ann.at(&one)
        .get("/customers/me")
        .await
        .refused(401, "unauthenticated");
    is_refused_at(&other, &ann).await;
    assert!(began.elapsed() < Duration::from_secs(2));
    // A token that is not believed is not taken for a visitor's silence either.
    ann.at(&one).get("/cart").await.refused(401, "unauthenticated");
    let token = ann.refresh_token.clone().unwrap();
    refresh(&ann, &token).await.refused(401, "unauthenticated");
    // The customer's other session goes on.
    first.get("/customers/me").await.expect(200);
}
