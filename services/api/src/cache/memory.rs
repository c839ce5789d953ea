//! The first layer: answers in this process, bounded in bytes, and the floors below which none is kept.
//!
//! Storing and raising a floor exclude each other, so that a load that was under way when a change arrived cannot
//! put the older bytes back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Key;
use super::entry::Entry;
use crate::clock::now_ms;

/// How long a floor is kept: longer than anything below it can still be served from Redis, stale answers included.
const FLOOR_KEPT: Duration = Duration::from_secs(120).saturating_add(super::STALE_KEPT);

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<Entry>> for ByBytes {
    fn weight(&self, key: &Key, entry: &Arc<Entry>) -> u64 {
        entry.weight() + key.weight()
    }
}

pub struct Memory {
    entries: Cache<Key, Arc<Entry>, ByBytes>,
    floors: Mutex<HashMap<Key, (u64, Instant)>>,
}

impl Memory {
    pub fn new(bytes: u64) -> Self {
        // The estimate of the count only sizes the tables; 2 kB is a usual product.
        let items = usize::try_from(bytes / 2048).unwrap_or(8192);
        Self {
            entries: Cache::with_weighter(items, bytes, ByBytes),
            floors: Mutex::default(),
        }
    }

    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    /// Stores an entry unless it is below the floor or older than what is here; answers what now counts.
    pub fn put(&self, key: &Key, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let floors = self.lock();
        if floors.get(key).is_some_and(|(floor, _)| entry.version < *floor) {
            return None;
        }
        if let Some(here) = self.entries.get(key)
            && here.order() > entry.order()
            // Read in the future: the clock was set back meanwhile, and says nothing.
            && here.read_at <= now_ms()
        {
            return Some(here);
        }
        self.entries.insert(key.clone(), Arc::clone(&entry));
        drop(floors);
        Some(entry)
    }

    /// A change was made: bytes of an older version are neither kept nor taken any more.
    pub fn raise_floor(&self, key: &Key, version: u64) {
        let mut floors = self.lock();
        let floor = floors.entry(key.clone()).or_insert((0, Instant::now()));
        if floor.0 < version {
            *floor = (version, Instant::now());
        }
        self.entries.remove_if(key, |entry| entry.version < version);
    }

    pub fn is_below_floor(&self, key: &Key, version: u64) -> bool {
        self.lock().get(key).is_some_and(|(floor, _)| version < *floor)
    }

    /// Forgets floors that no entry under way can be below any more.
    pub fn forget_old_floors(&self) {
        self.lock().retain(|_, (_, raised)| raised.elapsed() < FLOOR_KEPT);
    }

    pub fn usage(&self) -> (usize, u64) {
        (self.entries.len(), self.entries.weight())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, (u64, Instant)>> {
        self.floors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: u64, read_at: u64) -> Arc<Entry> {
        Arc::new(Entry::new(
            Some(bytes::Bytes::from_static(b"{}")),
            version,
            read_at,
        ))
    }

    #[test]
    fn bytes_below_a_floor_are_neither_kept_nor_taken() {
        let memory = Memory::new(1 << 20);
        let key = Key::Product(1);
        assert!(memory.put(&key, entry(1, 10)).is_some());
        memory.raise_floor(&key, 2);
        assert!(memory.get(&key).is_none());
        // A load that began before the change comes late.
        assert!(memory.put(&key, entry(1, 20)).is_none());
        assert!(memory.put(&key, entry(2, 15)).is_some());
    }

    #[test]
    fn a_key_never_goes_back_in_time() {
        let memory = Memory::new(1 << 20);
        let key = Key::Categories;
        memory.put(&key, entry(0, 20));
        let counts = memory.put(&key, entry(0, 10));
        assert_eq!(counts.map(|entry| entry.read_at), Some(20));
    }
}
