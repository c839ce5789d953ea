//! Changes to a cart, each one transaction on the locked cart row: two changes of one cart never mix.

use super::cached::{Cart, Line, Redis};
use super::owner::Owner;
use super::{MAX_LINES, store};
use crate::clock::now_ms;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::state::AppState;
use crate::types::id::VariantId;

#[derive(Debug, Clone, Copy)]
pub enum Edit {
    /// Puts a variant in with this quantity, or gives its line this quantity: doing it twice changes nothing.
    Set {
        variant: VariantId,
        quantity: i32,
    },
    Remove {
        variant: VariantId,
    },
    Clear,
}

/// Applies `edit`. Answers the cart after it; None when there is no cart and none was needed.
///
/// # Errors
/// 404 for a variant that is not for sale, 422 for a line too many, or what the database answers.
pub async fn apply(state: &AppState, deadline: Deadline, owner: &Owner, edit: Edit) -> Result<Option<Cart>> {
    let owner = *owner;
    state
        .db
        .transact(deadline, move |tx| {
            Box::pin(async move {
                let read_at = now_ms();
                let head = match owner {
                    Owner::Customer(customer, _) => store::lock_of_customer(tx, customer).await?,
                    Owner::Anonymous(Some(cookie)) => store::lock_anonymous(tx, cookie.id).await?,
                    Owner::Anonymous(None) => None,
                };
                let head = match (head, edit) {
                    (Some(head), _) => head,
                    (None, Edit::Set { .. }) => store::create(tx, owner.customer()).await?,
                    (None, Edit::Remove { .. } | Edit::Clear) => return Ok(None),
                };
                let changed = match edit {
                    Edit::Set { variant, quantity } => {
                        set(tx, head, variant, quantity).await?;
                        true
                    }
                    Edit::Remove { variant } => store::delete_line(tx, head.id, variant).await?,
                    Edit::Clear => store::delete_lines(tx, head.id).await? > 0,
                };
                let version = if changed {
                    store::bump(tx, head).await?
                } else {
                    head.version
                };
                let lines = store::lines(tx, head.id).await?;
                Ok(Some(Cart {
                    id: head.id,
                    version,
                    lines,
                    read_at,
                    redis: Redis::Changed,
                }))
            })
        })
        .await
}

async fn set(tx: &mut Connection, head: store::Head, variant: VariantId, quantity: i32) -> Result<()> {
    let product = store::product_of(tx, variant)
        .await?
        .ok_or(Error::NotFound("variant"))?;
    if store::update_line(tx, head.id, variant, quantity).await? {
        return Ok(());
    }
    if store::lines(tx, head.id).await?.len() >= MAX_LINES {
        return Err(Error::CartFull { max: MAX_LINES });
    }
    store::insert_line(
        tx,
        head.id,
        &Line {
            variant,
            product,
            quantity,
        },
    )
    .await
}
