//! An order as its customer sees it: made from the order's own rows alone, so that it says for ever what was
//! bought, whatever became of the products.

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::state::{Payment, State};
use crate::error::{Error, Result};
use crate::types::id::{OrderId, ProductId, VariantId};
use crate::types::money::Money;

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "0195501b-7400-7000-8000-000000000003", "state": "paid", "created_at": "2026-03-01T09:30:00Z",
    "updated_at": "2026-03-01T09:30:00.2Z", "shipped_at": null, "carrier": null, "tracking": null,
    "items": [{
        "variant_id": 12, "product_id": 5, "title": "Wool Scarf", "options": ["Grey"], "sku": "SCARF-GREY", "quantity": 2,
        "price": {"amount": 1999, "currency": "USD"}, "discount": {"amount": 400, "currency": "USD"},
        "total": {"amount": 3598, "currency": "USD"},
    }],
    "subtotal": {"amount": 3998, "currency": "USD"}, "coupon": "WELCOME-10",
    "discount": {"amount": 400, "currency": "USD"}, "total": {"amount": 3598, "currency": "USD"},
    "address": {
        "name": "Ada Lovelace", "line1": "12 St James's Square", "line2": "", "city": "London", "region": "",
        "postal_code": "SW1Y 4JH", "country": "GB", "phone": "",
    },
    "payment": "captured",
}))]
pub struct Order {
    pub id: OrderId,
    pub state: State,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When anything was last done about it
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// When it was handed over; null until then
    #[serde(with = "time::serde::rfc3339::option")]
    pub shipped_at: Option<OffsetDateTime>,
    /// Who carries it, once it is shipped
    #[schema(examples("DHL"))]
    pub carrier: Option<String>,
    /// The carrier's number for it, once it is shipped
    #[schema(examples("00340434161094015902"))]
    pub tracking: Option<String>,
    pub items: Vec<Line>,
    /// The lines before discounts
    pub subtotal: Money,
    /// The coupon that it was placed with
    #[schema(examples("WELCOME-10"))]
    pub coupon: Option<String>,
    /// The sum of the lines' discounts
    pub discount: Money,
    /// What is paid: the subtotal less the discount, and the sum of the lines' totals
    pub total: Money,
    pub address: ShippedTo,
    pub payment: Payment,
}

impl Order {
    /// The bytes of an answer.
    ///
    /// # Errors
    /// `Internal`; it does not happen.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::Internal(format!("an order cannot be written: {error}")))
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct Line {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    #[schema(examples("Wool Scarf"))]
    pub title: String,
    #[schema(examples(json!(["Grey"])))]
    pub options: Vec<String>,
    #[schema(examples("SCARF-GREY"))]
    pub sku: Option<String>,
    #[schema(examples(2))]
    pub quantity: i32,
    pub price: Money,
    /// This line's part of the coupon's discount
    pub discount: Money,
    /// Price times quantity, less the discount
    pub total: Money,
}

/// The address as it was when the order was placed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({
    "name": "Ada Lovelace", "line1": "12 St James's Square", "line2": "", "city": "London", "region": "",
    "postal_code": "SW1Y 4JH", "country": "GB", "phone": "",
})))]
pub struct ShippedTo {
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    pub country: String,
    pub phone: String,
}
