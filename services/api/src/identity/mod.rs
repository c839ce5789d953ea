//! Customers: registration, sessions, who a request comes from, their own data and addresses.
//!
//! What holds here: a session is valid because MySQL and the change feed say so, never because Redis does; one
//! customer reaches nothing of another's; a password is seen only by the hash; and no connection to the database
//! is held while one is hashed.

mod address;
mod change_password;
mod cookies;
mod customer;
pub mod email;
mod guessable;
mod login;
mod logout;
mod me;
pub mod password;
mod refresh;
mod refresh_token;
mod register;
mod session;
mod sessions;
mod store;
mod throttle;
mod token;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub use customer::{Admin, Customer, MaybeCustomer, Role};
pub use throttle::Throttle;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(login::login, sessions::list, sessions::end_all_others))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::logout))
        .routes(routes!(sessions::end_one))
        .routes(routes!(me::show, me::rename))
        .routes(routes!(change_password::change))
        .routes(routes!(address::list, address::create))
        .routes(routes!(address::show, address::replace, address::remove))
}
