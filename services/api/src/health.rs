//! What is known of something that this process depends on: when it last answered, and what it last said when it did not.
//! For `/readyz`, and for those who need not wait long for what is known to be away.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[derive(Debug, Default)]
pub struct Dependency {
    lost: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    answered: Option<Instant>,
    failed: Option<(Instant, String)>,
}

impl Dependency {
    pub fn answered(&self) {
        self.lost.store(false, Ordering::Relaxed);
        self.lock().answered = Some(Instant::now());
    }

    pub fn failed(&self, error: &impl Display) {
        self.lost.store(true, Ordering::Relaxed);
        self.lock().failed = Some((Instant::now(), error.to_string()));
    }

    /// Whether its last word was a failure.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether it failed less than this ago.
    pub fn failed_within(&self, time: Duration) -> bool {
        let seen = self.lock();
        seen.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < time)
    }

    /// Its state as the caller judges it, with the age of its last answer and its last error, if there was one.
    pub fn report(&self, state: &str) -> Value {
        let seen = self.lock();
        let error = seen
            .failed
            .as_ref()
            .map(|(at, message)| json!({"message": message, "age_ms": millis(*at)}));
        json!({"state": state, "age_ms": seen.answered.map(millis), "last_error": error})
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
