//! POST /sessions/refresh: a refresh token is exchanged for new tokens of the same session.
//!
//! A token that was exchanged before is good for `GRACE_SECONDS` more, for a client that refreshes twice at a time or
//! lost the answer. Used after that it was stolen, from the client or by it: the whole session ends, in a
//! transaction that is committed although the answer is 401.
//!
//! A program sends the token in the body and gets the new ones in the answer; a browser sends no body, and its cookies are
//! exchanged. A browser whose session has ended loses its cookies: it is a visitor again.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::customer::Customer;
use super::refresh_token::RefreshToken;
use super::session::{SessionTokens, Tokens, Transport};
use super::{cookies, logout, store};
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::request::{Private, check_content_type, parse, read_body};
use crate::state::AppState;
use crate::types::id::SessionId;

/// Parallel refreshes of an honest client fall within it; a thief mostly comes later.
const GRACE_SECONDS: u32 = 30;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    #[schema(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$")]
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

/// Exchange a refresh token for new tokens
///
/// A browser sends no body; its cookies are exchanged.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/refresh",
    tag = "identity",
    request_body = Option<Refresh>,
    responses((status = 200, body = SessionTokens), (status = 401, description = "unauthenticated")),
    security(()),
)]
pub async fn refresh(
    State(state): State<AppState>,
    deadline: Deadline,
    request: Request,
) -> Result<Response> {
    let headers = request.headers().clone();
    let (token, transport) = given(request).await?;
    match exchange(&state, deadline, &token).await {
        Ok(tokens) => {
            let mut response = Private(StatusCode::OK, tokens.body(transport)).into_response();
            if transport == Transport::Cookie {
                cookies::set(&state, &mut response, &tokens);
            }
            Ok(response)
        }
        Err(Error::SessionEnded) if transport == Transport::Cookie => {
            let mut response = Error::SessionEnded.into_response();
            cookies::clear(&state, &headers, &mut response);
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

/// The refresh token, and how it came: in the body, or without one in the cookie.
async fn given(request: Request) -> Result<(String, Transport)> {
    let headers = request.headers().clone();
    let body = read_body(request).await?;
    match cookies::refresh(&headers) {
        Some(token) if body.is_empty() => Ok((token.to_owned(), Transport::Cookie)),
        _ => {
            check_content_type(&headers)?;
            let body: Refresh = parse(&body)?;
            Ok((body.refresh_token, Transport::Bearer))
        }
    }
}

async fn exchange(state: &AppState, deadline: Deadline, token: &str) -> Result<Tokens> {
    let old = RefreshToken::parse(token).ok_or(Error::SessionEnded)?;
    let new = RefreshToken::generate()?;
    let (old_hash, new_hash) = (old.hash(), new.hash());
    let outcome = state
        .db
        .transact(deadline, move |tx| rotate(tx, old_hash.clone(), new_hash.clone()))
        .await?;
    match outcome {
        Outcome::Rotated(customer, left) => Tokens::issue(state, customer, &new, left),
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
        let Some(token) = store::session::lock_refresh_token(tx, &old_hash, GRACE_SECONDS).await? else {
            return Ok(Outcome::Refused);
        };
        let Some(session) = store::session::lock_live_session(tx, token.session).await? else {
            return Ok(Outcome::Refused);
        };
        if token.is_past_grace {
            logout::end(tx, token.session).await?;
            return Ok(Outcome::Reused(token.session));
        }
        if !token.is_rotated {
            store::session::mark_rotated(tx, &old_hash).await?;
        }
        store::session::insert_refresh_token(tx, &new_hash, token.session).await?;
        let customer = Customer {
            id: session.customer,
            session: token.session,
            role: store::role(tx, session.customer).await?,
        };
        Ok(Outcome::Rotated(customer, session.left_seconds))
    })
}
