//! POST products/{id}/reviews: a customer reviews a product that they bought, once.

use axum::extract::State;
use http::StatusCode;

use super::review::{Opinion, Review};
use super::store;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::identity::Customer;
use crate::request::{Json, Private, Segment};
use crate::state::AppState;
use crate::types::id::{CustomerId, ProductId, ReviewId};

/// Review a product that you bought
///
/// Bought is what is in a paid or shipped order. There is one review for each product and customer; it can be changed and
/// deleted at `/reviews/mine`.
#[utoipa::path(
    post,
    path = "/api/v1/products/{id}/reviews",
    tag = "reviews",
    security(("bearer" = [])),
    params(("id" = ProductId, Path)),
    request_body = Opinion,
    responses(
        (status = 201, body = Review),
        (status = 403, description = "not_bought"),
        (status = 404, description = "not_found"),
        (status = 409, description = "already_reviewed"),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    customer: Customer,
    deadline: Deadline,
    Segment(id): Segment,
    Json(opinion): Json<Opinion>,
) -> Result<Private<Review>> {
    let product = ProductId::parse(&id)?;
    let opinion = opinion.check()?;
    let review = ReviewId::generate();
    let work = state.db.transact(deadline, move |tx| {
        let opinion = opinion.clone();
        Box::pin(async move { write(tx, customer.id, product, review, &opinion).await })
    });
    Ok(Private(StatusCode::CREATED, work.await?))
}

async fn write(
    tx: &mut Connection,
    customer: CustomerId,
    product: ProductId,
    review: ReviewId,
    opinion: &Opinion,
) -> Result<Review> {
    if !store::is_for_sale(tx, product).await? {
        return Err(Error::NotFound("product"));
    }
    if !store::bought(tx, customer, product).await? {
        return Err(Error::NotBought);
    }
    store::insert(tx, customer, product, review, opinion).await?;
    let written = store::of_customer(tx, customer, product).await?;
    store::rate(tx, product, 1, opinion.rating.into()).await?;
    written.ok_or_else(|| Error::Internal("a new review is not there".into()))
}
