//! The backoffice, for customers whose role is admin: the catalogue is edited, stock adjusted, orders shipped and
//! cancelled, sales and customers looked up.
//!
//! What holds here: every route asks for `identity::Admin`; every change is written to the log in its own transaction;
//! an edit names the revision it was made from (If-Match), so that of two editors the second hears of the first.

pub mod command;
mod customers;
pub mod log;
mod orders;
mod products;
mod sales;
mod stock;
mod when;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(products::list::list, products::create::create))
        .routes(routes!(products::show::show, products::edit::edit))
        .routes(routes!(products::variants::create))
        .routes(routes!(products::variants::edit))
        .routes(routes!(products::category::create))
        .routes(routes!(stock::show, stock::adjust))
        .routes(routes!(orders::list::list))
        .routes(routes!(orders::show_one))
        .routes(routes!(orders::ship))
        .routes(routes!(orders::cancel_one))
        .routes(routes!(sales::sales))
        .routes(routes!(customers::list))
        .routes(routes!(customers::show))
        .routes(routes!(log::list::list))
}
