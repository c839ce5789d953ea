//! The operations port, for probes, scrapers and operators. No proxy leads here.

mod caches;
mod probes;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Shared;

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(probes::readyz))
        .route("/caches", get(caches::show).put(caches::switch))
        .route("/caches/flush", post(caches::flush))
        .with_state(shared)
}
