//! Which replica answered, where it runs, and what its caches did: for a person who watches balancing and caching work.

pub mod host;
pub mod metadata;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::host::Host;
use crate::cache::breaker;
use crate::metrics;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(instance))
}

#[derive(Serialize, ToSchema)]
struct Instance<'a> {
    #[schema(examples("api-1"))]
    replica: &'a str,
    /// As configured, else as EC2 says
    #[schema(examples("local"))]
    zone: &'a str,
    host: &'a Host,
    #[schema(examples("0.1.0"))]
    version: &'static str,
    #[schema(examples(3600))]
    uptime_seconds: u64,
    /// What the process has in memory
    #[schema(examples(20_971_520))]
    memory_bytes: u64,
    cache: Caches,
}

/// What this replica's caches did since it started.
#[derive(Serialize, ToSchema)]
struct Caches {
    memory: Memory,
    redis: Redis,
    database: Database,
}

#[derive(Serialize, ToSchema)]
#[schema(as = InstanceMemory)]
struct Memory {
    #[schema(examples(51200))]
    hits: u64,
    #[schema(examples(840))]
    entries: usize,
    #[schema(examples(1_048_576))]
    bytes: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = InstanceRedis)]
struct Redis {
    #[schema(examples(640))]
    hits: u64,
    breaker: Breaker,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Breaker {
    /// There is no Redis, or it is switched off
    Off,
    /// Redis is asked
    Closed,
    /// Redis failed and is left alone for a moment
    Open,
}

#[derive(Serialize, ToSchema)]
#[schema(as = InstanceDatabase)]
struct Database {
    /// Reads of MySQL for the caches
    #[schema(examples(320))]
    loads: u64,
    /// Answers past their bound, given while MySQL could not be read
    #[schema(examples(0))]
    stale: u64,
}

/// Which replica answered, where it runs, and what its caches did
#[utoipa::path(
    get,
    path = "/api/v1/instance",
    tag = "instance",
    responses((status = 200, body = Instance, description = "The replica that answered"))
)]
async fn instance(State(state): State<AppState>) -> Response {
    let (entries, bytes) = state.cache.memory.usage();
    let stats = &state.cache.stats;
    let breaker = match (&state.redis, state.cache.breaker.state()) {
        (None, _) => Breaker::Off,
        (Some(_), _) if !state.cache.redis_is_on() => Breaker::Off,
        (Some(_), breaker::State::Closed) => Breaker::Closed,
        (Some(_), breaker::State::Open) => Breaker::Open,
    };
    let body = Instance {
        replica: &state.config.replica,
        zone: state.zone(),
        host: state.place.host(),
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: state.started.elapsed().as_secs(),
        memory_bytes: metrics::resident(),
        cache: Caches {
            memory: Memory {
                hits: stats.memory_hits.get(),
                entries,
                bytes,
            },
            redis: Redis {
                hits: stats.redis_hits.get(),
                breaker,
            },
            database: Database {
                loads: stats.loads.get(),
                stale: stats.stale.get(),
            },
        },
    };
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}
