//! POST orders/{id}/cancel: a paid order becomes cancelled and its stock is given back, in one transaction; then
//! the gateway refunds the payment. A refund that fails now is made by recovery.
//!
//! Cancelling a cancelled order changes nothing and answers 200 with the order, so that a retry is safe.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;

use super::order::Order;
use super::state;
use super::store;
use crate::checkout::gateway;
use crate::checkout::stock::{self, GivenBack};
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::identity::Customer;
use crate::metrics::METRICS;
use crate::request::{Private, Segment};
use crate::state::AppState;
use crate::types::id::{CustomerId, OrderId};

pub async fn cancel(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<impl IntoResponse> {
    let id = OrderId::parse(&id)?;
    let order = state
        .lifecycle
        .finish(work(state.clone(), deadline, customer.id, id))
        .await??;
    Ok(Private(StatusCode::OK, order))
}

async fn work(state: AppState, deadline: Deadline, customer: CustomerId, id: OrderId) -> Result<Order> {
    let newly = state
        .db
        .transact(deadline, move |tx| Box::pin(take_back(tx, customer, id)))
        .await?;
    if newly {
        METRICS.orders.cancelled.inc();
        if let Err(error) = refund(&state, deadline, id).await {
            tracing::warn!(order = %id, %error, "a refund is left to recovery");
        }
    }
    state
        .db
        .read(deadline, |connection| {
            Box::pin(store::find(connection, customer, id))
        })
        .await?
        .ok_or(Error::NotFound("order"))
}

/// False when the order was cancelled before.
async fn take_back(tx: &mut Connection, customer: CustomerId, id: OrderId) -> Result<bool> {
    let now = store::lock_state(tx, customer, id)
        .await?
        .ok_or(Error::NotFound("order"))?;
    if now == state::State::Cancelled {
        return Ok(false);
    }
    now.check(state::State::Cancelled)?;
    if !store::cancel(tx, id).await? {
        return Err(Error::Internal(format!("the locked order {id} left its state")));
    }
    stock::give_back(tx, id, GivenBack::Restock).await?;
    Ok(true)
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
