//! GET and POST variants/{id}/stock: what is on hand with its ledger, and adjustments with a reason.
//!
//! An adjustment is relative, because sales go on while somebody counts: a counted number is old when it arrives, and
//! setting it again after a lost answer would undo the sales between. So that a retry adjusts nothing, it carries an
//! Idempotency-Key, as an order does.

mod store;

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::log::{self, Actor, Subject};
use crate::checkout::request::idempotency_key;
use crate::checkout::stock;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::identity::Admin;
use crate::request::{Json, Params, Private, Segment};
use crate::state::AppState;
use crate::types::id::{OrderId, ProductId, VariantId};
use crate::types::page::{self, Page};
use crate::types::text::Checks;

/// The most pieces that one adjustment adds or takes away.
const MOST: i32 = 1_000_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Ledger rows a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// A variant's stock, and a page of its ledger, newest first
#[derive(Serialize, ToSchema)]
struct Stock {
    variant_id: VariantId,
    product_id: ProductId,
    on_hand: i32,
    items: Vec<Movement>,
    /// Given to the next request; none on the last page
    next_cursor: Option<String>,
}

/// A row of the ledger; all rows of a variant add up to what is on hand
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockMovement)]
pub struct Movement {
    pub id: u64,
    /// initial, adjust, hold (an order takes), release (a failed order gives back), restock (a cancelled one does)
    #[schema(pattern = "^(initial|adjust|hold|release|restock)$")]
    pub kind: String,
    pub quantity: i32,
    pub order_id: Option<OrderId>,
    pub reason: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// What is on hand of a variant, and its ledger
#[utoipa::path(
    get,
    path = "/api/v1/admin/variants/{id}/stock",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("id" = VariantId, Path), Query),
    responses((status = 200, body = Stock), (status = 404, description = "not_found")),
)]
pub async fn show(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Segment(id): Segment,
    Params(query): Params<Query>,
) -> Result<impl IntoResponse> {
    let id = VariantId::parse(&id)?;
    let limit = page::limit(query.limit)?;
    let text = format!("ledger of {id}");
    let before = match &query.cursor {
        Some(cursor) => page::decode::<1>(&text, cursor)?[0],
        None => u64::MAX,
    };
    let (found, movements) = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move {
                let found = store::stock(connection, id).await?;
                let movements = store::movements(connection, id, before, limit + 1).await?;
                Ok((found, movements))
            })
        })
        .await?;
    let found = found.ok_or(Error::NotFound("variant"))?;
    let page = Page::cut(movements, limit, |last| page::encode(&text, &[last.id]));
    let stock = Stock {
        variant_id: id,
        product_id: found.product,
        on_hand: found.on_hand,
        items: page.items,
        next_cursor: page.next_cursor,
    };
    Ok(Private(StatusCode::OK, stock))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockChange, example = json!({"change": -2, "reason": "broken in the warehouse"}))]
pub struct Body {
    /// Pieces that are added, or taken away when negative; not 0
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    change: i32,
    #[schema(min_length = 1, max_length = 255)]
    reason: String,
}

/// What the adjustment left on hand
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = StockAdjusted)]
struct Adjusted {
    variant_id: VariantId,
    change: i32,
    on_hand: i32,
}

/// An adjustment that is right in itself.
struct Wanted {
    variant: VariantId,
    change: i32,
    reason: String,
    key: String,
}

/// Adds pieces of a variant or takes them away, never below 0; a retry with the same key changes nothing
#[utoipa::path(
    post,
    path = "/api/v1/admin/variants/{id}/stock",
    tag = "backoffice",
    security(("bearer" = [])),
    params(
        ("id" = VariantId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each adjustment, the same for its retries",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
    ),
    request_body = Body,
    responses(
        (status = 200, body = Adjusted),
        (status = 400, description = "idempotency_key_missing"),
        (status = 404, description = "not_found"),
        (status = 409, description = "out_of_stock"),
        (status = 422, description = "idempotency_key_reused"),
    ),
)]
pub async fn adjust(
    State(state): State<AppState>,
    by: Actor,
    deadline: Deadline,
    Segment(id): Segment,
    headers: HeaderMap,
    Json(body): Json<Body>,
) -> Result<impl IntoResponse> {
    let mut checks = Checks::default();
    if body.change == 0 || !(-MOST..=MOST).contains(&body.change) {
        checks.fail("change", format!("must be from -{MOST} to {MOST}, and not 0"));
    }
    let wanted = Arc::new(Wanted {
        variant: VariantId::parse(&id)?,
        change: body.change,
        key: idempotency_key(&headers)?,
        reason: checks.required("reason", &body.reason, 255),
    });
    checks.done()?;
    let adjusted = state
        .db
        .transact(deadline, move |tx| {
            let (wanted, by) = (Arc::clone(&wanted), by.clone());
            Box::pin(async move { write(tx, &by, &wanted).await })
        })
        .await?;
    Ok(Private(StatusCode::OK, adjusted))
}

async fn write(tx: &mut Connection, by: &Actor, wanted: &Wanted) -> Result<Adjusted> {
    let Wanted {
        variant,
        change,
        ref reason,
        ref key,
    } = *wanted;
    let product = store::stock(tx, variant).await?;
    let product = product.ok_or(Error::NotFound("variant"))?.product;
    let admin = by.admin().ok_or(Error::Forbidden)?;
    // The key first: who comes second with it waits here for the first one's answer.
    if !store::take_key(tx, admin, key, variant, change, reason).await? {
        let before = store::adjustment(tx, admin, key).await?;
        return match before {
            Some(before) if (before.variant, before.change, &before.reason) == (variant, change, reason) => {
                Ok(Adjusted {
                    variant_id: variant,
                    change,
                    on_hand: before.on_hand,
                })
            }
            _ => Err(Error::IdempotencyKeyReused),
        };
    }
    let detail = format!("{change:+}: {reason}");
    log::record(
        &mut *tx,
        by,
        "stock.adjust",
        &Subject::new("variant", variant),
        &detail,
    )
    .await?;
    let on_hand = stock::adjust(tx, variant, product, change, reason).await?;
    store::keep_answer(tx, admin, key, on_hand).await?;
    Ok(Adjusted {
        variant_id: variant,
        change,
        on_hand,
    })
}
