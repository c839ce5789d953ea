//! Which request gets which answer.

use http::request::Parts;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::bodies;
use super::cart::Cart;

/// Products of a list without `limit`, and at most, as in the shop.
const LIMIT: u64 = 20;
const MOST: u64 = 100;

pub fn answer(request: &Parts, body: &[u8], products: u64) -> Answer {
    let path = request.uri.path();
    let Some(api) = path.strip_prefix("/api/v1/") else {
        return page(&request.method, path);
    };
    let query = request.uri.query().unwrap_or_default();
    let segments: Vec<_> = api.split('/').collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", reads) if is_catalogue(reads) => catalogue(&request.headers, reads, query, products),
        (_, ["cart", ..]) => cart(request, &segments[1..], body),
        (_, ["orders", ..]) => orders(request, &segments[1..], body),
        (_, ["sessions" | "customers", ..]) => identity(request, &segments, body),
        ("GET", ["admin", "products", id]) => with_id(id, products, |id| {
            answer::versioned(200, bodies::admin_product(id))
        }),
        ("PATCH", ["admin", "products", id]) if request.headers.contains_key("if-match") => {
            with_id(id, products, |id| {
                answer::versioned(200, bodies::admin_product(id))
            })
        }
        ("PATCH", ["admin", "products", _]) => answer::problem(428, "precondition_required"),
        _ => answer::problem(404, "not_found"),
    }
}

/// What nginx serves by itself.
fn page(method: &Method, path: &str) -> Answer {
    if method != Method::GET {
        return answer::problem(405, "method_not_allowed");
    }
    match path {
        path if path.starts_with("/api/") => answer::problem(404, "not_found"),
        path if path.starts_with("/v/") && path.contains("/styles/") => {
            answer::file("text/css", true, bodies::STYLE)
        }
        path if path.starts_with("/v/") => answer::file("text/javascript", true, bodies::SCRIPT),
        _ => answer::file("text/html; charset=utf-8", false, bodies::HOME),
    }
}

fn is_catalogue(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["products" | "categories" | "instance" | "sitemap.xml", ..]
    )
}

fn catalogue(headers: &HeaderMap, segments: &[&str], query: &str, products: u64) -> Answer {
    let limit = number(query, "limit").unwrap_or(LIMIT).min(MOST);
    match segments {
        ["products"] => {
            let from = number(query, "cursor").unwrap_or(products).min(products);
            answer::cached(headers, bodies::products(from, limit))
        }
        ["products", "new" | "best-sellers"] => answer::cached(headers, bodies::products(products, LIMIT)),
        ["products", id] => with_id(id, products, |id| answer::cached(headers, bodies::product(id))),
        ["products", _, "related"] => answer::cached(headers, bodies::products(products, 8)),
        ["products", _, "reviews"] => answer::cached(headers, bodies::reviews()),
        ["categories"] => answer::cached(headers, bodies::categories()),
        ["sitemap.xml"] => answer::file("text/xml", false, bodies::sitemap(products)),
        ["instance"] => answer::json(200, bodies::instance()),
        _ => answer::problem(404, "not_found"),
    }
}

/// A number of the query.
fn number(query: &str, name: &str) -> Option<u64> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|pair| pair.0 == name)
        .and_then(|pair| pair.1.parse().ok())
}

fn with_id(id: &str, products: u64, answer: impl FnOnce(u64) -> Answer) -> Answer {
    match id.parse() {
        Ok(id) if (1..=products).contains(&id) => answer(id),
        _ => answer::problem(404, "not_found"),
    }
}

fn cart(request: &Parts, segments: &[&str], body: &[u8]) -> Answer {
    let mut cart = Cart::of(&request.headers);
    let variant = segments.get(1).and_then(|id| id.parse().ok());
    match (request.method.as_str(), segments, variant) {
        ("GET", [], _) => return answer::versioned(200, cart.body()),
        ("DELETE", [], _) => cart.lines.clear(),
        ("PUT", ["items", _], Some(variant)) => {
            let quantity = parsed(body)["quantity"].as_u64().unwrap_or_default();
            if !(1..=99).contains(&quantity) {
                return answer::problem(422, "validation_failed");
            }
            if !cart.set(variant, quantity) {
                return answer::problem(422, "cart_full");
            }
        }
        ("DELETE", ["items", _], Some(variant)) => {
            cart.set(variant, 0);
        }
        _ => return answer::problem(404, "not_found"),
    }
    answer::with_cookie(answer::json(200, cart.body()), &cart.cookie())
}

fn orders(request: &Parts, segments: &[&str], body: &[u8]) -> Answer {
    match (request.method.as_str(), segments) {
        ("GET", []) => {
            let orders = json!({"items": [bodies::order(bodies::ORDER, &[(1, 1)])], "next_cursor": null});
            answer::versioned(200, orders.to_string())
        }
        ("GET", [id]) => answer::versioned(200, bodies::order(id, &[(1, 1)]).to_string()),
        ("POST", []) if !request.headers.contains_key("idempotency-key") => {
            answer::problem(400, "idempotency_key_missing")
        }
        ("POST", []) => {
            let asked = parsed(body);
            let items = asked["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let line = |item: &Value| Some((item["variant_id"].as_u64()?, item["quantity"].as_u64()?));
            let lines: Vec<_> = items.iter().filter_map(line).collect();
            if lines.is_empty() {
                return answer::problem(422, "validation_failed");
            }
            let mut cart = Cart::of(&request.headers);
            cart.take(&lines);
            let order = bodies::order(&bodies::new_id(), &lines).to_string();
            answer::with_cookie(answer::json(201, order), &cart.cookie())
        }
        _ => answer::problem(404, "not_found"),
    }
}

fn identity(request: &Parts, segments: &[&str], body: &[u8]) -> Answer {
    match (request.method.as_str(), segments) {
        ("POST", ["customers" | "sessions"]) => session(&parsed(body), &request.headers),
        ("POST", ["sessions", "refresh"]) => {
            // A program sends its token; a browser's is in its cookie.
            let in_cookies = parsed(body)["refresh_token"].is_null();
            let tokens = answer::json(200, bodies::tokens(in_cookies).to_string());
            with_tokens(tokens, in_cookies)
        }
        ("DELETE", ["sessions", ..]) => answer::json(204, ""),
        ("GET", ["customers", "me"]) => {
            answer::versioned(200, bodies::profile("ada@example.com").to_string())
        }
        ("GET", ["customers", "me", "addresses"]) => {
            let addresses = json!({"items": [bodies::address()], "next_cursor": null});
            answer::versioned(200, addresses.to_string())
        }
        ("POST", ["customers", "me", "addresses"]) => answer::json(201, bodies::address().to_string()),
        ("GET" | "PUT", ["customers", "me", "addresses", _]) => {
            answer::versioned(200, bodies::address().to_string())
        }
        _ => answer::problem(404, "not_found"),
    }
}

fn session(asked: &Value, headers: &HeaderMap) -> Answer {
    let in_cookies = asked["transport"] == "cookie";
    let mut opened = bodies::tokens(in_cookies);
    opened["customer"] = bodies::profile(asked["email"].as_str().unwrap_or_default());
    opened["cart"] = json!({"merged": Cart::of(headers).lines.len(), "capped": []});
    with_tokens(answer::json(201, opened.to_string()), in_cookies)
}

fn with_tokens(mut response: Answer, in_cookies: bool) -> Answer {
    if in_cookies {
        for cookie in bodies::token_cookies() {
            response = answer::with_cookie(response, &cookie);
        }
    }
    response
}

/// Null where it is not JSON.
fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
