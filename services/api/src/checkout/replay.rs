//! A retry: the key has an order already. Its answer is the one that was stored; when that was purged (after 24 h),
//! it is made from the order as it is now; while there is none yet, the client is told to come back.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::place::Attempt;
use super::settle::End;
use super::store::{self, Known};
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::orders;
use crate::orders::state::State;
use crate::request::private_headers;
use crate::state::AppState;

/// # Errors
/// 422 when the key came with another request, 409 while the order is pending, 402 when its payment failed.
pub async fn replay(state: &AppState, deadline: Deadline, attempt: &Attempt) -> Result<Response> {
    let (customer, key) = (attempt.customer, attempt.key.clone());
    let known = state
        .db
        .read(deadline, |connection| {
            Box::pin(async move { store::known(connection, customer, &key).await })
        })
        .await?
        .ok_or(Error::OrderInProgress)?;
    if known.hash != attempt.wanted.hash {
        return Err(Error::IdempotencyKeyReused);
    }
    match known {
        Known {
            response: Some((status, body)),
            ..
        } => {
            let status = u16::try_from(status).ok();
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            answer(
                status.ok_or_else(|| Error::Internal("a stored answer has no status".into()))?,
                body,
            )
        }
        Known {
            state: State::Pending,
            ..
        } => Err(Error::OrderInProgress),
        known => from_order(state, deadline, attempt, &known).await,
    }
}

/// The answer made from the order as it is now.
async fn from_order(
    state: &AppState,
    deadline: Deadline,
    attempt: &Attempt,
    known: &Known,
) -> Result<Response> {
    let (customer, id) = (attempt.customer, known.order);
    let order = state
        .db
        .read(deadline, |connection| {
            Box::pin(orders::store::find(connection, customer, id))
        })
        .await?
        .ok_or(Error::NotFound("order"))?;
    let end = if order.state == State::Failed {
        End::Failed
    } else {
        End::Paid
    };
    let body = serde_json::to_vec(&order)
        .map_err(|error| Error::Internal(format!("an order cannot be written: {error}")))?;
    answer(end.status(), body)
}

/// The order as an answer: itself, or inside the problem that says that its payment failed.
///
/// # Errors
/// 402, with the order.
pub fn answer(status: StatusCode, body: Vec<u8>) -> Result<Response> {
    if status == StatusCode::PAYMENT_REQUIRED {
        let order = serde_json::from_slice(&body)
            .map_err(|error| Error::Internal(format!("a stored order cannot be read: {error}")))?;
        return Err(Error::PaymentDeclined { order });
    }
    Ok((status, private_headers(), body).into_response())
}
