//! Passwords: which are taken, and what a change of one ends.

use serde_json::json;
use trestle_tests::{Answer, Shopper, repetitions};

use crate::{is_refused_at, replicas, shop};

const OLD: &str = "correct horse battery";
const NEW: &str = "staple of another colour";

async fn customer() -> Shopper {
    let mut shopper = Shopper::visitor(&shop().await.url());
    shopper.register().await.expect(201);
    shopper
}

async fn change(shopper: &Shopper, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    shopper.put("/customers/me/password", &body).await
}

async fn log_in(shopper: &Shopper, password: &str) -> Answer {
    let body = json!({"email": shopper.email, "password": password});
    shopper.post("/sessions", &body).await
}

#[tokio::test]
async fn a_change_ends_every_other_session_and_this_one_goes_on() {
    let [one, other] = replicas(shop().await);
    let mut desk = customer().await;
    let mut phone = desk.clone();
    phone.keep_tokens(&log_in(&desk, OLD).await.expect(201));
    let stranger = customer().await;

    let changed = change(&desk.at(&one), OLD, NEW).await.expect(204);
    assert_eq!(
        (changed.text.as_str(), changed.header("cache-control")),
        ("", "private, no-store")
    );
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

    desk.at(&other).get("/customers/me").await.expect(200);
    let body = json!({"refresh_token": desk.refresh_token});
    let refreshed = desk.post("/sessions/refresh", &body).await.expect(200);
    desk.keep_tokens(&refreshed);
    desk.get("/customers/me").await.expect(200);
    stranger.get("/customers/me").await.expect(200);

    log_in(&desk, OLD).await.refused(401, "unauthenticated");
    log_in(&desk, NEW).await.expect(201);
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing() {
    let ann = customer().await;
    for wrong in ["", "Correct horse battery", &"x".repeat(129)] {
        let answer = change(&ann, wrong, NEW).await.refused(422, "validation_failed");
        assert_eq!(answer.fields(), ["current_password"]);
    }
    Shopper::visitor(&ann.base)
        .put(
            "/customers/me/password",
            &json!({"current_password": OLD, "new_password": NEW}),
        )
        .await
        .refused(401, "unauthenticated");
    ann.get("/customers/me").await.expect(200);
    log_in(&ann, OLD).await.expect(201);
}

/// Whoever logs in with the old password while it is changed is either refused, or ended with the others.
#[tokio::test]
async fn no_session_is_opened_with_the_old_password_while_it_is_changed() {
    for _ in 0..repetitions() {
        let desk = customer().await;
        let mut logins = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let mut phone = desk.clone();
            logins.spawn(async move {
                let answer = log_in(&phone, OLD).await;
                phone.keep_tokens(&answer);
                (answer.status, phone)
            });
        }
        change(&desk, OLD, NEW).await.expect(204);
        for (status, phone) in logins.join_all().await {
            if status == 201 {
                let body = json!({"refresh_token": phone.refresh_token});
                phone
                    .post("/sessions/refresh", &body)
                    .await
                    .refused(401, "unauthenticated");
            }
        }
        assert_eq!(desk.get("/sessions").await.expect(200).items().len(), 1);
    }
}

#[tokio::test]
async fn passwords_that_are_tried_first_are_refused_and_any_characters_are_taken() {
    let ann = customer().await;
    let nobody = Shopper::visitor(&ann.base);
    let refused = [
        "kxhqvwt",
        "Password123!",
        "p4ssw0rd2026",
        "1234567890",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "trestle2026",
        "adalovelace",
    ];
    for password in refused.into_iter().chain([ann.email.as_str()]) {
        let answer = change(&ann, OLD, password)
            .await
            .refused(422, "validation_failed");
        assert_eq!(answer.fields(), ["new_password"], "{password}");
        let body = json!({"email": ann.email, "password": password, "name": "Ada Lovelace"});
        let answer = nobody
            .post("/customers", &body)
            .await
            .refused(422, "validation_failed");
        assert_eq!(answer.fields(), ["password"], "{password}");
    }
    let long = "zur Not 안녕 ".chars().cycle().take(128).collect::<String>();
    for password in ["kxhqvwtz", "비밀번호를정하자", &long] {
        let mut ben = Shopper::visitor(&ann.base);
        let body = json!({"email": ben.email, "password": password, "name": "Ben"});
        ben.keep_tokens(&nobody.post("/customers", &body).await.expect(201));
        log_in(&ben, password).await.expect(201);
    }
    // Typed on another system, a letter can come in two parts.
    let ben = Shopper::visitor(&ann.base);
    let body = json!({"email": ben.email, "password": "Zu\u{308}rich im Regen", "name": "Ben"});
    nobody.post("/customers", &body).await.expect(201);
    log_in(&ben, "Z\u{fc}rich im Regen").await.expect(201);
}
