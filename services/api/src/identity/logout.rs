//! DELETE /sessions/current: a customer logs out, on this replica at once and on the others within two seconds.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::customer::Customer;
use super::sessions::gone;
use super::{cookies, store};
use crate::cache::feed;
use crate::db::{Connection, Deadline};
use crate::error::Result;
use crate::state::AppState;
use crate::types::id::SessionId;

/// Log out: end the session at hand
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/current",
    tag = "identity",
    responses((status = 204)),
    security(("bearer" = [])),
)]
pub async fn logout(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    headers: HeaderMap,
) -> Result<Response> {
    let session = customer.session;
    state
        .db
        .transact(deadline, move |tx| Box::pin(end(tx, session)))
        .await?;
    state.revocations.add(session);
    let mut response = gone();
    cookies::clear(&state, &headers, &mut response);
    Ok(response)
}

/// Ends a session and tells every replica. One that has ended already stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn end(tx: &mut Connection, session: SessionId) -> Result<()> {
    if store::session::revoke(tx, session).await? {
        feed::session_revoked(&mut *tx, session).await?;
    }
    Ok(())
}
