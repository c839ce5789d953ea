//! What every identity route refuses: bodies that do not fit, and requests without a good token.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use trestle_tests::{Shopper, address};

use crate::shop;

/// Each route with a body: method, path, a body that it takes, and the fields that it cannot do without.
fn routes_with_body() -> Vec<(Method, &'static str, Value, Vec<&'static str>)> {
    let registration = json!({"email": "x@example.com", "password": "correct horse", "name": "X"});
    let credentials = json!({"email": "x@example.com", "password": "correct horse"});
    let place = vec!["name", "line1", "city", "postal_code", "country"];
    let one = "/customers/me/addresses/01a1fe69-36c2-735b-a28c-af9f9a6dc4e7";
    vec![
        (
            Method::POST,
            "/customers",
            registration,
            vec!["email", "password", "name"],
        ),
        (Method::POST, "/sessions", credentials, vec!["email", "password"]),
        (
            Method::POST,
            "/sessions/refresh",
            json!({"refresh_token": "x"}),
            vec!["refresh_token"],
        ),
        (Method::PATCH, "/customers/me", json!({"name": "X"}), vec!["name"]),
        (
            Method::PUT,
            "/customers/me/password",
            json!({"current_password": "correct horse", "new_password": "staple of another colour"}),
            vec!["current_password", "new_password"],
        ),
        (Method::POST, "/customers/me/addresses", address(), place.clone()),
        (Method::PUT, one, address(), place),
    ]
}

const NEED_A_TOKEN: &[(&str, &str)] = &[
    ("DELETE", "/sessions/current"),
    ("GET", "/sessions"),
    ("DELETE", "/sessions"),
    ("DELETE", "/sessions/01a1fe69-36c2-735b-a28c-af9f9a6dc4e7"),
    ("PUT", "/customers/me/password"),
    ("GET", "/customers/me"),
    ("PATCH", "/customers/me"),
    ("GET", "/customers/me/addresses"),
    ("POST", "/customers/me/addresses"),
    (
        "GET",
        "/customers/me/addresses/01a1fe69-36c2-735b-a28c-af9f9a6dc4e7",
    ),
    (
        "PUT",
        "/customers/me/addresses/01a1fe69-36c2-735b-a28c-af9f9a6dc4e7",
    ),
    (
        "DELETE",
        "/customers/me/addresses/01a1fe69-36c2-735b-a28c-af9f9a6dc4e7",
    ),
];

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_on_every_route() {
    let ann = Shopper::customer(&shop().await.url()).await;
    for (method, path, body, _) in routes_with_body() {
        let request = || ann.request(method.clone(), path);
        let json = |text: &str| {
            request()
                .header(CONTENT_TYPE, "application/json")
                .body(text.to_owned())
        };
        let whole = body.to_string();
        for bad in ["", "{", "name=x", &whole[..whole.len() - 1]] {
            ann.send(json(bad)).await.refused(400, "invalid_request");
        }
        for other in ["text/plain", "application/x-www-form-urlencoded"] {
            let sent = request().header(CONTENT_TYPE, other).body(body.to_string());
            ann.send(sent).await.refused(415, "unsupported_media_type");
        }
        ann.send(request().body(body.to_string()))
            .await
            .refused(415, "unsupported_media_type");
        let large = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
        ann.send(json(&large)).await.refused(413, "payload_too_large");
    }
}

#[tokio::test]
async fn a_field_that_is_missing_unknown_or_of_another_type_is_refused_on_every_route() {
    let ann = Shopper::customer(&shop().await.url()).await;
    for (method, path, body, required) in routes_with_body() {
        let send = async |body: &Value| {
            let answer = ann.send(ann.request(method.clone(), path).json(body)).await;
            answer.refused(422, "validation_failed")
        };
        for field in required {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(field);
            assert_eq!(send(&without).await.fields(), [field], "{path}");
            for other in [json!(5), Value::Null, json!([]), json!({})] {
                let mut wrong = body.clone();
                wrong[field] = other;
                send(&wrong).await;
            }
        }
        for unknown in ["role", "id", "customer_id"] {
            let mut more = body.clone();
            more[unknown] = json!("admin");
            assert_eq!(send(&more).await.fields(), [unknown], "{path}");
        }
    }
}

#[tokio::test]
async fn a_missing_spoilt_or_foreign_token_is_refused_on_every_route() {
    let shop = shop().await;
    let ann = Shopper::customer(&shop.url()).await;
    let token = ann.token.clone().unwrap();
    let (content, signature) = token.rsplit_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let payload = token.split('.').nth(1).unwrap();
    let spoilt = [
        String::new(),
        "x".to_owned(),
        format!("{content}."),
        format!("{content}.{}", signature.chars().rev().collect::<String>()),
        format!("{none}.{payload}."),
        ann.refresh_token.clone().unwrap(),
        "x".repeat(2_000),
    ];
    for (method, path) in NEED_A_TOKEN {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let nobody = Shopper::visitor(&shop.url());
        let answer = nobody.send(nobody.request(method.clone(), path)).await;
        let answer = answer.refused(401, "unauthenticated");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        for text in &spoilt {
            let request = nobody.request(method.clone(), path).bearer_auth(text);
            nobody.send(request).await.refused(401, "unauthenticated");
        }
        let basic = nobody.request(method.clone(), path).basic_auth("ann", Some("x"));
        nobody.send(basic).await.refused(401, "unauthenticated");
    }
    ann.get("/customers/me").await.expect(200);
}

#[tokio::test]
async fn other_methods_are_refused() {
    let ann = Shopper::customer(&shop().await.url()).await;
    for (method, path) in [
        (Method::GET, "/customers"),
        (Method::PUT, "/sessions"),
        (Method::GET, "/sessions/refresh"),
        (Method::GET, "/sessions/current"),
        (Method::POST, "/customers/me/password"),
        (Method::DELETE, "/customers/me"),
        (Method::PATCH, "/customers/me/addresses"),
        (Method::POST, "/customers/me/addresses/1"),
    ] {
        let answer = ann.send(ann.request(method, path)).await;
        answer.refused(405, "method_not_allowed");
    }
}
