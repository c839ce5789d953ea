//! The uses of coupons. A use is taken when its order is placed and given back when the order fails or is cancelled,
//! once: its row in the ledger says which. Callers do this after the order's own rows and before stock.

use super::code::Code;
use super::coupon::Refusal;
use super::store;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::{CustomerId, OrderId};

/// A coupon as an order uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub code: Code,
    pub max_per_customer: Option<i64>,
    /// What it takes off the order, in minor units.
    pub discount: i64,
}

/// Takes one use for an order that is being placed.
///
/// # Errors
/// 409 `coupon_used_up`, for this customer or for all. The caller rolls back.
pub async fn take(tx: &mut Connection, order: OrderId, customer: CustomerId, wanted: &Use) -> Result<()> {
    store::insert_use(tx, order, customer, wanted).await?;
    if !count_for_customer(tx, customer, wanted).await? {
        return Err(Refusal::UsedUpByYou.into());
    }
    // Last of the two: every order with this coupon wants that row.
    if !store::count_use(tx, &wanted.code).await? {
        return Err(Refusal::UsedUp.into());
    }
    Ok(())
}

/// False when the customer has used it as often as anybody may.
async fn count_for_customer(tx: &mut Connection, customer: CustomerId, wanted: &Use) -> Result<bool> {
    let limit = wanted.max_per_customer.unwrap_or(i64::MAX);
    if store::count_customer(tx, &wanted.code, customer, limit).await? {
        return Ok(true);
    }
    // No row yet, or no use left. A look without a lock tells: orders at once that all tried to insert would each share
    // the row's lock and then wait for the others' shares.
    if store::used_by(tx, &wanted.code, customer)
        .await?
        .is_some_and(|used| used >= limit)
    {
        return Ok(false);
    }
    if store::first_of_customer(tx, &wanted.code, customer).await? {
        return Ok(true);
    }
    // There is one, perhaps since a moment ago: another order of this customer made it between the two statements.
    store::count_customer(tx, &wanted.code, customer, limit).await
}

/// Gives back what an order used, if it used a coupon and has not given it back.
///
/// # Errors
/// When the database refuses, or its counters are not what the ledger says.
pub async fn give_back(tx: &mut Connection, order: OrderId) -> Result<()> {
    if !store::end_use(tx, order).await? {
        return Ok(());
    }
    let (code, customer) = store::use_of(tx, order).await?;
    let counted =
        store::uncount_customer(tx, &code, customer).await? && store::uncount_use(tx, &code).await?;
    if counted {
        Ok(())
    } else {
        Err(Error::Internal(format!(
            "order {order} gives back a use of {code} that was never counted"
        )))
    }
}
