//! What the shop sells: products, their variants, lists, search, categories. All of it is read through the caches.

mod categories;
pub mod list;
pub mod product;
mod respond;
mod search;
mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(product::show))
        .routes(routes!(categories::list))
}
