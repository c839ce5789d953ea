//! Customers who can buy and log in.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use super::limit::hashes;
use super::shop::Shop;

/// A customer with an address and a session.
#[derive(Debug, Clone)]
pub struct Buyer {
    pub email: String,
    pub token: String,
    pub address: String,
}

impl Buyer {
    /// So many new ones.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn register(shop: &Shop, count: u16) -> Result<Vec<Self>> {
        let mut buyers = Vec::new();
        for _ in 0..count {
            let email = format!("bench.{}@example.com", Uuid::now_v7().simple());
            let registration =
                json!({"email": email, "password": hashes::PASSWORD, "name": "Mary Somerville"});
            let opened = shop.post("/api/v1/customers", None, &registration).await?;
            let token = text(&opened, "access_token")?;
            let address = json!({"name": "Mary Somerville", "line1": "12 St James Square", "city": "London",
                "postal_code": "SW1Y 4JH", "country": "GB"});
            let address = shop
                .post("/api/v1/customers/me/addresses", Some(&token), &address)
                .await?;
            buyers.push(Self {
                email,
                token,
                address: text(&address, "id")?,
            });
        }
        Ok(buyers)
    }
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let found = answer.get(field).and_then(Value::as_str);
    found
        .map(ToOwned::to_owned)
        .with_context(|| format!("an answer without {field}"))
}
