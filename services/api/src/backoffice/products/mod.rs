//! Products and their variants as they are edited.
//!
//! A product's revision is its `updated_at` in microseconds: every edit of the product, its variants or pictures makes
//! it grow, here and in an import, and a sale never touches it. (`product_state.version` would not do: it grows with
//! sales, too, when few are left, and an editor would be refused for nothing.) An edit locks the product's row first,
//! so that two editors come one after the other and the second is refused.

pub mod category;
pub mod check;
pub mod create;
pub mod edit;
pub mod list;
pub mod show;
mod store;
pub mod variants;

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::backoffice::log::{self, Actor, Subject};
use crate::catalog::product::Category;
use crate::checkout::stock;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::request::{Private, etag};
use crate::types::id::{ProductId, VariantId};
use crate::types::money::{Currency, Money};
use store::Stored;

/// A product as it is edited, whether it is published or not
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminProduct)]
pub struct Product {
    pub id: ProductId,
    pub handle: String,
    pub title: String,
    /// HTML, sanitised
    pub description: String,
    pub vendor: String,
    /// Parted by commas
    pub tags: String,
    pub category: Category,
    /// The names of its options, such as Size
    pub options: Vec<String>,
    pub published: bool,
    pub variants: Vec<Variant>,
    pub pictures: Vec<Picture>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// A variant as it is edited; its stock is a thing of its own
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminVariant)]
pub struct Variant {
    pub id: VariantId,
    pub sku: Option<String>,
    /// A value for each option of the product
    pub options: Vec<String>,
    pub price: Money,
    /// No longer sold. A variant is never deleted: orders, carts and the ledger name it
    pub withdrawn: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AdminPicture)]
pub struct Picture {
    pub url: String,
    pub alt: String,
    pub variant_id: Option<VariantId>,
}

impl Product {
    /// What If-Match compares.
    fn revision(&self) -> u64 {
        store::revision(self.updated_at)
    }

    fn answer(self, status: StatusCode) -> Response {
        let tag = etag(self.revision());
        let mut response = Private(status, self).into_response();
        response.headers_mut().insert(header::ETAG, tag);
        response
    }
}

/// Locks a product for an edit.
///
/// # Errors
/// 404 when there is none, 412 when it is not at the revision that the editor saw.
async fn begin(tx: &mut Connection, id: ProductId, expected: u64) -> Result<Stored> {
    let stored = store::lock(tx, id).await?.ok_or(Error::NotFound("product"))?;
    if stored.revision == expected {
        Ok(stored)
    } else {
        Err(Error::PreconditionFailed)
    }
}

/// Ends an edit: a new revision, the log, and last of all the change feed.
async fn end(
    tx: &mut Connection,
    id: ProductId,
    by: &Actor,
    action: &'static str,
    detail: &str,
    currency: Currency,
) -> Result<Product> {
    store::revise(tx, id).await?;
    log::record(&mut *tx, by, action, &Subject::new("product", id), detail).await?;
    let product = read(tx, id, currency).await?;
    stock::product_changed(tx, id).await?;
    Ok(product)
}

/// # Errors
/// 404 when there is no such product.
async fn read(connection: &mut Connection, id: ProductId, currency: Currency) -> Result<Product> {
    let found = store::product(connection, id, currency).await?;
    found.ok_or(Error::NotFound("product"))
}
