//! GET customers and customers/{id}: who somebody is and what they ordered. No password, no addresses.

mod store;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::orders::{self, Summary};
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::{Admin, Role};
use crate::request::{Params, Private, Segment};
use crate::state::AppState;
use crate::types::id::CustomerId;
use crate::types::page::{self, Page};

/// Orders that are shown with a customer.
const LATEST: u32 = 10;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomersQuery {
    /// The beginning of the e-mail address
    #[param(max_length = 254)]
    email: Option<String>,
    /// Customers a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// A customer as the backoffice sees them
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminCustomer)]
pub struct Found {
    pub id: CustomerId,
    pub email: String,
    pub name: String,
    pub role: Role,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A customer with what they ordered
#[derive(Serialize, ToSchema)]
#[schema(as = AdminCustomerWhole)]
pub struct Whole {
    #[serde(flatten)]
    customer: Found,
    /// How many orders they placed, whatever became of them
    orders: i64,
    /// The last 10, newest first
    latest_orders: Vec<Summary>,
}

/// Customers by the beginning of their e-mail address, in its order
#[utoipa::path(
    get,
    path = "/api/v1/admin/customers",
    tag = "backoffice",
    security(("bearer" = [])),
    params(CustomersQuery),
    responses((status = 200, body = Page<Found>)),
)]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Params(query): Params<CustomersQuery>,
) -> Result<Private<Page<Found>>> {
    let beginning = query.email.unwrap_or_default().trim().to_lowercase();
    if beginning.chars().count() > 254 {
        return Err(Error::query("email", "must have at most 254 characters"));
    }
    let limit = page::limit(query.limit)?;
    let text = format!("admin customers {beginning}");
    let after = query
        .cursor
        .as_deref()
        .map(|cursor| page::decode_uuid(&text, cursor))
        .transpose()?;
    let found = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::page(connection, &beginning, after, limit + 1).await })
        })
        .await?;
    let page = Page::cut(found, limit, |last| page::encode_uuid(&text, last.id.0));
    Ok(Private(StatusCode::OK, page))
}

/// A customer and their last orders
#[utoipa::path(
    get,
    path = "/api/v1/admin/customers/{id}",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("id" = CustomerId, Path)),
    responses((status = 200, body = Whole), (status = 404, description = "not_found")),
)]
pub async fn show(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Private<Whole>> {
    let id = CustomerId::parse(&id)?;
    let whole = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move {
                let customer = store::find(connection, id).await?;
                Ok(Whole {
                    customer: customer.ok_or(Error::NotFound("customer"))?,
                    orders: store::orders(connection, id).await?,
                    latest_orders: orders::store::latest(connection, id, LATEST).await?,
                })
            })
        })
        .await?;
    Ok(Private(StatusCode::OK, whole))
}
