//! POST /customers: somebody becomes a customer, and is logged in.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::session::{OpenedSession, Transport, Who};
use super::{email, password, session};
use crate::db::Deadline;
use crate::error::Result;
use crate::request::Json;
use crate::state::AppState;
use crate::types::id::CustomerId;
use crate::types::text::Checks;

pub const MAX_NAME_CHARS: usize = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    #[schema(max_length = 254, example = "ada@example.com")]
    email: String,
    /// Any characters; not one of the passwords that are tried first
    #[schema(min_length = 8, max_length = 128, example = "correct horse battery")]
    password: String,
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: String,
    #[serde(default)]
    transport: Transport,
}

/// A customer to be, checked.
#[derive(Clone)]
pub struct NewCustomer {
    pub id: CustomerId,
    pub email: String,
    pub name: String,
    pub password_hash: String,
}

/// Register, and log in
///
/// A visitor's cart becomes the customer's.
#[utoipa::path(
    post,
    path = "/api/v1/customers",
    tag = "identity",
    request_body = Registration,
    responses((status = 201, body = OpenedSession), (status = 409, description = "email_taken")),
    security(()),
)]
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
    // A name that is refused anyway may be as long as a body, and is not looked for in the password.
    let is_short = body.name.chars().take(MAX_NAME_CHARS + 1).count() <= MAX_NAME_CHARS;
    let known_name = if is_short { &body.name } else { "" };
    password::check_new(&mut checks, "password", &body.password, &email, known_name);
    let name = checks.required("name", &body.name, MAX_NAME_CHARS);
    checks.done()?;

    let new = NewCustomer {
        id: CustomerId::generate(),
        email,
        name,
        password_hash: password::hash_in_turn(&state, deadline, body.password).await?,
    };
    session::open(&state, deadline, &headers, Who::New(new), body.transport).await
}
