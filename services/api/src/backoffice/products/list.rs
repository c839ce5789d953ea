//! GET products: published and withdrawn ones, newest first.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::store::list as store;
use crate::catalog::product::Category;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Admin;
use crate::request::{Params, Private};
use crate::state::AppState;
use crate::types::id::ProductId;
use crate::types::money::Money;
use crate::types::page::{self, Page};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Words of the product, or the beginning of its title, its handle or a SKU; of each the first 1,000 are found
    #[param(max_length = 200)]
    q: Option<String>,
    /// Only products that are published, or only those that are not
    published: Option<bool>,
    /// Products a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// A checked query.
#[derive(Debug)]
pub struct Filter {
    pub q: Option<String>,
    pub published: Option<bool>,
}

/// A product as the backoffice's list shows it
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminProductSummary)]
pub struct Summary {
    pub id: ProductId,
    pub handle: String,
    pub title: String,
    pub category: Category,
    /// The lowest price of its variants for sale; 0 when it has none
    pub price: Money,
    pub published: bool,
    pub in_stock: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// Products, published or not, newest first
#[utoipa::path(
    get,
    path = "/api/v1/admin/products",
    tag = "backoffice",
    security(("bearer" = [])),
    params(Query),
    responses((status = 200, body = Page<Summary>)),
)]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Params(query): Params<Query>,
) -> Result<impl IntoResponse> {
    let q = query.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
    if q.is_some_and(|q| q.chars().count() > 200) {
        return Err(Error::query("q", "must have at most 200 characters"));
    }
    let filter = Filter {
        q: q.map(str::to_owned),
        published: query.published,
    };
    let limit = page::limit(query.limit)?;
    let text = format!("admin products {filter:?}");
    let before = match &query.cursor {
        Some(cursor) => page::decode::<1>(&text, cursor)?[0],
        None => u64::MAX,
    };
    let currency = state.config.currency;
    let found = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::page(connection, &filter, before, limit + 1, currency).await })
        })
        .await?;
    let page = Page::cut(found, limit, |last| page::encode(&text, &[last.id.0]));
    Ok(Private(StatusCode::OK, page))
}
