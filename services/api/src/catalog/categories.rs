//! The shop's categories.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::product::Category;
use super::respond::respond;
use super::store;
use crate::cache::{Key, Loaded};
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::state::AppState;

/// All categories; there are few, so there are no pages.
#[derive(Serialize, ToSchema)]
struct Categories {
    items: Vec<Category>,
}

/// The shop's categories
#[utoipa::path(get, path = "/api/v1/categories", tag = "catalog", responses((status = 200, body = Categories)))]
pub async fn list(State(state): State<AppState>, deadline: Deadline, headers: HeaderMap) -> Result<Response> {
    let load = || -> crate::cache::Load {
        let db = state.db.clone();
        Box::new(move |deadline| {
            let db = db.clone();
            Box::pin(async move {
                let items = db
                    .read(deadline, |connection| Box::pin(store::categories(connection)))
                    .await?;
                let body = serde_json::to_vec(&Categories { items })
                    .map_err(|error| Error::Internal(format!("the categories cannot be written: {error}")))?;
                Ok(Loaded {
                    body: Some(body.into()),
                    version: 0,
                })
            })
        })
    };
    let hit = state
        .cache
        .get(state.redis.as_ref(), Key::Categories, deadline, load)
        .await?;
    Ok(respond(&hit, &headers, "category"))
}
