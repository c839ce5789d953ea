//! GET orders: the customer's orders, newest first. Order ids sort by the time they were made, so the id alone is
//! the position.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::order::Order;
use super::store;
use crate::db::Deadline;
use crate::error::Result;
use crate::identity::Customer;
use crate::request::{Params, Private};
use crate::state::AppState;
use crate::types::id::CustomerId;
use crate::types::page::{self, Page};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    /// Orders a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// One's own orders, newest first
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    tag = "orders",
    security(("bearer" = [])),
    params(OrdersQuery),
    responses((status = 200, body = Page<Order>, description = "A page of orders")),
)]
pub async fn list(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Params(query): Params<OrdersQuery>,
) -> Result<Private<Page<Order>>> {
    let limit = page::limit(query.limit)?;
    let before = match &query.cursor {
        Some(cursor) => position(customer.id, cursor)?,
        None => Uuid::max(),
    };
    // One more than asked for tells whether there is a further page.
    let orders = state
        .db
        .read(deadline, |connection| {
            Box::pin(store::page(connection, customer.id, before, limit + 1))
        })
        .await?;
    let page = Page::cut(orders, limit, |last| cursor(customer.id, last.id.0));
    Ok(Private(StatusCode::OK, page))
}

/// A cursor belongs to the customer it was given to.
fn query_text(customer: CustomerId) -> String {
    format!("orders of {customer}")
}

fn cursor(customer: CustomerId, last: Uuid) -> String {
    page::encode_uuid(&query_text(customer), last)
}

fn position(customer: CustomerId, cursor: &str) -> Result<Uuid> {
    page::decode_uuid(&query_text(customer), cursor)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_the_last_order_seen_and_of_no_use_to_another_customer() {
        let (mine, other) = (CustomerId::generate(), CustomerId::generate());
        let last = Uuid::now_v7();
        let cursor = cursor(mine, last);
        assert_eq!(position(mine, &cursor).unwrap(), last);
        assert!(position(other, &cursor).is_err());
    }
}
