//! POST categories: a new category. Products are put into it by their own edits.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::store;
use crate::backoffice::log::{self, Actor, Subject};
use crate::catalog::product::Category;
use crate::db::Deadline;
use crate::error::Result;
use crate::import::text;
use crate::request::{Json, Private};
use crate::state::AppState;
use crate::types::text::Checks;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCategory, example = json!({"name": "Coffee & Tea"}))]
pub struct Body {
    /// Its handle is made of this: `Coffee & Tea` is `coffee-tea`
    #[schema(min_length = 1, max_length = 191)]
    name: String,
}

/// A new category; lists show it within 5 s
#[utoipa::path(
    post,
    path = "/api/v1/admin/categories",
    tag = "backoffice",
    security(("bearer" = [])),
    request_body = Body,
    responses((status = 201, body = Category), (status = 409, description = "already_exists")),
)]
pub async fn create(
    State(state): State<AppState>,
    by: Actor,
    deadline: Deadline,
    Json(body): Json<Body>,
) -> Result<Response> {
    let mut checks = Checks::default();
    let name = checks.required("name", &body.name, 191);
    let handle = text::slug(&name);
    if handle.is_empty() && !name.is_empty() {
        checks.fail("name", "must have a letter or digit");
    }
    checks.done()?;
    let category = Category { handle, name };
    let new = category.clone();
    state
        .db
        .transact(deadline, move |tx| {
            let (new, by) = (new.clone(), by.clone());
            Box::pin(async move {
                store::insert_category(tx, &new).await?;
                let subject = Subject::new("category", &new.handle);
                log::record(tx, &by, "category.create", &subject, &new.name).await
            })
        })
        .await?;
    Ok(Private(StatusCode::CREATED, category).into_response())
}
