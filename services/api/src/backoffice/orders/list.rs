//! GET orders: anybody's, searched, newest first.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use time::PrimitiveDateTime;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Summary, store};
use crate::backoffice::when;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Admin;
use crate::orders::state::State as OrderState;
use crate::request::{Params, Private};
use crate::state::AppState;
use crate::types::page::{self, Page};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminOrdersQuery {
    /// The order with this id
    #[param(value_type = Option<String>, format = Uuid)]
    id: Option<String>,
    /// pending, paid, shipped, cancelled or failed
    #[param(pattern = "^(pending|paid|shipped|cancelled|failed)$")]
    state: Option<String>,
    /// The whole e-mail address of the customer
    #[param(max_length = 254)]
    email: Option<String>,
    /// Placed at this time or later (RFC 3339)
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Placed before this time (RFC 3339)
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
    /// Orders a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// A checked query.
#[derive(Debug)]
pub struct Filter {
    pub id: Option<Uuid>,
    pub state: Option<OrderState>,
    pub email: Option<String>,
    pub from: Option<PrimitiveDateTime>,
    pub until: Option<PrimitiveDateTime>,
}

/// Where a page begins: before the order of this moment with this id.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    pub created_at: PrimitiveDateTime,
    pub id: Uuid,
}

impl AdminOrdersQuery {
    fn check(&self) -> Result<Filter> {
        let id = self.id.as_deref().map(Uuid::try_parse).transpose();
        let state = self.state.as_deref().map(OrderState::read).transpose();
        let email = self.email.as_deref().map(|text| text.trim().to_lowercase());
        if email.as_ref().is_some_and(|email| email.chars().count() > 254) {
            return Err(Error::query("email", "must have at most 254 characters"));
        }
        Ok(Filter {
            id: id.map_err(|_| Error::query("id", "is not a UUID"))?,
            state: state.map_err(|_| Error::query("state", "is no state of an order"))?,
            email,
            from: self
                .from
                .as_deref()
                .map(|text| when::time("from", text))
                .transpose()?,
            until: self
                .until
                .as_deref()
                .map(|text| when::time("until", text))
                .transpose()?,
        })
    }
}

/// Orders of all customers, newest first
#[utoipa::path(
    get,
    path = "/api/v1/admin/orders",
    tag = "backoffice",
    security(("bearer" = [])),
    params(AdminOrdersQuery),
    responses((status = 200, body = Page<Summary>)),
)]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Params(query): Params<AdminOrdersQuery>,
) -> Result<Private<Page<Summary>>> {
    let filter = query.check()?;
    let limit = page::limit(query.limit)?;
    let text = format!("admin orders {filter:?}");
    let before = query
        .cursor
        .as_deref()
        .map(|cursor| {
            let [micros, high, low] = page::decode(&text, cursor)?;
            Ok::<_, Error>(Before {
                created_at: when::of_micros(micros)?,
                id: Uuid::from_u64_pair(high, low),
            })
        })
        .transpose()?;
    let found = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::page(connection, &filter, before, limit + 1).await })
        })
        .await?;
    let page = Page::cut(found, limit, |last| {
        let (high, low) = last.id.0.as_u64_pair();
        page::encode(&text, &[when::micros(last.created_at), high, low])
    });
    Ok(Private(StatusCode::OK, page))
}
