//! A cart as it is read: from Redis when the cookie says how new it must be, else from MySQL.

use std::time::Duration;

use super::cookie::CartCookie;
use super::owner::Owner;
use super::store;
use crate::cache::Source;
use crate::cache::entry::Entry;
use crate::clock::now_ms;
use crate::db::Deadline;
use crate::error::Result;
use crate::state::AppState;
use crate::types::id::{CartId, ProductId, VariantId};

/// Short: a cart is read in bursts, and what a lost write to Redis left behind ends soon.
const KEPT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub variant: VariantId,
    pub product: ProductId,
    pub quantity: i32,
}

/// A cart's lines in the order they were added.
#[derive(Debug, Clone)]
pub struct Cart {
    pub id: CartId,
    pub version: u64,
    pub lines: Vec<Line>,
    pub source: Source,
}

impl Cart {
    /// The cart of somebody who has none.
    pub fn empty() -> Self {
        Self {
            id: CartId(uuid::Uuid::nil()),
            version: 0,
            lines: Vec::new(),
            source: Source::Database,
        }
    }
}

fn name(id: CartId) -> String {
    format!("trestle:1:cart:{id}")
}

/// Reads the owner's cart.
///
/// # Errors
/// `Unavailable` when neither layer can say.
pub async fn read(state: &AppState, deadline: Deadline, owner: &Owner) -> Result<Cart> {
    let cookie = match owner {
        Owner::Customer(_, cookie) | Owner::Anonymous(cookie) => *cookie,
    };
    if let Some(cookie) = cookie
        && let Some(cart) = from_redis(state, cookie.id).await
        // Older than what this client was told: another replica's write to Redis was lost.
        && cart.version >= cookie.version
    {
        state.cache.stats.redis_hits.add();
        return Ok(cart);
    }
    let found = match owner {
        Owner::Customer(customer, _) => {
            let customer = *customer;
            state
                .db
                .read(deadline, move |connection| {
                    Box::pin(store::of_customer(connection, customer))
                })
                .await?
        }
        Owner::Anonymous(Some(cookie)) => {
            let id = cookie.id;
            state
                .db
                .read(deadline, move |connection| {
                    Box::pin(store::anonymous(connection, id))
                })
                .await?
        }
        Owner::Anonymous(None) => None,
    };
    let Some(cart) = found else {
        return Ok(Cart::empty());
    };
    store(state, &cart).await;
    Ok(cart)
}

async fn from_redis(state: &AppState, id: CartId) -> Option<Cart> {
    let entry = Entry::from_redis(&state.redis.as_ref()?.get(&name(id)).await?)?;
    let rows: Vec<(u64, u64, i32)> = serde_json::from_slice(entry.body.as_ref()?).ok()?;
    let lines = rows.into_iter().map(|(variant, product, quantity)| Line {
        variant: VariantId(variant),
        product: ProductId(product),
        quantity,
    });
    Some(Cart {
        id,
        version: entry.version,
        lines: lines.collect(),
        source: Source::Redis,
    })
}

/// Tells Redis, which keeps the newer of what it has and this. A call that fails costs only speed.
pub async fn store(state: &AppState, cart: &Cart) {
    let Some(redis) = &state.redis else { return };
    let rows: Vec<_> = cart
        .lines
        .iter()
        .map(|line| (line.variant.0, line.product.0, line.quantity))
        .collect();
    if let Ok(body) = serde_json::to_vec(&rows) {
        let entry = Entry::new(Some(body.into()), cart.version, now_ms());
        redis.set_if_newer(&name(cart.id), &entry.to_redis(), KEPT).await;
    }
}

/// Tells Redis that carts were changed elsewhere (a merge, an order): lines older than the version that each cookie now
/// has are not kept, not even by a reader that is late. False when Redis did not hear of it: then only the version in
/// the client's cookie, or the entry's end, keeps older lines from being read.
pub async fn supersede(state: &AppState, carts: &[CartCookie]) -> bool {
    let Some(redis) = &state.redis else { return true };
    let mut heard = true;
    for cart in carts {
        let nothing = Entry::new(None, cart.version, now_ms());
        heard &= redis
            .set_if_newer(&name(cart.id), &nothing.to_redis(), KEPT)
            .await;
    }
    heard
}
