//! GET products/{id}: the whole editable product, with the ETag that an edit sends back.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::Product;
use crate::db::Deadline;
use crate::error::Result;
use crate::identity::Admin;
use crate::request::Segment;
use crate::state::AppState;
use crate::types::id::ProductId;

/// The whole editable product; its ETag is what an edit sends in If-Match
#[utoipa::path(
    get,
    path = "/api/v1/admin/products/{id}",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("id" = ProductId, Path)),
    responses(
        (status = 200, body = Product, headers(("ETag" = String, description = "The product's revision"))),
        (status = 404, description = "not_found"),
    ),
)]
pub async fn show(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Response> {
    let id = ProductId::parse(&id)?;
    let currency = state.config.currency;
    let product = state
        .db
        .read(deadline, move |connection| {
            Box::pin(super::read(connection, id, currency))
        })
        .await?;
    Ok(product.answer(StatusCode::OK))
}
