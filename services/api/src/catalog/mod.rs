//! What the shop sells: products, their variants, lists, search, categories. All of it is read through the caches.

mod categories;
pub mod list;
pub mod product;
mod respond;
mod search;
mod store;

use axum::Router;
use axum::routing::get;

use crate::state::AppState;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/products", get(list::list))
        .route("/api/v1/products/{id}", get(product::show))
        .route("/api/v1/categories", get(categories::list))
}
