//! Recovery ends what a request left open: pending orders past `settle_by`, and cancelled ones whose refund is due.
//! Every replica does it; there is no leader.
//!
//! A replica claims a few orders in a short transaction (FOR UPDATE SKIP LOCKED) and holds no lock while it talks to
//! the gateway. So two replicas, or a request that was thought dead, can work on one order: each asks the gateway
//! first, whose books have one row an order, so all hear the same; and only one finds the order still pending.

use std::time::Duration;

use rand::RngExt as _;

use super::gateway::{self, Booked};
use super::settle::{End, settle};
use super::store::{self, Due};
use crate::cart::cached;
use crate::cart::cookie::CartCookie;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::metrics::METRICS;
use crate::orders::cancel;
use crate::orders::state::State;
use crate::state::AppState;

const EVERY: Duration = Duration::from_millis(700);
const JITTER_MS: u64 = 600;
const BATCH: u32 = 10;
/// For one step, such as a claim or a settlement.
const STEP: Duration = Duration::from_secs(4);

/// Recovers for ever.
pub async fn run(state: AppState) {
    let mut failing = false;
    loop {
        let jitter = Duration::from_millis(rand::rng().random_range(0..JITTER_MS));
        tokio::time::sleep(EVERY + jitter).await;
        // While writes are stopped, orders wait: whoever goes on with the data ends them.
        let Ok(_writing) = state.writes.begin() else {
            continue;
        };
        match round(&state).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                tracing::warn!(%error, "orders cannot be recovered now");
                failing = true;
            }
            Err(_) => {}
        }
    }
}

/// Ends all that is overdue now.
async fn round(state: &AppState) -> Result<()> {
    loop {
        let due = state
            .db
            .transact(Deadline::after(STEP), |tx| Box::pin(store::claim_due(tx, BATCH)))
            .await?;
        let mut emptied = Vec::new();
        for due in &due {
            match end(state, *due).await {
                Ok(cart) => emptied.extend(cart),
                Err(error) => {
                    METRICS.recovered.errors.inc();
                    tracing::error!(order = %due.order, state = %due.state, %error, "an order was not recovered");
                }
            }
        }
        // Once for a batch: orders must not wait for Redis.
        cached::supersede(state, &emptied).await;
        if due.len() < BATCH as usize {
            return Ok(());
        }
    }
}

/// Ends one order. Answers the cart that it emptied.
async fn end(state: &AppState, due: Due) -> Result<Option<CartCookie>> {
    match due.state {
        State::Pending => {
            let end = match gateway::void(&state.db, due.order, due.total).await? {
                Booked::Captured => End::Paid,
                Booked::Declined | Booked::Voided => End::Failed,
                Booked::Refunded => {
                    return Err(Error::Internal("its payment was refunded already".into()));
                }
            };
            let deadline = Deadline::after(STEP);
            let settled = settle(state, deadline, due.customer, due.order, end).await?;
            if settled.is_some() {
                match end {
                    End::Paid => METRICS.recovered.paid.inc(),
                    End::Failed => METRICS.recovered.failed.inc(),
                }
            }
            tracing::info!(order = %due.order, ?end, here = settled.is_some(), "an order was recovered");
            Ok(settled.and_then(|settled| settled.cart))
        }
        State::Cancelled => {
            cancel::refund(state, Deadline::after(STEP), due.order).await?;
            METRICS.recovered.refunded.inc();
            tracing::info!(order = %due.order, "a refund was recovered");
            Ok(None)
        }
        State::Paid | State::Shipped | State::Failed => Err(Error::Internal(
            "nothing can be due for an order in this state".into(),
        )),
    }
}
