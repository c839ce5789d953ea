//! POST orders: Place, Charge, Settle. The three run in a task of their own, which neither a client that hangs up
//! nor the end of the process cuts short; if the replica dies all the same, recovery ends what was begun.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::place::{Attempt, Placed, place};
use super::request::{Body, Wanted, idempotency_key};
use super::settle::{End, settle};
use super::{gateway, replay};
use crate::cart::cached;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Customer;
use crate::metrics::METRICS;
use crate::orders::order::Order;
use crate::orders::show;
use crate::request::{Private, check_content_type, read_body};
use crate::state::AppState;
use crate::types::id::OrderId;
use crate::types::money::Money;

/// How long the gateway is waited for. tok_slow answers after 2 s.
const PATIENCE: Duration = Duration::from_secs(4);
/// Kept back from the request's deadline for settling.
const SETTLING: Duration = Duration::from_millis(1_500);

/// Order and pay
///
/// Prices, stock and coupon are read from the database; what the request says of the total is only compared. A retry with
/// the same Idempotency-Key and body hears the stored answer; after a payment that failed, another try needs a new key.
#[utoipa::path(
    post,
    path = "/api/v1/orders",
    tag = "checkout",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, pattern = "^[!-~]{1,255}$",
        description = "Names this order for ever: 1 to 255 visible ASCII characters")),
    request_body = Body,
    responses(
        (status = 201, body = Order, description = "Paid"),
        (status = 202, body = Order,
            description = "Placed; the payment's end is not known yet, GET orders/{id} will tell it"),
        (status = 400, description = "idempotency_key_missing"),
        (status = 402, description = "payment_declined"),
        (status = 409, description = "price_changed, out_of_stock, coupon_not_applicable, coupon_used_up, order_in_progress"),
        (status = 422, description = "idempotency_key_reused"),
    ),
)]
pub async fn buy(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    request: Request,
) -> Result<Response> {
    let key = idempotency_key(request.headers())?;
    check_content_type(request.headers())?;
    let body = read_body(request).await?;
    let attempt = Attempt {
        customer: customer.id,
        key,
        order: OrderId::generate(),
        wanted: Wanted::read(&body)?,
    };
    state
        .lifecycle
        .finish(work(state.clone(), deadline, Arc::new(attempt)))
        .await?
}

async fn work(state: AppState, deadline: Deadline, attempt: Arc<Attempt>) -> Result<Response> {
    let placed = place(&state, deadline, &attempt).await;
    if matches!(placed, Err(Error::OutOfStock(_))) {
        METRICS.orders.stock_conflicts.inc();
    }
    let total = match placed? {
        Placed::New { total } => {
            METRICS.orders.pending.inc();
            total
        }
        Placed::Before => return replay::replay(&state, deadline, &attempt).await,
    };
    let Some(end) = charge(&state, deadline, &attempt, total).await else {
        return pending(&state, deadline, &attempt).await;
    };
    match settle(&state, deadline, attempt.customer, attempt.order, end).await {
        Ok(Some(settled)) => {
            if let Some(cart) = settled.cart {
                cached::supersede(&state, &[cart]).await;
            }
            replay::answer(&state, settled.status, settled.body, settled.cart)
        }
        // Recovery was first; the gateway's books made it come to the same end.
        Ok(None) => replay::replay(&state, deadline, &attempt).await,
        Err(error) => {
            tracing::warn!(order = %attempt.order, %error, "an order is left to recovery");
            pending(&state, deadline, &attempt).await
        }
    }
}

/// How the payment ended; None when that could not be heard in time.
async fn charge(state: &AppState, deadline: Deadline, attempt: &Attempt, total: Money) -> Option<End> {
    let patience = deadline.left().saturating_sub(SETTLING).min(PATIENCE);
    let charge = gateway::charge(&state.db, attempt.order, total, attempt.wanted.token);
    match tokio::time::timeout(patience, charge).await {
        Ok(Ok(gateway::Booked::Captured)) => Some(End::Paid),
        Ok(Ok(gateway::Booked::Declined | gateway::Booked::Voided)) => Some(End::Failed),
        Ok(Ok(gateway::Booked::Refunded)) => {
            tracing::error!(order = %attempt.order, "a payment was refunded while its order was pending");
            None
        }
        Ok(Err(error)) => {
            tracing::warn!(order = %attempt.order, %error, "the gateway failed");
            None
        }
        Err(_) => {
            tracing::warn!(order = %attempt.order, "the gateway did not answer in time");
            None
        }
    }
}

/// 202 with the order: recovery will end it, and GET orders/{id} tells how.
async fn pending(state: &AppState, deadline: Deadline, attempt: &Attempt) -> Result<Response> {
    let order = show::read(state, deadline, Some(attempt.customer), attempt.order).await?;
    Ok(Private(StatusCode::ACCEPTED, order).into_response())
}
