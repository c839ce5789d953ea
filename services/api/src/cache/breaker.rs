//! The circuit breaker in front of Redis: after a few failures nobody asks it for a second, so that a Redis that
//! hangs costs its time-out now and then and not with every request.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const FAILURES_TO_OPEN: u32 = 3;
const OPEN_FOR: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Breaker {
    started: Instant,
    failures: AtomicU32,
    /// Milliseconds since `started` until which nobody asks; then one asker at a time tries.
    open_until: AtomicU64,
    /// How often it opened.
    opened: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Closed,
    Open,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            failures: AtomicU32::new(0),
            open_until: AtomicU64::new(0),
            opened: AtomicU64::new(0),
        }
    }
}

impl Breaker {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether Redis may be asked now. Once the pause is over, the first who asks tries for all.
    pub fn permits(&self) -> bool {
        if self.failures.load(Ordering::Relaxed) < FAILURES_TO_OPEN {
            return true;
        }
        let until = self.open_until.load(Ordering::Relaxed);
        let now = self.now();
        let next = now + u64::try_from(OPEN_FOR.as_millis()).unwrap_or(u64::MAX);
        now >= until
            && self
                .open_until
                .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    pub fn succeeded(&self) {
        // Reading first keeps the cache line shared while all is well.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    pub fn failed(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures >= FAILURES_TO_OPEN {
            let until = self.now() + u64::try_from(OPEN_FOR.as_millis()).unwrap_or(u64::MAX);
            self.open_until.store(until, Ordering::Relaxed);
        }
        if failures == FAILURES_TO_OPEN {
            self.opened.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often it opened since the start.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub fn state(&self) -> State {
        if self.failures.load(Ordering::Relaxed) < FAILURES_TO_OPEN {
            State::Closed
        } else {
            State::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_three_failures_and_one_success_closes_it() {
        let breaker = Breaker::default();
        breaker.failed();
        breaker.failed();
        assert!(breaker.permits());
        breaker.failed();
        assert_eq!(breaker.state(), State::Open);
        breaker.failed();
        assert_eq!(breaker.opened(), 1);
        assert!(!breaker.permits());
        breaker.succeeded();
        assert!(breaker.permits());
    }
}
