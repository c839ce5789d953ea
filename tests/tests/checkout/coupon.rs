//! Coupons for tests: made by an admin, used by shoppers, looked up by the backoffice.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use trestle_tests::{Answer, Shopper, shop, sql};
use uuid::Uuid;

/// The account of the admin whom all tests share, without its client: connections end with the test that made them.
static ACCOUNT: OnceCell<(String, Option<String>)> = OnceCell::const_new();

/// The admin, with a client of this test's own.
pub async fn admin() -> Shopper {
    let shop = shop().await;
    let (email, token) = ACCOUNT
        .get_or_init(async || {
            let mut admin = Shopper::customer(&shop.url()).await;
            sqlx::query("UPDATE customers SET role = 'admin' WHERE email = ?")
                .bind(&admin.email)
                .execute(&mut sql(shop).await)
                .await
                .unwrap();
            admin.log_in().await.expect(201);
            (admin.email, admin.token)
        })
        .await;
    Shopper {
        email: email.clone(),
        token: token.clone(),
        ..Shopper::visitor(&shop.url())
    }
}

/// A code that no other test has.
pub fn new_code() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("TEST-{}", id[..16].to_uppercase())
}

/// Makes a coupon that gives `off`, with `more` said of it.
pub async fn coupon(off: Value, more: Value) -> String {
    let code = new_code();
    let mut form = json!({"code": code, "off": off});
    for (field, value) in more.as_object().unwrap() {
        form[field] = value.clone();
    }
    admin().await.post("/admin/coupons", &form).await.expect(201);
    code
}

/// The coupon as the backoffice sees it.
pub async fn look_up(code: &str) -> Answer {
    admin()
        .await
        .get(&format!("/admin/coupons/{code}"))
        .await
        .expect(200)
}

pub async fn used(code: &str) -> i64 {
    look_up(code).await.body["used"].as_i64().unwrap()
}

/// Changes a coupon as it is now.
pub async fn change(code: &str, change: &Value) -> Answer {
    let tag = look_up(code).await.header("etag").to_owned();
    let admin = admin().await;
    let request = admin.request(Method::PATCH, &format!("/admin/coupons/{code}"));
    admin.send(request.header("If-Match", tag).json(change)).await
}

/// An order of these variants, so many of each, with a coupon.
pub fn order_with(
    customer: &Shopper,
    items: &[(u64, i32)],
    code: &str,
    key: &str,
    token: &str,
) -> RequestBuilder {
    let items: Vec<Value> = items
        .iter()
        .map(|(variant, quantity)| json!({"variant_id": variant, "quantity": quantity}))
        .collect();
    let body = json!({
        "items": items, "address_id": customer.address_id, "payment_token": token, "coupon": code,
    });
    customer
        .request(Method::POST, "/orders")
        .header("Idempotency-Key", key)
        .json(&body)
}

/// Orders one piece with a coupon, a key of its own and a card that is accepted.
pub async fn buy_with(customer: &Shopper, variant: u64, code: &str) -> Answer {
    let key = Uuid::new_v4().to_string();
    customer
        .send(order_with(customer, &[(variant, 1)], code, &key, "tok_approve"))
        .await
}
