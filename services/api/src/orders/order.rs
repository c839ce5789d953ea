//! An order as its customer sees it: made from the order's own rows alone, so that it says for ever what was
//! bought, whatever became of the products.

use serde::Serialize;
use time::OffsetDateTime;

use super::state::{Payment, State};
use crate::error::{Error, Result};
use crate::types::id::{OrderId, ProductId, VariantId};
use crate::types::money::Money;

#[derive(Debug, Serialize)]
pub struct Order {
    pub id: OrderId,
    pub state: State,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub items: Vec<Line>,
    pub subtotal: Money,
    pub discount: Money,
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

#[derive(Debug, Serialize)]
pub struct Line {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub title: String,
    pub options: Vec<String>,
    pub sku: Option<String>,
    pub quantity: i32,
    pub price: Money,
    pub discount: Money,
    pub total: Money,
}

/// The address as it was when the order was placed.
#[derive(Debug, Serialize)]
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
