//! The storefront: what the browser may keep, what is compressed, and which headers guard it.

use std::fs;

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};

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
async fn a_page_is_asked_for_again_and_answered_304_while_it_is_the_same() {
    let front = start(Wish::default()).await;
    for path in ["/", "/app.mjs", "/style.css"] {
        let first = front.client.get(front.url(path)).send().await.unwrap();
        assert_eq!(first.status(), 200, "{path}");
        assert_eq!(first.headers()[CACHE_CONTROL], "no-cache", "{path}");
        let etag = first.headers()[ETAG].clone();
        let second = front
            .client
            .get(front.url(path))
            .header(IF_NONE_MATCH, etag)
            .send()
            .await
            .unwrap();
        assert_eq!(second.status(), 304, "{path}");
    }
}

#[tokio::test]
async fn a_file_with_a_hash_in_its_name_is_kept_for_a_year_but_a_missing_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    fs::write(folder.path().join("app.0f3a9c21.mjs"), "export {};").unwrap();
    let front = start(Wish {
        storefront: Some(folder.path().to_owned()),
        ..Wish::default()
    })
    .await;
    let kept = front.client.get(front.url("/app.0f3a9c21.mjs")).send();
    let kept = kept.await.unwrap();
    assert_eq!(
        kept.headers()[CACHE_CONTROL],
        "public, max-age=31536000, immutable"
    );
    let missing = front.client.get(front.url("/app.0f3a9c22.mjs")).send();
    let missing = missing.await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.headers()[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn files_have_their_types_and_text_is_compressed_when_it_is_worth_it() {
    let front = start(Wish::default()).await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/app.mjs", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        let answer = front
            .client
            .get(front.url(path))
            .header(ACCEPT_ENCODING, "gzip")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], kind, "{path}");
        // The icon has 400 bytes: one packet either way.
        let worth_it = path != "/favicon.svg";
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
    for (front, path, status) in [
        (&up, "/", 200),
        (&up, "/nothing", 404),
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
