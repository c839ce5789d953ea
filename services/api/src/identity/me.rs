//! GET and PATCH /customers/me: what the shop knows of a customer.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::customer::{Customer, Role};
use super::register::MAX_NAME_CHARS;
use super::store;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::{Json, Private};
use crate::state::AppState;
use crate::types::id::CustomerId;
use crate::types::text::Checks;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Profile {
    pub id: CustomerId,
    #[schema(example = "ada@example.com")]
    pub email: String,
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    pub role: Role,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// The customer who asks
#[utoipa::path(
    get,
    path = "/api/v1/customers/me",
    tag = "identity",
    responses((status = 200, body = Profile)),
    security(("bearer" = [])),
)]
pub async fn show(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
) -> Result<Private<Profile>> {
    let found = state
        .db
        .read(deadline, move |connection| {
            Box::pin(store::profile(connection, customer.id))
        })
        .await?;
    found.map_or(Err(Error::Unauthenticated), |profile| {
        Ok(Private(StatusCode::OK, profile))
    })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    #[schema(min_length = 1, max_length = 100, example = "Ada King")]
    name: String,
}

/// Change one's name
#[utoipa::path(
    patch,
    path = "/api/v1/customers/me",
    tag = "identity",
    request_body = ProfileChange,
    responses((status = 200, body = Profile)),
    security(("bearer" = [])),
)]
pub async fn rename(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    Json(body): Json<ProfileChange>,
) -> Result<Private<Profile>> {
    let mut checks = Checks::default();
    let name = checks.required("name", &body.name, MAX_NAME_CHARS);
    checks.done()?;
    let profile = state
        .db
        .transact(deadline, move |tx| {
            let name = name.clone();
            Box::pin(async move {
                if !store::rename(tx, customer.id, &name).await? {
                    return Err(Error::Unauthenticated);
                }
                store::profile(tx, customer.id)
                    .await?
                    .ok_or(Error::Unauthenticated)
            })
        })
        .await?;
    Ok(Private(StatusCode::OK, profile))
}
