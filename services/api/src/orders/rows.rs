//! How an order's rows become the order.

use time::PrimitiveDateTime;
use uuid::Uuid;

use super::order::{Line, Order, ShippedTo};
use super::state::{Payment, State};
use crate::error::{Error, Result};
use crate::types::id::{OrderId, ProductId, VariantId};
use crate::types::money::{Currency, Money};

/// An order with its coupon use and its shipment, where it has them.
pub struct OrderRow {
    pub id: Uuid,
    pub state: String,
    pub currency: String,
    pub subtotal: i64,
    pub discount: i64,
    pub total: i64,
    pub ship_name: String,
    pub ship_line1: String,
    pub ship_line2: String,
    pub ship_city: String,
    pub ship_region: String,
    pub ship_postal_code: String,
    pub ship_country: String,
    pub ship_phone: String,
    pub settle_by: Option<PrimitiveDateTime>,
    pub created_at: PrimitiveDateTime,
    pub updated_at: PrimitiveDateTime,
    pub coupon: Option<String>,
    pub shipped_at: Option<PrimitiveDateTime>,
    pub carrier: Option<String>,
    pub tracking: Option<String>,
}

#[derive(sqlx::FromRow)]
pub struct LineRow {
    pub order_id: Uuid,
    pub variant_id: u64,
    pub product_id: u64,
    pub title: String,
    pub option1: String,
    pub option2: String,
    pub option3: String,
    pub sku: Option<String>,
    pub price: i64,
    pub quantity: i32,
    pub discount: i64,
    pub total: i64,
}

impl OrderRow {
    /// # Errors
    /// `Internal` when the row holds what the shop never writes.
    pub fn with(self, lines: Vec<LineRow>) -> Result<Order> {
        let state = State::read(&self.state)?;
        let currency: Currency = self.currency.parse().map_err(Error::Internal)?;
        let money = |amount| Money::new(amount, currency);
        Ok(Order {
            id: OrderId(self.id),
            state,
            created_at: self.created_at.assume_utc(),
            updated_at: self.updated_at.assume_utc(),
            shipped_at: self.shipped_at.map(PrimitiveDateTime::assume_utc),
            carrier: self.carrier,
            tracking: self.tracking,
            items: lines.into_iter().map(|line| line.read(currency)).collect(),
            subtotal: money(self.subtotal),
            coupon: self.coupon,
            discount: money(self.discount),
            total: money(self.total),
            address: ShippedTo {
                name: self.ship_name,
                line1: self.ship_line1,
                line2: self.ship_line2,
                city: self.ship_city,
                region: self.ship_region,
                postal_code: self.ship_postal_code,
                country: self.ship_country,
                phone: self.ship_phone,
            },
            payment: Payment::of(state, self.settle_by.is_some()),
        })
    }
}

impl LineRow {
    fn read(self, currency: Currency) -> Line {
        let money = |amount| Money::new(amount, currency);
        Line {
            variant_id: VariantId(self.variant_id),
            product_id: ProductId(self.product_id),
            title: self.title,
            options: [self.option1, self.option2, self.option3]
                .into_iter()
                .filter(|option| !option.is_empty())
                .collect(),
            sku: self.sku,
            quantity: self.quantity,
            price: money(self.price),
            discount: money(self.discount),
            total: money(self.total),
        }
    }
}
