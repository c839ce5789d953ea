//! DELETE /sessions/current: a customer logs out, on this replica at once and on the others within two seconds.

use axum::extract::State;
use http::{HeaderValue, StatusCode, header};

use super::customer::Customer;
use super::store;
use crate::cache::feed;
use crate::db::{Connection, Deadline};
use crate::error::Result;
use crate::state::AppState;
use crate::types::id::SessionId;

pub async fn logout(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
) -> Result<(StatusCode, [(header::HeaderName, HeaderValue); 1])> {
    let session = customer.session;
    state
        .db
        .transact(deadline, move |tx| Box::pin(end(tx, session)))
        .await?;
    state.revocations.add(session);
    let no_store = HeaderValue::from_static("private, no-store");
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, no_store)]))
}

/// Ends a session and tells every replica. One that has ended already stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn end(tx: &mut Connection, session: SessionId) -> Result<()> {
    if store::revoke(tx, session).await? {
        feed::session_revoked(tx, session).await?;
    }
    Ok(())
}
