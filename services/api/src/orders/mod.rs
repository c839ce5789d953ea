//! Orders that were placed: list, one, cancel. `state` says which steps an order can take; placing one is the
//! feature `checkout`.

pub mod cancel;
mod list;
pub mod order;
mod show;
pub mod state;
pub mod store;

use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

/// `POST /orders` is checkout's.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .route("/api/v1/orders", get(list::list))
        .route("/api/v1/orders/{id}", get(show::show))
        .route("/api/v1/orders/{id}/cancel", post(cancel::cancel))
}
