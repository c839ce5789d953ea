//! Who changed what: a row for each change, in the transaction that makes it. There is no route that changes one.

pub mod list;
mod store;

use std::fmt;

use axum::extract::FromRequestParts;
use http::request::Parts;
use sqlx::MySqlExecutor;

use crate::error::{Error, Result};
use crate::identity::Admin;
use crate::middleware::REQUEST_ID;
use crate::state::AppState;
use crate::types::id::CustomerId;

/// The most that one row says, in characters; more is cut off.
const DETAIL_CHARS: usize = 4_000;

/// Who makes a change. As an extractor it is `Admin` with the request's id: 401 and 403 for everybody else.
#[derive(Debug, Clone)]
pub struct Actor {
    /// None: a command on the machine.
    admin: Option<CustomerId>,
    request_id: String,
}

impl Actor {
    /// Whoever can run `trestle-api` where the database can be reached.
    pub fn command() -> Self {
        Self {
            admin: None,
            request_id: String::new(),
        }
    }

    /// None for a command.
    pub fn admin(&self) -> Option<CustomerId> {
        self.admin
    }
}

impl FromRequestParts<AppState> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        let Admin(customer) = Admin::from_request_parts(parts, state).await?;
        // Given by the proxy or checked by the middleware; one that is not sane is not worth keeping.
        let request_id = parts.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
        let request_id = request_id.filter(|id| id.len() <= 64).unwrap_or_default();
        Ok(Self {
            admin: Some(customer.id),
            request_id: request_id.to_owned(),
        })
    }
}

/// What was changed: its kind, such as `product`, and its id.
#[derive(Debug, Clone)]
pub struct Subject {
    kind: &'static str,
    id: String,
}

impl Subject {
    pub fn new(kind: &'static str, id: impl fmt::Display) -> Self {
        Self {
            kind,
            id: id.to_string(),
        }
    }
}

/// Writes that `by` did `action` (such as `product.edit`) to `subject`. `detail` says what changed, for people; no
/// passwords and no tokens.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    tx: impl MySqlExecutor<'_>,
    by: &Actor,
    action: &'static str,
    subject: &Subject,
    detail: &str,
) -> Result<()> {
    let detail: String = detail.chars().take(DETAIL_CHARS).collect();
    store::insert(tx, by, action, subject, &detail).await
}
