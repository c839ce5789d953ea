//! Pages of other sites: they write nothing with a browser's cookies (CSRF), and read nothing unless their origin is
//! configured (CORS).

use reqwest::Method;
use serde_json::json;
use tokio::sync::OnceCell;
use trestle::Stack;
use trestle_tests::Shopper;

use crate::shop;

const FRIEND: &str = "https://app.example";
const STRANGER: &str = "https://evil.example";

/// A shop behind TLS, as far as its cookies know, that one other origin may use.
async fn open_shop() -> &'static Stack {
    static SHOP: OnceCell<Stack> = OnceCell::const_new();
    SHOP.get_or_init(|| async {
        Stack::builder()
            .replicas(1)
            .env(
                "TRESTLE_CORS_ORIGINS",
                "https://app.example,http://localhost:3000",
            )
            .env("TRESTLE_COOKIE_SECURE", "on")
            .start()
            .await
            .expect("a stack")
    })
    .await
}

async fn browser(base: &str) -> Shopper {
    let browser = Shopper::visitor(base);
    let body = json!({
        "email": browser.email, "password": "correct horse battery", "name": "Ada", "transport": "cookie",
    });
    browser.post("/customers", &body).await.expect(201);
    browser
}

/// One write of each method, harmless when it gets through.
const WRITES: [(Method, &str, u16); 4] = [
    (Method::PATCH, "/customers/me", 200),
    (Method::PUT, "/customers/me/password", 422),
    (
        Method::DELETE,
        "/customers/me/addresses/01a1fe69-36c2-735b-a28c-af9f9a6dc4e7",
        404,
    ),
    (Method::POST, "/customers/me/addresses", 422),
];

#[tokio::test]
async fn a_page_of_another_site_writes_nothing() {
    let shop = shop().await;
    let own = shop.url();
    let browser = browser(&own).await;
    let refused: [&[(&str, &str)]; 7] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", &own)],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
        &[("sec-fetch-site", "")],
        &[("origin", STRANGER)],
        &[("origin", "null")],
        // Believed from nginx only, which writes its own.
        &[("origin", STRANGER), ("x-forwarded-host", "evil.example")],
    ];
    let taken: [&[(&str, &str)]; 4] = [
        &[],
        &[("sec-fetch-site", "same-origin"), ("origin", &own)],
        &[("sec-fetch-site", "none")],
        &[("origin", &own)],
    ];
    for (method, path, status) in WRITES {
        let send = async |headers: &[(&str, &str)]| {
            let request = browser
                .request(method.clone(), path)
                .json(&json!({"name": "Ann"}));
            let request = headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, *value));
            browser.send(request).await
        };
        for headers in refused {
            send(headers).await.refused(403, "cross_origin");
        }
        for headers in taken {
            send(headers).await.expect(status);
        }
    }
    // Nor does it log anybody in, or fill a visitor's cart.
    let visitor = Shopper::visitor(&own);
    for (method, path) in [
        (Method::POST, "/sessions"),
        (Method::DELETE, "/cart"),
        (Method::POST, "/sessions/refresh"),
    ] {
        let request = visitor
            .request(method, path)
            .header("origin", STRANGER)
            .json(&json!({}));
        visitor.send(request).await.refused(403, "cross_origin");
    }
}

#[tokio::test]
async fn reads_and_programs_are_not_asked_where_they_come_from() {
    let shop = shop().await;
    let browser = browser(&shop.url()).await;
    let read = browser
        .request(Method::GET, "/customers/me")
        .header("sec-fetch-site", "cross-site");
    browser.send(read).await.expect(200);
    // A browser sends Authorization elsewhere only when it was allowed to.
    let program = Shopper::customer(&shop.url()).await;
    let write = program
        .request(Method::PATCH, "/customers/me")
        .header("origin", STRANGER)
        .header("sec-fetch-site", "cross-site");
    program
        .send(write.json(&json!({"name": "Ann"})))
        .await
        .expect(200);
}

#[tokio::test]
async fn no_origin_is_allowed_unless_configured() {
    let nobody = Shopper::visitor(&shop().await.url());
    let preflight = nobody
        .request(Method::OPTIONS, "/products")
        .header("origin", FRIEND)
        .header("access-control-request-method", "GET");
    let read = nobody.request(Method::GET, "/products").header("origin", FRIEND);
    for request in [preflight, read] {
        let answer = nobody.send(request).await;
        let found = answer
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(found, None);
    }
}

#[tokio::test]
async fn an_options_that_is_no_preflight_is_told_the_methods_with_cors_and_without() {
    for shop in [shop().await, open_shop().await] {
        let nobody = Shopper::visitor(&shop.url());
        for origin in [None, Some(FRIEND)] {
            let request = nobody.request(Method::OPTIONS, "/customers/me");
            let request = match origin {
                Some(origin) => request.header("origin", origin),
                None => request,
            };
            let answer = nobody.send(request).await.expect(204);
            assert_eq!(answer.header("allow"), "GET, HEAD, PATCH, OPTIONS");
        }
    }
}

#[tokio::test]
async fn pages_of_a_configured_origin_read_and_write_and_no_others() {
    let shop = open_shop().await;
    let nobody = Shopper::visitor(&shop.url());
    let preflight = |origin: &str| {
        nobody
            .request(Method::OPTIONS, "/customers/me")
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header(
                "access-control-request-headers",
                "content-type,if-match,idempotency-key",
            )
    };
    for origin in [FRIEND, "http://localhost:3000"] {
        let answer = nobody.send(preflight(origin)).await;
        assert!((200..300).contains(&answer.status));
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert!(answer.header("access-control-allow-methods").contains("PATCH"));
        let headers = answer.header("access-control-allow-headers");
        for name in ["content-type", "if-match", "idempotency-key", "authorization"] {
            assert!(headers.contains(name), "{headers}");
        }
        let read = nobody.request(Method::GET, "/products").header("origin", origin);
        let answer = nobody.send(read).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert!(answer.header("vary").to_lowercase().contains("origin"));
        let exposed = answer.header("access-control-expose-headers");
        for name in [
            "etag",
            "trestle-replica",
            "cache-status",
            "server-timing",
            "x-request-id",
            "retry-after",
            "age",
        ] {
            assert!(exposed.contains(name), "{exposed}");
        }
        // Refusals can be read too.
        let refused = nobody
            .request(Method::GET, "/customers/me")
            .header("origin", origin);
        let refused = nobody.send(refused).await.refused(401, "unauthenticated");
        assert_eq!(refused.header("access-control-allow-origin"), origin);
    }
    for origin in [
        STRANGER,
        "https://app.example.evil.example",
        "http://app.example",
        "null",
    ] {
        let read = nobody.request(Method::GET, "/products").header("origin", origin);
        for request in [preflight(origin), read] {
            let answer = nobody.send(request).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{origin}");
            assert!(answer.header("vary").to_lowercase().contains("origin"));
        }
    }
}

#[tokio::test]
async fn behind_tls_cookies_are_for_tls_only_and_a_configured_origin_writes_with_them() {
    let shop = open_shop().await;
    let nobody = Shopper::visitor(&shop.url());
    let body = json!({
        "email": nobody.email, "password": "correct horse battery", "name": "Ada", "transport": "cookie",
    });
    let answer = nobody.post("/customers", &body).await.expect(201);
    let cookies: Vec<_> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 3);
    assert!(
        cookies.iter().all(|cookie| cookie.ends_with("; Secure")),
        "{cookies:?}"
    );
    let access = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-trestle_access="))
        .unwrap();
    assert!(access.contains("; Path=/;") && !access.contains("Domain"));

    let cookie = access.split(';').next().unwrap();
    let rename = |origin: &str| {
        nobody
            .request(Method::PATCH, "/customers/me")
            .header("cookie", cookie)
            .header("sec-fetch-site", "cross-site")
            .header("origin", origin)
            .json(&json!({"name": "Ann"}))
    };
    nobody.send(rename(FRIEND)).await.expect(200);
    nobody.send(rename(STRANGER)).await.refused(403, "cross_origin");
    // The plain name could have been set by anybody on the way.
    let plain = cookie.replace("__Host-", "");
    let request = nobody
        .request(Method::GET, "/customers/me")
        .header("cookie", plain);
    nobody.send(request).await.refused(401, "unauthenticated");
}
