//! PUT /customers/me/password: a new password, and an end to every other session, in one transaction.
//!
//! Whoever has the old password, or a session that was opened with it, is out: on this replica at once, on the others
//! within two seconds, with Redis up or down.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::customer::Customer;
use super::throttle::Attempt;
use super::{password, sessions, store};
use crate::client::ClientAddress;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::Json;
use crate::state::AppState;
use crate::types::text::Checks;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    #[schema(max_length = 128, example = "correct horse battery")]
    current_password: String,
    /// Any characters; not one of the passwords that are tried first
    #[schema(min_length = 8, max_length = 128, example = "staple of another colour")]
    new_password: String,
}

/// Change the password; all other sessions end
///
/// A wrong `current_password` is 422 and counts as a failed login.
#[utoipa::path(
    put,
    path = "/api/v1/customers/me/password",
    tag = "identity",
    request_body = PasswordChange,
    responses((status = 204), (status = 429, description = "too_many_attempts")),
    security(("bearer" = [])),
)]
pub async fn change(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    client: ClientAddress,
    Json(body): Json<PasswordChange>,
) -> Result<Response> {
    let found = state
        .db
        .read(deadline, move |connection| {
            Box::pin(store::credentials(connection, customer.id))
        })
        .await?;
    let (profile, stored) = found.ok_or(Error::Unauthenticated)?;
    let mut checks = Checks::default();
    password::check_new(
        &mut checks,
        "new_password",
        &body.new_password,
        &profile.email,
        &profile.name,
    );
    checks.done()?;

    let attempt = Attempt::begin(&state, &profile.email, client).await?;
    let old = stored.clone();
    if !password::verify_in_turn(&state, deadline, body.current_password, stored).await? {
        attempt.failed().await;
        return Err(wrong());
    }
    attempt.succeeded().await;
    let old = old.ok_or_else(wrong)?;
    let new = password::hash_in_turn(&state, deadline, body.new_password).await?;
    let ended = state
        .db
        .transact(deadline, move |tx| {
            let (old, new) = (old.clone(), new.clone());
            Box::pin(async move {
                // This locks the customer's row, so that nobody logs in with the old password meanwhile.
                if !store::change_password(tx, customer.id, &old, &new).await? {
                    return Err(wrong());
                }
                sessions::end_others(tx, customer).await
            })
        })
        .await?;
    for session in ended {
        state.revocations.add(session);
    }
    Ok(sessions::gone())
}

fn wrong() -> Error {
    Error::field("current_password", "is not the password of this account")
}
