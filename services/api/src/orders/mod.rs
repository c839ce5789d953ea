//! Orders that were placed: list, one, cancel, ship. `state` says which steps an order can take; placing one is the
//! feature `checkout`.

pub mod cancel;
mod list;
pub mod order;
mod rows;
pub mod ship;
pub mod show;
pub mod state;
pub mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// `POST /orders` is checkout's.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(show::show))
        .routes(routes!(cancel::cancel))
}
