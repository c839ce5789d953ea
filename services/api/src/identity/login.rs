//! POST /sessions: a customer logs in. An account that is not there, one without a password and a wrong password
//! get the same answer after the same time.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::session::{OpenedSession, Transport, Who};
use super::throttle::Attempt;
use super::{email, password, session, store};
use crate::client::ClientAddress;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use crate::request::Json;
use crate::state::AppState;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[schema(max_length = 254, example = "ada@example.com")]
    email: String,
    #[schema(max_length = 128, example = "correct horse battery")]
    password: String,
    #[serde(default)]
    transport: Transport,
}

/// Log in
///
/// A visitor's cart joins the customer's. After failed attempts on an account, or from an address, an attempt waits before
/// its password is looked at, up to two seconds; 429 when another for the same account from the same address waits already.
#[utoipa::path(
    post,
    path = "/api/v1/sessions",
    tag = "identity",
    request_body = Credentials,
    responses(
        (status = 201, body = OpenedSession),
        (status = 401, description = "unauthenticated"),
        (status = 429, description = "too_many_attempts"),
    ),
    security(()),
)]
pub async fn login(
    State(state): State<AppState>,
    deadline: Deadline,
    client: ClientAddress,
    headers: HeaderMap,
    Json(body): Json<Credentials>,
) -> Result<Response> {
    let outcome = attempt(&state, deadline, client, &headers, body).await;
    METRICS.logins.of(&outcome).inc();
    outcome
}

async fn attempt(
    state: &AppState,
    deadline: Deadline,
    client: ClientAddress,
    headers: &HeaderMap,
    body: Credentials,
) -> Result<Response> {
    // What is no address can have no account, as everybody knows: nothing is given away here.
    let email = email::normalise(&body.email).map_err(|_| Error::BadCredentials)?;
    let attempt = Attempt::begin(state, &email, client).await?;
    let account = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::account(connection, &email).await })
        })
        .await?;
    let (profile, stored) = account.map_or((None, None), |(profile, hash)| (Some(profile), hash));
    let matched = password::verify_in_turn(state, deadline, body.password, stored.clone()).await?;
    let Some((profile, proved)) = profile.zip(stored).filter(|_| matched) else {
        attempt.failed().await;
        return Err(Error::BadCredentials);
    };
    attempt.succeeded().await;
    let who = Who::Known(profile, proved);
    session::open(state, deadline, headers, who, body.transport).await
}
