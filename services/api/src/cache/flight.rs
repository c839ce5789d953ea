//! Single flight: however many ask for a key at once, one load is under way for it in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{Hit, Key};
use crate::error::{Error, Result};
use crate::metrics::Reason;
use crate::tally;

type Outcome = Option<std::result::Result<Hit, Refusal>>;

/// What waiters are told when a load failed; the cause is logged once, where it happened.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Overloaded,
    Unavailable,
    Internal,
}

type Waiting = Arc<Mutex<HashMap<Key, watch::Receiver<Outcome>>>>;

#[derive(Default)]
pub struct Flights {
    waiting: Waiting,
}

/// A waiter's view of a load under way.
pub struct Landing(watch::Receiver<Outcome>);

/// Who performs the load. When it is dropped without landing, waiters get an error.
pub struct Pilot {
    key: Key,
    sender: watch::Sender<Outcome>,
    waiting: Waiting,
}

impl Flights {
    /// Joins the load for `key`. The first to come is its pilot.
    pub fn board(&self, key: &Key) -> (Landing, Option<Pilot>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receiver) = waiting.get(key) {
            return (Landing(receiver.clone()), None);
        }
        let (sender, receiver) = watch::channel(None);
        waiting.insert(key.clone(), receiver.clone());
        (
            Landing(receiver),
            Some(Pilot {
                key: key.clone(),
                sender,
                waiting: Arc::clone(&self.waiting),
            }),
        )
    }
}

impl Landing {
    pub async fn landed(&mut self) -> Result<Hit> {
        let outcome = self
            .0
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|outcome| outcome.clone());
        match outcome {
            Some(Ok(hit)) => Ok(hit),
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
        self.sender.send_replace(Some(outcome));
    }

    fn leave(&self) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        if self.sender.borrow().is_none() {
            self.leave();
        }
    }
}
