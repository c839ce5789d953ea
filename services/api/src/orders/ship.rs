//! Shipping: a paid order is handed over. The route is the backoffice's; the step is here, beside the others.

use super::state::State;
use super::store;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::OrderId;

/// How an order travels; empty where nobody said. At most 100 characters each.
#[derive(Debug, Clone, Default)]
pub struct Parcel {
    pub carrier: String,
    pub tracking: String,
}

/// Takes a paid order to shipped, in the caller's transaction. False when it was shipped before: nothing is changed
/// then, so that a retry is safe.
///
/// # Errors
/// 404 when there is no such order, 409 `illegal_transition` when it is neither paid nor shipped.
pub async fn ship(tx: &mut Connection, id: OrderId, parcel: &Parcel) -> Result<bool> {
    let now = store::lock_state(tx, None, id)
        .await?
        .ok_or(Error::NotFound("order"))?;
    if now == State::Shipped {
        return Ok(false);
    }
    if !store::step(tx, id, now, State::Shipped).await? {
        return Err(Error::Internal(format!("the locked order {id} left its state")));
    }
    store::insert_shipment(tx, id, parcel).await?;
    Ok(true)
}
