//! Orders as the shop's people see them: searched, shown, shipped, cancelled. The steps themselves are `orders`'.

pub mod list;
pub mod store;

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::log::{self, Actor, Subject};
use crate::db::{Connection, Deadline};
use crate::error::Result;
use crate::identity::Admin;
use crate::metrics::METRICS;
use crate::orders::order::Order;
use crate::orders::ship::{self, Parcel};
use crate::orders::{self, cancel, show, state};
use crate::request::{Json, Private, Segment};
use crate::state::AppState;
use crate::types::id::{CustomerId, OrderId};
use crate::types::money::Money;
use crate::types::text::Checks;

/// An order as the backoffice's lists show it
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderSummary)]
pub struct Summary {
    pub id: OrderId,
    pub state: state::State,
    pub customer_id: CustomerId,
    pub customer_email: String,
    pub total: Money,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// An order with whose it is
#[derive(Serialize, ToSchema)]
#[schema(as = AdminOrder)]
pub struct Whole {
    customer_id: CustomerId,
    customer_email: String,
    #[serde(flatten)]
    order: Order,
}

/// Anybody's order
#[utoipa::path(
    get,
    path = "/api/v1/admin/orders/{id}",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    responses((status = 200, body = Whole), (status = 404, description = "not_found")),
)]
pub async fn show_one(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Private<Whole>> {
    whole(&state, deadline, OrderId::parse(&id)?).await
}

async fn whole(state: &AppState, deadline: Deadline, id: OrderId) -> Result<Private<Whole>> {
    let order = show::read(state, deadline, None, id).await?;
    let (customer_id, customer_email) = state
        .db
        .read(deadline, |connection| Box::pin(store::owner(connection, id)))
        .await?;
    let whole = Whole {
        customer_id,
        customer_email,
        order,
    };
    Ok(Private(StatusCode::OK, whole))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Shipment, example = json!({"carrier": "Royal Mail", "tracking": "RM123456789GB"}))]
pub struct ShipBody {
    #[serde(default)]
    #[schema(max_length = 100)]
    carrier: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    tracking: String,
}

/// A paid order is handed over; shipping it again changes nothing and answers the same
#[utoipa::path(
    post,
    path = "/api/v1/admin/orders/{id}/ship",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    request_body = ShipBody,
    responses(
        (status = 200, body = Whole),
        (status = 404, description = "not_found"),
        (status = 409, description = "illegal_transition"),
    ),
)]
pub async fn ship(
    State(state): State<AppState>,
    by: Actor,
    deadline: Deadline,
    Segment(id): Segment,
    Json(body): Json<ShipBody>,
) -> Result<Private<Whole>> {
    let id = OrderId::parse(&id)?;
    let mut checks = Checks::default();
    let parcel = Arc::new(Parcel {
        carrier: checks.optional("carrier", &body.carrier, 100),
        tracking: checks.optional("tracking", &body.tracking, 100),
    });
    checks.done()?;
    let newly = state
        .db
        .transact(deadline, move |tx| {
            let (parcel, by) = (Arc::clone(&parcel), by.clone());
            Box::pin(async move {
                let newly = ship::ship(tx, id, &parcel).await?;
                if newly {
                    let detail = format!("carrier {:?}, tracking {:?}", parcel.carrier, parcel.tracking);
                    log::record(tx, &by, "order.ship", &Subject::new("order", id), &detail).await?;
                }
                Ok(newly)
            })
        })
        .await?;
    if newly {
        METRICS.orders.shipped.inc();
    }
    whole(&state, deadline, id).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Cancellation, example = json!({"reason": "the customer called"}))]
pub struct CancelBody {
    /// For the log
    #[schema(min_length = 1, max_length = 255)]
    reason: String,
}

/// A paid order is cancelled: stock comes back and the payment is refunded; again changes nothing and answers the same
#[utoipa::path(
    post,
    path = "/api/v1/admin/orders/{id}/cancel",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    request_body = CancelBody,
    responses(
        (status = 200, body = Whole),
        (status = 404, description = "not_found"),
        (status = 409, description = "illegal_transition"),
    ),
)]
pub async fn cancel_one(
    State(state): State<AppState>,
    by: Actor,
    deadline: Deadline,
    Segment(id): Segment,
    Json(body): Json<CancelBody>,
) -> Result<Private<Whole>> {
    let id = OrderId::parse(&id)?;
    let mut checks = Checks::default();
    let reason = checks.required("reason", &body.reason, 255);
    checks.done()?;
    // Not given up half way when the client hangs up: a refund may be on its way.
    state
        .lifecycle
        .finish(cancel_work(state.clone(), deadline, by, id, reason))
        .await??;
    whole(&state, deadline, id).await
}

async fn cancel_work(
    state: AppState,
    deadline: Deadline,
    by: Actor,
    id: OrderId,
    reason: String,
) -> Result<()> {
    let newly = state
        .db
        .transact(deadline, move |tx| {
            let (by, reason) = (by.clone(), reason.clone());
            Box::pin(async move { take_back(tx, &by, id, &reason).await })
        })
        .await?;
    if newly {
        cancel::refund_now(&state, deadline, id).await;
    }
    Ok(())
}

async fn take_back(tx: &mut Connection, by: &Actor, id: OrderId, reason: &str) -> Result<bool> {
    // Locked and looked at first, so that the log is written before stock and the change feed, which come last.
    let now = orders::store::lock_state(tx, None, id).await?;
    if now.is_some_and(|now| now != state::State::Cancelled) {
        log::record(&mut *tx, by, "order.cancel", &Subject::new("order", id), reason).await?;
    }
    cancel::take_back(tx, None, id).await
}
