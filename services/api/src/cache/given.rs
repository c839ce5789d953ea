//! What this replica gave of each key, so that nothing older from Redis follows it, whether memory still has it or not.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use super::Key;
use super::entry::Entry;
use super::memory::FLOOR_KEPT;
use crate::clock::now_ms;

/// Keys remembered one by one: 24 bytes each.
const KEYS: usize = 32_768;
/// Milliseconds that the clocks of replicas may differ by.
const SKEW: u64 = 1_000;

/// The order of what was given last, by the key's hash: two keys of one hash cost a read of MySQL, no more.
#[derive(Default)]
pub struct Given {
    last: HashMap<u64, (u64, u64)>,
    hasher: RandomState,
    /// When the keys became too many to remember: what was read before that is not taken from Redis any more.
    horizon: u64,
}

impl Given {
    /// Whether `entry` may follow what was given before.
    pub fn admits(&self, key: &Key, entry: &Entry) -> bool {
        if entry.read_at < self.horizon {
            return false;
        }
        let Some(&(version, read_at)) = self.last.get(&self.hasher.hash_one(key)) else {
            return true;
        };
        // Given in the future: the clock was set back meanwhile, and only versions order.
        let time_counts = read_at <= now_ms() + SKEW;
        entry.version > version || (entry.version == version && (!time_counts || entry.read_at >= read_at))
    }

    pub fn note(&mut self, key: &Key, entry: &Entry) {
        let hash = self.hasher.hash_one(key);
        if self.last.len() >= KEYS && !self.last.contains_key(&hash) {
            self.last.clear();
            self.horizon = now_ms() + SKEW;
        }
        self.last.insert(hash, entry.order());
    }

    /// Forgets what is so old that nothing older can be served any more.
    pub fn forget_old(&mut self) {
        let kept = u64::try_from(FLOOR_KEPT.as_millis()).unwrap_or(u64::MAX);
        let before = now_ms().saturating_sub(kept);
        self.last.retain(|_, (_, read_at)| *read_at >= before);
        // The clock was set back: a horizon that far ahead would shut Redis out for as long.
        self.horizon = self.horizon.min(now_ms() + SKEW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_keys_than_can_be_remembered_shut_out_what_was_read_before() {
        let now = now_ms();
        let mut given = Given::default();
        let old = Entry::new(None, 1, now - 5_000);
        for id in 0..KEYS as u64 {
            given.note(&Key::Product(id), &old);
        }
        assert!(given.admits(&Key::Product(7), &old));
        given.note(&Key::Product(KEYS as u64), &old);
        assert!(!given.admits(&Key::Product(7), &old));
        assert!(given.admits(&Key::Product(7), &Entry::new(None, 1, now + 60_000)));
        assert!(given.last.len() <= KEYS);
    }
}
