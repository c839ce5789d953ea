//! What sells best: over the shop's last 3,333 orders that were paid, by units sold.
//!
//! Nothing is counted at each read: the answer is kept 60 s in the caches, and made anew from the orders' primary key,
//! whose order is the time they were placed.

use axum::extract::State;
use axum::response::Response;

use super::cached::answer;
use super::category_filter::CategoryParams;
use super::list::Summary;
use super::store::{self, ranking};
use crate::cache::Key;
use crate::db::Deadline;
use crate::error::Result;
use crate::request::Params;
use crate::state::AppState;
use crate::types::page::Page;

/// The 50 products sold most in the last 3,333 orders
///
/// Paid and shipped orders count, cancelled ones do not. Of two products that sold alike the newer comes first. There
/// is one page. An answer may be a minute old.
#[utoipa::path(
    get,
    path = "/api/v1/products/best-sellers",
    tag = "catalog",
    params(CategoryParams),
    responses((status = 200, body = Page<Summary>)),
)]
pub async fn best_sellers(
    State(state): State<AppState>,
    deadline: Deadline,
    Params(params): Params<CategoryParams>,
) -> Result<Response> {
    let category = params.check()?;
    let currency = state.config.currency;
    let key = Key::BestSellers(category.as_deref().unwrap_or_default().into());
    answer(&state, deadline, key, "list", move |connection| {
        let category = category.clone();
        Box::pin(async move {
            let ids = ranking::best_sellers(connection, category.as_deref()).await?;
            store::summaries(connection, &ids, currency)
                .await
                .map(Page::whole)
                .map(Some)
        })
    })
    .await
}
