//! Single flight: however many ask for a key at once, one load is under way for it in this process.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::{Hit, Key};
use crate::error::{Error, Result};
use crate::metrics::Reason;
use crate::tally;

/// What waiters are told when a load failed; the cause is logged once, where it happened.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Overloaded,
    Unavailable,
    Internal,
}

/// One load. A watch channel would do the same, for a hundred times the memory.
#[derive(Default)]
struct Flight {
    outcome: OnceLock<std::result::Result<Hit, Refusal>>,
    landed: Notify,
}

impl Flight {
    fn land(&self, outcome: std::result::Result<Hit, Refusal>) {
        self.outcome.get_or_init(|| outcome);
        self.landed.notify_waiters();
    }
}

type UnderWay = Arc<Mutex<HashMap<Key, Arc<Flight>>>>;

#[derive(Default)]
pub struct Flights {
    under_way: UnderWay,
}

/// A waiter's view of a load under way.
pub struct Landing(Arc<Flight>);

/// Who performs the load. When it is dropped without landing, waiters get an error.
pub struct Pilot {
    key: Key,
    flight: Arc<Flight>,
    under_way: UnderWay,
}

impl Flights {
    /// Joins the load for `key`. The first to come is its pilot.
    pub fn board(&self, key: &Key) -> (Landing, Option<Pilot>) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = under_way.get(key) {
            return (Landing(Arc::clone(flight)), None);
        }
        let flight = Arc::new(Flight::default());
        under_way.insert(key.clone(), Arc::clone(&flight));
        (
            Landing(Arc::clone(&flight)),
            Some(Pilot {
                key: key.clone(),
                flight,
                under_way: Arc::clone(&self.under_way),
            }),
        )
    }
}

impl Landing {
    pub async fn landed(&self) -> Result<Hit> {
        let mut landed = pin!(self.0.landed.notified());
        // Heard from here on, so that nothing is missed between the look and the wait.
        landed.as_mut().enable();
        if self.0.outcome.get().is_none() {
            landed.await;
        }
        match self.0.outcome.get() {
            Some(Ok(hit)) => Ok(hit.clone()),
            Some(Err(Refusal::Overloaded)) => {
                tally::refused(Reason::Loads);
                Err(Error::Overloaded)
            }
            Some(Err(Refusal::Unavailable)) => Err(Error::Unavailable("the database")),
            Some(Err(Refusal::Internal)) | None => Err(Error::Internal("a load failed".into())),
        }
    }
}

impl Pilot {
    pub fn land(self, outcome: Result<Hit>) {
        let outcome = outcome.map_err(|error| {
            if matches!(error, Error::Overloaded) {
                return Refusal::Overloaded;
            }
            tracing::warn!(key = ?self.key, %error, "a load failed");
            if error.is_outage() {
                Refusal::Unavailable
            } else {
                Refusal::Internal
            }
        });
        // Off the list first: who comes from now on finds it in memory or starts another load.
        self.leave();
        self.flight.land(outcome);
    }

    fn leave(&self) {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        if self.flight.outcome.get().is_none() {
            self.leave();
            self.flight.land(Err(Refusal::Internal));
        }
    }
}
