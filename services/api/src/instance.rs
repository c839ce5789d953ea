//! Which replica answered, and what its caches did: for a person who watches balancing and caching work.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;

use crate::cache::breaker;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().route("/api/v1/instance", get(instance))
}

async fn instance(State(state): State<AppState>) -> Response {
    let (entries, bytes) = state.cache.memory.usage();
    let stats = &state.cache.stats;
    let redis = match (&state.redis, state.cache.breaker.state()) {
        (Some(_), _) if !state.cache.redis_is_on() => "off",
        (None, _) => "off",
        (Some(_), breaker::State::Closed) => "closed",
        (Some(_), breaker::State::Open) => "open",
    };
    let body = json!({
        "replica": state.config.replica,
        "zone": state.config.zone,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": state.started.elapsed().as_secs(),
        "cache": {
            "memory": {"hits": stats.memory_hits.get(), "entries": entries, "bytes": bytes},
            "redis": {"hits": stats.redis_hits.get(), "breaker": redis},
            "database": {"loads": stats.loads.get(), "stale": stats.stale.get()},
        },
    });
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}
