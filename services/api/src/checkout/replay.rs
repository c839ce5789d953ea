//! A retry: the key has an order already. Its answer is the one that was stored; when that was purged (after 24 h),
//! it is made from the order as it is now; while there is none yet, the client is told to come back.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use super::place::Attempt;
use super::settle::End;
use super::store::{self, Known};
use crate::cart::cookie::{self, CartCookie};
use crate::cart::merge;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::orders::show;
use crate::orders::state::State;
use crate::request::private_headers;
use crate::state::AppState;
use crate::types::id::{CustomerId, OrderId};

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
    let (status, body) = match known {
        Known {
            response: Some(stored),
            ..
        } => as_stored(stored)?,
        Known {
            state: State::Pending,
            ..
        } => return Err(Error::OrderInProgress),
        known => from_order(state, deadline, customer, known.order).await?,
    };
    // Whoever settled the order may not have been able to tell this client of its cart.
    let cart = state
        .db
        .read(deadline, |connection| {
            Box::pin(merge::cookie_now(connection, customer))
        })
        .await?;
    answer(state, status, body, cart)
}

fn as_stored((status, body): (i16, Vec<u8>)) -> Result<(StatusCode, Vec<u8>)> {
    let status = u16::try_from(status).ok().map(StatusCode::from_u16);
    match status {
        Some(Ok(status)) => Ok((status, body)),
        _ => Err(Error::Internal("a stored answer has no status".into())),
    }
}

/// The answer made from the order as it is now.
async fn from_order(
    state: &AppState,
    deadline: Deadline,
    customer: CustomerId,
    id: OrderId,
) -> Result<(StatusCode, Vec<u8>)> {
    let order = show::read(state, deadline, Some(customer), id).await?;
    let end = if order.state == State::Failed {
        End::Failed
    } else {
        End::Paid
    };
    Ok((end.status(), order.to_json()?))
}

/// The order as an answer, with the cookie of the cart that it left: itself, or inside the problem that says that its
/// payment failed.
///
/// # Errors
/// 402, with the order.
pub fn answer(
    state: &AppState,
    status: StatusCode,
    body: Vec<u8>,
    cart: Option<CartCookie>,
) -> Result<Response> {
    if status == StatusCode::PAYMENT_REQUIRED {
        let order = serde_json::from_slice(&body)
            .map_err(|error| Error::Internal(format!("a stored order cannot be read: {error}")))?;
        return Err(Error::PaymentDeclined { order });
    }
    let mut response = (status, private_headers(), body).into_response();
    if let Some(cart) = cart {
        response
            .headers_mut()
            .insert(header::SET_COOKIE, cookie::set(state, &cart));
    }
    Ok(response)
}
