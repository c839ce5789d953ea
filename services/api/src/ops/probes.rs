//! Is the process ready: asked by load balancers and container health checks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use crate::state::Shared;

/// 503 before the first success and while draining. A dependency that is lost later is named, with 200: an
/// outage of the database must not make every load balancer eject every replica.
pub async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Value>) {
    let started = shared.ready.load(Ordering::Relaxed);
    let draining = shared.lifecycle.is_draining();
    let ready = started && !draining;
    let (database, feed) = if shared.revocations.are_known() {
        ("ok", "ok")
    } else {
        ("unreachable", "late")
    };
    let redis = match &shared.config.redis {
        None => "off",
        Some(_) if !shared.cache.redis_is_on() => "off",
        Some(_) if shared.redis_seen.is_lost() => "unreachable",
        Some(_) => "ok",
    };
    let body = json!({
        "ready": ready,
        "draining": draining,
        "replica": shared.config.replica,
        "uptime_ms": u64::try_from(shared.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "schema": shared.schema.report(if started { "current" } else { "waiting" }),
        "database": shared.revocations.database.report(database),
        "change_feed": {"state": feed, "age_ms": u64::try_from(shared.revocations.age_ms()).unwrap_or(u64::MAX)},
        "redis": shared.redis_seen.report(redis),
    });
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(body))
}
