//! Checkout: an order is two transactions with the payment between them.
//!
//! `buy` is the operation; `place` and `settle` are the two transactions, `gateway` the payment, `replay` the answer
//! to a retry, `recovery` what ends an order whose request did not. `stock` is the one place where orders move stock.

mod bill;
mod buy;
pub mod gateway;
mod place;
pub mod recovery;
mod replay;
pub mod request;
mod settle;
pub mod stock;
mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// GET of the same path is the feature orders'.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(buy::buy))
}
