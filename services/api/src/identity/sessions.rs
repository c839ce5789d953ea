//! GET and DELETE /sessions, DELETE /sessions/{id}: a customer looks at their sessions and ends them.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::customer::Customer;
use super::{cookies, store};
use crate::cache::feed;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::request::{Params, Private, Segment};
use crate::state::AppState;
use crate::types::id::{CustomerId, SessionId};
use crate::types::page::{self, Page};

/// A login that can still be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    pub id: SessionId,
    /// Whether this request belongs to it
    pub current: bool,
    /// What the browser or program called itself at login; empty when it did not say
    #[schema(
        max_length = 200,
        example = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"
    )]
    pub user_agent: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SessionParams {
    /// Sessions a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// The customer's own sessions, newest first
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "identity",
    params(SessionParams),
    responses((status = 200, body = Page<Session>)),
    security(("bearer" = [])),
)]
pub async fn list(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    Params(query): Params<SessionParams>,
) -> Result<Private<Page<Session>>> {
    let limit = page::limit(query.limit)?;
    let before = match &query.cursor {
        Some(cursor) => page::decode_uuid(&query_text(customer.id), cursor)?,
        None => Uuid::max(),
    };
    // One more than asked for tells whether there is a further page.
    let items = state
        .db
        .read(deadline, move |connection| {
            Box::pin(store::session::page(
                connection,
                customer.id,
                before,
                limit + 1,
                customer.session,
            ))
        })
        .await?;
    let page = Page::cut(items, limit, |last| {
        page::encode_uuid(&query_text(customer.id), last.id.0)
    });
    Ok(Private(StatusCode::OK, page))
}

/// A cursor belongs to the customer it was given to.
fn query_text(customer: CustomerId) -> String {
    format!("sessions of {customer}")
}

/// End one of the customer's own sessions
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}",
    tag = "identity",
    params(("id" = SessionId, Path)),
    responses((status = 204), (status = 404, description = "not_found")),
    security(("bearer" = [])),
)]
pub async fn end_one(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    headers: HeaderMap,
    Segment(id): Segment,
) -> Result<Response> {
    let session = SessionId::parse(&id)?;
    let ended = state
        .db
        .transact(deadline, move |tx| Box::pin(end_own(tx, customer.id, session)))
        .await?;
    if !ended {
        return Err(Error::NotFound("session"));
    }
    state.revocations.add(session);
    let mut response = gone();
    if session == customer.session {
        cookies::clear(&state, &headers, &mut response);
    }
    Ok(response)
}

async fn end_own(tx: &mut Connection, customer: CustomerId, session: SessionId) -> Result<bool> {
    let ended = store::session::revoke_own(tx, customer, session).await?;
    if ended {
        feed::session_revoked(tx, session).await?;
    }
    Ok(ended)
}

/// End all of the customer's sessions but this one
#[utoipa::path(
    delete,
    path = "/api/v1/sessions",
    tag = "identity",
    responses((status = 204)),
    security(("bearer" = [])),
)]
pub async fn end_all_others(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
) -> Result<Response> {
    let ended = state
        .db
        .transact(deadline, move |tx| {
            Box::pin(async move {
                // The customer's row is the lock under which sessions are opened.
                if !store::lock_customer(tx, customer.id).await? {
                    return Err(Error::Unauthenticated);
                }
                end_others(tx, customer).await
            })
        })
        .await?;
    for session in ended {
        state.revocations.add(session);
    }
    Ok(gone())
}

/// Ends all sessions of the customer but the one at hand, and tells every replica. The caller has locked the customer's
/// row, so that none is opened meanwhile.
///
/// # Errors
/// When the database refuses.
pub async fn end_others(tx: &mut Connection, customer: Customer) -> Result<Vec<SessionId>> {
    let ended = store::session::revoke_others(tx, customer.id, customer.session).await?;
    feed::sessions_revoked(tx, &ended).await?;
    Ok(ended)
}

/// The answer to what was removed.
pub fn gone() -> Response {
    let no_store = HeaderValue::from_static("private, no-store");
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, no_store)]).into_response()
}
