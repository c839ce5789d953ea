//! What a coupon would do for a cart, asked of MySQL each time. It takes no use: only an order does.

use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::coupon::{Coupon, Refusal};
use super::store;
use crate::db::{Connection, Deadline};
use crate::error::Result;
use crate::state::AppState;
use crate::types::id::CustomerId;
use crate::types::money::Money;

/// A coupon beside a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartCoupon)]
pub struct Preview {
    code: Code,
    /// Whether an order of this cart would get the discount now
    applies: bool,
    /// Why not
    reason: Option<Refusal>,
    /// The same for people
    #[schema(examples("the order is too small for the coupon"))]
    detail: Option<String>,
    /// The smallest subtotal that it is for, once it is known
    minimum: Option<Money>,
}

/// The preview, and what would come off.
///
/// # Errors
/// `Unavailable` when MySQL cannot be read.
pub async fn preview(
    state: &AppState,
    deadline: Deadline,
    code: Code,
    customer: Option<CustomerId>,
    subtotal: Money,
) -> Result<(Preview, i64)> {
    let wanted = code.clone();
    let (coupon, outcome) = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { ask(connection, &wanted, customer, subtotal).await })
        })
        .await?;
    let refusal = outcome.err();
    let preview = Preview {
        code,
        applies: refusal.is_none(),
        reason: refusal,
        detail: refusal.map(|refusal| refusal.to_string()),
        minimum: coupon.map(|coupon| Money::new(coupon.minimum, subtotal.currency)),
    };
    Ok((preview, outcome.unwrap_or_default()))
}

async fn ask(
    connection: &mut Connection,
    code: &Code,
    customer: Option<CustomerId>,
    subtotal: Money,
) -> Result<(Option<Coupon>, Result<i64, Refusal>)> {
    let Some(coupon) = store::find(connection, code).await? else {
        return Ok((None, Err(Refusal::Unknown)));
    };
    let outcome = match coupon.discount(subtotal) {
        Err(refusal) => Err(refusal),
        Ok(off) => {
            let left = store::left(connection, &coupon, customer).await?;
            match (left.of_customer, left.of_all) {
                (false, _) => Err(Refusal::UsedUpByYou),
                (_, false) => Err(Refusal::UsedUp),
                _ => Ok(off),
            }
        }
    };
    Ok((Some(coupon), outcome))
}
