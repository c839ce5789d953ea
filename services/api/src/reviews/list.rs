//! GET products/{id}/reviews: what customers say of a product, newest first. Review ids sort by the time they were made,
//! so the id alone is the position: pages have no gaps and no repeats while reviews are added, changed or deleted.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::review::Review;
use super::store;
use crate::cache::Key;
use crate::catalog::cached::answer;
use crate::db::Deadline;
use crate::error::Result;
use crate::request::{Params, Segment};
use crate::state::AppState;
use crate::types::id::ProductId;
use crate::types::page::{self, Page};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Reviews a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// What customers say of a product, newest first
///
/// An answer may be 5 s old; a customer's own review is read without delay at `/reviews/mine`.
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}/reviews",
    tag = "reviews",
    params(("id" = ProductId, Path), Query),
    responses((status = 200, body = Page<Review>), (status = 404, description = "not_found")),
)]
pub async fn list(
    State(state): State<AppState>,
    deadline: Deadline,
    Segment(id): Segment,
    Params(query): Params<Query>,
) -> Result<Response> {
    let product = ProductId::parse(&id)?;
    let limit = page::limit(query.limit)?;
    let before = match &query.cursor {
        Some(cursor) => position(product, cursor)?,
        None => Uuid::max(),
    };
    let key = Key::Reviews(format!("{product}|{limit}|{}", before.simple()).into());
    answer(&state, deadline, key, "product", move |connection| {
        Box::pin(async move {
            if !store::is_for_sale(&mut *connection, product).await? {
                return Ok(None);
            }
            // One more than asked for tells whether there is a further page.
            let found = store::page(connection, product, before, limit + 1).await?;
            let page = Page::cut(found, limit, |last| cursor(product, last.id.0));
            Ok(Some(page))
        })
    })
    .await
}

/// A cursor belongs to the product whose reviews gave it.
fn query_text(product: ProductId) -> String {
    format!("reviews of {product}")
}

fn cursor(product: ProductId, last: Uuid) -> String {
    page::encode_uuid(&query_text(product), last)
}

fn position(product: ProductId, cursor: &str) -> Result<Uuid> {
    page::decode_uuid(&query_text(product), cursor)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use rand::RngExt as _;

    use super::*;

    /// Any review of any product: its cursor leads back to it, and is of no use for another product or when spoilt.
    #[test]
    fn a_cursor_is_the_last_review_seen_and_belongs_to_its_product() {
        let mut rng = rand::rng();
        for _ in 0..2_000 {
            let product = ProductId(rng.random_range(1..=u64::MAX / 2));
            let last = Uuid::from_u128(rng.random());
            let cursor = cursor(product, last);
            assert_eq!(position(product, &cursor).unwrap(), last);
            assert!(position(ProductId(product.0 + 1), &cursor).is_err());
            let cut = rng.random_range(0..cursor.len());
            assert!(
                position(product, &cursor[..cut]).is_err(),
                "{cursor} cut at {cut}"
            );
        }
    }
}
