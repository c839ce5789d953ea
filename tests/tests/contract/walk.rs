//! What holds for every route: HEAD, OPTIONS, 405, unknown and repeated fields, bodies that are none, tokens that are
//! none, ETags. The routes are those of the document.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::json;
use trestle_tests::{Answer, Shopper, shop};

use crate::operation::{Operation, admin, document, new_admin, operations};

#[tokio::test]
async fn the_document_that_is_served_is_the_committed_one() {
    let committed = include_str!("../../../services/api/openapi.json");
    let url = format!("{}/api/openapi.json", shop().await.url());
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert!(
        answer.text().await.unwrap() == committed,
        "services/api/openapi.json is another: make openapi"
    );
    assert_eq!(document().await["openapi"], "3.1.0");
}

#[tokio::test]
async fn head_answers_what_get_does_without_the_body() {
    for operation in operations().await.iter().filter(|operation| operation.is_read()) {
        let ask = async |method| admin().await.send(operation.request(admin().await, method)).await;
        // Both from a cache, where there is one.
        ask(Method::GET).await;
        let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
        assert_eq!(head.status, get.status, "{}", operation.name());
        assert_eq!(head.text, "", "{}", operation.name());
        assert_eq!(lasting(&head), lasting(&get), "{}", operation.name());
    }
}

/// The names of an answer's headers, with the values of those that two answers to one question share.
fn lasting(answer: &Answer) -> BTreeMap<String, String> {
    let headers = answer.headers.iter().map(|(name, value)| {
        let shared = ["etag", "content-type", "cache-control", "vary"].contains(&name.as_str());
        let value = if shared { value.to_str().unwrap() } else { "" };
        (name.to_string(), value.to_owned())
    });
    // nginx compresses some of the bodies, and tells the length of what it does not.
    headers
        .filter(|(name, _)| name != "content-length" && name != "transfer-encoding")
        .collect()
}

#[tokio::test]
async fn options_and_a_wrong_method_are_told_the_methods() {
    let mut routes: BTreeMap<String, (Operation, BTreeSet<String>)> = BTreeMap::new();
    for operation in operations().await {
        let methods = &mut routes
            .entry(operation.route.clone())
            .or_insert((operation.clone(), BTreeSet::new()))
            .1;
        methods.insert(operation.method.to_string());
        methods.insert("OPTIONS".into());
        if operation.is_read() {
            methods.insert("HEAD".into());
        }
    }
    let visitor = Shopper::visitor(&shop().await.url());
    for (route, (operation, methods)) in routes {
        let allowed = |answer: &Answer| -> BTreeSet<String> {
            answer.header("allow").split(", ").map(str::to_owned).collect()
        };
        let options = visitor
            .send(operation.request(&visitor, Method::OPTIONS))
            .await
            .expect(204);
        assert_eq!(allowed(&options), methods, "{route}");
        assert_eq!(options.text, "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if !methods.contains(method) {
                let wrong = visitor
                    .send(operation.request(&visitor, method.parse().unwrap()))
                    .await;
                let wrong = wrong.refused(405, "method_not_allowed");
                assert_eq!(allowed(&wrong), methods, "{method} {route}");
            }
        }
    }
    for method in [Method::OPTIONS, Method::GET] {
        let nowhere = visitor
            .http
            .request(method, format!("{}/api/v1/nowhere", visitor.base));
        visitor.send(nowhere).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn an_unknown_query_parameter_is_refused_everywhere() {
    for operation in operations().await {
        let mut methods = vec![operation.method.clone()];
        if operation.is_read() {
            methods.push(Method::HEAD);
        }
        for method in methods {
            let mut request = operation
                .request(admin().await, method.clone())
                .query(&[("surprise", "1")]);
            if let Some(body) = operation.body() {
                request = request.json(body);
            }
            let answer = admin().await.send(request).await;
            assert_eq!(
                answer.status,
                400,
                "{method} {}: {}",
                operation.name(),
                answer.text
            );
            if method != Method::HEAD {
                let answer = answer.refused(400, "invalid_request");
                assert_eq!(answer.fields(), ["surprise"], "{}", operation.name());
            }
        }
    }
}

#[tokio::test]
async fn a_query_parameter_given_twice_is_refused() {
    for operation in operations().await {
        for name in operation.query_parameters() {
            let request = operation.request(admin().await, operation.method.clone());
            let answer = admin()
                .await
                .send(request.query(&[(name, "1"), (name, "1")]))
                .await;
            let case = format!("{} {name}: {}", operation.name(), answer.text);
            assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{case}");
        }
    }
}

#[tokio::test]
async fn an_unknown_body_field_is_refused_everywhere() {
    for operation in operations().await {
        let Some(body) = operation.body() else { continue };
        let mut body = body.clone();
        body["surprise"] = json!(1);
        let request = operation.request(admin().await, operation.method.clone());
        let answer = admin().await.send(request.json(&body)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_failed"),
            "{}: {}",
            operation.name(),
            answer.text
        );
        assert_eq!(answer.fields(), ["surprise"], "{}", operation.name());
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused_everywhere() {
    for operation in operations().await {
        if operation.body().is_none() {
            continue;
        }
        for (media, body, status, code) in [
            ("text/plain", "{}".to_owned(), 415, "unsupported_media_type"),
            ("application/json", "{".to_owned(), 400, "invalid_request"),
            ("application/json", String::new(), 400, "invalid_request"),
            ("application/json", "7".to_owned(), 422, "validation_failed"),
            ("application/json", " ".repeat(65_537), 413, "payload_too_large"),
        ] {
            let request = operation.request(admin().await, operation.method.clone());
            let answer = admin()
                .await
                .send(request.header("Content-Type", media).body(body))
                .await;
            let case = format!("{} {media}: {}", operation.name(), answer.text);
            assert_eq!((answer.status, answer.code()), (status, code), "{case}");
            assert_eq!(answer.body["request_id"], answer.header("x-request-id"), "{case}");
        }
    }
}

#[tokio::test]
async fn what_needs_a_customer_is_refused_to_others() {
    let url = shop().await.url();
    let nobody = Shopper::visitor(&url);
    let mut liar = Shopper::visitor(&url);
    liar.token = Some("eyJhbGciOiJub25lIn0.e30.".into());
    for operation in operations().await {
        let ask = async |shopper: &Shopper| {
            let request = operation.request(shopper, operation.method.clone());
            let request = match operation.body() {
                Some(body) => request.json(body),
                None => request,
            };
            shopper.send(request).await
        };
        if !operation.is_public() {
            let answer = ask(&nobody).await.refused(401, "unauthenticated");
            assert!(
                answer.header("www-authenticate").starts_with("Bearer"),
                "{}",
                operation.name()
            );
        }
        if operation.takes_a_token() {
            ask(&liar).await.refused(401, "unauthenticated");
        }
        if operation.route.starts_with("/api/v1/admin/") {
            assert!(!operation.is_public(), "{}", operation.name());
            let customer = Shopper::customer(&url).await;
            ask(&customer).await.refused(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn a_read_has_an_etag_and_is_not_sent_again_while_it_holds() {
    for operation in operations().await.iter().filter(|operation| operation.is_read()) {
        let ask = async |tag: &str| {
            let request = operation.request(admin().await, Method::GET);
            admin().await.send(request.header("If-None-Match", tag)).await
        };
        let first = ask("\"another\"").await;
        if operation.says["responses"].get("304").is_none() || first.status != 200 {
            continue;
        }
        let tag = first.header("etag").to_owned();
        assert!(tag.len() > 3, "{} has no ETag", operation.name());
        let again = ask(&tag).await.expect(304);
        assert_eq!(
            (again.text.as_str(), again.header("etag")),
            ("", tag.as_str()),
            "{}",
            operation.name()
        );
        assert_eq!(again.header("content-type"), "");
    }
}

/// A change of one's own is seen at once although the read has an ETag.
#[tokio::test]
async fn an_etag_changes_with_the_cart() {
    let visitor = Shopper::visitor(&shop().await.url());
    let product = trestle_tests::first_product(shop().await, 0).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let empty = visitor.get("/cart").await.expect(200);
    let changed = visitor.put_in_cart(variant, 1).await.expect(200);
    let request = visitor
        .request(Method::GET, "/cart")
        .header("If-None-Match", empty.header("etag"));
    let read = visitor.send(request).await.expect(200);
    assert_ne!(read.header("etag"), empty.header("etag"));
    assert_eq!(read.header("etag"), changed.header("etag"));
}

/// What an answer says is what the document says of it: the status is listed, and with it the problem's code.
#[tokio::test]
async fn what_goes_wrong_is_listed() {
    let document = document().await;
    for operation in operations().await {
        let admin = new_admin().await;
        let answer = admin
            .send(operation.request(&admin, operation.method.clone()).body("x"))
            .await;
        let listed = &operation.says["responses"][answer.status.to_string()];
        let shared = listed["$ref"]
            .as_str()
            .and_then(|path| document.pointer(path.trim_start_matches('#')));
        let listed = shared.unwrap_or(listed);
        assert!(
            listed.is_object(),
            "{}: {} is not listed",
            operation.name(),
            answer.status
        );
        if answer.status >= 400 {
            let codes =
                &listed["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"];
            let codes = codes.as_array().unwrap();
            assert!(
                codes.contains(&answer.code().into()),
                "{}: {}",
                operation.name(),
                answer.text
            );
        }
    }
}

/// The IETF draft writes the key as a quoted string, most clients write it bare: it is one key.
#[tokio::test]
async fn an_idempotency_key_is_the_same_in_quotes() {
    let customer = Shopper::customer(&shop().await.url()).await;
    let product = trestle_tests::first_product(shop().await, 2).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let order = async |quantity, key: &str| {
        let request = customer.order_request(variant, quantity, key, "tok_approve");
        customer.send(request).await
    };
    let key = uuid::Uuid::new_v4().to_string();
    let bare = order(1, &key).await.expect(201);
    let quoted = order(1, &format!("\"{key}\"")).await.expect(201);
    assert_eq!(quoted.body["id"], bare.body["id"]);
    order(2, &format!("\"{key}\""))
        .await
        .refused(422, "idempotency_key_reused");
    let unclosed = order(1, &format!("\"{key}"))
        .await
        .refused(400, "invalid_request");
    assert_eq!(unclosed.fields(), ["Idempotency-Key"]);
}
