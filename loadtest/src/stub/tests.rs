//! The stub's answers have the shape that the OpenAPI document gives them, and its stall holds every answer back.
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::{Behaviour, Stall, serve};

struct Client {
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
    cookie: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Client {
    async fn of(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, behaviour));
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            cookie: String::new(),
        }
    }

    async fn ask(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "stub")
            .header("cookie", &self.cookie)
            .header("idempotency-key", "one")
            .header("if-match", "\"1\"")
            .body(Full::new(body))
            .unwrap();
        let (parts, body) = self.sender.send_request(request).await.unwrap().into_parts();
        let cookies = parts.headers.get_all("set-cookie").iter();
        if let Some(cart) = cookies
            .map(|it| it.to_str().unwrap())
            .find(|it| it.starts_with("trestle_cart"))
        {
            cart.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }
}

fn document() -> Value {
    serde_json::from_str(include_str!("../../../services/api/openapi.json")).unwrap()
}

/// What of the value is not as the schema says: required fields and types.
fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return faults(document, &document["components"]["schemas"][name], value, at);
    }
    let mut found = Vec::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(faults(document, part, value, at));
    }
    let alternatives = schema["oneOf"].as_array();
    if alternatives.is_some_and(|them| them.iter().all(|it| !faults(document, it, value, at).is_empty())) {
        found.push(format!("{at} is none of those it may be"));
    }
    if !schema["type"].is_null() && !is_of(&schema["type"], value) {
        found.push(format!("{at} is not of type {}", schema["type"]));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        if value.get(name).is_none() {
            found.push(format!("{at}.{name} is missing"));
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            found.extend(faults(document, schema, value, &format!("{at}.{name}")));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        found.extend(faults(document, &schema["items"], item, &format!("{at}[]")));
    }
    found
}

fn is_of(kind: &Value, value: &Value) -> bool {
    let Some(kind) = kind.as_str() else {
        return kind.as_array().unwrap().iter().any(|kind| is_of(kind, value));
    };
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        _ => value.is_number(),
    }
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let order = json!({"items": [{"variant_id": 2, "quantity": 3}], "address_id": "x", "payment_token": "tok_approve"});
    let person = json!({"email": "grace@example.com", "password": "correct horse battery", "name": "Grace"});
    let cases = [
        ("GET", "/api/v1/products", "?limit=7", Value::Null, "200"),
        ("GET", "/api/v1/products", "?q=scarf&cursor=3", Value::Null, "200"),
        ("GET", "/api/v1/products/new", "", Value::Null, "200"),
        ("GET", "/api/v1/products/best-sellers", "", Value::Null, "200"),
        ("GET", "/api/v1/products/{id}", "", Value::Null, "200"),
        ("GET", "/api/v1/products/{id}/related", "", Value::Null, "200"),
        ("GET", "/api/v1/products/{id}/reviews", "", Value::Null, "200"),
        ("GET", "/api/v1/categories", "", Value::Null, "200"),
        ("GET", "/api/v1/instance", "", Value::Null, "200"),
        (
            "PUT",
            "/api/v1/cart/items/{variant_id}",
            "",
            json!({"quantity": 3}),
            "200",
        ),
        ("GET", "/api/v1/cart", "", Value::Null, "200"),
        ("POST", "/api/v1/customers", "", person.clone(), "201"),
        ("POST", "/api/v1/sessions", "", person, "201"),
        (
            "POST",
            "/api/v1/sessions/refresh",
            "",
            json!({"refresh_token": "x"}),
            "200",
        ),
        ("GET", "/api/v1/customers/me", "", Value::Null, "200"),
        ("GET", "/api/v1/customers/me/addresses", "", Value::Null, "200"),
        ("POST", "/api/v1/customers/me/addresses", "", json!({}), "201"),
        ("POST", "/api/v1/orders", "", order, "201"),
        ("GET", "/api/v1/orders", "", Value::Null, "200"),
        ("GET", "/api/v1/orders/{id}", "", Value::Null, "200"),
        ("GET", "/api/v1/admin/products/{id}", "", Value::Null, "200"),
        (
            "PATCH",
            "/api/v1/admin/products/{id}",
            "",
            json!({"title": "Blue cup"}),
            "200",
        ),
    ];
    let document = document();
    let mut client = Client::of(Behaviour::default()).await;
    for (method, route, query, body, status) in cases {
        let path = route.replace("{id}", "1").replace("{variant_id}", "2") + query;
        let answer = client.ask(method, &path, body).await;
        assert_eq!(answer.status.as_str(), status, "{method} {path}: {}", answer.body);
        let says = &document["paths"][route][method.to_lowercase()]["responses"][status];
        let schema = &says["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {route} is not in the document");
        let found = faults(&document, schema, &answer.body, "");
        assert!(found.is_empty(), "{method} {path}: {found:?}");
        for header in says["headers"].as_object().unwrap().keys() {
            assert!(
                answer.headers.contains_key(header),
                "{method} {path}: no {header}"
            );
        }
    }
}

#[test]
fn a_wrong_shape_is_found() {
    let document = document();
    let schema = json!({"$ref": "#/components/schemas/Money"});
    let told = |value: Value| faults(&document, &schema, &value, "");
    assert!(told(json!({"amount": 1, "currency": "USD"})).is_empty());
    assert_eq!(told(json!({"amount": 1})), [".currency is missing"]);
    assert_eq!(told(json!({"amount": "1", "currency": "USD"})).len(), 1);
}

#[tokio::test]
async fn a_cart_is_what_was_put_into_it_and_an_order_takes_it_out() {
    let mut client = Client::of(Behaviour::default()).await;
    client
        .ask("PUT", "/api/v1/cart/items/4", json!({"quantity": 2}))
        .await;
    client
        .ask("PUT", "/api/v1/cart/items/7", json!({"quantity": 1}))
        .await;
    let cart = client.ask("GET", "/api/v1/cart", Value::Null).await.body;
    assert_eq!(
        (&cart["count"], &cart["total"]["amount"]),
        (&json!(3), &json!(3750))
    );
    let order = json!({"items": [{"variant_id": 4, "quantity": 2}]});
    let order = client.ask("POST", "/api/v1/orders", order).await.body;
    assert_eq!(order["total"]["amount"], 2500);
    assert_eq!(order["items"][0]["product_id"], 2);
    let cart = client.ask("GET", "/api/v1/cart", Value::Null).await.body;
    assert_eq!(cart["items"].as_array().unwrap().len(), 1);
    assert_eq!(cart["items"][0]["variant_id"], 7);
}

#[tokio::test]
async fn the_catalogue_is_walked_to_its_end() {
    let behaviour = Behaviour {
        products: 250,
        ..Behaviour::default()
    };
    let mut client = Client::of(behaviour).await;
    let (mut ids, mut path) = (Vec::new(), "/api/v1/products?limit=100".to_owned());
    for _ in 0..3 {
        let page = client.ask("GET", &path, Value::Null).await.body;
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_u64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/products?limit=100&cursor={next}");
    }
    assert!(ids.into_iter().eq((1..=250).rev()));
}

#[test]
fn a_stall_lasts_from_its_beginning_to_its_end() {
    let ms = Duration::from_millis;
    let stall = Stall {
        after: ms(1000),
        lasts: ms(300),
    };
    let left = [0, 999, 1000, 1100, 1299, 1300, 5000].map(|at| stall.left(ms(at)).as_millis());
    assert_eq!(left, [0, 0, 300, 200, 1, 0, 0]);
}

#[tokio::test]
async fn nothing_is_answered_within_a_stall() {
    let lasts = Duration::from_millis(60);
    let began = Instant::now();
    let stall = Stall {
        after: Duration::ZERO,
        lasts,
    };
    let behaviour = Behaviour {
        stall: Some(stall),
        ..Behaviour::default()
    };
    let answer = Client::of(behaviour).await.ask("GET", "/", Value::Null).await;
    assert_eq!(answer.status, 200);
    // Not a matter of speed: a sleep never ends early.
    assert!(began.elapsed() >= lasts);
}
