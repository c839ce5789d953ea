//! One product with its variants.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rating::Rating;
use super::respond::{respond, share};
use super::store;
use crate::cache::{Hit, Key, Loaded};
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::Segment;
use crate::state::AppState;
use crate::types::id::{ProductId, VariantId};
use crate::types::money::Money;

/// From this many pieces down, an answer says how many are left; only then does a sale change a product's bytes.
pub const FEW_LEFT: i32 = 10;

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Product {
    pub id: ProductId,
    #[schema(example = "brushed-steel-kettle-17")]
    pub handle: String,
    #[schema(example = "Brushed steel kettle")]
    pub title: String,
    /// HTML, sanitised when it was imported.
    #[schema(example = "<p>Boils a litre in three minutes.</p>")]
    pub description: String,
    #[schema(example = "Northwind")]
    pub vendor: String,
    pub category: Category,
    /// The lowest price of its variants.
    pub price: Money,
    pub in_stock: bool,
    pub rating: Rating,
    /// The names of its options, such as Size.
    #[schema(example = json!(["Size", "Colour"]))]
    pub options: Vec<String>,
    pub variants: Vec<Variant>,
    pub pictures: Vec<Picture>,
    /// Grows with each change
    #[schema(minimum = 1, example = 3)]
    pub version: u64,
    #[schema(format = DateTime, example = "2026-01-31T12:00:00Z")]
    pub created_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Category {
    #[schema(example = "kitchen")]
    pub handle: String,
    #[schema(example = "Kitchen")]
    pub name: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Variant {
    pub id: VariantId,
    #[schema(example = "KIT-000017-1")]
    pub sku: Option<String>,
    /// A value for each option of the product.
    #[schema(example = json!(["M", "Blue"]))]
    pub options: Vec<String>,
    pub price: Money,
    pub in_stock: bool,
    /// Pieces left, said only at 10 or fewer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(minimum = 0, maximum = 10, example = 3)]
    pub left: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Picture {
    #[schema(example = "https://cdn.example.com/kettle.jpg")]
    pub url: String,
    #[schema(example = "The kettle from the side")]
    pub alt: String,
    pub variant_id: Option<VariantId>,
}

impl Product {
    /// The picture that shows a variant: its own, else the product's first.
    pub fn picture_of(&self, variant: VariantId) -> Option<String> {
        let own = self
            .pictures
            .iter()
            .find(|picture| picture.variant_id == Some(variant));
        own.or_else(|| self.pictures.first())
            .map(|picture| picture.url.clone())
    }
}

/// One product with its variants
#[utoipa::path(
    get,
    path = "/api/v1/products/{id}",
    tag = "catalog",
    params(("id" = ProductId, Path)),
    responses((status = 200, body = Product), (status = 404, description = "not_found")),
)]
pub async fn show(
    State(state): State<AppState>,
    deadline: Deadline,
    Segment(id): Segment,
) -> Result<Response> {
    let hit = hit(&state, deadline, ProductId::parse(&id)?).await?;
    Ok(share(&state, &hit, respond(&hit, "product")))
}

async fn hit(state: &AppState, deadline: Deadline, id: ProductId) -> Result<Hit> {
    let key = Key::Product(id.0);
    let load = || -> crate::cache::Load {
        let db = state.db.clone();
        let currency = state.config.currency;
        Box::new(move |deadline| {
            let db = db.clone();
            Box::pin(async move {
                let found = db
                    .read(deadline, move |connection| {
                        Box::pin(store::product(connection, id, currency))
                    })
                    .await?;
                let Some(found) = found else {
                    return Ok(Loaded {
                        body: None,
                        version: 0,
                    });
                };
                let body = found.product.as_ref().map(serde_json::to_vec).transpose();
                let body =
                    body.map_err(|error| Error::Internal(format!("a product cannot be written: {error}")))?;
                Ok(Loaded {
                    body: body.map(Into::into),
                    version: found.version,
                })
            })
        })
    };
    state.cache.get(state.redis.as_ref(), key, deadline, load).await
}

/// A product for the server's own use; None when it is not for sale.
///
/// # Errors
/// When no layer can say.
pub async fn read(state: &AppState, deadline: Deadline, id: ProductId) -> Result<Option<Product>> {
    let hit = hit(state, deadline, id).await?;
    let entry = Arc::clone(&hit.entry);
    let Some(body) = &entry.body else {
        return Ok(None);
    };
    let product = serde_json::from_slice(body);
    product
        .map(Some)
        .map_err(|error| Error::Internal(format!("the bytes of product {id} cannot be read: {error}")))
}
