//! The operations port, for probes, scrapers and operators. No proxy leads here.

mod probes;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::state::Shared;

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(probes::readyz))
        .with_state(shared)
}
