//! Customers: registration, sessions, who a request comes from, their own data and addresses.
//!
//! What holds here: a session is valid because MySQL and the change feed say so, never because Redis does; one
//! customer reaches nothing of another's; a password is seen only by the hash; and no connection to the database
//! is held while one is hashed.

mod address;
mod customer;
mod email;
mod login;
mod logout;
mod me;
pub mod password;
mod refresh;
mod refresh_token;
mod register;
mod session;
mod store;
mod token;

use axum::routing::{delete, get, post};
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

pub use customer::{Admin, Customer, MaybeCustomer, Role};

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .route("/api/v1/customers", post(register::register))
        .route("/api/v1/sessions", post(login::login))
        .route("/api/v1/sessions/refresh", post(refresh::refresh))
        .route("/api/v1/sessions/current", delete(logout::logout))
        .route("/api/v1/customers/me", get(me::show).patch(me::rename))
        .route(
            "/api/v1/customers/me/addresses",
            get(address::list).post(address::create),
        )
        .route(
            "/api/v1/customers/me/addresses/{id}",
            get(address::show).put(address::replace).delete(address::remove),
        )
}
