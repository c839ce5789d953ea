//! The operations port: is the process alive, is it ready. No proxy leads here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use crate::cache::breaker;
use crate::state::Shared;

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .with_state(shared)
}

/// 503 before the first success and while draining. A dependency that is lost later is named, with 200: an
/// outage of the database must not make every load balancer eject every replica.
async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Value>) {
    let ready = shared.ready.load(Ordering::Relaxed);
    let draining = shared.lifecycle.is_draining();
    let database = if shared.revocations.are_known() {
        "ok"
    } else {
        "unreachable"
    };
    let redis = match (&shared.config.redis, shared.cache.breaker.state()) {
        (None, _) => "off",
        (Some(_), breaker::State::Closed) => "ok",
        (Some(_), breaker::State::Open) => "unreachable",
    };
    let status = if ready && !draining {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({
        "ready": ready && !draining,
        "draining": draining,
        "replica": shared.config.replica,
        "database": {"state": database, "feed_age_ms": shared.revocations.age_ms()},
        "redis": {"state": redis},
    });
    (status, Json(body))
}
