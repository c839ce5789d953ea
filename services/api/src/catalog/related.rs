//! What goes with a product: what was bought with it, then what else its category has.

use axum::extract::State;
use axum::response::Response;

use super::cached::answer;
use super::list::Summary;
use super::store::{self, ranking};
use crate::cache::Key;
use crate::db::Deadline;
use crate::error::Result;
use crate::request::Segment;
use crate::state::AppState;
use crate::types::id::ProductId;
use crate::types::page::Page;

/// Up to 10 products that go with one
///
/// First what was bought in the same orders, most often first, over the paid ones among its latest 200 orders; then the
/// newest of its category. Never the product itself. There is one page. An answer may be 5 s old.
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}/related",
    tag = "catalog",
    params(("id" = ProductId, Path)),
    responses((status = 200, body = Page<Summary>), (status = 404, description = "not_found")),
)]
pub async fn related(
    State(state): State<AppState>,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Response> {
    let id = ProductId::parse(&id)?;
    let currency = state.config.currency;
    let key = Key::Related(id.0);
    answer(&state, deadline, key, "product", move |connection| {
        Box::pin(async move {
            let Some(ids) = ranking::related(connection, id).await? else {
                return Ok(None);
            };
            store::summaries(connection, &ids, currency)
                .await
                .map(Page::whole)
                .map(Some)
        })
    })
    .await
}
