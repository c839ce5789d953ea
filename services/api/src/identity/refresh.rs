//! POST /sessions/refresh: a refresh token is exchanged for new tokens of the same session.
//!
//! A token that was exchanged before is good for `GRACE_SECONDS` more, for a client that refreshes twice at a time or
//! lost the answer. Used after that it was stolen, from the client or by it: the whole session ends, in a
//! transaction that is committed although the answer is 401.

use axum::extract::State;
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde::Deserialize;

use super::customer::Customer;
use super::refresh_token::RefreshToken;
use super::session::Tokens;
use super::{logout, store};
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::request::{Json, Private};
use crate::state::AppState;
use crate::types::id::SessionId;

/// Parallel refreshes of an honest client fall within it; a thief mostly comes later.
const GRACE_SECONDS: u32 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    refresh_token: String,
}

/// What came of it; all three are committed.
enum Outcome {
    /// The new token is stored; the session has so many seconds to live.
    Rotated(Customer, u64),
    /// A token was used again after the grace: its session is ended now.
    Reused(SessionId),
    Refused,
}

pub async fn refresh(
    State(state): State<AppState>,
    deadline: Deadline,
    Json(body): Json<Refresh>,
) -> Result<Private<Tokens>> {
    let old = RefreshToken::parse(&body.refresh_token).ok_or(Error::SessionEnded)?;
    let new = RefreshToken::generate()?;
    let (old_hash, new_hash) = (old.hash(), new.hash());
    let outcome = state
        .db
        .transact(deadline, move |tx| rotate(tx, old_hash.clone(), new_hash.clone()))
        .await?;
    match outcome {
        Outcome::Rotated(customer, left) => {
            let tokens = Tokens::issue(&state, customer, &new, left)?;
            Ok(Private(StatusCode::OK, tokens))
        }
        Outcome::Reused(session) => {
            state.revocations.add(session);
            tracing::warn!(%session, "a used refresh token came again: its session is ended");
            Err(Error::SessionEnded)
        }
        Outcome::Refused => Err(Error::SessionEnded),
    }
}

/// The token's row is locked before the session's, always; so parallel refreshes of one token come one by one.
fn rotate(tx: &mut Connection, old_hash: Vec<u8>, new_hash: Vec<u8>) -> BoxFuture<'_, Result<Outcome>> {
    Box::pin(async move {
        let Some(token) = store::lock_refresh_token(tx, &old_hash, GRACE_SECONDS).await? else {
            return Ok(Outcome::Refused);
        };
        let Some(session) = store::lock_live_session(tx, token.session).await? else {
            return Ok(Outcome::Refused);
        };
        if token.is_past_grace {
            logout::end(tx, token.session).await?;
            return Ok(Outcome::Reused(token.session));
        }
        if !token.is_rotated {
            store::mark_rotated(tx, &old_hash).await?;
        }
        store::insert_refresh_token(tx, &new_hash, token.session).await?;
        let customer = Customer {
            id: session.customer,
            session: token.session,
            role: store::role(tx, session.customer).await?,
        };
        Ok(Outcome::Rotated(customer, session.left_seconds))
    })
}
