//! The first layer: answers in this process, bounded in bytes; the floors below which none is kept; and what was
//! given before, which nothing older may follow.
//!
//! Storing and raising a floor exclude each other, so that a load that was under way when a change arrived cannot
//! put the older bytes back. Floors and what was given outlive the entries: they hold with memory switched off,
//! flushed or full, so that a key never goes back in time on this replica.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::entry::Entry;
use super::given::Given;
use super::{Key, STALE_KEPT};

/// How long a floor is kept: longer than anything below it can still be served from Redis, stale answers included.
pub const FLOOR_KEPT: Duration = Duration::from_secs(120).saturating_add(STALE_KEPT);

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<Entry>> for ByBytes {
    fn weight(&self, key: &Key, entry: &Arc<Entry>) -> u64 {
        entry.weight() + key.weight()
    }
}

pub struct Memory {
    /// Empty while the layer is switched off, so that a look needs not ask whether it is.
    entries: Cache<Key, Arc<Entry>, ByBytes>,
    on: AtomicBool,
    rules: Mutex<Rules>,
}

/// Floors that there is always room for: the table is not made smaller than this.
const FLOORS_ROOM: usize = 1024;

/// What may be served of a key.
#[derive(Default)]
struct Rules {
    floors: HashMap<Key, (u64, Instant)>,
    given: Given,
}

impl Rules {
    fn is_below_floor(&self, key: &Key, entry: &Entry) -> bool {
        self.floors
            .get(key)
            .is_some_and(|(floor, _)| entry.version < *floor)
    }

    /// Whether what Redis has may follow what this replica gave before.
    fn admit(&self, key: &Key, entry: &Entry) -> bool {
        !self.is_below_floor(key, entry) && self.given.admits(key, entry)
    }

    /// Forgets floors that no entry under way can be below any more, and gives their room back: an import raises a
    /// million, and the table would keep 100 MB for good.
    fn forget_floors(&mut self, now: Instant) {
        self.floors
            .retain(|_, (_, raised)| now.saturating_duration_since(*raised) < FLOOR_KEPT);
        let room = (self.floors.len() * 2).max(FLOORS_ROOM);
        self.floors.shrink_to(room);
    }
}

impl Memory {
    pub fn new(bytes: u64, on: bool) -> Self {
        // The estimate of the count only sizes the tables; 2 kB is a usual product.
        let items = usize::try_from(bytes / 2048).unwrap_or(8192);
        Self {
            entries: Cache::with_weighter(items, bytes, ByBytes),
            on: AtomicBool::new(on && bytes > 0),
            rules: Mutex::default(),
        }
    }

    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    /// Takes what a load from MySQL found. None when it is below the floor: a change came while the load was under way.
    /// Otherwise it counts, whatever was here: loads of a key come one after the other.
    pub fn put_loaded(&self, key: &Key, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let mut rules = self.rules();
        if rules.is_below_floor(key, &entry) {
            return None;
        }
        self.store(&mut rules, key, &entry);
        Some(entry)
    }

    /// Takes what Redis has, unless it is below the floor or older than what this replica gave before.
    pub fn put_from_redis(&self, key: &Key, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let mut rules = self.rules();
        if !rules.admit(key, &entry) {
            return None;
        }
        self.store(&mut rules, key, &entry);
        Some(entry)
    }

    /// Whether an entry past its bound may be given now; then nothing older may follow it.
    pub fn give_stale(&self, key: &Key, entry: &Entry) -> bool {
        let mut rules = self.rules();
        let admitted = rules.admit(key, entry);
        if admitted {
            rules.given.note(key, entry);
        }
        admitted
    }

    fn store(&self, rules: &mut Rules, key: &Key, entry: &Arc<Entry>) {
        rules.given.note(key, entry);
        if self.is_on() {
            self.entries.insert(key.clone(), Arc::clone(entry));
        }
    }

    /// A change was made: bytes of an older version are neither kept nor taken any more.
    pub fn raise_floor(&self, key: &Key, version: u64) {
        let mut rules = self.rules();
        let floor = rules.floors.entry(key.clone()).or_insert((0, Instant::now()));
        if floor.0 < version {
            *floor = (version, Instant::now());
        }
        self.entries.remove_if(key, |entry| entry.version < version);
    }

    /// Forgets floors that no entry under way can be below any more, and what was given before that.
    pub fn forget_old(&self) {
        let mut rules = self.rules();
        rules.forget_floors(Instant::now());
        rules.given.forget_old();
    }

    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Switches the layer on or off; off also empties it. Answers false when it has no room to be switched on.
    pub fn switch(&self, on: bool) -> bool {
        let rules = self.rules();
        if on && self.entries.capacity() == 0 {
            return false;
        }
        self.on.store(on, Ordering::Relaxed);
        if !on {
            self.entries.clear();
        }
        drop(rules);
        true
    }

    /// Empties the layer; answers how many entries went. Floors stay.
    pub fn flush(&self) -> usize {
        let rules = self.rules();
        let entries = self.entries.len();
        self.entries.clear();
        drop(rules);
        entries
    }

    /// Entries and bytes.
    pub fn usage(&self) -> (usize, u64) {
        (self.entries.len(), self.entries.weight())
    }

    pub fn floors(&self) -> usize {
        self.rules().floors.len()
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now_ms;

    fn entry(version: u64, read_at: u64) -> Arc<Entry> {
        Arc::new(Entry::new(
            Some(bytes::Bytes::from_static(b"{}")),
            version,
            read_at,
        ))
    }

    #[test]
    fn bytes_below_a_floor_are_neither_kept_nor_taken() {
        for on in [true, false] {
            let memory = Memory::new(1 << 20, on);
            let key = Key::Product(1);
            assert!(memory.put_loaded(&key, entry(1, 10)).is_some());
            assert_eq!(memory.get(&key).is_some(), on);
            memory.raise_floor(&key, 2);
            assert!(memory.get(&key).is_none());
            // A load that began before the change comes late; so does Redis.
            assert!(memory.put_loaded(&key, entry(1, 20)).is_none());
            assert!(memory.put_from_redis(&key, entry(1, 20)).is_none());
            assert!(memory.put_loaded(&key, entry(2, 15)).is_some());
        }
    }

    #[test]
    fn a_key_never_goes_back_in_time_switched_off_and_flushed_or_not() {
        let now = now_ms();
        for on in [true, false] {
            let memory = Memory::new(1 << 20, on);
            let key = Key::Categories;
            assert!(memory.put_loaded(&key, entry(0, now - 10)).is_some());
            memory.flush();
            assert!(memory.put_from_redis(&key, entry(0, now - 20)).is_none());
            assert!(!memory.give_stale(&key, &entry(0, now - 20)));
            assert!(memory.put_from_redis(&key, entry(0, now - 10)).is_some());
            assert!(memory.put_from_redis(&key, entry(0, now - 5)).is_some());
            assert!(memory.put_from_redis(&key, entry(0, now - 10)).is_none());
        }
    }

    #[test]
    fn floors_that_are_forgotten_give_their_room_back() {
        let memory = Memory::new(1 << 20, true);
        for product in 0..100_000 {
            memory.raise_floor(&Key::Product(product), 1);
        }
        let mut rules = memory.rules();
        rules.forget_floors(Instant::now());
        assert_eq!(rules.floors.len(), 100_000);
        rules.forget_floors(Instant::now() + FLOOR_KEPT);
        assert_eq!(rules.floors.len(), 0);
        assert!(rules.floors.capacity() <= 2 * FLOORS_ROOM);
    }

    #[test]
    fn off_is_empty_and_keeps_its_floors() {
        let memory = Memory::new(1 << 20, true);
        let key = Key::Product(1);
        memory.put_loaded(&key, entry(3, 10));
        memory.raise_floor(&key, 3);
        assert!(memory.switch(false));
        assert_eq!(memory.usage().0, 0);
        memory.put_loaded(&key, entry(3, 11));
        assert_eq!(memory.usage().0, 0);
        assert!(memory.switch(true));
        assert!(memory.put_from_redis(&key, entry(2, 12)).is_none());
        assert!(!Memory::new(0, true).is_on());
        assert!(!Memory::new(0, true).switch(true));
    }
}
