//! Who may ask what. Every operation of the OpenAPI document stands in the table below: one that does not fails the
//! test, so that a new route cannot be forgotten.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use trestle_tests::{Answer, Shopper, address, first_product, shop};
use uuid::Uuid;

/// Who an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Everybody; it says the same to all.
    Anyone,
    /// Everybody; it is about the cart of who asks.
    OwnCart,
    /// A customer, about what is theirs: no id in the path says whose.
    Oneself,
    /// The customer to whom the thing in the path belongs; it does not exist for others.
    Owner,
    /// Admins.
    Admin,
}

use For::{Admin, Anyone, Oneself, OwnCart, Owner};

const TABLE: &[(&str, &str, For)] = &[
    ("GET", "/api/openapi.json", Anyone),
    ("GET", "/api/v1/instance", Anyone),
    ("GET", "/api/v1/categories", Anyone),
    ("GET", "/api/v1/sitemap.xml", Anyone),
    ("GET", "/api/v1/products", Anyone),
    ("GET", "/api/v1/products/best-sellers", Anyone),
    ("GET", "/api/v1/products/new", Anyone),
    ("GET", "/api/v1/products/{id}", Anyone),
    ("GET", "/api/v1/products/{id}/related", Anyone),
    ("GET", "/api/v1/products/{id}/reviews", Anyone),
    ("POST", "/api/v1/products/{id}/reviews", Oneself),
    ("GET", "/api/v1/products/{id}/reviews/mine", Oneself),
    ("PUT", "/api/v1/products/{id}/reviews/mine", Oneself),
    ("DELETE", "/api/v1/products/{id}/reviews/mine", Oneself),
    ("GET", "/api/v1/cart", OwnCart),
    ("DELETE", "/api/v1/cart", OwnCart),
    ("PUT", "/api/v1/cart/items/{variant_id}", OwnCart),
    ("DELETE", "/api/v1/cart/items/{variant_id}", OwnCart),
    ("POST", "/api/v1/customers", Anyone),
    ("GET", "/api/v1/customers/me", Oneself),
    ("PATCH", "/api/v1/customers/me", Oneself),
    ("PUT", "/api/v1/customers/me/password", Oneself),
    ("GET", "/api/v1/customers/me/addresses", Oneself),
    ("POST", "/api/v1/customers/me/addresses", Oneself),
    ("GET", "/api/v1/customers/me/addresses/{id}", Owner),
    ("PUT", "/api/v1/customers/me/addresses/{id}", Owner),
    ("DELETE", "/api/v1/customers/me/addresses/{id}", Owner),
    ("POST", "/api/v1/sessions", Anyone),
    ("POST", "/api/v1/sessions/refresh", Anyone),
    ("GET", "/api/v1/sessions", Oneself),
    ("DELETE", "/api/v1/sessions", Oneself),
    ("DELETE", "/api/v1/sessions/current", Oneself),
    ("DELETE", "/api/v1/sessions/{id}", Owner),
    ("POST", "/api/v1/orders", Oneself),
    ("GET", "/api/v1/orders", Oneself),
    ("GET", "/api/v1/orders/{id}", Owner),
    ("POST", "/api/v1/orders/{id}/cancel", Owner),
    ("GET", "/api/v1/admin/products", Admin),
    ("POST", "/api/v1/admin/products", Admin),
    ("GET", "/api/v1/admin/products/{id}", Admin),
    ("PATCH", "/api/v1/admin/products/{id}", Admin),
    ("POST", "/api/v1/admin/products/{id}/variants", Admin),
    ("PATCH", "/api/v1/admin/variants/{id}", Admin),
    ("GET", "/api/v1/admin/variants/{id}/stock", Admin),
    ("POST", "/api/v1/admin/variants/{id}/stock", Admin),
    ("POST", "/api/v1/admin/categories", Admin),
    ("GET", "/api/v1/admin/orders", Admin),
    ("GET", "/api/v1/admin/orders/{id}", Admin),
    ("POST", "/api/v1/admin/orders/{id}/ship", Admin),
    ("POST", "/api/v1/admin/orders/{id}/cancel", Admin),
    ("GET", "/api/v1/admin/sales", Admin),
    ("GET", "/api/v1/admin/customers", Admin),
    ("GET", "/api/v1/admin/customers/{id}", Admin),
    ("GET", "/api/v1/admin/coupons", Admin),
    ("POST", "/api/v1/admin/coupons", Admin),
    ("GET", "/api/v1/admin/coupons/{code}", Admin),
    ("PATCH", "/api/v1/admin/coupons/{code}", Admin),
    ("GET", "/api/v1/admin/log", Admin),
];

/// An operation of the document with its place in the table.
struct Operation {
    method: Method,
    route: String,
    is_for: For,
    has_body: bool,
    /// The properties that the body's schema names.
    properties: Vec<String>,
}

async fn document() -> &'static Value {
    static DOCUMENT: OnceCell<Value> = OnceCell::const_new();
    DOCUMENT
        .get_or_init(async || {
            let url = format!("{}/api/openapi.json", shop().await.url());
            reqwest::get(url).await.unwrap().json().await.unwrap()
        })
        .await
}

/// Every operation of the document.
///
/// # Panics
/// When one is not in the table.
async fn operations() -> Vec<Operation> {
    let document = document().await;
    let mut operations = Vec::new();
    let mut unknown = Vec::new();
    for (route, item) in document["paths"].as_object().unwrap() {
        for (method, says) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let known = TABLE
                .iter()
                .find(|(known, path, _)| (*known, *path) == (method.as_str(), route.as_str()));
            let Some((_, _, is_for)) = known else {
                unknown.push(format!("{method} {route}"));
                continue;
            };
            let mut schema = &says["requestBody"]["content"]["application/json"]["schema"];
            if let Some(name) = schema["$ref"].as_str() {
                schema = document.pointer(name.trim_start_matches('#')).unwrap();
            }
            let properties = schema["properties"].as_object();
            operations.push(Operation {
                method: method.parse().unwrap(),
                route: route.clone(),
                is_for: *is_for,
                has_body: says["requestBody"].is_object(),
                properties: properties
                    .into_iter()
                    .flat_map(|map| map.keys().cloned())
                    .collect(),
            });
        }
    }
    assert!(unknown.is_empty(), "say in the table who may ask: {unknown:#?}");
    assert!(operations.len() > 20, "the document has lost its operations");
    operations
}

/// A customer who has one of everything, and the ids of it.
struct Holder {
    shopper: Shopper,
    id: String,
    order: String,
    session: String,
    product: String,
    variant: String,
}

impl Holder {
    async fn new() -> Self {
        let stack = shop().await;
        let product = first_product(stack, 20).await;
        let variant = product["variants"][0]["id"].as_u64().unwrap();
        let shopper = Shopper::customer(&stack.url()).await;
        let me = shopper.get("/customers/me").await.expect(200).body;
        let order = shopper.order(variant, 1).await.expect(201).body;
        shopper.put_in_cart(variant, 3).await.expect(200);
        let product = product["id"].to_string();
        let routes = document().await["paths"].as_object().unwrap();
        if routes.contains_key("/api/v1/products/{id}/reviews") {
            let review = json!({"rating": 4, "text": "It does what it should."});
            let path = format!("/products/{product}/reviews");
            shopper.post(&path, &review).await.expect(201);
        }
        let sessions = shopper.get("/sessions").await;
        let session = sessions
            .items()
            .first()
            .and_then(|session| session["id"].as_str());
        Self {
            id: me["id"].as_str().unwrap().to_owned(),
            order: order["id"].as_str().unwrap().to_owned(),
            session: session.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
            variant: variant.to_string(),
            product,
            shopper,
        }
    }

    /// A path to the holder's own things, or to what everybody sees.
    fn path(&self, route: &str) -> String {
        let address = self.shopper.address_id.as_deref().unwrap();
        let id = [
            ("/addresses/", address),
            ("/orders/", &self.order),
            ("/sessions/", &self.session),
            ("/customers/", &self.id),
            ("/variants/", &self.variant),
            ("/products/", &self.product),
        ]
        .into_iter()
        .find(|(part, _)| route.contains(&format!("{part}{{id}}")))
        .map_or("", |(_, id)| id);
        let path = route
            .replace("{id}", id)
            .replace("{variant_id}", &self.variant)
            .replace("{code}", "WELCOME");
        assert!(!path.contains("//") && !path.contains('{'), "{route}: {path}");
        path
    }

    /// What nobody else may read.
    fn secrets(&self) -> [&str; 5] {
        [
            &self.shopper.email,
            &self.id,
            &self.order,
            &self.session,
            self.shopper.address_id.as_deref().unwrap(),
        ]
    }

    /// What the holder sees of their own.
    async fn own(&self) -> BTreeMap<String, String> {
        let mut seen = BTreeMap::new();
        for operation in operations().await {
            if operation.method == Method::GET && matches!(operation.is_for, OwnCart | Oneself | Owner) {
                let path = self.path(&operation.route);
                let answer = send(&self.shopper, Method::GET, &path).await.expect(200);
                seen.insert(path, answer.text);
            }
        }
        // These are not in the document of every release; whoever has them sees the same.
        for path in [
            "/api/v1/customers/me",
            "/api/v1/customers/me/addresses",
            "/api/v1/cart",
        ] {
            let answer = send(&self.shopper, Method::GET, path).await.expect(200);
            seen.insert(path.to_owned(), answer.text);
        }
        seen
    }
}

/// A body that is right, so that what is refused is refused for who asks.
fn body(route: &str) -> Value {
    if route.contains("/addresses") {
        address()
    } else {
        json!({})
    }
}

/// A request to a whole path.
fn request(shopper: &Shopper, method: Method, path: &str) -> RequestBuilder {
    let request = shopper.http.request(method, format!("{}{path}", shopper.base));
    match &shopper.token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

async fn send(shopper: &Shopper, method: Method, path: &str) -> Answer {
    shopper.send(request(shopper, method, path)).await
}

async fn ask(shopper: &Shopper, operation: &Operation, path: &str, body: &Value) -> Answer {
    let mut request = request(shopper, operation.method.clone(), path)
        .header("If-Match", "\"1\"")
        .header("Idempotency-Key", Uuid::new_v4().to_string());
    if operation.has_body {
        request = request.json(body);
    }
    shopper.send(request).await
}

async fn admin() -> Shopper {
    let stack = shop().await;
    let mut admin = Shopper::customer(&stack.url()).await;
    let done = stack.api_output(&["admin", "grant", &admin.email]).await.unwrap();
    assert!(done.status.success(), "{done:?}");
    admin.log_in().await.expect(201);
    admin
}

#[tokio::test]
async fn who_has_not_logged_in_reaches_nothing_of_anybody() {
    let holder = Holder::new().await;
    let before = holder.own().await;
    for operation in operations().await {
        // A new one each time, without cookies of the one before.
        let visitor = Shopper::visitor(&shop().await.url());
        let path = holder.path(&operation.route);
        let answer = ask(&visitor, &operation, &path, &body(&operation.route)).await;
        let what = format!("{} {}: {}", operation.method, operation.route, answer.text);
        match operation.is_for {
            Anyone | OwnCart => assert!(!matches!(answer.status, 401 | 403 | 500..), "{what}"),
            Oneself | Owner | Admin => assert_eq!(answer.status, 401, "{what}"),
        }
        for secret in holder.secrets() {
            assert!(!answer.text.contains(secret), "{what}");
        }
    }
    assert_eq!(holder.own().await, before);
}

#[tokio::test]
async fn another_customer_reaches_nothing_of_anybody_and_nothing_of_the_backoffice() {
    let holder = Holder::new().await;
    let before = holder.own().await;
    for operation in operations().await {
        // A new one each time, because some operations end sessions.
        let other = Shopper::customer(&shop().await.url()).await;
        let path = holder.path(&operation.route);
        let answer = ask(&other, &operation, &path, &body(&operation.route)).await;
        let what = format!("{} {}: {}", operation.method, operation.route, answer.text);
        match operation.is_for {
            Anyone | OwnCart | Oneself => {
                assert!(!matches!(answer.status, 401 | 403 | 500..), "{what}");
            }
            Owner => assert_eq!(answer.status, 404, "{what}"),
            Admin => assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{what}"),
        }
        for secret in holder.secrets() {
            // The path of a 404 may be named, what is behind it may not.
            assert!(!answer.text.contains(secret), "{what}");
        }
    }
    assert_eq!(holder.own().await, before);
}

#[tokio::test]
async fn an_admin_has_no_way_around_the_owners_own_routes() {
    let (holder, admin) = (Holder::new().await, admin().await);
    for operation in operations().await {
        if operation.is_for == Owner {
            let path = holder.path(&operation.route);
            let answer = ask(&admin, &operation, &path, &body(&operation.route)).await;
            assert_eq!(answer.status, 404, "{} {}", operation.method, operation.route);
        }
        if operation.is_for == Admin && operation.method == Method::GET {
            let path = holder.path(&operation.route);
            let answer = ask(&admin, &operation, &path, &json!({})).await;
            assert_ne!(answer.status, 401, "{}", operation.route);
            assert_ne!(answer.status, 403, "{}", operation.route);
        }
    }
}

#[tokio::test]
async fn roles_owners_prices_and_totals_are_never_taken_from_a_request() {
    let (holder, admin) = (Holder::new().await, admin().await);
    for operation in operations().await {
        if !operation.has_body {
            continue;
        }
        let path = holder.path(&operation.route);
        for (field, value) in [
            ("role", json!("admin")),
            ("customer_id", json!(holder.id)),
            ("owner", json!(holder.id)),
            ("state", json!("paid")),
            ("price", json!({"amount": 1, "currency": "USD"})),
            ("total", json!({"amount": 1, "currency": "USD"})),
            ("discount", json!(1)),
        ] {
            let what = format!("{} {} with {field}", operation.method, operation.route);
            if operation.properties.iter().any(|name| name == field) {
                // An admin names a variant's price; that is what the backoffice is for.
                let may = operation.is_for == Admin && field == "price";
                assert!(
                    may && operation.route.contains("variants"),
                    "{what} is in the contract"
                );
                continue;
            }
            let who = if operation.is_for == Admin {
                &admin
            } else {
                &holder.shopper
            };
            let answer = ask(who, &operation, &path, &json!({field: value})).await;
            assert_eq!(
                (answer.status, answer.fields()),
                (422, vec![field]),
                "{what}: {}",
                answer.text
            );
        }
    }
}

/// A UUIDv7 begins with its time; the rest is random: 74 bits for the first of a millisecond, and at least 32 new ones
/// for each that the same replica makes within it. Who guesses one all the same finds nothing: see above.
#[tokio::test]
async fn ids_of_customers_and_orders_cannot_be_guessed() {
    let stack = shop().await;
    let product = first_product(stack, 30).await;
    let variant = product["variants"][0]["id"].as_u64().unwrap();
    let mut ids = Vec::new();
    for _ in 0..10 {
        let customer = Shopper::customer(&stack.url()).await;
        let me = customer.get("/customers/me").await.expect(200).body;
        let order = customer.order(variant, 1).await.expect(201).body;
        for id in [&me["id"], &order["id"]] {
            ids.push(Uuid::try_parse(id.as_str().unwrap()).unwrap());
        }
        ids.push(Uuid::try_parse(customer.address_id.as_deref().unwrap()).unwrap());
    }
    assert!(ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
    let mut tails: Vec<u32> = ids
        .iter()
        .map(|id| u32::try_from(id.as_u128() & 0xFFFF_FFFF).unwrap())
        .collect();
    // Neither repeated nor counted up: two of 30 random numbers are this near once in 300,000 runs.
    tails.sort_unstable();
    let near = tails.windows(2).filter(|pair| pair[1] - pair[0] < 16).count();
    assert_eq!(near, 0, "{tails:?}");
}
