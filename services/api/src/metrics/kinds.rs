//! What metrics are made of: plain atomics, so that a count costs a few nanoseconds and needs no look-up by name.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Grows only.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn inc(&self) {
        self.add(1);
    }

    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets of every histogram, in microseconds: from a hit in memory (0.1 ms) to the longest
/// deadline (8 s); 50 ms is what a refusal and a Redis call may take.
pub const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// How long something took, by [`BOUNDS`].
#[derive(Debug)]
pub struct Histogram {
    /// The last is for what took longer than every bound.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    pub const fn new() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; BOUNDS.len() + 1],
            micros: AtomicU64::new(0),
        }
    }

    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // From the front: most of what happens is quick.
        let bucket = BOUNDS.iter().take_while(|bound| micros > **bound).count();
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub fn read(&self) -> Reading {
        let mut reading = Reading::default();
        reading.add(self);
        reading
    }
}

/// What a histogram says at one moment, or several together.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    pub buckets: [u64; BOUNDS.len() + 1],
    pub micros: u64,
}

impl Reading {
    pub fn add(&mut self, histogram: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        self.micros += histogram.micros.load(Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_into_the_first_bucket_that_it_does_not_pass() {
        let histogram = Histogram::new();
        for micros in [0, 100, 101, 50_000, 11_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let reading = histogram.read();
        assert_eq!(reading.buckets[..2], [2, 1]);
        assert_eq!(reading.buckets[8], 1);
        assert_eq!(reading.buckets[BOUNDS.len()], 1);
        assert_eq!((reading.count(), reading.micros), (5, 11_050_201));
    }
}
