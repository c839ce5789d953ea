//! POST orders/{id}/cancel: a paid order becomes cancelled and its coupon use and stock are given back, in one transaction; then
//! the gateway refunds the payment. A refund that fails now is made by recovery.
//!
//! Cancelling a cancelled order changes nothing and answers 200 with the order, so that a retry is safe.

use axum::extract::State;
use http::StatusCode;

use super::order::Order;
use super::state;
use super::{show, store};
use crate::checkout::gateway;
use crate::checkout::stock::{self, GivenBack};
use crate::coupons::uses;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::identity::Customer;
use crate::metrics::METRICS;
use crate::request::{Private, Segment};
use crate::state::AppState;
use crate::types::id::{CustomerId, OrderId};

/// Cancel a paid order of one's own
///
/// Stock and coupon use come back, and the payment is refunded: `payment` is `refunded`, or `refund_pending` until the
/// gateway answers. Cancelling again changes nothing and answers the same. What is shipped cannot be cancelled.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/cancel",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    responses(
        (status = 200, body = Order, description = "The cancelled order"),
        (status = 404, description = "not_found"),
        (status = 409, description = "illegal_transition"),
    ),
)]
pub async fn cancel(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Private<Order>> {
    let id = OrderId::parse(&id)?;
    let order = state
        .lifecycle
        .finish(work(state.clone(), deadline, customer.id, id))
        .await??;
    Ok(Private(StatusCode::OK, order))
}

async fn work(state: AppState, deadline: Deadline, customer: CustomerId, id: OrderId) -> Result<Order> {
    let owner = Some(customer);
    let newly = state
        .db
        .transact(deadline, move |tx| Box::pin(take_back(tx, owner, id)))
        .await?;
    if newly {
        refund_now(&state, deadline, id).await;
    }
    show::read(&state, deadline, owner, id).await
}

/// Cancels a paid order, this customer's or anybody's when no owner is named (the backoffice), in the caller's
/// transaction. False when it was cancelled before. `refund_now` comes after COMMIT.
///
/// # Errors
/// 404 when there is no such order, 409 `illegal_transition` when it is neither paid nor cancelled.
pub async fn take_back(tx: &mut Connection, owner: Option<CustomerId>, id: OrderId) -> Result<bool> {
    let now = store::lock_state(tx, owner, id)
        .await?
        .ok_or(Error::NotFound("order"))?;
    if now == state::State::Cancelled {
        return Ok(false);
    }
    if !store::step(tx, id, now, state::State::Cancelled).await? {
        return Err(Error::Internal(format!("the locked order {id} left its state")));
    }
    uses::give_back(tx, id).await?;
    stock::give_back(tx, id, GivenBack::Restock).await?;
    Ok(true)
}

/// Refunds an order that was just cancelled, or leaves that to recovery.
pub async fn refund_now(state: &AppState, deadline: Deadline, id: OrderId) {
    METRICS.orders.cancelled.inc();
    if let Err(error) = refund(state, deadline, id).await {
        tracing::warn!(order = %id, %error, "a refund is left to recovery");
    }
}

/// Refunds a cancelled order's payment and says so on the order; safe to do again.
///
/// # Errors
/// When the gateway or the database fails: recovery tries again.
pub async fn refund(state: &AppState, deadline: Deadline, id: OrderId) -> Result<()> {
    gateway::refund(&state.db, deadline, id).await?;
    state
        .db
        .read(deadline, |connection| Box::pin(store::refunded(connection, id)))
        .await
}
