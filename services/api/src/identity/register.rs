//! POST /customers: somebody becomes a customer, and is logged in.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use super::session::Who;
use super::{email, password, session};
use crate::db::Deadline;
use crate::error::Result;
use crate::request::Json;
use crate::state::AppState;
use crate::types::id::CustomerId;
use crate::types::text::Checks;

pub const MAX_NAME_CHARS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    email: String,
    password: String,
    name: String,
}

/// A customer to be, checked.
#[derive(Clone)]
pub struct NewCustomer {
    pub id: CustomerId,
    pub email: String,
    pub name: String,
    pub password_hash: String,
}

pub async fn register(
    State(state): State<AppState>,
    deadline: Deadline,
    headers: HeaderMap,
    Json(body): Json<Registration>,
) -> Result<Response> {
    let mut checks = Checks::default();
    let email = email::normalise(&body.email).unwrap_or_else(|reason| {
        checks.fail("email", reason);
        String::new()
    });
    password::check_new(&mut checks, &body.password);
    let name = checks.required("name", &body.name, MAX_NAME_CHARS);
    checks.done()?;

    let new = NewCustomer {
        id: CustomerId::generate(),
        email,
        name,
        password_hash: password::hash_in_turn(&state, deadline, body.password).await?,
    };
    session::open(&state, deadline, &headers, Who::New(new)).await
}
