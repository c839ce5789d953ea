//! What happens to a cart around it: the anonymous one joins the customer's at login, an order empties it.

use serde::Serialize;
use utoipa::ToSchema;

use super::cookie::CartCookie;
use super::{MAX_LINES, MAX_QUANTITY, cached::Line, store};
use crate::db::Connection;
use crate::error::Result;
use crate::types::id::{CustomerId, VariantId};

/// A line that did not fit whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CappedLine)]
pub struct Capped {
    pub variant_id: VariantId,
    pub requested: i32,
    /// What the line holds now; 0 when there was no room for the line.
    pub quantity: i32,
}

/// What a merge did.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = MergedCart)]
pub struct Merged {
    #[serde(skip)]
    pub cart: CartCookie,
    /// Lines of the anonymous cart that were taken over.
    pub merged: usize,
    pub capped: Vec<Capped>,
}

/// What becomes of two carts' lines: quantities are added, at most 99 a line and 50 lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    update: Vec<Line>,
    insert: Vec<Line>,
    capped: Vec<Capped>,
}

fn plan(own: &[Line], anonymous: &[Line]) -> Plan {
    let mut plan = Plan::default();
    for line in anonymous {
        let here = own.iter().find(|own| own.variant == line.variant);
        let requested = line.quantity + here.map_or(0, |own| own.quantity);
        let room = here.is_some() || own.len() + plan.insert.len() < MAX_LINES;
        let quantity = if room { requested.min(MAX_QUANTITY) } else { 0 };
        if quantity < requested {
            plan.capped.push(Capped {
                variant_id: line.variant,
                requested,
                quantity,
            });
        }
        let line = Line { quantity, ..*line };
        match here {
            Some(_) => plan.update.push(line),
            None if room => plan.insert.push(line),
            None => {}
        }
    }
    plan
}

/// Merges the anonymous cart of the cookie into the customer's and deletes it, all in the caller's transaction: a
/// repeat finds no anonymous cart and merges nothing.
///
/// # Errors
/// When the database refuses.
pub async fn merge(tx: &mut Connection, from: Option<&CartCookie>, customer: CustomerId) -> Result<Merged> {
    // The customer's cart is locked first, always: two logins with one anonymous cart cannot deadlock.
    let own = match store::lock_of_customer(tx, customer).await? {
        Some(head) => head,
        None => store::create(tx, Some(customer)).await?,
    };
    let mut cart = CartCookie {
        id: own.id,
        version: own.version,
        customer: Some(customer),
    };
    let nothing = Merged {
        cart,
        merged: 0,
        capped: Vec::new(),
    };
    let Some(cookie) = from.filter(|cookie| cookie.customer.is_none()) else {
        return Ok(nothing);
    };
    let Some(anonymous) = store::lock_anonymous(tx, cookie.id).await? else {
        return Ok(nothing);
    };
    let own_lines = store::lines(tx, own.id).await?;
    let plan = plan(&own_lines, &store::lines(tx, anonymous.id).await?);
    for line in &plan.update {
        store::update_line(tx, own.id, line.variant, line.quantity).await?;
    }
    for line in &plan.insert {
        store::insert_line(tx, own.id, line).await?;
    }
    store::delete_lines(tx, anonymous.id).await?;
    store::delete_cart(tx, anonymous.id).await?;
    cart.version = store::bump(tx, own).await?;
    Ok(Merged {
        cart,
        merged: plan.update.len() + plan.insert.len(),
        capped: plan.capped,
    })
}

/// Takes what was ordered off the customer's cart; quantities beyond what was ordered stay.
///
/// # Errors
/// When the database refuses.
pub async fn take_ordered(
    tx: &mut Connection,
    customer: CustomerId,
    ordered: &[(VariantId, i32)],
) -> Result<Option<CartCookie>> {
    let Some(head) = store::lock_of_customer(tx, customer).await? else {
        return Ok(None);
    };
    let mut changed = false;
    for line in store::lines(tx, head.id).await? {
        let Some((_, quantity)) = ordered.iter().find(|(variant, _)| *variant == line.variant) else {
            continue;
        };
        changed = true;
        if line.quantity > *quantity {
            store::update_line(tx, head.id, line.variant, line.quantity - quantity).await?;
        } else {
            store::delete_line(tx, head.id, line.variant).await?;
        }
    }
    let version = if changed {
        store::bump(tx, head).await?
    } else {
        head.version
    };
    Ok(Some(CartCookie {
        id: head.id,
        version,
        customer: Some(customer),
    }))
}

/// The customer's cart and its version now: for an answer that tells of a change which this client did not hear of.
///
/// # Errors
/// When the database refuses.
pub async fn cookie_now(connection: &mut Connection, customer: CustomerId) -> Result<Option<CartCookie>> {
    let cart = store::of_customer(connection, customer).await?;
    Ok(cart.map(|cart| CartCookie {
        id: cart.id,
        version: cart.version,
        customer: Some(customer),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::id::ProductId;

    fn line(variant: u64, quantity: i32) -> Line {
        Line {
            variant: VariantId(variant),
            product: ProductId(variant),
            quantity,
        }
    }

    #[test]
    fn quantities_are_added_and_what_does_not_fit_is_named() {
        let plan = plan(&[line(1, 60)], &[line(1, 60), line(2, 3)]);
        assert_eq!(plan.update, [line(1, 99)]);
        assert_eq!(plan.insert, [line(2, 3)]);
        assert_eq!(
            plan.capped,
            [Capped {
                variant_id: VariantId(1),
                requested: 120,
                quantity: 99
            }]
        );
    }

    #[test]
    fn a_full_cart_takes_no_new_line_but_adds_to_its_own() {
        let own: Vec<_> = (1..=50).map(|variant| line(variant, 1)).collect();
        let plan = plan(&own, &[line(50, 1), line(51, 2)]);
        assert_eq!(plan.update, [line(50, 2)]);
        assert!(plan.insert.is_empty());
        assert_eq!(
            plan.capped,
            [Capped {
                variant_id: VariantId(51),
                requested: 2,
                quantity: 0
            }]
        );
    }

    #[test]
    fn merging_an_empty_cart_changes_nothing() {
        assert_eq!(plan(&[line(1, 1)], &[]), Plan::default());
    }
}
