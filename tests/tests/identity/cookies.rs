//! Browsers: tokens in cookies that no script can read.

use reqwest::Method;
use serde_json::{Value, json};
use trestle_tests::{Answer, Shopper};

use crate::shop;

/// A browser: it keeps cookies and never sees a token.
async fn browser() -> (Shopper, Answer) {
    let browser = Shopper::visitor(&shop().await.url());
    let body = json!({
        "email": browser.email, "password": "correct horse battery", "name": "Ada", "transport": "cookie",
    });
    let answer = browser.post("/customers", &body).await.expect(201);
    (browser, answer)
}

fn set_cookies(answer: &Answer) -> Vec<&str> {
    let values = answer.headers.get_all("set-cookie").iter();
    values
        .map(|value| value.to_str().unwrap())
        .filter(|value| !value.starts_with("trestle_cart="))
        .collect()
}

/// The cookies as a Cookie header sends them.
fn cookie_header(answer: &Answer) -> String {
    let pairs: Vec<_> = set_cookies(answer)
        .iter()
        .map(|cookie| cookie.split(';').next().unwrap())
        .collect();
    pairs.join("; ")
}

async fn refresh(browser: &Shopper) -> Answer {
    browser
        .send(browser.request(Method::POST, "/sessions/refresh"))
        .await
}

#[tokio::test]
async fn a_browser_is_logged_in_by_cookies_alone() {
    let (browser, registered) = browser().await;
    for answer in [
        &registered,
        &browser
            .post(
                "/sessions",
                &json!({"email": browser.email, "password": "correct horse battery", "transport": "cookie"}),
            )
            .await
            .expect(201),
    ] {
        for token in ["access_token", "refresh_token", "token_type"] {
            assert_eq!(answer.body[token], Value::Null, "{token} is for cookies only");
        }
        assert_eq!(answer.body["expires_in"], 300);
        let cookies = set_cookies(answer);
        let [access, refresh] = cookies.as_slice() else {
            panic!("{cookies:?}")
        };
        assert!(access.starts_with("trestle_access=ey"), "{access}");
        assert!(
            access.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"),
            "{access}"
        );
        assert!(refresh.starts_with("trestle_refresh="), "{refresh}");
        let attributes = "; Path=/api/v1/sessions; Max-Age=2592000; HttpOnly; SameSite=Strict";
        assert!(refresh.ends_with(attributes), "{refresh}");
    }
    let me = browser.get("/customers/me").await.expect(200);
    assert_eq!(me.body["email"], browser.email);
    browser
        .patch("/customers/me", &json!({"name": "Ann"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_program_gets_no_session_cookies() {
    let mut program = Shopper::visitor(&shop().await.url());
    let answer = program.register().await.expect(201);
    assert_eq!(set_cookies(&answer), [""; 0]);
    let body = json!({"email": program.email, "password": "correct horse battery", "transport": "bearer"});
    let answer = program.post("/sessions", &body).await.expect(201);
    assert_eq!(set_cookies(&answer), [""; 0]);
    assert!(answer.body["access_token"].is_string());
    let body = json!({"email": program.email, "password": "correct horse battery", "transport": "post"});
    let refused = program
        .post("/sessions", &body)
        .await
        .refused(422, "validation_failed");
    assert_eq!(refused.fields(), ["transport"]);
}

#[tokio::test]
async fn a_refresh_without_a_body_exchanges_the_cookies() {
    let (browser, registered) = browser().await;
    let mut last = cookie_header(&registered);
    for _ in 0..2 {
        let answer = refresh(&browser).await.expect(200);
        let mut fields: Vec<_> = answer.body.as_object().unwrap().keys().collect();
        fields.sort_unstable();
        assert_eq!(fields, ["expires_in", "refresh_expires_in"]);
        assert_ne!(cookie_header(&answer), last);
        last = cookie_header(&answer);
        browser.get("/customers/me").await.expect(200);
    }
    // Without a cookie, there must be a body.
    let nobody = Shopper::visitor(&shop().await.url());
    refresh(&nobody).await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_logout_takes_the_cookies_away() {
    let (browser, _) = browser().await;
    let gone = browser.delete("/sessions/current").await.expect(204);
    let cookies = set_cookies(&gone);
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(
        cookies
            .iter()
            .all(|cookie| cookie.contains("=; ") && cookie.contains("Max-Age=0;"))
    );
    browser.get("/customers/me").await.refused(401, "unauthenticated");
    // A visitor again.
    browser.get("/cart").await.expect(200);
}

#[tokio::test]
async fn a_stale_cookie_is_not_taken_for_a_visitor_until_it_cannot_be_refreshed() {
    let shop = shop().await;
    let (browser, registered) = browser().await;
    let (_, refresh_cookie) = cookie_header(&registered)
        .split_once("; ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let nobody = Shopper::visitor(&shop.url());
    let with =
        |method: Method, path: &str, cookies: &str| nobody.request(method, path).header("cookie", cookies);

    // As after five minutes: the access token is spoilt, the refresh token good.
    let cookies = format!("trestle_access=eyJ.e30.x; {refresh_cookie}");
    nobody
        .send(with(Method::GET, "/cart", &cookies))
        .await
        .refused(401, "unauthenticated");
    nobody
        .send(with(Method::GET, "/customers/me", &cookies))
        .await
        .refused(401, "unauthenticated");
    nobody
        .send(with(Method::GET, "/products", &cookies))
        .await
        .expect(200);
    let refreshed = nobody
        .send(with(Method::POST, "/sessions/refresh", &cookies))
        .await
        .expect(200);
    nobody
        .send(with(Method::GET, "/cart", &cookie_header(&refreshed)))
        .await
        .expect(200);

    // As after a change of the password elsewhere: the cookies go, and the browser is a visitor.
    browser.delete("/sessions/current").await.expect(204);
    let refused = nobody
        .send(with(Method::POST, "/sessions/refresh", &cookies))
        .await;
    let refused = refused.refused(401, "unauthenticated");
    let cleared = set_cookies(&refused);
    assert!(
        cleared.len() == 2 && cleared.iter().all(|cookie| cookie.contains("Max-Age=0;")),
        "{cleared:?}"
    );
    // And login is open to it whatever it still sends.
    let body = json!({"email": browser.email, "password": "correct horse battery"});
    nobody
        .send(with(Method::POST, "/sessions", &cookies).json(&body))
        .await
        .expect(201);
}

#[tokio::test]
async fn two_cookies_of_one_name_are_nobodys() {
    let (_, mine) = browser().await;
    let (_, others) = browser().await;
    let nobody = Shopper::visitor(&shop().await.url());
    let of = |answer: &Answer, name: &str| {
        let all = cookie_header(answer);
        let found = all.split("; ").find(|pair| pair.starts_with(name));
        found.unwrap().to_owned()
    };
    for (method, path, name) in [
        (Method::GET, "/customers/me", "trestle_access="),
        (Method::GET, "/cart", "trestle_access="),
        (Method::POST, "/sessions/refresh", "trestle_refresh="),
    ] {
        let (mine, others) = (of(&mine, name), of(&others, name));
        for pair in [[&mine, &others], [&others, &mine], [&mine, &mine]] {
            let cookies = format!("{}; {}", pair[0], pair[1]);
            let request = nobody.request(method.clone(), path).header("cookie", cookies);
            nobody.send(request).await.refused(401, "unauthenticated");
        }
        let request = nobody.request(method.clone(), path).header("cookie", mine);
        nobody.send(request).await.expect(200);
    }
}

#[tokio::test]
async fn a_bearer_token_counts_before_the_cookie() {
    let (browser, _) = browser().await;
    let other = Shopper::customer(&shop().await.url()).await;
    let with = |token: &str| browser.request(Method::GET, "/customers/me").bearer_auth(token);
    let me = browser
        .send(with(other.token.as_ref().unwrap()))
        .await
        .expect(200);
    assert_eq!(me.body["email"], other.email);
    browser.send(with("spoilt")).await.refused(401, "unauthenticated");
}
