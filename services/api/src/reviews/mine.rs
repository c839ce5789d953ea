//! products/{id}/reviews/mine: a customer's own review of a product, read, changed and deleted. It is found by its
//! customer and no other id, so nobody reaches another's; it stays theirs when the product is withdrawn.

use axum::extract::State;
use http::StatusCode;

use super::review::{Opinion, Review};
use super::store;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::identity::Customer;
use crate::request::{Json, Private, Segment};
use crate::state::AppState;
use crate::types::id::{CustomerId, ProductId};

/// Your review of a product
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}/reviews/mine",
    tag = "reviews",
    security(("bearer" = [])),
    params(("id" = ProductId, Path)),
    responses((status = 200, body = Review), (status = 404, description = "not_found")),
)]
pub async fn show(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Private<Review>> {
    let product = ProductId::parse(&id)?;
    let found = state
        .db
        .read(deadline, |connection| {
            Box::pin(store::of_customer(connection, customer.id, product))
        })
        .await?;
    found.map_or(Err(Error::NotFound("review")), |review| {
        Ok(Private(StatusCode::OK, review))
    })
}

/// Change your review of a product
#[utoipa::path(
    put,
    path = "/api/v1/products/{id}/reviews/mine",
    tag = "reviews",
    security(("bearer" = [])),
    params(("id" = ProductId, Path)),
    request_body = Opinion,
    responses((status = 200, body = Review), (status = 404, description = "not_found")),
)]
pub async fn change(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
    Json(opinion): Json<Opinion>,
) -> Result<Private<Review>> {
    let product = ProductId::parse(&id)?;
    let opinion = opinion.check()?;
    let work = state.db.transact(deadline, move |tx| {
        let opinion = opinion.clone();
        Box::pin(async move { rewrite(tx, customer.id, product, &opinion).await })
    });
    Ok(Private(StatusCode::OK, work.await?))
}

async fn rewrite(
    tx: &mut Connection,
    customer: CustomerId,
    product: ProductId,
    opinion: &Opinion,
) -> Result<Review> {
    let before = store::lock(tx, customer, product)
        .await?
        .ok_or(Error::NotFound("review"))?;
    store::update(tx, customer, product, opinion).await?;
    let written = store::of_customer(tx, customer, product).await?;
    // Other words alone change nothing that the product's bytes say.
    if opinion.rating != before {
        store::rate(tx, product, 0, i64::from(opinion.rating) - i64::from(before)).await?;
    }
    written.ok_or_else(|| Error::Internal("a changed review is not there".into()))
}

/// Delete your review of a product
///
/// The product can then be reviewed anew.
#[utoipa::path(
    delete,
    path = "/api/v1/products/{id}/reviews/mine",
    tag = "reviews",
    security(("bearer" = [])),
    params(("id" = ProductId, Path)),
    responses((status = 204), (status = 404, description = "not_found")),
)]
pub async fn remove(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<StatusCode> {
    let product = ProductId::parse(&id)?;
    state
        .db
        .transact(deadline, move |tx| Box::pin(take_away(tx, customer.id, product)))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn take_away(tx: &mut Connection, customer: CustomerId, product: ProductId) -> Result<()> {
    let rating = store::lock(tx, customer, product)
        .await?
        .ok_or(Error::NotFound("review"))?;
    store::delete(tx, customer, product).await?;
    store::rate(tx, product, -1, -i64::from(rating)).await
}
