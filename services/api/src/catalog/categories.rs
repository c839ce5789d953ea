//! The shop's categories.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::json;

use super::respond::respond;
use super::store;
use crate::cache::{Key, Loaded};
use crate::db::Deadline;
use crate::error::Result;
use crate::state::AppState;

pub async fn list(State(state): State<AppState>, deadline: Deadline, headers: HeaderMap) -> Result<Response> {
    let load = || -> crate::cache::Load {
        let db = state.db.clone();
        Box::new(move |deadline| {
            let db = db.clone();
            Box::pin(async move {
                let items = db
                    .read(deadline, |connection| Box::pin(store::categories(connection)))
                    .await?;
                Ok(Loaded {
                    body: Some(json!({ "items": items }).to_string().into()),
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
