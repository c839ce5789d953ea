//! Place: the first of an order's two transactions. It writes the order, its lines and its ledger rows, and takes
//! the coupon's use and then the stock last. What is refused before its COMMIT leaves no row.

use std::sync::Arc;

use super::bill::{Bill, Cost};
use super::request::Wanted;
use super::stock::{self, Piece};
use super::store::{self, Inserted};
use crate::coupons::{self, uses};
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::state::AppState;
use crate::types::id::{CustomerId, OrderId};
use crate::types::money::{Currency, Money};

/// One customer's request under one Idempotency-Key.
#[derive(Debug)]
pub struct Attempt {
    pub customer: CustomerId,
    pub key: String,
    /// The order's id if this attempt is the one that places it.
    pub order: OrderId,
    pub wanted: Wanted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// The order is pending now; this is to be paid.
    New { total: Money },
    /// The key has an order already.
    Before,
}

/// # Errors
/// What the request asks for and the shop cannot give; then nothing was written. `Unavailable` when the deadline
/// passed: then the order may be there, and recovery settles it.
pub async fn place(state: &AppState, deadline: Deadline, attempt: &Arc<Attempt>) -> Result<Placed> {
    let currency = state.config.currency;
    let attempt = Arc::clone(attempt);
    state
        .db
        .transact(deadline, move |tx| {
            let attempt = Arc::clone(&attempt);
            Box::pin(async move { write(tx, &attempt, currency).await })
        })
        .await
}

async fn write(tx: &mut Connection, attempt: &Attempt, currency: Currency) -> Result<Placed> {
    let offered = store::offered(tx, &attempt.wanted.items).await?;
    let coupon = match &attempt.wanted.coupon {
        Some(code) => coupons::find(tx, code).await?,
        None => None,
    };
    // A refusal waits until the key is known to be new: a retry must hear what became of its order, even if that
    // could not be placed now.
    let bill = Bill::of(&attempt.wanted, &offered, coupon.as_ref(), currency);
    let cost = bill.as_ref().map_or(Cost::nothing(currency), |bill| bill.cost);
    match store::insert_order(tx, attempt, cost).await? {
        Inserted::Done => {}
        Inserted::KeyTaken => return Ok(Placed::Before),
        Inserted::NoAddress => {
            if store::key_is_taken(tx, attempt).await? {
                return Ok(Placed::Before);
            }
            return Err(Error::field("address_id", "is not one of your addresses"));
        }
    }
    let bill = bill?;
    store::insert_lines(tx, attempt.order, &bill.lines).await?;
    let pieces: Vec<Piece> = bill
        .lines
        .iter()
        .map(|line| Piece {
            variant: line.offered.variant,
            product: line.offered.product,
            quantity: line.quantity,
        })
        .collect();
    if let Some(coupon) = &bill.coupon {
        uses::take(tx, attempt.order, attempt.customer, coupon).await?;
    }
    stock::take(tx, attempt.order, &pieces).await?;
    Ok(Placed::New { total: cost.total })
}
