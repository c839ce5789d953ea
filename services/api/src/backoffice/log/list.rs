//! GET log: what was changed, by whom and when, newest first.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::store;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Admin;
use crate::request::{Params, Private};
use crate::state::AppState;
use crate::types::id::CustomerId;
use crate::types::page::{self, Page};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// The id of the admin who made the change
    #[param(value_type = Option<String>, format = Uuid)]
    admin: Option<String>,
    /// The kind of what was changed
    #[param(pattern = "^[a-z]{1,32}$", example = "product")]
    subject_kind: Option<String>,
    /// The id of what was changed; only with its kind
    #[param(max_length = 191)]
    subject_id: Option<String>,
    /// Entries a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// A checked query.
#[derive(Debug)]
pub struct Filter {
    pub admin: Option<CustomerId>,
    pub subject_kind: Option<String>,
    pub subject_id: Option<String>,
}

/// What an admin, or a command on the machine, changed
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogEntry, example = json!({
    "id": 17, "at": "2026-03-01T09:30:00Z", "admin_id": "0195501b-7400-7000-8000-000000000001",
    "admin_email": "ada@example.com", "action": "variant.edit", "subject": {"kind": "product", "id": "7"},
    "detail": "variant 12: price 1999 -> 1799", "request_id": "4c1f0e",
}))]
pub struct Entry {
    pub id: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// None: a command
    pub admin_id: Option<CustomerId>,
    pub admin_email: Option<String>,
    pub action: String,
    pub subject: Of,
    pub detail: String,
    pub request_id: Option<String>,
}

/// What was changed
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogSubject)]
pub struct Of {
    pub kind: String,
    pub id: String,
}

impl Query {
    fn check(&self) -> Result<Filter> {
        let admin = self.admin.as_deref().map(|text| {
            uuid::Uuid::try_parse(text)
                .map(CustomerId)
                .map_err(|_| Error::query("admin", "is not a UUID"))
        });
        if self.subject_id.is_some() && self.subject_kind.is_none() {
            return Err(Error::query("subject_id", "is given without subject_kind"));
        }
        if self
            .subject_id
            .as_ref()
            .is_some_and(|id| id.chars().count() > 191)
        {
            return Err(Error::query("subject_id", "must have at most 191 characters"));
        }
        let is_kind =
            |kind: &String| (1..=32).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_lowercase());
        if self.subject_kind.as_ref().is_some_and(|kind| !is_kind(kind)) {
            return Err(Error::query("subject_kind", "must be 1 to 32 small letters"));
        }
        Ok(Filter {
            admin: admin.transpose()?,
            subject_kind: self.subject_kind.clone(),
            subject_id: self.subject_id.clone(),
        })
    }
}

/// What was changed, by whom and when, newest first
#[utoipa::path(
    get,
    path = "/api/v1/admin/log",
    tag = "backoffice",
    security(("bearer" = [])),
    params(Query),
    responses((status = 200, body = Page<Entry>)),
)]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Params(query): Params<Query>,
) -> Result<impl IntoResponse> {
    let filter = query.check()?;
    let limit = page::limit(query.limit)?;
    let text = format!("log {filter:?}");
    let before = match &query.cursor {
        Some(cursor) => page::decode::<1>(&text, cursor)?[0],
        None => u64::MAX,
    };
    let found = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::page(connection, &filter, before, limit + 1).await })
        })
        .await?;
    let page = Page::cut(found, limit, |last| page::encode(&text, &[last.id]));
    Ok(Private(StatusCode::OK, page))
}
