//! What the shop sells: products, their variants, lists, search, categories, and what stands first among them. All of it
//! is read through the caches.

mod best_sellers;
pub mod cached;
mod categories;
mod category_filter;
pub mod list;
mod new;
pub mod product;
pub mod rating;
mod related;
mod respond;
pub mod search;
pub mod sitemap;
mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(best_sellers::best_sellers))
        .routes(routes!(new::new))
        .routes(routes!(product::show))
        .routes(routes!(related::related))
        .routes(routes!(categories::list))
        .routes(routes!(sitemap::sitemap))
}
