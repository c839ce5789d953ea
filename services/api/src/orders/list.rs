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
    let mut orders = state
        .db
        .read(deadline, |connection| {
            Box::pin(store::page(connection, customer.id, before, limit + 1))
        })
        .await?;
    let next_cursor = cut(&mut orders, limit as usize).map(|last| cursor(customer.id, last));
    Ok(Private(
        StatusCode::OK,
        Page {
            items: orders,
            next_cursor,
        },
    ))
}

/// Cuts the list to `limit`; answers the last id that stays when there are more.
fn cut(orders: &mut Vec<Order>, limit: usize) -> Option<Uuid> {
    let more = orders.len() > limit;
    orders.truncate(limit);
    orders.last().filter(|_| more).map(|order| order.id.0)
}

/// A cursor belongs to the customer it was given to.
fn query_text(customer: CustomerId) -> String {
    format!("orders of {customer}")
}

fn cursor(customer: CustomerId, last: Uuid) -> String {
    let (high, low) = last.as_u64_pair();
    page::encode(&query_text(customer), &[high, low])
}

fn position(customer: CustomerId, cursor: &str) -> Result<Uuid> {
    let [high, low] = page::decode(&query_text(customer), cursor)?;
    Ok(Uuid::from_u64_pair(high, low))
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
