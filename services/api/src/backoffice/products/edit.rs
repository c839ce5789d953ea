//! PATCH products/{id}: text, category, options, pictures, and whether it is published.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::check::{Change, Given, PictureBody};
use super::store::{self, Fields, Stored};
use super::{Picture, Product};
use crate::backoffice::log::Actor;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::request::{IfMatch, Json, Segment};
use crate::state::AppState;
use crate::types::id::{ProductId, VariantId};
use crate::types::money::Currency;
use crate::types::text::Checks;

/// What is not given, or null, stays as it is
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductEdit, example = json!({"title": "Blue cup, 300 ml", "published": true}))]
pub struct Body {
    #[schema(min_length = 1, max_length = 255)]
    title: Option<String>,
    /// HTML; what could do harm in a page is taken out
    #[schema(max_length = 40000)]
    description: Option<String>,
    #[schema(max_length = 255)]
    vendor: Option<String>,
    /// Parted by commas
    #[schema(max_length = 1000)]
    tags: Option<String>,
    /// The handle of a category
    #[schema(min_length = 1, max_length = 191)]
    category: Option<String>,
    /// New names of the options; as many as there are while the product has variants
    #[schema(max_items = 3)]
    options: Option<Vec<String>>,
    /// All of them, in their order
    #[schema(max_items = 50)]
    pictures: Option<Vec<PictureBody>>,
    /// False withdraws the product: shoppers see it no more and cannot buy it
    published: Option<bool>,
}

/// Edits, publishes or withdraws a product
#[utoipa::path(
    patch,
    path = "/api/v1/admin/products/{id}",
    tag = "backoffice",
    security(("bearer" = [])),
    params(
        ("id" = ProductId, Path),
        ("If-Match" = String, Header, description = "The ETag of the product as it was read"),
    ),
    request_body = Body,
    responses(
        (status = 200, body = Product, headers(("ETag" = String, description = "The product's revision"))),
        (status = 404, description = "not_found"),
        (status = 412, description = "precondition_failed"),
        (status = 428, description = "precondition_required"),
    ),
)]
pub async fn edit(
    State(state): State<AppState>,
    by: Actor,
    deadline: Deadline,
    Segment(id): Segment,
    IfMatch(expected): IfMatch,
    Json(body): Json<Body>,
) -> Result<Response> {
    let id = ProductId::parse(&id)?;
    let given = Given {
        title: body.title,
        description: body.description,
        vendor: body.vendor,
        tags: body.tags,
        category: body.category,
        options: body.options,
        pictures: body.pictures,
        published: body.published,
    };
    let change = Arc::new(given.check(Checks::default()).await?);
    let currency = state.config.currency;
    let product = state
        .db
        .transact(deadline, move |tx| {
            let (change, by) = (Arc::clone(&change), by.clone());
            Box::pin(async move {
                let stored = super::begin(tx, id, expected).await?;
                write(tx, &by, stored, &change, currency).await
            })
        })
        .await?;
    Ok(product.answer(StatusCode::OK))
}

async fn write(
    tx: &mut Connection,
    by: &Actor,
    stored: Stored,
    change: &Change,
    currency: Currency,
) -> Result<Product> {
    let id = stored.id;
    let variants = store::variants::of(tx, id).await?;
    let mut fields = stored.fields.clone();
    let mut changes = merge(tx, &mut fields, change).await?;
    if fields.named_options() != stored.fields.named_options() && !variants.is_empty() {
        return Err(Error::field(
            "options",
            "must be as many as the product's variants have values for",
        ));
    }
    if fields.published && variants.iter().all(|variant| variant.is_withdrawn) {
        return Err(Error::field(
            "published",
            "must be false: no variant of the product is for sale",
        ));
    }
    if let Some(pictures) = &change.pictures
        && *pictures != store::pictures(tx, id).await?
    {
        let ids: Vec<VariantId> = variants.iter().map(|variant| variant.id).collect();
        check_pictures(pictures, &ids)?;
        store::write_pictures(tx, id, pictures).await?;
        changes.push(format!("pictures: {}", pictures.len()));
    }
    if changes.is_empty() {
        return super::read(tx, id, currency).await;
    }
    store::write(tx, id, &fields).await?;
    let action = match (stored.fields.published, fields.published) {
        (false, true) => "product.publish",
        (true, false) => "product.withdraw",
        _ => "product.edit",
    };
    super::end(tx, id, by, action, &changes.join("; "), currency).await
}

/// Takes into `fields` what is to be changed of the product's own row, and says what differs, in words.
pub async fn merge(tx: &mut Connection, fields: &mut Fields, change: &Change) -> Result<Vec<String>> {
    let mut changes = Vec::new();
    for (name, new, old) in [
        ("title", &change.title, &mut fields.title),
        ("vendor", &change.vendor, &mut fields.vendor),
        ("tags", &change.tags, &mut fields.tags),
    ] {
        if let Some(new) = new
            && new != old
        {
            changes.push(format!("{name}: {old:?} -> {new:?}"));
            old.clone_from(new);
        }
    }
    if let Some(new) = &change.description
        && new.html != fields.description
    {
        let (before, after) = (fields.description.len(), new.html.len());
        changes.push(format!("description: {before} -> {after} bytes"));
        fields.description.clone_from(&new.html);
        fields.search_text.clone_from(&new.plain);
    }
    if let Some(handle) = &change.category {
        let category = store::category(tx, handle).await?;
        let category = category.ok_or_else(|| Error::field("category", "is no category of this shop"))?;
        if category != fields.category_id {
            changes.push(format!("category: {handle:?}"));
            fields.category_id = category;
        }
    }
    if let Some(names) = &change.options
        && *names != fields.options
    {
        changes.push(format!("options: {:?} -> {names:?}", fields.options));
        fields.options.clone_from(names);
    }
    if let Some(published) = change.published
        && published != fields.published
    {
        changes.push(format!("published: {published}"));
        fields.published = published;
    }
    Ok(changes)
}

/// A picture shows a variant of its own product.
///
/// # Errors
/// 422 that names the picture.
pub fn check_pictures(pictures: &[Picture], variants: &[VariantId]) -> Result<()> {
    let mut checks = Checks::default();
    for (index, picture) in pictures.iter().enumerate() {
        if picture.variant_id.is_some_and(|id| !variants.contains(&id)) {
            checks.fail(
                format!("pictures[{index}].variant_id"),
                "is no variant of this product",
            );
        }
    }
    checks.done()
}
