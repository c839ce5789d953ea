//! POST products: a new product. It is not published and has no variants yet.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::check::{self, Change, Given, PictureBody};
use super::store::{self, Fields};
use super::{Product, edit};
use crate::backoffice::log::{self, Actor, Subject};
use crate::db::{Connection, Deadline};
use crate::error::Result;
use crate::request::Json;
use crate::state::AppState;
use crate::types::money::Currency;
use crate::types::text::Checks;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProduct, example = json!({
    "title": "Blue cup", "description": "<p>Holds 300 ml.</p>", "category": "kitchen", "options": ["Size"],
}))]
pub struct Body {
    /// Unique; made of the title when it is not given. Small letters and digits, parted by hyphens
    #[schema(min_length = 1, max_length = 191)]
    handle: Option<String>,
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    /// HTML; what could do harm in a page is taken out
    #[serde(default)]
    #[schema(max_length = 40000)]
    description: String,
    #[serde(default)]
    #[schema(max_length = 255)]
    vendor: String,
    /// Parted by commas
    #[serde(default)]
    #[schema(max_length = 1000)]
    tags: String,
    /// The handle of a category
    #[schema(min_length = 1, max_length = 191)]
    category: String,
    /// Names such as Size; each variant has a value for each
    #[serde(default)]
    #[schema(max_items = 3)]
    options: Vec<String>,
    #[serde(default)]
    #[schema(max_items = 50)]
    pictures: Vec<PictureBody>,
}

/// A new product, not published yet: variants come next
#[utoipa::path(
    post,
    path = "/api/v1/admin/products",
    tag = "backoffice",
    security(("bearer" = [])),
    request_body = Body,
    responses(
        (status = 201, body = Product, headers(("ETag" = String, description = "The product's revision"))),
        (status = 409, description = "already_exists"),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    by: Actor,
    deadline: Deadline,
    Json(body): Json<Body>,
) -> Result<Response> {
    let mut checks = Checks::default();
    let handle = check::handle(body.handle.as_deref(), &body.title, &mut checks);
    let given = Given {
        title: Some(body.title),
        description: Some(body.description),
        vendor: Some(body.vendor),
        tags: Some(body.tags),
        category: Some(body.category),
        options: Some(body.options),
        pictures: Some(body.pictures),
        published: None,
    };
    let new = Arc::new((handle, given.check(checks).await?));
    let currency = state.config.currency;
    let product = state
        .db
        .transact(deadline, move |tx| {
            let (new, by) = (Arc::clone(&new), by.clone());
            Box::pin(async move { write(tx, &by, &new.0, &new.1, currency).await })
        })
        .await?;
    Ok(product.answer(StatusCode::CREATED))
}

async fn write(
    tx: &mut Connection,
    by: &Actor,
    handle: &str,
    new: &Change,
    currency: Currency,
) -> Result<Product> {
    let mut fields = Fields::default();
    let changes = edit::merge(tx, &mut fields, new).await?;
    let id = store::insert(tx, handle, &fields).await?;
    if let Some(pictures) = &new.pictures {
        edit::check_pictures(pictures, &[])?;
        store::write_pictures(tx, id, pictures).await?;
    }
    // No row in the change feed: what is not published yet is in no cache.
    let detail = changes.join("; ");
    log::record(
        &mut *tx,
        by,
        "product.create",
        &Subject::new("product", id),
        &detail,
    )
    .await?;
    super::read(tx, id, currency).await
}
