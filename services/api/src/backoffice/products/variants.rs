//! POST products/{id}/variants and PATCH variants/{id}. Both name the product's revision: a variant is a part of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::store::variants::{self as store, StoredVariant};
use super::{Product, check};
use crate::backoffice::log::Actor;
use crate::checkout::stock;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::import::product::MOST_VARIANTS;
use crate::request::{IfMatch, Json, Segment};
use crate::state::AppState;
use crate::types::id::{ProductId, VariantId};
use crate::types::money::{Currency, Money};
use crate::types::text::Checks;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVariant, example = json!({
    "sku": "CUP-300", "options": ["300 ml"], "price": {"amount": 1250, "currency": "USD"}, "on_hand": 20,
}))]
pub struct NewBody {
    /// Unique in the shop; empty for none
    #[serde(default)]
    #[schema(max_length = 100)]
    sku: String,
    /// A value for each option of the product
    #[serde(default)]
    #[schema(max_items = 3)]
    options: Vec<String>,
    price: Money,
    /// Pieces there are
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    on_hand: i32,
}

/// A new variant with its stock
#[utoipa::path(
    post,
    path = "/api/v1/admin/products/{id}/variants",
    tag = "backoffice",
    security(("bearer" = [])),
    params(
        ("id" = ProductId, Path),
        ("If-Match" = String, Header, description = "The ETag of the product as it was read"),
    ),
    request_body = NewBody,
    responses(
        (status = 201, body = Product, headers(("ETag" = String, description = "The product's revision"))),
        (status = 404, description = "not_found"),
        (status = 409, description = "already_exists"),
        (status = 412, description = "precondition_failed"),
        (status = 428, description = "precondition_required"),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    by: Actor,
    deadline: Deadline,
    Segment(id): Segment,
    IfMatch(expected): IfMatch,
    Json(body): Json<NewBody>,
) -> Result<Response> {
    let id = ProductId::parse(&id)?;
    let currency = state.config.currency;
    let mut checks = Checks::default();
    let new = Arc::new(StoredVariant {
        id: VariantId(0),
        position: 0,
        sku: check::sku(&body.sku, &mut checks),
        options: check::option_values(&body.options, &mut checks),
        price: check::price(body.price, currency, &mut checks),
        is_withdrawn: false,
    });
    if !(0..=stock::MOST).contains(&body.on_hand) {
        checks.fail("on_hand", format!("must be from 0 to {}", stock::MOST));
    }
    checks.done()?;
    let product = state
        .db
        .transact(deadline, move |tx| {
            let (new, by) = (Arc::clone(&new), by.clone());
            Box::pin(async move { add(tx, &by, id, expected, &new, body.on_hand, currency).await })
        })
        .await?;
    Ok(product.answer(StatusCode::CREATED))
}

async fn add(
    tx: &mut Connection,
    by: &Actor,
    product: ProductId,
    expected: u64,
    new: &StoredVariant,
    on_hand: i32,
    currency: Currency,
) -> Result<Product> {
    let stored = super::begin(tx, product, expected).await?;
    check_values(stored.fields.named_options(), &new.options)?;
    let others = store::of(tx, product).await?;
    if others.len() >= MOST_VARIANTS {
        return Err(Error::field(
            "options",
            format!("would be variant {} of at most {MOST_VARIANTS}", others.len() + 1),
        ));
    }
    let last = others
        .iter()
        .map(|other| other.position)
        .max()
        .unwrap_or_default();
    let variant = store::insert(tx, product, last.saturating_add(1), new).await?;
    stock::begin(tx, variant, on_hand, "backoffice").await?;
    let detail = format!(
        "variant {variant}: sku {:?}, options {:?}, price {}, on hand {on_hand}",
        new.sku, new.options, new.price
    );
    super::end(tx, product, by, "variant.create", &detail, currency).await
}

/// What is not given, or null, stays as it is
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariantEdit, example = json!({"price": {"amount": 1150, "currency": "USD"}}))]
pub struct EditBody {
    /// Unique in the shop; empty for none
    #[schema(max_length = 100)]
    sku: Option<String>,
    /// A value for each option of the product
    #[schema(max_items = 3)]
    options: Option<Vec<String>>,
    price: Option<Money>,
    /// True takes the variant out of the shop, false puts it back
    withdrawn: Option<bool>,
}

/// What an edit changes.
struct Change {
    /// Empty for none
    sku: Option<String>,
    options: Option<[String; 3]>,
    price: Option<i64>,
    withdrawn: Option<bool>,
}

/// Edits, withdraws or puts back a variant
#[utoipa::path(
    patch,
    path = "/api/v1/admin/variants/{id}",
    tag = "backoffice",
    security(("bearer" = [])),
    params(
        ("id" = VariantId, Path),
        ("If-Match" = String, Header, description = "The ETag of the variant's product as it was read"),
    ),
    request_body = EditBody,
    responses(
        (status = 200, body = Product, headers(("ETag" = String, description = "The product's revision"))),
        (status = 404, description = "not_found"),
        (status = 409, description = "already_exists"),
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
    Json(body): Json<EditBody>,
) -> Result<Response> {
    let id = VariantId::parse(&id)?;
    let currency = state.config.currency;
    let mut checks = Checks::default();
    let change = Arc::new(Change {
        sku: body
            .sku
            .map(|sku| check::sku(&sku, &mut checks).unwrap_or_default()),
        options: body
            .options
            .map(|values| check::option_values(&values, &mut checks)),
        price: body.price.map(|price| check::price(price, currency, &mut checks)),
        withdrawn: body.withdrawn,
    });
    checks.done()?;
    let product = state
        .db
        .transact(deadline, move |tx| {
            let (change, by) = (Arc::clone(&change), by.clone());
            Box::pin(async move { write(tx, &by, id, expected, &change, currency).await })
        })
        .await?;
    Ok(product.answer(StatusCode::OK))
}

async fn write(
    tx: &mut Connection,
    by: &Actor,
    id: VariantId,
    expected: u64,
    change: &Change,
    currency: Currency,
) -> Result<Product> {
    let product = store::product_of(tx, id)
        .await?
        .ok_or(Error::NotFound("variant"))?;
    let stored = super::begin(tx, product, expected).await?;
    let all = store::of(tx, product).await?;
    let is_last = |id| all.iter().all(|variant| variant.id == id || variant.is_withdrawn);
    let known = all.iter().find(|variant| variant.id == id);
    let known = known.ok_or(Error::NotFound("variant"))?;
    let mut wanted = known.clone();
    let changes = merge(&mut wanted, change);
    if changes.is_empty() {
        return super::read(tx, product, currency).await;
    }
    check_values(stored.fields.named_options(), &wanted.options)?;
    if wanted.is_withdrawn && stored.fields.published && is_last(id) {
        return Err(Error::field(
            "withdrawn",
            "must be false: it is the last variant for sale of a published product",
        ));
    }
    store::write(tx, &wanted).await?;
    if wanted.is_withdrawn != known.is_withdrawn {
        store::withdraw(tx, id, wanted.is_withdrawn).await?;
    }
    let detail = format!("variant {id}: {}", changes.join("; "));
    super::end(tx, product, by, "variant.edit", &detail, currency).await
}

fn merge(wanted: &mut StoredVariant, change: &Change) -> Vec<String> {
    let mut changes = Vec::new();
    if let Some(sku) = &change.sku
        && sku != wanted.sku.as_deref().unwrap_or_default()
    {
        changes.push(format!(
            "sku: {:?} -> {sku:?}",
            wanted.sku.as_deref().unwrap_or_default()
        ));
        wanted.sku = Some(sku.clone()).filter(|sku| !sku.is_empty());
    }
    if let Some(options) = &change.options
        && *options != wanted.options
    {
        changes.push(format!("options: {:?} -> {options:?}", wanted.options));
        wanted.options.clone_from(options);
    }
    if let Some(price) = change.price
        && price != wanted.price
    {
        changes.push(format!("price: {} -> {price}", wanted.price));
        wanted.price = price;
    }
    if let Some(withdrawn) = change.withdrawn
        && withdrawn != wanted.is_withdrawn
    {
        changes.push(format!("withdrawn: {withdrawn}"));
        wanted.is_withdrawn = withdrawn;
    }
    changes
}

/// A variant has a value for each option of its product and for no other.
fn check_values(named: usize, values: &[String; 3]) -> Result<()> {
    if values.iter().filter(|value| !value.is_empty()).count() == named {
        return Ok(());
    }
    Err(Error::field(
        "options",
        format!("must be {named}: one for each option of the product"),
    ))
}
