//! Bodies of the shape that the OpenAPI document gives them, about as long as the shop's.

use serde_json::{Value, json};
use uuid::Uuid;

/// Every variant's price, in minor units.
pub const PRICE: u64 = 1250;
pub const ORDER: &str = "0195501b-7400-7000-8000-000000000003";
const ADDRESS: &str = "0195501b-7400-7000-8000-000000000002";
const CUSTOMER: &str = "0195501b-7400-7000-8000-000000000001";
const THEN: &str = "2026-03-01T09:30:00Z";
/// As long as a real one.
const REFRESH_TOKEN: &str = "c3R1Yi1yZWZyZXNoLXRva2VuLTAwMDAwMDAwMDAwMDA";
/// About as long as a real one.
pub const ACCESS_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6InN0dWIifQ.eyJpc3MiOiJ0cmVzdGxlIiwiYXVkIjoidHJlc3RsZS1hcGkiLCJzdWIiOiIwMTk1NTAxYi03NDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJleHAiOjQxMDI0NDQ4MDB9.c3R1Yi1zaWduYXR1cmUtdGhhdC1ub2JvZHktY2hlY2tz";
const DESCRIPTION: &str = "<p>Knitted in one piece from the wool of sheep that graze above the tree line. Warm when wet, \
    soft when dry, and long enough to be wound around twice.</p><p>Wash by hand in lukewarm water, dry flat. It keeps its \
    shape for years and can be mended where it tears; we send yarn of the same dye on request.</p>";

/// The page that a browser begins with; it names two files of the release.
pub const HOME: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"utf-8\">\n  <title>Trestle</title>\n  \
    <link rel=\"stylesheet\" href=\"/v/stub/styles/base.css\">\n  <script type=\"module\" src=\"/v/stub/app.mjs\"></script>\n\
    </head>\n<body><main id=\"main\"></main></body>\n</html>\n";
pub const STYLE: &str =
    ":root { color-scheme: light dark; }\nbody { margin: 0; font: 1rem/1.5 system-ui, sans-serif; }\n";
pub const SCRIPT: &str = "// The stub's page does nothing.\nexport {};\n";

pub fn product_of(variant: u64) -> u64 {
    variant.div_ceil(2)
}

pub fn money(amount: u64) -> String {
    format!(r#"{{"amount":{amount},"currency":"USD"}}"#)
}

/// Written by hand, as the ones below, since it is what is asked for most.
pub fn product(id: u64) -> String {
    let (first, second, price) = (2 * id - 1, 2 * id, money(PRICE));
    format!(
        r#"{{"id":{id},"handle":"wool-scarf-{id}","title":"Wool Scarf {id}","description":"{DESCRIPTION}","vendor":"Trestle","category":{{"handle":"scarves","name":"Scarves"}},"price":{price},"in_stock":true,"rating":{{"average":4.2,"count":17}},"options":["Colour"],"variants":[{{"id":{first},"options":["Grey"],"price":{price},"sku":"SCARF-{first}","in_stock":true,"left":null}},{{"id":{second},"options":["Green"],"price":{price},"sku":"SCARF-{second}","in_stock":true,"left":null}}],"pictures":[{{"url":"/pictures/scarf.jpg","alt":"A scarf","variant_id":null}}],"version":1,"created_at":"{THEN}"}}"#
    )
}

fn summary(id: u64) -> String {
    let price = money(PRICE);
    format!(
        r#"{{"id":{id},"handle":"wool-scarf-{id}","title":"Wool Scarf {id}","category":{{"handle":"scarves","name":"Scarves"}},"price":{price},"in_stock":true,"rating":{{"average":4.2,"count":17}},"picture":"/pictures/scarf.jpg"}}"#
    )
}

/// Products, newest first: at most `limit` with ids of at most `from`. The cursor is the next id.
pub fn products(from: u64, limit: u64) -> String {
    let last = from.saturating_sub(limit);
    let items: Vec<_> = (last + 1..=from).rev().map(summary).collect();
    let next = if last > 0 {
        format!("\"{last}\"")
    } else {
        "null".to_owned()
    };
    format!(r#"{{"items":[{}],"next_cursor":{next}}}"#, items.join(","))
}

pub fn reviews() -> String {
    let review = |n: u32| {
        json!({"id": format!("0195501b-7400-7000-8000-0000000001{n:02}"), "rating": 4, "text": "Sturdy, and lighter than it looks.",
            "author": "Ada L.", "created_at": THEN, "updated_at": THEN})
    };
    json!({"items": (0..5).map(review).collect::<Vec<_>>(), "next_cursor": null}).to_string()
}

pub fn categories() -> String {
    let category = |n: u32| json!({"handle": format!("category-{n}"), "name": format!("Category {n}")});
    json!({"items": (1..=12).map(category).collect::<Vec<_>>()}).to_string()
}

/// One list, however many there are.
pub fn sitemap(products: u64) -> String {
    let addresses = (1..=products).map(|id| format!("<url><loc>http://stub/products/{id}</loc></url>\n"));
    format!("<urlset>\n{}</urlset>\n", addresses.collect::<String>())
}

pub fn instance() -> String {
    json!({
        "replica": "stub-1", "zone": "local", "host": {"kind": "process", "id": "stub"}, "version": "0.1.0",
        "uptime_seconds": 1, "memory_bytes": 20_971_520,
        "cache": {
            "memory": {"hits": 0, "entries": 0, "bytes": 0}, "redis": {"hits": 0, "breaker": "closed"},
            "database": {"loads": 0, "stale": 0},
        },
    })
    .to_string()
}

pub fn admin_product(id: u64) -> String {
    let money = json!({"amount": PRICE, "currency": "USD"});
    let variant = |id: u64, option: &str| json!({"id": id, "options": [option], "price": money, "sku": format!("SCARF-{id}"), "withdrawn": false});
    json!({
        "id": id, "handle": format!("wool-scarf-{id}"), "title": format!("Wool Scarf {id}"), "description": DESCRIPTION,
        "vendor": "Trestle", "tags": "", "category": {"handle": "scarves", "name": "Scarves"}, "options": ["Colour"],
        "published": true, "variants": [variant(2 * id - 1, "Grey"), variant(2 * id, "Green")],
        "pictures": [{"url": "/pictures/scarf.jpg", "alt": "A scarf", "variant_id": null}],
        "created_at": THEN, "updated_at": THEN,
    })
    .to_string()
}

pub fn profile(email: &str) -> Value {
    json!({"id": CUSTOMER, "email": email, "name": "Ada Lovelace", "role": "customer", "created_at": THEN})
}

/// The tokens of a program, or what a browser is told that has them in cookies.
pub fn tokens(in_cookies: bool) -> Value {
    if in_cookies {
        return json!({"expires_in": 300, "refresh_expires_in": 2_592_000});
    }
    json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
        "refresh_token": REFRESH_TOKEN, "refresh_expires_in": 2_592_000,
    })
}

/// The cookies that hold the tokens.
pub fn token_cookies() -> [String; 2] {
    [
        format!("trestle_access={ACCESS_TOKEN}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"),
        format!(
            "trestle_refresh={REFRESH_TOKEN}; Path=/api/v1/sessions; Max-Age=2592000; HttpOnly; SameSite=Strict"
        ),
    ]
}

pub fn address() -> Value {
    json!({"id": ADDRESS, "name": "Ada Lovelace", "line1": "12 St James's Square", "line2": "", "city": "London",
        "region": "", "postal_code": "SW1Y 4JH", "country": "GB", "phone": ""})
}

/// A paid order of these variants and quantities.
pub fn order(id: &str, lines: &[(u64, u64)]) -> Value {
    let money = |amount: u64| json!({"amount": amount, "currency": "USD"});
    let line = |(variant, quantity): &(u64, u64)| {
        json!({"variant_id": variant, "product_id": product_of(*variant), "title": "Wool Scarf", "options": ["Grey"],
            "quantity": quantity, "price": money(PRICE), "discount": money(0), "total": money(PRICE * quantity),
            "sku": format!("SCARF-{variant}")})
    };
    let total = money(lines.iter().map(|line| line.1 * PRICE).sum());
    let mut to = address();
    if let Some(to) = to.as_object_mut() {
        to.remove("id");
    }
    json!({"id": id, "state": "paid", "created_at": THEN, "updated_at": THEN, "items": lines.iter().map(line).collect::<Vec<_>>(),
        "subtotal": total, "discount": money(0), "total": total, "address": to, "payment": "captured", "coupon": null,
        "carrier": null, "tracking": null, "shipped_at": null})
}

pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}
