//! TLS here or in front: who is led to https, who to the shop's own name, and who is told to stay on https.

use std::net::SocketAddr;

use reqwest::header::{HOST, LOCATION, STRICT_TRANSPORT_SECURITY};
use reqwest::{Method, Response, Version};

use crate::front::{Front, Wish, start};
use crate::replica::{Does, Replica};

fn moved_to(answer: &Response) -> &str {
    answer
        .headers()
        .get(LOCATION)
        .map_or("", |value| value.to_str().unwrap())
}

async fn secure(replicas: &[&Replica]) -> Front {
    start(Wish {
        replicas,
        tls: true,
        hostname: Some("shop.example"),
        ..Wish::default()
    })
    .await
}

fn at(scheme: &str, host: &str, address: SocketAddr, path: &str) -> String {
    format!("{scheme}://{host}:{}{path}", address.port())
}

#[tokio::test]
async fn with_a_certificate_the_shop_speaks_tls_and_says_so() {
    let replica = Replica::start(Does::Answer).await;
    let front = secure(&[&replica]).await;
    for path in ["/", "/api/v1/products", "/nothing", "/healthz"] {
        let url = at("https", "shop.example", front.https, path);
        let answer = front.client.get(url).send().await.unwrap();
        assert_eq!(
            answer.headers()[STRICT_TRANSPORT_SECURITY],
            "max-age=31536000",
            "{path}"
        );
        assert_eq!(answer.version(), Version::HTTP_11, "{path}");
    }
    assert_eq!(replica.seen()[0].headers["x-forwarded-proto"], "https");
}

#[tokio::test]
async fn http_leads_to_https_and_keeps_the_method_and_the_address() {
    let front = secure(&[]).await;
    for (method, status) in [
        (Method::GET, 301),
        (Method::HEAD, 301),
        (Method::POST, 308),
        (Method::PUT, 308),
    ] {
        let url = at("http", "shop.example", front.http, "/api/v1/orders?a=%20b");
        let answer = front.client.request(method, url).send().await.unwrap();
        assert_eq!(answer.status(), status);
        let expected = at("https", "shop.example", front.https, "/api/v1/orders?a=%20b");
        assert_eq!(moved_to(&answer), expected);
        assert!(!answer.headers().contains_key(STRICT_TRANSPORT_SECURITY));
    }
    // Health checks know no TLS.
    let health = front.client.get(front.url("/healthz")).send().await;
    assert_eq!(health.unwrap().status(), 200);
    // http spoken to the TLS port.
    let url = at("http", "shop.example", front.https, "/x?y");
    let answer = front.client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 308);
    assert_eq!(
        moved_to(&answer),
        at("https", "shop.example", front.https, "/x?y")
    );
}

#[tokio::test]
async fn www_leads_to_the_shops_own_name() {
    let secure = secure(&[]).await;
    for (scheme, address) in [("http", secure.http), ("https", secure.https)] {
        let url = at(scheme, "www.shop.example", address, "/a?b=c");
        let answer = secure.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 301, "{scheme}");
        assert_eq!(
            moved_to(&answer),
            at("https", "shop.example", secure.https, "/a?b=c")
        );
    }
    let plain = start(Wish {
        hostname: Some("shop.example"),
        ..Wish::default()
    })
    .await;
    let url = at("http", "www.shop.example", plain.http, "/a?b=c");
    let answer = plain.client.get(url).send().await.unwrap();
    assert_eq!(
        moved_to(&answer),
        at("http", "shop.example", plain.http, "/a?b=c")
    );
    for host in ["shop.example", "www.other.example", "localhost", "www"] {
        let request = plain.client.get(plain.url("/")).header(HOST, host);
        assert_eq!(request.send().await.unwrap().status(), 200, "{host}");
    }
}

#[tokio::test]
async fn a_trusted_proxys_word_on_the_scheme_counts() {
    let replica = Replica::start(Does::Answer).await;
    let front = start(Wish {
        replicas: &[&replica],
        hostname: Some("shop.example"),
        trusted_proxies: &["127.0.0.0/8"],
        ..Wish::default()
    })
    .await;
    let ask = async |proto: &str| {
        let request = front
            .client
            .get(front.url("/api/v1/products?x"))
            .header(HOST, "shop.example")
            .header("X-Forwarded-For", "198.51.100.1, 203.0.113.9")
            .header("X-Forwarded-Proto", proto);
        request.send().await.unwrap()
    };
    let http = ask("http").await;
    assert_eq!(http.status(), 301);
    assert_eq!(moved_to(&http), "https://shop.example/api/v1/products?x");
    assert!(!http.headers().contains_key(STRICT_TRANSPORT_SECURITY));

    let https = ask("https").await;
    assert_eq!(https.status(), 200);
    assert_eq!(https.headers()[STRICT_TRANSPORT_SECURITY], "max-age=31536000");
    let told = replica.seen()[0].headers.clone();
    assert_eq!(told["x-forwarded-proto"], "https");
    // The nearest address that is not a proxy of ours; what stands before it, anyone may have written.
    assert_eq!(told["x-forwarded-for"], "203.0.113.9");

    // The balancer's own health check says nothing about a scheme.
    let health = front.client.get(front.url("/healthz")).send().await;
    assert_eq!(health.unwrap().status(), 200);
}

#[tokio::test]
async fn anyone_elses_word_on_the_scheme_does_not() {
    let front = start(Wish {
        trusted_proxies: &["10.0.0.0/8"],
        ..Wish::default()
    })
    .await;
    for proto in ["http", "https"] {
        let request = front.client.get(front.url("/"));
        let answer = request.header("X-Forwarded-Proto", proto).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "{proto}");
        assert!(!answer.headers().contains_key(STRICT_TRANSPORT_SECURITY));
    }
}

#[tokio::test]
async fn localhost_is_held_to_https_for_minutes_only() {
    let front = start(Wish {
        tls: true,
        ..Wish::default()
    })
    .await;
    let url = at("https", "127.0.0.1", front.https, "/");
    let answer = front.client.get(url).send().await.unwrap();
    assert_eq!(answer.headers()[STRICT_TRANSPORT_SECURITY], "max-age=300");
}
