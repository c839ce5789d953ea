//! POST /sessions: a customer logs in. An account that is not there, one without a password and a wrong password
//! get the same answer after the same time.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use super::session::Who;
use super::{email, password, session, store};
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::Json;
use crate::state::AppState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
}

pub async fn login(
    State(state): State<AppState>,
    deadline: Deadline,
    headers: HeaderMap,
    Json(body): Json<Credentials>,
) -> Result<Response> {
    // What is no address can have no account, as everybody knows: nothing is given away here.
    let email = email::normalise(&body.email).map_err(|_| Error::BadCredentials)?;
    let account = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::account(connection, &email).await })
        })
        .await?;
    let (profile, stored) = account.map_or((None, None), |(profile, hash)| (Some(profile), hash));
    let matched = password::verify_in_turn(&state, deadline, body.password, stored).await?;
    let Some(profile) = profile.filter(|_| matched) else {
        return Err(Error::BadCredentials);
    };
    session::open(&state, deadline, &headers, Who::Known(profile)).await
}
