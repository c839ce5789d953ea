//! The cache layers on the operations port: watched, switched on and off, flushed. Of this replica; Redis is emptied for
//! all. The switches start as the configuration says, and a restart forgets what was switched.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cache::{breaker, flush};
use crate::error::{Error, problem};
use crate::request;
use crate::state::Shared;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Switch {
    On,
    Off,
}

impl Switch {
    pub(super) fn of(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// Which layers to switch; one that is not named stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    memory: Option<Switch>,
    redis: Option<Switch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Layer {
    Memory,
    Redis,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flush {
    /// Both without it.
    layer: Option<Layer>,
}

/// An error of these routes. No middleware is around the operations port to finish it.
pub struct Refusal(StatusCode, &'static str, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, detail) = self;
        let mut response = (status, Json(Value::Object(problem(status, code, &detail)))).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Validation(errors) => {
                let each = errors
                    .iter()
                    .map(|error| format!("{}: {}", error.field, error.message));
                let detail = each.collect::<Vec<_>>().join("; ");
                Self(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail)
            }
            error => Self(StatusCode::BAD_REQUEST, "invalid_request", error.to_string()),
        }
    }
}

/// The state of each layer.
pub async fn show(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let cache = &shared.cache;
    let stats = &cache.stats;
    let calls = &stats.redis;
    let (entries, bytes) = cache.memory.usage();
    let (loads_free, queue_free) = cache.free();
    let redis = match (&shared.config.redis, cache.redis_is_on()) {
        (None, _) => json!("none"),
        (Some(_), on) => json!(Switch::of(on)),
    };
    let breaker = match cache.breaker.state() {
        breaker::State::Closed => "closed",
        breaker::State::Open => "open",
    };
    Json(json!({
        "replica": shared.config.replica,
        "memory": {
            "state": Switch::of(cache.memory.is_on()),
            "entries": entries,
            "bytes": bytes,
            "capacity_bytes": shared.config.cache_bytes,
            "hits": stats.memory_hits.get(),
            "misses": stats.memory_misses.get(),
            "early_refreshes": stats.early_refreshes.get(),
            "floors": cache.memory.floors(),
        },
        "redis": {
            "state": redis,
            "breaker": breaker,
            "breaker_opened": cache.breaker.opened(),
            "hits": stats.redis_hits.get(),
            "misses": stats.redis_misses.get(),
            "calls": {
                "ok": calls.ok.get(),
                "refused": calls.refused.get(),
                "failed": calls.failed.get(),
                "timed_out": calls.timed_out.get(),
                "skipped": calls.skipped.get(),
            },
            "lost_carts": calls.lost_carts.get(),
        },
        "database": {
            "loads": stats.loads.get(),
            "failed": stats.load_failures.get(),
            "joins": stats.joins.get(),
            "refused": stats.refused.get(),
            "stale": stats.stale.get(),
            "loads_free": loads_free,
            "queue_free": queue_free,
        },
    }))
}

/// Switches layers. All that is asked for is checked before any of it is done.
pub async fn switch(
    State(shared): State<Arc<Shared>>,
    body: Result<request::Json<Switches>, Error>,
) -> Result<Json<Value>, Refusal> {
    let request::Json(wanted) = body?;
    if wanted.redis == Some(Switch::On) && shared.config.redis.is_none() {
        return Err(not_there("redis: there is none; set TRESTLE_REDIS_URL"));
    }
    if let Some(memory) = wanted.memory {
        let on = memory == Switch::On;
        if !shared.cache.memory.switch(on) {
            return Err(not_there("memory: it has no room; set TRESTLE_CACHE_MIB"));
        }
        tracing::info!(on, "the memory layer was switched");
    }
    if let Some(redis) = wanted.redis {
        let on = redis == Switch::On;
        shared.cache.switch_redis(on);
        tracing::info!(on, "the Redis layer was switched");
    }
    Ok(show(State(shared)).await)
}

fn not_there(detail: &str) -> Refusal {
    Refusal(
        StatusCode::UNPROCESSABLE_ENTITY,
        "validation_failed",
        detail.to_owned(),
    )
}

/// Empties one layer or both; answers how much went.
pub async fn flush(
    State(shared): State<Arc<Shared>>,
    query: Result<request::Params<Flush>, Error>,
) -> Result<Json<Value>, Refusal> {
    let request::Params(Flush { layer }) = query?;
    let mut done = serde_json::Map::new();
    if layer != Some(Layer::Redis) {
        let entries = shared.cache.memory.flush();
        done.insert("memory".into(), json!({"entries": entries}));
    }
    if layer != Some(Layer::Memory) {
        match &shared.config.redis {
            Some(client) => {
                let flushed = flush::flush(client).await;
                // Of what was deleted, a reader that is late may write an older state.
                shared.cache.lost_carts.note();
                let keys = flushed.map_err(|reason| {
                    Refusal(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "unavailable",
                        format!("Redis was not emptied to its end: {reason}"),
                    )
                })?;
                done.insert("redis".into(), json!({"keys": keys}));
            }
            None if layer.is_some() => {
                return Err(not_there("redis: there is none; set TRESTLE_REDIS_URL"));
            }
            None => {}
        }
    }
    let done = Value::Object(done);
    tracing::info!(%done, "caches were flushed");
    Ok(Json(done))
}
