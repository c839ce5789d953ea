//! What the caches did since the process started: for `/instance`, the operations port and its metrics.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts; never goes back.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Threads that count without sharing a cache line; more than there usually are cores, and further ones share.
const LANES: usize = 16;

/// A count of a cache line's size.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lane(Counter);

/// A counter for the hottest path: each thread counts in a cache line of its own, and who reads adds them up.
#[derive(Debug, Default)]
pub struct Lanes([Lane; LANES]);

impl Lanes {
    pub fn add(&self) {
        self.0[lane()].0.add();
    }

    pub fn get(&self) -> u64 {
        self.0.iter().map(|lane| lane.0.get()).sum()
    }
}

/// This thread's lane.
fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    LANE.with(|lane| {
        lane.get().unwrap_or_else(|| {
            let own = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
            lane.set(Some(own));
            own
        })
    })
}

/// The reads.
#[derive(Debug, Default)]
pub struct Stats {
    pub memory_hits: Lanes,
    /// Reads that memory could not answer.
    pub memory_misses: Counter,
    /// Of those, the ones that waited for what another had begun (single flight).
    pub joins: Counter,
    /// Entries renewed before their bound, because somebody still asked for them.
    pub early_refreshes: Counter,
    /// Answers from Redis, carts included.
    pub redis_hits: Counter,
    /// Redis was asked and had nothing that could be served, carts included.
    pub redis_misses: Counter,
    /// Reads of MySQL.
    pub loads: Counter,
    /// Reads of MySQL that failed.
    pub load_failures: Counter,
    /// Reads of MySQL refused because too many were waiting.
    pub refused: Counter,
    /// Answers past their bound, while MySQL could not be read.
    pub stale: Counter,
    pub redis: Calls,
}

/// The calls to Redis.
#[derive(Debug, Default)]
pub struct Calls {
    pub ok: Counter,
    /// Answered with an error: out of memory, read-only, loading.
    pub refused: Counter,
    /// The link broke.
    pub failed: Counter,
    pub timed_out: Counter,
    /// Not made: the breaker was open, or there was no link just then.
    pub skipped: Counter,
    /// Changes of carts that Redis did not hear of.
    pub lost_carts: Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_add_up_over_threads() {
        let lanes = Lanes::default();
        std::thread::scope(|scope| {
            for _ in 0..LANES + 4 {
                scope.spawn(|| (0..100).for_each(|_| lanes.add()));
            }
        });
        assert_eq!(lanes.get(), 100 * (LANES as u64 + 4));
    }
}
