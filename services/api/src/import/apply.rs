//! Writes a batch of products in one transaction: what is new, what differs, and nothing else.
//!
//! Stock is set when a variant is made and never again. A change to a product that the shop had raises its version and
//! goes to the change feed in the same transaction; a new one does not, as no cache can hold it.

use std::collections::{HashMap, HashSet};

use sqlx::{Executor as _, MySqlConnection};

use super::check::{self, Accepted, Refused};
use super::product::Draft;
use super::row::VariantPart;
use super::store::{self, StoredPicture, StoredProduct, StoredVariant};
use super::text;
use super::update::{self, Stored};
use crate::cache::feed;
use crate::command;
use crate::db;
use crate::types::id::ProductId;

/// How often a batch that met a deadlock or lock wait with a sale is tried in all.
const ATTEMPTS: u64 = 4;

#[derive(Debug, Default)]
pub struct Counts {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub variants_created: u64,
    pub variants_updated: u64,
}

/// Checks a batch and, when `write` says so, imports it.
pub async fn batch(
    connection: &mut MySqlConnection,
    drafts: &[Draft],
    write: bool,
) -> anyhow::Result<(Counts, Refused)> {
    let mut attempt = 1;
    loop {
        connection.execute("START TRANSACTION").await?;
        match within(connection, drafts, write).await {
            Ok(outcome) => {
                connection.execute("COMMIT").await?;
                return Ok(outcome);
            }
            Err(error) => {
                connection.execute("ROLLBACK").await?;
                let contention = error.downcast_ref::<sqlx::Error>().is_some_and(db::is_contention);
                if !contention || attempt == ATTEMPTS {
                    return Err(error);
                }
                tokio::time::sleep(std::time::Duration::from_millis(50 * attempt)).await;
                attempt += 1;
            }
        }
    }
}

async fn within(
    tx: &mut MySqlConnection,
    drafts: &[Draft],
    write: bool,
) -> anyhow::Result<(Counts, Refused)> {
    let (accepted, refused) = check::batch(tx, drafts).await?;
    let mut counts = Counts::default();
    if !write {
        return Ok((counts, refused));
    }
    let categories = categories(tx, &accepted).await?;
    // First of all, in the order of the backoffice's locks: what an editor commits meanwhile is seen, not written over.
    let handles = accepted.iter().map(|item| item.draft.handle.clone()).collect();
    store::lock_products(tx, handles).await?;
    let mut stored = load(tx, &accepted).await?;
    let mut new = vec![];
    let mut known = vec![];
    for item in &accepted {
        match stored.remove(&item.draft.handle) {
            Some(stored) => known.push((stored, item)),
            None => new.push(item),
        }
    }
    // In the order of ids, as everything that locks several products does.
    known.sort_by_key(|(stored, _)| stored.product.id);
    let mut changes = vec![];
    for (stored, item) in &known {
        let category = category_of(&categories, item);
        let changed = update::product(tx, stored, item, category).await?;
        counts.variants_created += changed.variants_created;
        counts.variants_updated += changed.variants_updated;
        if let Some(version) = changed.version {
            counts.updated += 1;
            changes.push((ProductId(stored.product.id), version));
        } else {
            counts.unchanged += 1;
        }
    }
    counts.created += new.len() as u64;
    counts.variants_created += create(tx, &categories, &new).await?;
    // Last before COMMIT: a row that is older than the feed looks back when it is committed is never seen.
    for (product, version) in changes {
        feed::product_changed(&mut *tx, product, version).await?;
    }
    Ok((counts, refused))
}

/// Ids of the batch's categories by name.
async fn categories(
    tx: &mut MySqlConnection,
    accepted: &[Accepted<'_>],
) -> anyhow::Result<HashMap<String, u64>> {
    let names: HashSet<&str> = accepted.iter().map(category_name).collect();
    let mut ids = HashMap::new();
    for name in names {
        ids.insert(name.to_owned(), store::category(tx, name).await?);
    }
    Ok(ids)
}

fn category_name<'a>(item: &Accepted<'a>) -> &'a str {
    item.draft.product.category.as_deref().unwrap_or("Other")
}

/// The category that the file gives; None when it says nothing of categories.
fn category_of(categories: &HashMap<String, u64>, item: &Accepted<'_>) -> Option<u64> {
    item.draft.product.category.as_ref()?;
    categories.get(category_name(item)).copied()
}

/// What the shop holds of these products, by handle.
async fn load(
    tx: &mut MySqlConnection,
    accepted: &[Accepted<'_>],
) -> anyhow::Result<HashMap<String, Stored>> {
    let handles = accepted.iter().map(|item| item.draft.handle.clone()).collect();
    let products: Vec<StoredProduct> = store::products(tx, handles).await?;
    let ids: Vec<u64> = products.iter().map(|product| product.id).collect();
    let mut variants: HashMap<u64, Vec<StoredVariant>> = HashMap::new();
    for variant in store::variants(tx, ids.clone()).await? {
        variants.entry(variant.product_id).or_default().push(variant);
    }
    let mut pictures: HashMap<u64, Vec<StoredPicture>> = HashMap::new();
    for picture in store::pictures(tx, ids).await? {
        pictures.entry(picture.product_id).or_default().push(picture);
    }
    Ok(products
        .into_iter()
        .map(|product| {
            let stored = Stored {
                variants: variants.remove(&product.id).unwrap_or_default(),
                pictures: pictures.remove(&product.id).unwrap_or_default(),
                product,
            };
            (stored.product.handle.clone(), stored)
        })
        .collect())
}

/// Variants of an item that were not refused, with their places in its draft.
pub fn variants_of<'a>(item: &Accepted<'a>) -> impl Iterator<Item = (usize, &'a VariantPart)> {
    let skip = item.skip.clone();
    item.draft
        .variants
        .iter()
        .enumerate()
        .filter(move |(index, _)| !skip[*index])
}

/// Makes products with their variants, stock, ledger and pictures. Answers how many variants there are.
async fn create(
    tx: &mut MySqlConnection,
    categories: &HashMap<String, u64>,
    new: &[&Accepted<'_>],
) -> anyhow::Result<u64> {
    command::insert(
        tx,
        "INSERT INTO products (handle, title, description, search_text, vendor, tags, category_id, option1_name,
            option2_name, option3_name, price_min, published, created_at, updated_at)",
        new,
        |mut row, item| {
            let product = &item.draft.product;
            let description = product.description.as_deref().unwrap_or_default();
            let price_min = variants_of(item).map(|(_, variant)| variant.price).min();
            row.push_bind(&item.draft.handle)
                .push_bind(&product.title)
                .push_bind(description)
                .push_bind(text::plain(description))
                .push_bind(product.vendor.as_deref().unwrap_or_default())
                .push_bind(product.tags.as_deref().unwrap_or_default())
                .push_bind(categories.get(category_name(item)))
                .push_bind(&product.option_names[0])
                .push_bind(&product.option_names[1])
                .push_bind(&product.option_names[2])
                .push_bind(price_min.unwrap_or_default())
                .push_bind(product.published.unwrap_or(true))
                .push("UTC_TIMESTAMP(6)")
                .push("UTC_TIMESTAMP(6)");
        },
    )
    .await?;
    let handles = new.iter().map(|item| item.draft.handle.clone()).collect();
    let ids = store::product_ids(tx, handles).await?;
    let new: Vec<_> = new
        .iter()
        .filter_map(|item| Some((*ids.get(&item.draft.handle)?, *item)))
        .collect();
    command::insert(
        tx,
        "INSERT INTO product_state (product_id, version, in_stock)",
        &new,
        |mut row, (id, item)| {
            let in_stock = variants_of(item).any(|(_, variant)| variant.quantity > 0);
            row.push_bind(id).push("1").push_bind(in_stock);
        },
    )
    .await?;
    let variants: Vec<_> = new
        .iter()
        .flat_map(|(id, item)| {
            (1_i32..)
                .zip(variants_of(item))
                .map(move |(position, (_, variant))| (*id, position, variant))
        })
        .collect();
    let ids = add_variants(tx, &variants).await?;
    for (product, item) in &new {
        let of_variant = |index: usize| {
            let options = &item.draft.variants[index].options;
            ids.get(&(*product, options.clone())).copied()
        };
        add_pictures(tx, *product, item, of_variant).await?;
    }
    Ok(variants.len() as u64)
}

/// Ids of variants by product and options.
pub type VariantIds = HashMap<(u64, [String; 3]), u64>;

/// Makes variants, (product, position, what the file has), with their stock and its ledger row.
pub async fn add_variants(
    tx: &mut MySqlConnection,
    new: &[(u64, i32, &VariantPart)],
) -> anyhow::Result<VariantIds> {
    command::insert(
        tx,
        "INSERT INTO variants (product_id, position, sku, option1, option2, option3, price)",
        new,
        |mut row, (product, position, variant)| {
            row.push_bind(product)
                .push_bind(position)
                .push_bind(&variant.sku)
                .push_bind(&variant.options[0])
                .push_bind(&variant.options[1])
                .push_bind(&variant.options[2])
                .push_bind(variant.price);
        },
    )
    .await?;
    let products: HashSet<u64> = new.iter().map(|(product, _, _)| *product).collect();
    let ids: VariantIds = store::variants(tx, products.into_iter().collect())
        .await?
        .into_iter()
        .map(|stored| ((stored.product_id, stored.options()), stored.id))
        .collect();
    let stock: Vec<_> = new
        .iter()
        .filter_map(|(product, _, variant)| {
            let id = ids.get(&(*product, variant.options.clone()))?;
            Some((*id, variant.quantity))
        })
        .collect();
    command::insert(
        tx,
        "INSERT INTO stock (variant_id, on_hand)",
        &stock,
        |mut row, (id, quantity)| {
            row.push_bind(id).push_bind(quantity);
        },
    )
    .await?;
    command::insert(
        tx,
        "INSERT INTO stock_movements (variant_id, kind, quantity, reason, created_at)",
        &stock,
        |mut row, (id, quantity)| {
            row.push_bind(id)
                .push("'initial'")
                .push_bind(quantity)
                .push("'import'")
                .push("UTC_TIMESTAMP(6)");
        },
    )
    .await?;
    Ok(ids)
}

/// Writes the pictures of a product that has none.
pub async fn add_pictures(
    tx: &mut MySqlConnection,
    product: u64,
    item: &Accepted<'_>,
    of_variant: impl Fn(usize) -> Option<u64> + Copy,
) -> anyhow::Result<()> {
    command::insert(
        tx,
        "INSERT INTO product_pictures (product_id, position, url, alt, variant_id)",
        (1_i32..).zip(&item.draft.pictures),
        |mut row, (position, picture)| {
            row.push_bind(product)
                .push_bind(position)
                .push_bind(&picture.url)
                .push_bind(&picture.alt)
                .push_bind(picture.variant.and_then(of_variant));
        },
    )
    .await?;
    Ok(())
}
