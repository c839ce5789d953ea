//! What customers say of products they bought: one review for each product and customer, with 1 to 5 stars.
//!
//! Kept here: only who bought a product reviews it, once, and changes or deletes only that review; a product's rating
//! (`product_ratings`) is at every commit the sum of its reviews, so that no read counts rows.

mod create;
mod list;
mod mine;
mod review;
mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(mine::show, mine::change, mine::remove))
}
