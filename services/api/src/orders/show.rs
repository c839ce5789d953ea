//! GET orders/{id}: one order of the customer who asks; anybody else's is not there.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;

use super::store;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Customer;
use crate::request::{Private, Segment};
use crate::state::AppState;
use crate::types::id::OrderId;

pub async fn show(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<impl IntoResponse> {
    let id = OrderId::parse(&id)?;
    let order = state
        .db
        .read(deadline, |connection| {
            Box::pin(store::find(connection, customer.id, id))
        })
        .await?
        .ok_or(Error::NotFound("order"))?;
    Ok(Private(StatusCode::OK, order))
}
