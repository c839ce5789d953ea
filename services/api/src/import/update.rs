//! One product that the shop has already: what differs is written, and only that.

use sqlx::MySqlConnection;

use aws_lc_rs::digest;

use super::apply::{add_pictures, add_variants, variants_of};
use super::check::Accepted;
use super::row::VariantPart;
use super::store::{self, StoredPicture, StoredProduct, StoredVariant};
use super::text;

/// A product as the shop has it.
pub struct Stored {
    pub product: StoredProduct,
    pub variants: Vec<StoredVariant>,
    pub pictures: Vec<StoredPicture>,
}

#[derive(Debug, Default)]
pub struct Changed {
    /// The product's new version; None when the file says nothing new.
    pub version: Option<u64>,
    pub variants_created: u64,
    pub variants_updated: u64,
}

impl StoredVariant {
    pub fn options(&self) -> [String; 3] {
        [self.option1.clone(), self.option2.clone(), self.option3.clone()]
    }

    fn is_of(&self, part: &VariantPart) -> bool {
        [&self.option1, &self.option2, &self.option3]
            .into_iter()
            .eq(&part.options)
    }
}

/// A variant that differs: its id, the SKU it had, and the SKU and price that it gets.
struct VariantChange {
    id: u64,
    had: Option<String>,
    sku: Option<String>,
    price: i64,
}

/// Brings the shop's product to what the file says. `category` is None when the file says nothing of it.
pub async fn product(
    tx: &mut MySqlConnection,
    stored: &Stored,
    item: &Accepted<'_>,
    category: Option<u64>,
) -> anyhow::Result<Changed> {
    let variants = variant_changes(stored, item);
    let new = new_variants(stored, item);
    let wanted = wanted(stored, item, category);
    let described = described_anew(stored, item);
    let pictured = !item.refused && pictures_differ(stored, item);
    let product_differs = wanted != stored.product || described.is_some();
    let any = product_differs || pictured || !variants.is_empty() || !new.is_empty();
    if !any {
        return Ok(Changed::default());
    }
    let id = stored.product.id;
    // After the product, before its stock: sales lock this row before they look whether anything is left.
    let version = store::lock_state(tx, id).await? + 1;
    if product_differs {
        write_product(tx, &wanted).await?;
    }
    revise(tx, id).await?;
    if let Some(description) = described {
        sqlx::query!(
            "UPDATE products SET description = ?, search_text = ? WHERE id = ?",
            description,
            text::plain(description),
            id,
        )
        .execute(&mut *tx)
        .await?;
    }
    write_variants(tx, &variants).await?;
    let ids = add_variants(tx, &new).await?;
    if pictured {
        sqlx::query!("DELETE FROM product_pictures WHERE product_id = ?", id)
            .execute(&mut *tx)
            .await?;
        let of_variant = |index: usize| {
            let part = &item.draft.variants[index];
            let known = stored.variants.iter().find(|known| known.is_of(part));
            known.map_or_else(
                || ids.get(&(id, part.options.clone())).copied(),
                |known| Some(known.id),
            )
        };
        add_pictures(tx, id, item, of_variant).await?;
    }
    let in_stock = i8::from(new.iter().any(|(_, _, part)| part.quantity > 0));
    sqlx::query!(
        "UPDATE product_state SET version = ?, in_stock = GREATEST(in_stock, ?) WHERE product_id = ?",
        version,
        in_stock,
        id,
    )
    .execute(&mut *tx)
    .await?;
    Ok(Changed {
        version: Some(version),
        variants_created: new.len() as u64,
        variants_updated: variants.len() as u64,
    })
}

/// Variants that the shop has with another price or SKU.
fn variant_changes(stored: &Stored, item: &Accepted<'_>) -> Vec<VariantChange> {
    variants_of(item)
        .filter_map(|(_, part)| {
            let known = stored.variants.iter().find(|known| known.is_of(part))?;
            let sku = if item.draft.has.skus {
                part.sku.clone()
            } else {
                known.sku.clone()
            };
            (sku != known.sku || part.price != known.price).then(|| VariantChange {
                id: known.id,
                had: known.sku.clone(),
                sku,
                price: part.price,
            })
        })
        .collect()
}

/// Variants that the shop does not have, placed behind those that it has.
fn new_variants<'a>(stored: &Stored, item: &Accepted<'a>) -> Vec<(u64, i32, &'a VariantPart)> {
    let last = stored.variants.iter().map(|known| known.position).max();
    let parts = variants_of(item)
        .map(|(_, part)| part)
        .filter(|part| !stored.variants.iter().any(|known| known.is_of(part)));
    (last.unwrap_or_default() + 1..)
        .zip(parts)
        .map(|(position, part)| (stored.product.id, position, part))
        .collect()
}

/// The product's row as the file wants it; the description apart.
fn wanted(stored: &Stored, item: &Accepted<'_>, category: Option<u64>) -> StoredProduct {
    let product = &item.draft.product;
    let known = &stored.product;
    let [option1_name, option2_name, option3_name] = product.option_names.clone();
    let priced = |known: &StoredVariant| {
        let part = variants_of(item).find(|(_, part)| known.is_of(part));
        part.map_or(known.price, |(_, part)| part.price)
    };
    let new = variants_of(item)
        .map(|(_, part)| part)
        .filter(|part| !stored.variants.iter().any(|known| known.is_of(part)));
    let price_min = stored
        .variants
        .iter()
        .filter(|known| !known.is_withdrawn)
        .map(priced)
        .chain(new.map(|part| part.price))
        .min();
    StoredProduct {
        title: product.title.clone(),
        vendor: product.vendor.clone().unwrap_or_else(|| known.vendor.clone()),
        tags: product.tags.clone().unwrap_or_else(|| known.tags.clone()),
        category_id: category.unwrap_or(known.category_id),
        option1_name,
        option2_name,
        option3_name,
        price_min: price_min.unwrap_or(known.price_min),
        // Never with nothing for sale, as in the backoffice.
        published: i8::from(price_min.is_some() && product.published.unwrap_or(known.published != 0)),
        ..known.clone()
    }
}

/// The file's description, when the shop has another.
fn described_anew<'a>(stored: &Stored, item: &Accepted<'a>) -> Option<&'a str> {
    let description = item.draft.product.description.as_deref()?;
    let hash = digest::digest(&digest::SHA256, description.as_bytes());
    let hash = hash.as_ref().iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    });
    (hash != stored.product.description_hash).then_some(description)
}

fn pictures_differ(stored: &Stored, item: &Accepted<'_>) -> bool {
    let pictures = &item.draft.pictures;
    let same = |(known, picture): (&StoredPicture, &super::product::Picture)| {
        let variant = picture.variant.map(|index| {
            let part = &item.draft.variants[index];
            stored
                .variants
                .iter()
                .find(|known| known.is_of(part))
                .map(|known| known.id)
        });
        // A picture of a variant that is still to be made differs.
        known.url == picture.url
            && known.alt == picture.alt
            && variant.is_none_or(|variant| variant.is_some())
            && known.variant_id == variant.flatten()
    };
    item.draft.has.pictures
        && (stored.pictures.len() != pictures.len() || !stored.pictures.iter().zip(pictures).all(same))
}

async fn write_product(tx: &mut MySqlConnection, wanted: &StoredProduct) -> anyhow::Result<()> {
    let updated = sqlx::query!(
        "UPDATE products
        SET title = ?, vendor = ?, tags = ?, category_id = ?, option1_name = ?, option2_name = ?, option3_name = ?,
            price_min = ?, published = ?
        WHERE id = ?",
        wanted.title,
        wanted.vendor,
        wanted.tags,
        wanted.category_id,
        wanted.option1_name,
        wanted.option2_name,
        wanted.option3_name,
        wanted.price_min,
        wanted.published,
        wanted.id,
    )
    .execute(tx)
    .await?;
    anyhow::ensure!(updated.rows_affected() == 1, "product {} is gone", wanted.id);
    Ok(())
}

/// `updated_at` is the product's revision: an editor in the backoffice who read the one before is refused.
async fn revise(tx: &mut MySqlConnection, product: u64) -> anyhow::Result<()> {
    sqlx::query!(
        "UPDATE products
        SET updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)
        WHERE id = ?",
        product,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Two passes, so that SKUs may be exchanged between variants: each is unique at every moment.
async fn write_variants(tx: &mut MySqlConnection, changes: &[VariantChange]) -> anyhow::Result<()> {
    for change in changes
        .iter()
        .filter(|change| change.had.is_some() && change.had != change.sku)
    {
        sqlx::query!("UPDATE variants SET sku = NULL WHERE id = ?", change.id)
            .execute(&mut *tx)
            .await?;
    }
    for change in changes {
        sqlx::query!(
            "UPDATE variants SET sku = ?, price = ? WHERE id = ?",
            change.sku,
            change.price,
            change.id,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
