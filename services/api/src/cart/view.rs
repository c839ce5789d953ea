//! The cart as it is shown: its lines with the names, prices and stock of the product cache.

use axum::response::{IntoResponse as _, Response};
use futures_util::future::join_all;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::cached::{self, Line, Redis};
use crate::catalog::product::{self, Product};
use crate::coupons::Code;
use crate::coupons::preview::{Preview, preview};
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::Private;
use crate::state::AppState;
use crate::types::id::{CustomerId, ProductId, VariantId};
use crate::types::money::{Money, line_total, sum};

#[derive(Debug, Serialize, ToSchema)]
pub struct Cart {
    /// Grows with each change
    #[schema(examples(3))]
    version: u64,
    items: Vec<Item>,
    /// What the lines that are still sold cost
    subtotal: Money,
    /// What the coupon of the query would take off
    discount: Money,
    /// The subtotal less the discount
    total: Money,
    /// Pieces in all lines
    #[schema(examples(2))]
    count: i32,
    /// The coupon of the query
    coupon: Option<Preview>,
}

/// A coupon that is asked about, and by whom.
pub struct Wish {
    pub code: Code,
    pub customer: Option<CustomerId>,
}

/// A line. One whose variant is no longer sold has no title and no price, and is not in the total.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartItem)]
struct Item {
    variant_id: VariantId,
    product_id: ProductId,
    #[schema(examples("Wool Scarf"))]
    title: Option<String>,
    #[schema(examples("Grey"))]
    options: Vec<String>,
    #[schema(examples("SCARF-GREY"))]
    sku: Option<String>,
    #[schema(examples("/pictures/scarf.jpg"))]
    picture: Option<String>,
    #[schema(minimum = 1, maximum = 99, examples(2))]
    quantity: i32,
    price: Option<Money>,
    total: Option<Money>,
    /// Whether this quantity can be bought now, as far as the product cache knows
    available: bool,
}

/// The answer that shows a cart.
///
/// # Errors
/// `Unavailable` when a product can be read from nowhere, or a coupon that is asked about.
pub async fn answer(
    state: &AppState,
    deadline: Deadline,
    cart: &cached::Cart,
    wish: Option<Wish>,
) -> Result<Response> {
    let products = join_all(
        cart.lines
            .iter()
            .map(|line| product::read(state, deadline, line.product)),
    )
    .await;
    let mut items = Vec::with_capacity(cart.lines.len());
    for (line, product) in cart.lines.iter().zip(products) {
        items.push(item(line, product?)?);
    }
    let amounts = items
        .iter()
        .filter_map(|item| item.total.map(|total| total.amount));
    let subtotal = sum(amounts).ok_or_else(|| Error::Internal("a cart's total overflows".into()))?;
    let count = items.iter().map(|item| item.quantity).sum();
    let money = |amount| Money::new(amount, state.config.currency);
    let (coupon, discount) = match wish {
        Some(Wish { code, customer }) => {
            let (coupon, off) = preview(state, deadline, code, customer, money(subtotal)).await?;
            (Some(coupon), off)
        }
        None => (None, 0),
    };
    let mut response = Private(
        StatusCode::OK,
        Cart {
            version: cart.version,
            items,
            subtotal: money(subtotal),
            discount: money(discount),
            total: money(subtotal - discount),
            count,
            coupon,
        },
    )
    .into_response();
    let source = match cart.redis {
        Redis::Hit => "redis; hit",
        Redis::Miss => "redis; fwd=miss",
        Redis::Bypassed => "redis; fwd=bypass",
        Redis::Changed => "redis; fwd=method",
    };
    response.headers_mut().insert(
        HeaderName::from_static("cache-status"),
        HeaderValue::from_static(source),
    );
    Ok(response)
}

fn item(line: &Line, product: Option<Product>) -> Result<Item> {
    let mut item = Item {
        variant_id: line.variant,
        product_id: line.product,
        title: None,
        options: Vec::new(),
        sku: None,
        picture: None,
        quantity: line.quantity,
        price: None,
        total: None,
        available: false,
    };
    let Some(product) = product else {
        return Ok(item);
    };
    let picture = product.picture_of(line.variant);
    let Some(variant) = product
        .variants
        .into_iter()
        .find(|variant| variant.id == line.variant)
    else {
        return Ok(item);
    };
    let total = line_total(variant.price.amount, line.quantity)
        .ok_or_else(|| Error::Internal(format!("a cart line of variant {} overflows", line.variant)))?;
    item.available = variant.in_stock && variant.left.is_none_or(|left| left >= line.quantity);
    item.total = Some(Money::new(total, variant.price.currency));
    item.price = Some(variant.price);
    item.title = Some(product.title);
    item.options = variant.options;
    item.sku = variant.sku;
    item.picture = picture;
    Ok(item)
}
