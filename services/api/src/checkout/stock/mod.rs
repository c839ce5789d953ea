//! What is done to stock: an order takes when it is placed, and gives back when it fails or is cancelled; the
//! backoffice begins a new variant's and adjusts it.
//!
//! Three things happen together in the caller's transaction, here and nowhere else: a row in the ledger, the change
//! of what is on hand (so that invariant 1 holds), and, where the product's bytes now say something else, a new
//! version of the product. Rows are locked in one order, so that orders cannot deadlock: stock by variant id, then
//! products by id. Callers do this last before COMMIT, because a hot variant's row is locked from here on.

mod store;

use std::collections::BTreeSet;

use crate::cache::feed;
use crate::catalog::product::FEW_LEFT;
use crate::db::Connection;
use crate::error::{Error, Result, Shortage};
use crate::types::id::{OrderId, ProductId, VariantId};

/// How many of a variant an order takes or gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub variant: VariantId,
    pub product: ProductId,
    pub quantity: i32,
}

/// Why stock comes back, as the ledger says it.
#[derive(Debug, Clone, Copy)]
pub enum GivenBack {
    /// The order failed.
    Release,
    /// The order was cancelled.
    Restock,
}

/// Takes what an order needs.
///
/// # Errors
/// 409 `out_of_stock` with what is left of every variant of which there is too little. The caller rolls back.
pub async fn take(tx: &mut Connection, order: OrderId, pieces: &[Piece]) -> Result<()> {
    let pieces = by_variant(pieces);
    store::write_ledger(tx, "hold", order, pieces.iter().map(|p| (p.variant, -p.quantity))).await?;
    let mut changed = BTreeSet::new();
    for (index, piece) in pieces.iter().enumerate() {
        let Some(left) = store::take(tx, piece.variant, piece.quantity).await? else {
            return Err(Error::OutOfStock(shortages(tx, &pieces[index..]).await?));
        };
        if bytes_change(left) {
            changed.insert(piece.product);
        }
    }
    products_changed(tx, changed).await
}

/// Gives back what an order's lines took.
///
/// # Errors
/// When the database refuses.
pub async fn give_back(tx: &mut Connection, order: OrderId, why: GivenBack) -> Result<()> {
    let pieces = by_variant(&store::pieces_of(tx, order).await?);
    let kind = match why {
        GivenBack::Release => "release",
        GivenBack::Restock => "restock",
    };
    store::write_ledger(tx, kind, order, pieces.iter().map(|p| (p.variant, p.quantity))).await?;
    let mut changed = BTreeSet::new();
    for piece in &pieces {
        let before = store::give(tx, piece.variant, piece.quantity).await?;
        let before =
            before.ok_or_else(|| Error::Internal(format!("variant {} has no stock row", piece.variant)))?;
        if bytes_change(before) {
            changed.insert(piece.product);
        }
    }
    products_changed(tx, changed).await
}

/// The most pieces of one variant.
pub const MOST: i32 = 1_000_000_000;

/// Gives a new variant its stock. The caller says that the product changed.
///
/// # Errors
/// When the database refuses.
pub async fn begin(tx: &mut Connection, variant: VariantId, on_hand: i32, reason: &str) -> Result<()> {
    store::write_adjustment(tx, "initial", variant, on_hand, reason).await?;
    store::insert(tx, variant, on_hand).await
}

/// Adds `change` pieces, or takes them away when it is negative; answers what is on hand then.
///
/// # Errors
/// 409 `out_of_stock` with what is left when there are not that many, 422 when there would be too many.
pub async fn adjust(
    tx: &mut Connection,
    variant: VariantId,
    product: ProductId,
    change: i32,
    reason: &str,
) -> Result<i32> {
    store::write_adjustment(tx, "adjust", variant, change, reason).await?;
    let Some(after) = store::adjust(tx, variant, change, MOST).await? else {
        let left = store::on_hand(tx, [variant].into_iter()).await?.remove(&variant);
        let left = left.ok_or_else(|| Error::Internal(format!("variant {variant} has no stock row")))?;
        return Err(if change < 0 {
            Error::OutOfStock(vec![Shortage {
                variant_id: variant,
                requested: change.saturating_neg(),
                left,
            }])
        } else {
            Error::field(
                "change",
                format!("would make more than {MOST}; {left} are on hand"),
            )
        });
    };
    if bytes_change(after.min(after - change)) {
        product_changed(tx, product).await?;
    }
    Ok(after)
}

/// Says that a product's bytes have changed: a new version, in the feed. Last of all before COMMIT.
///
/// # Errors
/// When the database refuses.
pub async fn product_changed(tx: &mut Connection, product: ProductId) -> Result<()> {
    let version = store::bump_product(tx, product).await?;
    feed::product_changed(&mut *tx, product, version).await
}

/// Whether a change between more and this few is seen in the product's bytes. `fewer` is the smaller of what was
/// on hand before and after.
fn bytes_change(fewer: i32) -> bool {
    fewer <= FEW_LEFT
}

/// The order in which stock rows are locked.
fn by_variant(pieces: &[Piece]) -> Vec<Piece> {
    let mut pieces = pieces.to_vec();
    pieces.sort_unstable_by_key(|piece| piece.variant);
    pieces
}

/// What is short among `pieces`, of which the first could not be taken.
async fn shortages(tx: &mut Connection, pieces: &[Piece]) -> Result<Vec<Shortage>> {
    let on_hand = store::on_hand(tx, pieces.iter().map(|piece| piece.variant)).await?;
    Ok(short(pieces, |variant| {
        on_hand.get(&variant).copied().unwrap_or(0)
    }))
}

fn short(pieces: &[Piece], on_hand: impl Fn(VariantId) -> i32) -> Vec<Shortage> {
    pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| (index, piece, on_hand(piece.variant)))
        // The first was short when it was tried, even if some came back since.
        .filter(|(index, piece, left)| *index == 0 || *left < piece.quantity)
        .map(|(_, piece, left)| Shortage {
            variant_id: piece.variant,
            requested: piece.quantity,
            left,
        })
        .collect()
}

async fn products_changed(tx: &mut Connection, products: BTreeSet<ProductId>) -> Result<()> {
    for product in products {
        product_changed(tx, product).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(variant: u64, quantity: i32) -> Piece {
        Piece {
            variant: VariantId(variant),
            product: ProductId(1),
            quantity,
        }
    }

    #[test]
    fn stock_is_locked_in_the_order_of_variants() {
        let sorted = by_variant(&[piece(3, 1), piece(1, 2), piece(2, 3)]);
        assert_eq!(sorted, [piece(1, 2), piece(2, 3), piece(3, 1)]);
    }

    #[test]
    fn the_bytes_change_only_where_the_number_left_is_shown() {
        assert!(bytes_change(0));
        assert!(bytes_change(10));
        assert!(!bytes_change(11));
    }

    #[test]
    fn every_short_variant_is_named_with_what_is_left() {
        let pieces = [piece(1, 5), piece(2, 1), piece(3, 9)];
        let found = short(&pieces, |variant| match variant.0 {
            1 => 2,
            2 => 7,
            _ => 0,
        });
        let found: Vec<_> = found
            .iter()
            .map(|s| (s.variant_id.0, s.requested, s.left))
            .collect();
        assert_eq!(found, [(1, 5, 2), (3, 9, 0)]);
    }
}
