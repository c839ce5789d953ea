//! The write stop on the operations port. Of this replica; a restart goes by `TRESTLE_WRITES`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caches::{Refusal, Switch};
use crate::error::Error;
use crate::request;
use crate::state::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    writes: Switch,
}

/// Whether writes are taken, and how many are under way.
pub async fn show(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({
        "replica": shared.config.replica,
        "writes": Switch::of(shared.writes.are_taken()),
        "under_way": shared.writes.under_way(),
    }))
}

/// Answers at once; `under_way` says later when the last one has ended.
pub async fn switch(
    State(shared): State<Arc<Shared>>,
    body: Result<request::Json<Wanted>, Error>,
) -> Result<Json<Value>, Refusal> {
    let request::Json(wanted) = body?;
    let on = wanted.writes == Switch::On;
    shared.writes.switch(on);
    tracing::warn!(on, "writes were switched");
    Ok(show(State(shared)).await)
}
