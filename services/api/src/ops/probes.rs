//! Is the process ready: asked by load balancers and container health checks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use crate::cache::breaker;
use crate::state::Shared;

/// 503 before the first success and while draining. A dependency that is lost later is named, with 200: an
/// outage of the database must not make every load balancer eject every replica.
pub async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Value>) {
    let ready = shared.ready.load(Ordering::Relaxed);
    let draining = shared.lifecycle.is_draining();
    let database = if shared.revocations.are_known() {
        "ok"
    } else {
        "unreachable"
    };
    let redis = match (&shared.config.redis, shared.cache.breaker.state()) {
        (Some(_), _) if !shared.cache.redis_is_on() => "off",
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
