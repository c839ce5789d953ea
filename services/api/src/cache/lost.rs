//! Changes of carts that Redis did not hear of, or may have forgotten: it was away, refused the write or is switched off
//! here; the link to it was made anew, perhaps to another one; it was flushed, and a late reader may write what was
//! before. What Redis holds of carts from before that moment is not used: here at once, on the other replicas when the
//! change feed brings the moment, within `key::CHANGE_SEEN`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::now_ms;

/// Milliseconds that the clocks of replicas may differ by.
const SKEW: u64 = 1_000;

#[derive(Debug, Default)]
pub struct LostCarts {
    /// Carts read from MySQL before this (milliseconds since 1970) are not taken from Redis.
    until: AtomicU64,
    /// The last loss here that the feed has yet to tell; 0 when there is none.
    untold: AtomicU64,
}

impl LostCarts {
    /// Redis may not know of changes that were made until now.
    pub fn note(&self) {
        let now = now_ms();
        self.believe(now);
        self.untold.fetch_max(now, Ordering::Relaxed);
    }

    /// Takes a loss, of this replica or of another.
    pub fn believe(&self, at: u64) {
        self.until.fetch_max(at.saturating_add(SKEW), Ordering::Relaxed);
    }

    /// Whether a cart that was read from MySQL then may have been changed since without Redis knowing.
    pub fn doubt(&self, read_at: u64) -> bool {
        read_at <= self.until.load(Ordering::Relaxed)
    }

    /// The loss that is still to be told.
    pub fn untold(&self) -> Option<u64> {
        Some(self.untold.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// The feed has this one now; one that came meanwhile stays.
    pub fn was_told(&self, at: u64) {
        self.untold
            .compare_exchange(at, 0, Ordering::Relaxed, Ordering::Relaxed)
            .ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_puts_what_was_read_before_in_doubt_and_is_told_once() {
        let lost = LostCarts::default();
        let before = now_ms();
        assert!(!lost.doubt(before));
        assert_eq!(lost.untold(), None);
        lost.note();
        assert!(lost.doubt(before));
        assert!(!lost.doubt(now_ms() + SKEW + 1));
        let told = lost.untold();
        assert!(told.is_some_and(|at| at >= before));
        lost.was_told(told.unwrap_or_default());
        assert_eq!(lost.untold(), None);
    }
}
