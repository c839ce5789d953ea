//! Settle: the second of an order's two transactions. A pending order ends once, as paid or as failed: whoever comes
//! second finds no pending row and changes nothing. What the end brings with it (coupon use and stock back, cart emptied, the
//! stored answer) is written in the same transaction.

use http::StatusCode;

use super::stock::{self, GivenBack};
use super::store;
use crate::cart::cookie::CartCookie;
use crate::cart::merge;
use crate::coupons::uses;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use crate::orders;
use crate::orders::order::Order;
use crate::orders::state::State;
use crate::state::AppState;
use crate::types::id::{CustomerId, OrderId, VariantId};
use crate::types::money::Money;

/// How the payment of a pending order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Paid,
    Failed,
}

impl End {
    fn state(self) -> State {
        match self {
            Self::Paid => State::Paid,
            Self::Failed => State::Failed,
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            Self::Paid => StatusCode::CREATED,
            Self::Failed => StatusCode::PAYMENT_REQUIRED,
        }
    }
}

/// The answer that is stored, and the customer's cart if the order touched it.
#[derive(Debug)]
pub struct Settled {
    pub status: StatusCode,
    /// The order as it was when it was settled, in JSON.
    pub body: Vec<u8>,
    pub total: Money,
    pub cart: Option<CartCookie>,
}

/// None when the order is not pending any more. The caller tells Redis of the cart.
///
/// # Errors
/// When the database fails; the order is still pending then, or settled by what could not be heard.
pub async fn settle(
    state: &AppState,
    deadline: Deadline,
    customer: CustomerId,
    order: OrderId,
    end: End,
) -> Result<Option<Settled>> {
    let settled = state
        .db
        .transact(deadline, move |tx| Box::pin(write(tx, customer, order, end)))
        .await?;
    if let Some(settled) = &settled {
        match end {
            End::Paid => METRICS.orders.sold(settled.total),
            End::Failed => METRICS.orders.failed.inc(),
        }
    }
    Ok(settled)
}

async fn write(tx: &mut Connection, customer: CustomerId, id: OrderId, end: End) -> Result<Option<Settled>> {
    if !orders::store::step(tx, id, State::Pending, end.state()).await? {
        return Ok(None);
    }
    let order = orders::store::find(tx, Some(customer), id)
        .await?
        .ok_or_else(|| Error::Internal(format!("the settled order {id} is gone")))?;
    let body = order.to_json()?;
    let status = end.status();
    let stored = i16::try_from(status.as_u16()).unwrap_or(i16::MAX);
    store::store_response(tx, id, stored, &body).await?;
    let cart = match end {
        End::Paid => merge::take_ordered(tx, customer, &ordered(&order)).await?,
        End::Failed => {
            uses::give_back(tx, id).await?;
            // Last, as in Place: it locks rows that every buyer of the variant wants.
            stock::give_back(tx, id, GivenBack::Release).await?;
            None
        }
    };
    Ok(Some(Settled {
        status,
        body,
        total: order.total,
        cart,
    }))
}

fn ordered(order: &Order) -> Vec<(VariantId, i32)> {
    order
        .items
        .iter()
        .map(|line| (line.variant_id, line.quantity))
        .collect()
}
