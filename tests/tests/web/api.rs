//! The way to the replicas: what leads there, what they are told, and what happens when one fails.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG};
use serde_json::Value;

use crate::front::{Front, Wish, start};
use crate::replica::{Does, Replica};

async fn front_of(replicas: &[&Replica]) -> Front {
    start(Wish {
        replicas,
        ..Wish::default()
    })
    .await
}

#[tokio::test]
async fn nothing_but_api_leads_to_a_replica() {
    let replica = Replica::start(Does::Answer).await;
    let front = front_of(&[&replica]).await;
    for path in [
        "/livez",
        "/readyz",
        "/metrics",
        "/api",
        "/apiv1/products",
        "/api/../livez",
        "/api/%2e%2e/metrics",
        "//readyz",
        "/:read",
        "/:checkout",
        "/:problem/502",
    ] {
        // By hand: an HTTP client would tidy the path up.
        let status = raw_status(&front, &format!("GET {path} HTTP/1.1")).await;
        assert_eq!(status, "404", "{path}");
    }
    assert_eq!(replica.seen().len(), 0);
    let answer = front.client.get(front.url("/healthz")).send().await;
    assert_eq!(answer.unwrap().text().await.unwrap(), "ok\n");
    assert_eq!(replica.seen().len(), 0);
}

async fn raw_status(front: &Front, request_line: &str) -> String {
    let request = format!("{request_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = crate::errors::exchange(front, request.as_bytes()).await;
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn health_and_pages_do_without_replicas() {
    let front = front_of(&[]).await;
    for path in ["/healthz", "/"] {
        let answer = front.client.get(front.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_address_and_the_body_arrive_as_they_were_sent() {
    let replica = Replica::start(Does::Answer).await;
    let front = front_of(&[&replica]).await;
    for (method, target) in [
        (Method::GET, "/api/v1/products?q=a%2Fb%20c+d&cursor=%3D"),
        (Method::PUT, "/api/v1/cart/items/7"),
        (Method::DELETE, "/api/v1/cart"),
        (Method::PATCH, "/api/v1/customers/me"),
        (Method::POST, "/api/v1/orders"),
        (Method::POST, "/api/v1/orders/1%2f2/cancel"),
    ] {
        let answer = front
            .client
            .request(method.clone(), front.url(target))
            .body("{\"quantity\":1}")
            .send()
            .await
            .unwrap();
        let echo: Value = answer.json().await.unwrap();
        assert_eq!(echo["method"], method.as_str());
        assert_eq!(echo["target"], target);
        assert_eq!(echo["headers"]["content-length"], "14", "{target}");
    }
}

#[tokio::test]
async fn a_sane_request_id_is_passed_on_and_any_other_replaced() {
    let replica = Replica::start(Does::Answer).await;
    let front = front_of(&[&replica]).await;
    let ask = async |path: &str, id: &str| {
        let request = front.client.get(front.url(path)).header("X-Request-Id", id);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers().get_all("x-request-id").iter().count(), 1);
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    let longest = "a".repeat(64);
    for path in ["/api/v1/products", "/", "/nothing"] {
        assert_eq!(ask(path, "till-4.order_9").await, "till-4.order_9");
        assert_eq!(ask(path, &longest).await, longest);
        for bad in ["", "a b", "\"}", &"a".repeat(65)] {
            let made = ask(path, bad).await;
            assert_eq!(made.len(), 32, "{made} for {bad}");
        }
    }
    let told = replica.seen()[0].headers["x-request-id"].clone();
    assert_eq!(told, "till-4.order_9");
}

#[tokio::test]
async fn what_a_client_says_about_proxies_is_not_believed() {
    let replica = Replica::start(Does::Answer).await;
    let front = front_of(&[&replica]).await;
    let request = front
        .client
        .get(front.url("/api/v1/products"))
        .header("X-Forwarded-For", "203.0.113.9")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "evil.example")
        .header("Forwarded", "for=203.0.113.9");
    request.send().await.unwrap();
    let headers = replica.seen()[0].headers.clone();
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert_eq!(headers["x-forwarded-host"], front.http.to_string());
    assert!(!headers.contains_key("forwarded"));
}

#[tokio::test]
async fn reads_are_compressed_here_and_answers_with_tokens_never() {
    let replica = Replica::start(Does::Answer).await;
    let front = front_of(&[&replica]).await;
    for (method, path, compressed) in [
        (Method::GET, "/api/v1/products", true),
        (Method::POST, "/api/v1/sessions", false),
        (Method::POST, "/api/v1/orders", false),
    ] {
        let answer = front
            .client
            .request(method, front.url(path))
            .header(ACCEPT_ENCODING, "gzip")
            .send()
            .await
            .unwrap();
        let found = answer.headers().contains_key(CONTENT_ENCODING);
        assert_eq!(found, compressed, "{path}");
        let etag = if compressed { "W/\"v1\"" } else { "\"v1\"" };
        assert_eq!(answer.headers()[ETAG], etag, "{path}");
    }
    assert!(!replica.seen()[0].headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn connections_to_the_replicas_are_kept() {
    let replica = Replica::start(Does::Answer).await;
    let front = front_of(&[&replica]).await;
    for _ in 0..40 {
        let answer = front.client.get(front.url("/api/v1/products")).send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    // One for each worker that took part.
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(replica.connections() <= workers, "{}", replica.connections());
}

#[tokio::test]
async fn a_busy_replica_is_passed_over() {
    let busy = Replica::start(Does::Hang).await;
    let idle = Replica::start(Does::Answer).await;
    let front = front_of(&[&busy, &idle]).await;
    let start = Instant::now();
    let mut held = Vec::new();
    while busy.seen().is_empty() && held.len() < 20 {
        let request = front.client.get(front.url("/api/v1/products"));
        held.push(tokio::spawn(request.send()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // In turn, every other of these would wait behind the first.
    for _ in 0..20 {
        let answer = front.client.get(front.url("/api/v1/products")).send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    assert_eq!(busy.seen().len(), 1);
    // Sooner than nginx could have found out that it hangs.
    assert!(start.elapsed() < Duration::from_millis(2900));
}

#[tokio::test]
async fn a_broken_off_read_or_checkout_is_tried_elsewhere_another_post_is_not() {
    for (method, path, repeated) in [
        (Method::GET, "/api/v1/products", true),
        (Method::PUT, "/api/v1/cart/items/7", true),
        (Method::POST, "/api/v1/orders", true),
        (Method::POST, "/api/v1/orders?source=page", true),
        (Method::POST, "/api/v1/orders/1/cancel", false),
        (Method::POST, "/api/v1/customers", false),
        (Method::PATCH, "/api/v1/customers/me", false),
    ] {
        let broken = Replica::start(Does::BreakOff).await;
        let good = Replica::start(Does::Answer).await;
        let front = front_of(&[&broken, &good]).await;
        // Equally idle, either may be asked first; the broken one is, within a few requests.
        let mut statuses = Vec::new();
        while broken.seen().is_empty() && statuses.len() < 20 {
            let request = front.client.request(method.clone(), front.url(path));
            statuses.push(request.body("{}").send().await.unwrap().status().as_u16());
        }
        assert_eq!(broken.seen().len(), 1, "{method} {path}");
        let last = *statuses.last().unwrap();
        assert_eq!(last, if repeated { 200 } else { 502 }, "{method} {path}");
        let arrived = good.seen().len() + broken.seen().len();
        assert_eq!(arrived, statuses.len() + usize::from(repeated), "{method} {path}");
    }
}

#[tokio::test]
async fn an_answer_is_never_asked_for_again_whatever_it_says() {
    let one = Replica::start(Does::Answer).await;
    let other = Replica::start(Does::Answer).await;
    let front = front_of(&[&one, &other]).await;
    for status in ["500", "502", "503", "429"] {
        for (method, path) in [
            (Method::GET, "/api/v1/products"),
            (Method::POST, "/api/v1/orders"),
        ] {
            let before = one.seen().len() + other.seen().len();
            let request = front
                .client
                .request(method, front.url(&format!("{path}?status={status}")));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_str(), status);
            // The replica's own body, not nginx's.
            assert!(answer.text().await.unwrap().contains("padding"));
            assert_eq!(one.seen().len() + other.seen().len(), before + 1);
        }
    }
}

#[tokio::test]
async fn a_replica_that_is_gone_is_left_alone_for_two_seconds() {
    let good = Replica::start(Does::Answer).await;
    let gone = Replica::start(Does::BreakOff).await;
    let front = front_of(&[&good, &gone]).await;
    for _ in 0..60 {
        let answer = front.client.get(front.url("/api/v1/products")).send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    assert!(gone.seen().len() <= 2, "{}", gone.seen().len());
}

#[tokio::test]
async fn each_kind_of_request_waits_a_little_longer_than_the_api_may_take() {
    let frozen = Replica::start(Does::Hang).await;
    let front = front_of(&[&frozen]).await;
    let ask = async |method: Method, path: &str, seconds: u64| {
        let start = Instant::now();
        let request = front.client.request(method, front.url(path));
        let answer = request.send().await.unwrap();
        let took = start.elapsed();
        assert_eq!(answer.status(), 504, "{path}");
        let expected = Duration::from_secs(seconds);
        assert!(
            took >= expected && took < expected + Duration::from_millis(1500),
            "{path}: {took:?}"
        );
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "unavailable", "{path}");
    };
    tokio::join!(
        ask(Method::GET, "/api/v1/products", 3),
        ask(Method::GET, "/api/v1/orders", 3),
        ask(Method::PUT, "/api/v1/cart/items/7", 7),
        ask(Method::POST, "/api/v1/orders/1/cancel", 7),
        ask(Method::POST, "/api/v1/orders", 10),
    );
}

#[tokio::test]
async fn a_read_that_hangs_is_tried_on_another_replica_once() {
    let frozen = Replica::start(Does::Hang).await;
    let good = Replica::start(Does::Answer).await;
    let front = front_of(&[&frozen, &good]).await;
    let start = Instant::now();
    let mut asked = 0;
    while frozen.seen().is_empty() && asked < 20 {
        asked += 1;
        let answer = front.client.get(front.url("/api/v1/products")).send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    assert_eq!(frozen.seen().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(5));
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn each_request_is_one_line_of_json_in_the_log() {
    let replica = Replica::start(Does::Answer).await;
    let front = front_of(&[&replica]).await;
    let request = front
        .client
        .get(front.url("/api/v1/products?q=%22quoted%22"))
        .header("X-Request-Id", "logged-1")
        .header("traceparent", TRACEPARENT)
        .header("User-Agent", "shop\"per\\");
    request.send().await.unwrap();
    let start = Instant::now();
    let line = loop {
        let log = front.log("access.log");
        if let Some(line) = log.lines().find(|line| line.contains("logged-1")) {
            break line.to_owned();
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["uri"], "/api/v1/products?q=%22quoted%22");
    assert_eq!(line["status"], 200);
    assert_eq!(line["upstream"], replica.address.to_string());
    assert_eq!(line["agent"], "shop\"per\\");
    assert_eq!(line["traceparent"], TRACEPARENT);
    assert_eq!(replica.seen()[0].headers["traceparent"], TRACEPARENT);
    assert!(!front.log("access.log").contains("healthz"));
}
