//! People and goods of the browser's tests.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row as _;
use trestle::Stack;
use trestle::web::WebTree;
use trestle_tests::browser::Browser;
use trestle_tests::{Answer, Shopper, money, sql};
use uuid::Uuid;

/// A customer who was made an admin by the command.
pub async fn admin(stack: &Stack) -> Shopper {
    let mut admin = Shopper::customer(&stack.url()).await;
    let done = stack.api_output(&["admin", "grant", &admin.email]).await.unwrap();
    assert!(done.status.success(), "{done:?}");
    admin.log_in().await.expect(201);
    admin
}

/// A word that nothing else in the shop has: search finds what is made here, and that alone.
pub fn word() -> String {
    let letters = Uuid::new_v4().simple().to_string();
    letters
        .chars()
        .take(10)
        .map(|digit| char::from(b'a' + u8::try_from(digit.to_digit(16).unwrap()).unwrap()))
        .collect()
}

/// A product with two variants, made by an admin.
pub struct Made {
    pub id: u64,
    pub title: String,
    pub small: u64,
    pub large: u64,
}

impl Made {
    /// A lamp in a category of its own: Small for 12.50, Large for 19.00.
    pub async fn new(admin: &Shopper, stock: i32) -> Self {
        let word = word();
        let category = json!({"name": format!("Made {word}")});
        let category = admin.post("/admin/categories", &category).await.expect(201);
        let mut title = format!("{word} lamp");
        title[..1].make_ascii_uppercase();
        let body = json!({"title": title, "category": category.body["handle"], "options": ["Size"],
            "description": "It stands where it is put."});
        Self::of(admin, &body, &[("Small", 1250), ("Large", 1900)], stock).await
    }

    /// A product with one option, and its two variants: value and price.
    pub async fn of(admin: &Shopper, product: &Value, variants: &[(&str, i64); 2], stock: i32) -> Self {
        let mut answer = admin.post("/admin/products", product).await.expect(201);
        let id = answer.body["id"].as_u64().unwrap();
        let title = product["title"].as_str().unwrap().to_owned();
        for (value, price) in variants {
            let variant = json!({"options": [value], "price": money(*price), "on_hand": stock});
            let path = format!("/admin/products/{id}/variants");
            answer = edit(admin, Method::POST, &path, answer.header("etag"), &variant)
                .await
                .expect(201);
        }
        let path = format!("/admin/products/{id}");
        let published = json!({"published": true});
        answer = edit(admin, Method::PATCH, &path, answer.header("etag"), &published)
            .await
            .expect(200);
        let variant = |at: usize| answer.body["variants"][at]["id"].as_u64().unwrap();
        Self {
            id,
            title,
            small: variant(0),
            large: variant(1),
        }
    }
}

impl Made {
    pub async fn small_costs(&self, admin: &Shopper, price: i64) {
        let read = admin
            .get(&format!("/admin/products/{}", self.id))
            .await
            .expect(200);
        let path = format!("/admin/variants/{}", self.small);
        let price = json!({"price": money(price)});
        edit(admin, Method::PATCH, &path, read.header("etag"), &price)
            .await
            .expect(200);
    }
}

/// Sends an edit with the revision that it was made from.
async fn edit(admin: &Shopper, method: Method, path: &str, etag: &str, body: &Value) -> Answer {
    let request = admin.request(method, path).header("If-Match", etag);
    admin.send(request.json(body)).await
}

/// A coupon of ten per cent: its code.
pub async fn coupon(admin: &Shopper) -> String {
    let code = word().to_uppercase();
    let body = json!({"code": code, "off": {"percent": 10}});
    admin.post("/admin/coupons", &body).await.expect(201);
    code
}

/// What a page of each kind shows something with: every address of the storefront's routes, filled in.
pub struct Addresses {
    pub product: u64,
    pub order: String,
    pub category: String,
}

impl Addresses {
    /// Of somebody who has just ordered two of each of these, has reviewed it, and has as many in the cart.
    pub async fn of(shopper: &Shopper, made: &Made) -> Self {
        let order = shopper.order(made.small, 2).await.expect(201).body;
        let review = json!({"rating": 4, "text": "It stands where I put it, and has not moved since."});
        let path = format!("/products/{}/reviews", made.id);
        shopper.post(&path, &review).await.expect(201);
        shopper.put_in_cart(made.small, 2).await.expect(200);
        shopper.put_in_cart(made.large, 1).await.expect(200);
        let categories = shopper.get("/categories").await.expect(200);
        Self {
            product: made.id,
            order: order["id"].as_str().unwrap().to_owned(),
            category: categories.items()[0]["handle"].as_str().unwrap().to_owned(),
        }
    }

    /// One for each route, under the route's pattern.
    pub fn all(&self) -> Vec<(String, String)> {
        let filled = |route: &str| {
            let id = match route {
                _ if route.contains("/orders/") => self.order.clone(),
                _ => self.product.to_string(),
            };
            let path = route.replace(":handle", &self.category).replace(":id", &id);
            assert!(!path.contains(':'), "what is {route}?");
            if path == "/search" {
                "/search?q=made".to_owned()
            } else {
                path
            }
        };
        routes()
            .into_iter()
            .map(|route| (route.clone(), filled(&route)))
            .collect()
    }
}

/// The patterns of the storefront's routes.mjs.
pub fn routes() -> Vec<String> {
    let file = WebTree::find().unwrap().storefront.join("routes.mjs");
    let text = std::fs::read_to_string(file).unwrap();
    let routes: Vec<String> = text
        .split("path: \"")
        .skip(1)
        .map(|rest| rest[..rest.find('"').unwrap()].to_owned())
        .collect();
    assert!(routes.len() > 15, "{routes:?}");
    routes
}

/// Orders of a customer, by the database: (state, total).
pub async fn orders(stack: &Stack, email: &str) -> Vec<(String, i64)> {
    let rows = sqlx::query(
        "SELECT CAST(orders.state AS CHAR) AS state, CAST(orders.total AS SIGNED) AS total FROM orders
         JOIN customers ON customers.id = orders.customer_id WHERE customers.email = ? ORDER BY orders.created_at",
    )
    .bind(email)
    .fetch_all(&mut sql(stack).await)
    .await
    .unwrap();
    rows.iter()
        .map(|row| (row.get("state"), row.get("total")))
        .collect()
}

/// A customer logs in and comes to this address.
pub async fn log_in(browser: &Browser, customer: &Shopper, path: &str) {
    browser.arrive("/login").await;
    browser.sign_in(customer).await;
    browser.arrive(path).await;
}

/// A customer is at the checkout with one small thing in the cart.
pub async fn to_checkout(browser: &Browser, customer: &Shopper, made: &Made) {
    customer.put_in_cart(made.small, 1).await.expect(200);
    log_in(browser, customer, "/checkout").await;
    browser.see_control("Pay $12.50").await;
}
