//! The shop's categories.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::cached::answer;
use super::product::Category;
use super::store;
use crate::cache::Key;
use crate::db::Deadline;
use crate::error::Result;
use crate::state::AppState;

/// All categories; there are few, so there are no pages.
#[derive(Serialize, ToSchema)]
struct Categories {
    items: Vec<Category>,
}

/// The shop's categories
#[utoipa::path(get, path = "/api/v1/categories", tag = "catalog", responses((status = 200, body = Categories)))]
pub async fn list(State(state): State<AppState>, deadline: Deadline) -> Result<Response> {
    answer(&state, deadline, Key::Categories, "list", |connection| {
        Box::pin(async move {
            let items = store::categories(connection).await?;
            Ok(Some(Categories { items }))
        })
    })
    .await
}
