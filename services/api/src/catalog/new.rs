//! What is new in the shop.

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

/// The 50 newest products
///
/// There is one page. An answer may be 5 s old.
#[utoipa::path(
    get,
    path = "/api/v1/products/new",
    tag = "catalog",
    params(CategoryParams),
    responses((status = 200, body = Page<Summary>)),
)]
pub async fn new(
    State(state): State<AppState>,
    deadline: Deadline,
    Params(params): Params<CategoryParams>,
) -> Result<Response> {
    let category = params.check()?;
    let currency = state.config.currency;
    let key = Key::New(category.as_deref().unwrap_or_default().into());
    answer(&state, deadline, key, "list", move |connection| {
        let category = category.clone();
        Box::pin(async move {
            let ids = ranking::newest(connection, category.as_deref()).await?;
            store::summaries(connection, &ids, currency)
                .await
                .map(Page::whole)
                .map(Some)
        })
    })
    .await
}
