//! Admins, and products that they made.

use reqwest::Method;
use serde_json::{Value, json};
use trestle::Stack;
use trestle_tests::{Answer, Shopper, shop, sql};
use uuid::Uuid;

/// A customer who was made an admin by the command, and has logged in since.
pub async fn admin(stack: &Stack) -> Shopper {
    let mut admin = Shopper::customer(&stack.url()).await;
    let done = stack.api_output(&["admin", "grant", &admin.email]).await.unwrap();
    assert!(done.status.success(), "{done:?}");
    admin.log_in().await.expect(201);
    admin
}

/// A word that nothing else in the shop has.
pub fn word() -> String {
    format!("w{}", Uuid::new_v4().simple())
}

pub fn usd(amount: i64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

/// Sends an edit with the revision that it was made from.
pub async fn edit(admin: &Shopper, method: Method, path: &str, etag: &str, body: &Value) -> Answer {
    let request = admin.request(method, path).header("If-Match", etag);
    admin.send(request.json(body)).await
}

/// A category of its own: its handle.
pub async fn category(admin: &Shopper) -> String {
    let made = admin
        .post(
            "/admin/categories",
            &json!({"name": format!("Things {}", word())}),
        )
        .await
        .expect(201);
    made.body["handle"].as_str().unwrap().to_owned()
}

/// A published product in a category of its own, with one variant for each (stock, price).
pub struct Made {
    pub id: u64,
    pub title: String,
    pub handle: String,
    pub category: String,
    pub variants: Vec<u64>,
}

impl Made {
    pub async fn new(admin: &Shopper, variants: &[(i32, i64)]) -> Self {
        let category = category(admin).await;
        let title = format!("Thing {}", word());
        let body = json!({"title": title, "category": category, "options": ["Size"]});
        let mut answer = admin.post("/admin/products", &body).await.expect(201);
        let id = answer.body["id"].as_u64().unwrap();
        let handle = answer.body["handle"].as_str().unwrap().to_owned();
        for (number, (on_hand, price)) in (1..).zip(variants) {
            let body =
                json!({"options": [format!("Size {number}")], "price": usd(*price), "on_hand": on_hand});
            let path = format!("/admin/products/{id}/variants");
            answer = edit(admin, Method::POST, &path, answer.header("etag"), &body)
                .await
                .expect(201);
        }
        let path = format!("/admin/products/{id}");
        let publish = json!({"published": true});
        answer = edit(admin, Method::PATCH, &path, answer.header("etag"), &publish)
            .await
            .expect(200);
        let variants = answer.body["variants"].as_array().unwrap().iter();
        let made = Self {
            id,
            title,
            handle,
            category,
            variants: variants.map(|variant| variant["id"].as_u64().unwrap()).collect(),
        };
        // A visitor may have asked for it before it was published; what each replica holds of that ends now.
        for url in replicas().await {
            let visitor = Shopper::visitor(&url);
            trestle_tests::within(std::time::Duration::from_secs(1), "it is for sale", async || {
                (visitor.get(&format!("/products/{id}")).await.status == 200).then_some(())
            })
            .await;
        }
        made
    }

    /// As the backoffice shows it now.
    pub async fn read(&self, admin: &Shopper) -> Answer {
        admin
            .get(&format!("/admin/products/{}", self.id))
            .await
            .expect(200)
    }

    /// Edits the product from its newest revision.
    pub async fn edit(&self, admin: &Shopper, body: &Value) -> Answer {
        let etag = self.read(admin).await.header("etag").to_owned();
        let path = format!("/admin/products/{}", self.id);
        edit(admin, Method::PATCH, &path, &etag, body).await
    }

    /// Edits a variant from the product's newest revision.
    pub async fn edit_variant(&self, admin: &Shopper, variant: u64, body: &Value) -> Answer {
        let etag = self.read(admin).await.header("etag").to_owned();
        let path = format!("/admin/variants/{variant}");
        edit(admin, Method::PATCH, &path, &etag, body).await
    }
}

/// The addresses of the shop's replicas.
pub async fn replicas() -> Vec<String> {
    let replicas = shop().await.replicas();
    replicas
        .iter()
        .map(|replica| format!("http://{}", replica.address))
        .collect()
}

/// Adjusts stock with a key of its own.
pub async fn adjust(admin: &Shopper, variant: u64, change: i32) -> Answer {
    adjust_with(admin, variant, &Uuid::new_v4().to_string(), change).await
}

pub async fn adjust_with(admin: &Shopper, variant: u64, key: &str, change: i32) -> Answer {
    let request = admin
        .request(Method::POST, &format!("/admin/variants/{variant}/stock"))
        .header("Idempotency-Key", key);
    let body = json!({"change": change, "reason": "counted"});
    admin.send(request.json(&body)).await
}

pub async fn on_hand(admin: &Shopper, variant: u64) -> i64 {
    let stock = admin.get(&format!("/admin/variants/{variant}/stock")).await;
    stock.expect(200).body["on_hand"].as_i64().unwrap()
}

pub fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

/// What the log says was done to a subject, oldest first.
pub async fn logged(admin: &Shopper, kind: &str, subject: &str) -> Vec<String> {
    let path = format!("/admin/log?subject_kind={kind}&subject_id={subject}&limit=100");
    let page = admin.get(&path).await.expect(200);
    let actions = page.items().iter().rev();
    actions
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect()
}

/// Follows a list to its end, two items a page, and answers the ids.
pub async fn ids_of(admin: &Shopper, path: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    for _ in 0..100 {
        let page = admin.get(&format!("{path}&limit=2{cursor}")).await.expect(200);
        ids.extend(page.items().iter().map(|item| item["id"].to_string()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
    panic!("{path} has no end");
}

pub async fn audit_is_clean() {
    let audit = shop().await.api_output(&["audit", "--settled"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

/// Moves an order to another day behind the shop's back.
pub async fn placed_at(order: &str, time: &str) {
    let done = sqlx::query("UPDATE orders SET created_at = ? WHERE id = ?")
        .bind(time.to_owned())
        .bind(Uuid::try_parse(order).unwrap())
        .execute(&mut sql(shop().await).await)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// A file for an import, which the API's user in a container may read, too.
pub fn readable(csv: &str) -> tempfile::NamedTempFile {
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), csv).unwrap();
    file.as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))
        .unwrap();
    file
}
