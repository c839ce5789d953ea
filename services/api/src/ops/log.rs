//! What is logged, shown and changed while the process runs: `curl -X PUT --data info,sqlx=debug OPS/log`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use crate::state::Shared;

pub async fn show(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let access = shared.log.access.load(Ordering::Relaxed);
    Json(json!({"filter": shared.log.filter(), "access": if access { "on" } else { "off" }}))
}

/// The body is the filter. A bad one is 400 with a line that says what is wrong, and changes nothing.
pub async fn set_filter(State(shared): State<Arc<Shared>>, body: String) -> Result<Json<Value>, Refused> {
    let before = shared.log.filter();
    shared.log.set_filter(&body).map_err(refused)?;
    tracing::warn!(before, now = shared.log.filter(), "the log filter was changed");
    Ok(show(State(shared)).await)
}

/// The body is `on` or `off`.
pub async fn set_access(State(shared): State<Arc<Shared>>, body: String) -> Result<Json<Value>, Refused> {
    let access = match body.trim() {
        "on" => true,
        "off" => false,
        other => return Err(refused(format!("{other:?} is neither on nor off"))),
    };
    shared.log.access.store(access, Ordering::Relaxed);
    tracing::warn!(access, "the log lines of requests were switched");
    Ok(show(State(shared)).await)
}

type Refused = (StatusCode, String);

fn refused(reason: String) -> Refused {
    (StatusCode::BAD_REQUEST, reason + "\n")
}
