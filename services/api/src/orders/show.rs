//! GET orders/{id}: one order of the customer who asks; anybody else's is not there.

use axum::extract::State;
use http::StatusCode;

use super::order::Order;
use super::store;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Customer;
use crate::request::{Private, Segment};
use crate::state::AppState;
use crate::types::id::{CustomerId, OrderId};

/// One order of one's own
///
/// Read from the database each time: what was acknowledged on one replica is seen on every other.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = OrderId, Path)),
    responses((status = 200, body = Order, description = "The order"), (status = 404, description = "not_found")),
)]
pub async fn show(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Private<Order>> {
    let order = read(&state, deadline, Some(customer.id), OrderId::parse(&id)?).await?;
    Ok(Private(StatusCode::OK, order))
}

/// One order: this customer's, or anybody's when no owner is named (the backoffice).
///
/// # Errors
/// 404 when there is none.
pub async fn read(
    state: &AppState,
    deadline: Deadline,
    owner: Option<CustomerId>,
    id: OrderId,
) -> Result<Order> {
    state
        .db
        .read(deadline, |connection| {
            Box::pin(store::find(connection, owner, id))
        })
        .await?
        .ok_or(Error::NotFound("order"))
}
