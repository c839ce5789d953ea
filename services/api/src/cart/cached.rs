//! A cart as it is read: from Redis when the cookie says how new it must be, else from MySQL.
//!
//! Two things keep older lines in Redis from being shown: the version in the cookie, for who made the change; and
//! `cache::lost`, for the same customer's other device, when Redis did not hear of the change.

use std::time::Duration;

use super::cookie::CartCookie;
use super::owner::Owner;
use super::store;
use crate::cache::entry::Entry;
use crate::cache::redis::Reply;
use crate::clock::now_ms;
use crate::db::Deadline;
use crate::error::Result;
use crate::state::AppState;
use crate::tally;
use crate::types::id::{CartId, ProductId, VariantId};

/// Short: a cart is read in bursts.
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
    /// Milliseconds since 1970, from before MySQL was asked.
    pub read_at: u64,
    pub redis: Redis,
}

/// What Redis had to do with a cart's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redis {
    Hit,
    Miss,
    /// Not asked: there is no cookie, the layer is off, or Redis is away.
    Bypassed,
    /// Not asked, because the cart was changed.
    Changed,
}

impl Cart {
    /// The cart of somebody who has none.
    pub fn empty() -> Self {
        Self {
            id: CartId(uuid::Uuid::nil()),
            version: 0,
            lines: Vec::new(),
            read_at: now_ms(),
            redis: Redis::Bypassed,
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
    let mut redis = Redis::Bypassed;
    if let Some(cookie) = cookie {
        tally::enter().await?;
        let cart;
        (cart, redis) = from_redis(state, &cookie).await;
        if let Some(cart) = cart {
            return Ok(cart);
        }
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
        return Ok(Cart {
            redis,
            ..Cart::empty()
        });
    };
    tell(state, &cart).await;
    Ok(Cart { redis, ..cart })
}

async fn from_redis(state: &AppState, cookie: &CartCookie) -> (Option<Cart>, Redis) {
    let Some(redis) = &state.redis else {
        return (None, Redis::Bypassed);
    };
    let stats = &state.cache.stats;
    let reply = redis.get(&name(cookie.id)).await;
    if reply == Reply::Skipped {
        return (None, Redis::Bypassed);
    }
    let found = reply.got().flatten().and_then(|bytes| Entry::from_redis(&bytes));
    // Older than what this client was told, or perhaps than what another device of this customer was told: a write to
    // Redis was lost.
    let found =
        found.filter(|entry| entry.version >= cookie.version && !state.cache.lost_carts.doubt(entry.read_at));
    let Some(cart) = found.and_then(|entry| decode(cookie.id, &entry)) else {
        stats.redis_misses.add();
        return (None, Redis::Miss);
    };
    stats.redis_hits.add();
    (Some(cart), Redis::Hit)
}

fn decode(id: CartId, entry: &Entry) -> Option<Cart> {
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
        read_at: entry.read_at,
        redis: Redis::Hit,
    })
}

/// Tells Redis of a change, which keeps the newer of what it has and this. When it did not hear of it, that is noted:
/// a call that fails costs only speed.
pub async fn store(state: &AppState, cart: &Cart) {
    if !tell(state, cart).await {
        lost(state);
    }
}

/// Answers whether Redis heard of it, or there is none.
async fn tell(state: &AppState, cart: &Cart) -> bool {
    let Some(redis) = &state.redis else { return true };
    let rows: Vec<_> = cart
        .lines
        .iter()
        .map(|line| (line.variant.0, line.product.0, line.quantity))
        .collect();
    let Ok(body) = serde_json::to_vec(&rows) else {
        return false;
    };
    let entry = Entry::new(Some(body.into()), cart.version, cart.read_at);
    redis.set_if_newer(&name(cart.id), &entry.to_redis(), KEPT).await
}

/// Tells Redis that carts were changed elsewhere (a merge, an order): lines older than the version that each cookie now
/// has are not kept, not even by a reader that is late. When Redis did not hear of it, that is noted.
pub async fn supersede(state: &AppState, carts: &[CartCookie]) {
    let Some(redis) = &state.redis else { return };
    let mut heard = true;
    for cart in carts {
        let nothing = Entry::new(None, cart.version, now_ms());
        heard &= redis
            .set_if_newer(&name(cart.id), &nothing.to_redis(), KEPT)
            .await;
    }
    if !heard {
        lost(state);
    }
}

fn lost(state: &AppState) {
    state.cache.stats.redis.lost_carts.add();
    state.cache.lost_carts.note();
}
