//! Failed logins are slowed down, and nobody is locked out. Each test asks replicas from addresses of its own, which
//! count as clients of their own.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use trestle::Stack;
use trestle_tests::{Answer, Shopper, eventually};

use crate::{replicas, shop, visitor_from};

const RIGHT: &str = "correct horse battery";
const WRONG: &str = "correct horse batterz";
/// What an attempt may take at most: the longest wait, a hash, and a machine that is busy.
const BOUNDED: Duration = Duration::from_secs(5);

async fn log_in(from: &Shopper, email: &str, password: &str) -> (Answer, Duration) {
    let began = Instant::now();
    let request = from
        .request(Method::POST, "/sessions")
        .json(&json!({"email": email, "password": password}));
    let answer = heard(from, request).await;
    (answer, began.elapsed())
}

/// What a login is told in the end: on a busy machine the queue for hashes may be full at first, which says nothing of it.
async fn heard(from: &Shopper, request: RequestBuilder) -> Answer {
    let began = Instant::now();
    loop {
        let again = request.try_clone().expect("a body that can be sent again");
        let answer = from.send(again).await;
        if answer.code() != "overloaded" || began.elapsed() > Duration::from_secs(60) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn registered(base: &str) -> String {
    let mut ann = Shopper::visitor(base);
    ann.register().await.expect(201);
    ann.email
}

/// Fails so often that the next attempt waits for a second.
async fn fail_often(from: &Shopper, email: &str) {
    let mut last = Duration::ZERO;
    for _ in 0..9 {
        let (answer, took) = log_in(from, email, WRONG).await;
        answer.refused(401, "unauthenticated");
        last = took;
    }
    assert!(
        last >= Duration::from_millis(750),
        "the ninth came after {last:?}"
    );
}

/// Two attempts at a time, of which one is told to wait.
async fn one_of_two_is_refused(from: &Shopper, email: &str) {
    let (one, two) = tokio::join!(log_in(from, email, WRONG), log_in(from, email, WRONG));
    let mut answers = [one.0, two.0];
    answers.sort_by_key(|answer| answer.status);
    let [tried, refused] = answers;
    tried.refused(401, "unauthenticated");
    let refused = refused.refused(429, "too_many_attempts");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn failures_at_an_account_make_the_next_attempt_later_and_the_right_password_gets_in() {
    let [one, other] = replicas(shop().await);
    let email = registered(&one).await;
    let thief = visitor_from(11, &one);
    fail_often(&thief, &email).await;
    one_of_two_is_refused(&thief, &email).await;

    // From wherever and on whichever replica: the account's failures are counted for all.
    let owner = visitor_from(12, &other);
    let (answer, took) = log_in(&owner, &email, RIGHT).await;
    answer.expect(201);
    assert!(took >= Duration::from_secs(1) && took < BOUNDED, "{took:?}");
    // Which forgets them.
    let (answer, took) = log_in(&owner, &email, RIGHT).await;
    answer.expect(201);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn an_account_that_is_not_there_is_treated_as_one_that_is() {
    let [one, _] = replicas(shop().await);
    let thief = visitor_from(13, &one);
    let email = Shopper::visitor(&one).email;
    fail_often(&thief, &email).await;
    one_of_two_is_refused(&thief, &email).await;
}

#[tokio::test]
async fn guesses_at_the_current_password_count_too() {
    let [one, _] = replicas(shop().await);
    let mut ann = visitor_from(14, &one);
    ann.register().await.expect(201);
    let body = json!({"current_password": WRONG, "new_password": "staple of another colour"});
    for _ in 0..9 {
        ann.put("/customers/me/password", &body)
            .await
            .refused(422, "validation_failed");
    }
    one_of_two_is_refused(&ann, &ann.email).await;
}

#[tokio::test]
async fn two_hundred_good_logins_from_one_address_are_not_slowed() {
    let [one, other] = replicas(shop().await);
    let school = [visitor_from(15, &one), visitor_from(15, &other)];
    let email = registered(&one).await;
    let mut pupils = tokio::task::JoinSet::new();
    // More at a time than may wait: had they to wait, some would be refused.
    for pupil in 0..20 {
        let (from, email) = (school[pupil % 2].clone(), email.clone());
        pupils.spawn(async move {
            for _ in 0..10 {
                log_in(&from, &email, RIGHT).await.0.expect(201);
            }
        });
    }
    pupils.join_all().await;
    let (answer, took) = log_in(&school[0], &email, RIGHT).await;
    answer.expect(201);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// Fails at one account after the other, as somebody with a list of stolen passwords does. `forwarded` is what the client
/// says of itself, each time anew.
async fn fail_everywhere(from: &Shopper, forwarded: impl Fn(u32) -> String) {
    for number in 0..60 {
        let body =
            json!({"email": format!("nobody-{number}@{}", from.email.replace('@', ".")), "password": WRONG});
        let request = from
            .request(Method::POST, "/sessions")
            .header("x-forwarded-for", forwarded(number))
            .json(&body);
        heard(from, request).await.refused(401, "unauthenticated");
    }
}

/// How many of these attempts, all at a time, are told to come later.
async fn refused_at_a_time(from: &Shopper, forwarded: &str, emails: Vec<String>) -> usize {
    let all = emails.len();
    let mut attempts = tokio::task::JoinSet::new();
    for email in emails {
        let request = from
            .request(Method::POST, "/sessions")
            .header("x-forwarded-for", forwarded)
            .json(&json!({"email": email, "password": WRONG}));
        let from = from.clone();
        attempts.spawn(async move { heard(&from, request).await });
    }
    let answers = attempts.join_all().await;
    let refused = answers
        .iter()
        .filter(|answer| answer.code() == "too_many_attempts")
        .count();
    let tried = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(refused + tried, all);
    refused
}

/// Whether attempts from there have to wait: then of four at one account, which four failures do not slow, one waits and
/// the others are refused.
async fn is_slowed(from: &Shopper, forwarded: &str) -> bool {
    let email = Shopper::visitor(&from.base).email;
    refused_at_a_time(from, forwarded, vec![email; 4]).await > 0
}

#[tokio::test]
async fn who_fails_everywhere_is_slowed_whatever_is_said_of_the_address() {
    let [one, _] = replicas(shop().await);
    let email = registered(&one).await;
    // Nobody trusts this peer: what it says of itself is not believed.
    let liar = visitor_from(16, &one);
    fail_everywhere(&liar, |number| format!("203.0.113.{number}")).await;
    assert!(is_slowed(&liar, "203.0.113.99").await);
    // Those who are behind that address wait side by side, each for an account of their own.
    let emails = (0..16).map(|_| Shopper::visitor(&one).email).collect();
    assert_eq!(refused_at_a_time(&liar, "203.0.113.99", emails).await, 0);
    // Even from there, the right password gets in, after a wait.
    let (answer, took) = log_in(&liar, &email, RIGHT).await;
    answer.expect(201);
    assert!(took < BOUNDED, "{took:?}");
    // And nobody else is slowed.
    assert!(!is_slowed(&visitor_from(17, &one), "203.0.113.99").await);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_client_is_counted_and_not_the_proxy() {
    let [one, _] = replicas(shop().await);
    let proxy = visitor_from(1, &one);
    fail_everywhere(&proxy, |number| format!("198.51.100.{number}, 192.0.2.7")).await;
    assert!(is_slowed(&proxy, "192.0.2.7").await);
    assert!(!is_slowed(&proxy, "192.0.2.8").await);
}

/// One test with a stack of its own: without Redis, a replica counts for itself.
#[tokio::test]
async fn all_of_this_holds_while_redis_is_down() {
    let stack = Stack::builder().replicas(1).start().await.expect("a stack");
    let one = format!("http://{}", stack.replicas()[0].address);
    stack.kill_and_hold("redis").await.unwrap();
    let email = registered(&one).await;
    let thief = visitor_from(11, &one);
    fail_often(&thief, &email).await;
    one_of_two_is_refused(&thief, &email).await;
    let (answer, took) = log_in(&visitor_from(12, &one), &email, RIGHT).await;
    answer.expect(201);
    assert!(took >= Duration::from_secs(1) && took < BOUNDED, "{took:?}");
    let school = visitor_from(13, &one);
    for _ in 0..60 {
        log_in(&school, &email, RIGHT).await.0.expect(201);
    }
    // What was counted meanwhile goes on counting when an empty Redis comes back.
    fail_often(&thief, &email).await;
    stack.restart_process("redis").await.unwrap();
    let counted = async || log_in(&thief, &email, WRONG).await.1 >= Duration::from_secs(1);
    eventually("failures still count", counted).await;
    stack.stop().await.unwrap();
}

/// One test with a stack of its own: one hash at a time, and few who wait for it.
#[tokio::test]
async fn logins_that_find_no_turn_to_be_hashed_are_told_so() {
    let stack = Stack::builder()
        .replicas(1)
        .env("TRESTLE_HASHES", "1")
        .start()
        .await
        .expect("a stack");
    // At the replica's own door: nginx gives a replica half a second to take a connection, and answers 504 itself.
    let door = format!("http://{}", stack.replicas()[0].address);
    let email = registered(&door).await;
    let from = visitor_from(1, &door);
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (from, body) = (from.clone(), json!({"email": email, "password": RIGHT}));
        logins.spawn(async move { from.post("/sessions", &body).await });
    }
    let answers = logins.join_all().await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert!(
        !good.is_empty() && !refused.is_empty(),
        "{} {}",
        good.len(),
        refused.len()
    );
    for answer in refused {
        let answer = answer.refused(503, "overloaded");
        assert_eq!(answer.header("retry-after"), "1");
    }
    // None of that counts as a failure.
    let (answer, took) = log_in(&from, &email, RIGHT).await;
    answer.expect(201);
    assert!(took < Duration::from_secs(1), "{took:?}");
    stack.stop().await.unwrap();
}
