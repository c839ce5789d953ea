//! Coupons: a percentage or an amount off an order, within a time, from a minimum on, so many times in all and so many
//! times a customer.
//!
//! A use is taken in the transaction that places the order and given back in the one that fails or cancels it, so that
//! the counters are at any time the numbers of uses that live (the audit counts them). The limits hold because a use
//! is taken by conditional updates of narrow counter rows. Lock order: the order's own rows, the customer's counter,
//! the coupon's counter, then stock.
//!
//! What a coupon gives never changes: whoever wants another makes another. A code is no secret, its limits guard it;
//! but one that is not active, or not valid yet, is unknown to customers, so that guessing tells nobody of what is
//! still to come.

pub mod admin;
pub mod code;
mod coupon;
pub mod preview;
pub mod spread;
mod store;
pub mod uses;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub use code::Code;
pub use coupon::{Coupon, Off, Refusal};
pub use store::find;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(admin::list::list, admin::create::create))
        .routes(routes!(admin::show::show, admin::edit::edit))
}
