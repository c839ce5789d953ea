//! The storefront: what is compressed, which headers guard it, whose pictures it may show, what robots are told.

use std::fs;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, VARY};

use crate::front::{Wish, start};
use crate::replica::{Does, Replica};

const GUARDS: [&str; 7] = [
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
];

#[tokio::test]
async fn files_have_their_types_and_text_is_compressed_when_it_is_worth_it() {
    let front = start(Wish::default()).await;
    let base = format!("/v/{}", front.release());
    // An icon and a list for robots have a few hundred bytes: one packet either way.
    for (path, kind, worth_it) in [
        ("/", "text/html; charset=utf-8", true),
        (
            &format!("{base}/lib/router.mjs"),
            "text/javascript; charset=utf-8",
            true,
        ),
        (
            &format!("{base}/styles/base.css"),
            "text/css; charset=utf-8",
            true,
        ),
        (&format!("{base}/favicon.svg"), "image/svg+xml", false),
        ("/robots.txt", "text/plain; charset=utf-8", false),
    ] {
        let answer = front
            .client
            .get(front.url(path))
            .header(ACCEPT_ENCODING, "gzip")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], kind, "{path}");
        assert_eq!(
            answer.headers().contains_key(CONTENT_ENCODING),
            worth_it,
            "{path}"
        );
        if worth_it {
            assert_eq!(answer.headers()[VARY], "Accept-Encoding", "{path}");
        }
    }
}

#[tokio::test]
async fn every_answer_is_guarded_once_and_names_no_version() {
    let replica = Replica::start(Does::Answer).await;
    let up = start(Wish {
        replicas: &[&replica],
        ..Wish::default()
    })
    .await;
    let down = start(Wish::default()).await;
    let (today, other) = (format!("/v/{}/app.mjs", up.release()), "/v/0123456789ab/app.mjs");
    for (front, path, status) in [
        (&up, today.as_str(), 200),
        (&up, other, 200),
        (&up, "/", 200),
        (&up, "/products/1", 200),
        (&up, "/favicon.svg", 200),
        (&up, "/robots.txt", 200),
        (&up, "/nothing", 404),
        (&up, "/nothing.mjs", 404),
        (&up, "/api/v1/products", 200),
        (&up, "/api/v1/products?status=503", 503),
        (&up, "/healthz", 200),
        (&down, "/api/v1/products", 502),
    ] {
        let answer = front.client.get(front.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        for guard in GUARDS {
            let count = answer.headers().get_all(guard).iter().count();
            assert_eq!(count, 1, "{guard} of {path}");
        }
        assert_eq!(answer.headers()["server"], "nginx", "{path}");
        assert!(
            !answer.headers().contains_key("strict-transport-security"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn hidden_files_and_files_outside_are_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let storefront = folder.path().join("storefront");
    fs::create_dir_all(storefront.join(".git")).unwrap();
    fs::write(storefront.join("index.html"), "<!doctype html>").unwrap();
    fs::write(storefront.join(".git/config"), "secret").unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    let front = start(Wish {
        storefront: Some(storefront),
        ..Wish::default()
    })
    .await;
    for path in ["/.git/config", "/..%2fsecret", "/x/%2e%2e/%2e%2e/secret"] {
        let answer = front.client.get(front.url(path)).send().await.unwrap();
        assert!([400, 404].contains(&answer.status().as_u16()), "{path}");
        assert!(!answer.text().await.unwrap().contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn pictures_come_from_here_and_from_hosts_that_were_named() {
    let policy = async |picture_hosts: &[&str]| {
        let front = start(Wish {
            picture_hosts,
            ..Wish::default()
        })
        .await;
        let answer = front.client.get(front.url("/")).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        let policy: Vec<String> = policy.split("; ").map(str::to_owned).collect();
        (policy, answer.text().await.unwrap())
    };
    let (own, page) = policy(&[]).await;
    assert_eq!(
        own,
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    );
    assert!(
        page.contains("<meta name=\"picture-hosts\" content=\"\">"),
        "{page}"
    );

    let (others, page) = policy(&["cdn.example", "img.example:8443"]).await;
    assert_eq!(
        others[3],
        "img-src 'self' data: https://cdn.example https://img.example:8443"
    );
    let meta = "<meta name=\"picture-hosts\" content=\"cdn.example img.example:8443\">";
    assert!(page.contains(meta), "{page}");
}

#[tokio::test]
async fn robots_are_led_to_the_sitemap_by_its_whole_address_and_not_to_private_pages() {
    let front = start(Wish {
        trusted_proxies: &["127.0.0.0/8"],
        ..Wish::default()
    })
    .await;
    let ask = async |host: &str, proto: &str| {
        let request = front.client.get(front.url("/robots.txt"));
        let request = request.header(HOST, host).header("X-Forwarded-Proto", proto);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for (host, proto, address) in [
        ("shop.example", "https", Some("https://shop.example")),
        ("shop.example:8080", "", Some("http://shop.example:8080")),
        ("[::1]:8080", "", Some("http://[::1]:8080")),
        // Some nginx lets these pass as a host.
        ("shop.example'\"<b>", "", None),
        ("shop.example;evil", "", None),
    ] {
        let (status, robots) = ask(host, proto).await;
        if address.is_none() && status == 400 {
            continue;
        }
        assert_eq!(status, 200, "{host}");
        let found = robots.lines().find_map(|line| line.strip_prefix("Sitemap: "));
        let expected = address.map(|address| format!("{address}/api/v1/sitemap.xml"));
        assert_eq!(found, expected.as_deref(), "{host}");
        for page in ["admin", "account", "cart", "checkout", "orders"] {
            let line = format!("Disallow: /{page}");
            assert!(robots.lines().any(|found| found == line), "{page}");
        }
    }
}
