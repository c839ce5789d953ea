//! What one request cost elsewhere: its statements to MySQL and its calls to Redis, counted and timed for its log line.
//!
//! It travels with the task; work that is spawned for a request takes it along through [`spawn`].

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

tokio::task_local! {
    static TALLY: Arc<Tally>;
}

/// Counts and times of one request.
#[derive(Debug, Default)]
pub struct Tally {
    pub queries: Count,
    pub redis: Count,
}

/// How many, and how long in all.
#[derive(Debug, Default)]
pub struct Count {
    count: AtomicU32,
    micros: AtomicU64,
}

impl Count {
    fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    pub fn micros(&self) -> u64 {
        self.micros.load(Ordering::Relaxed)
    }
}

/// Runs `work` so that what it does is counted in `tally`.
pub fn scope<F: Future>(tally: Arc<Tally>, work: F) -> impl Future<Output = F::Output> {
    TALLY.scope(tally, work)
}

/// Spawns work that belongs to the request at hand, if there is one.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match TALLY.try_with(Arc::clone) {
        Ok(tally) => tokio::spawn(TALLY.scope(tally, work)),
        Err(_) => tokio::spawn(work),
    }
}

/// A statement ended.
pub fn query(took: Duration) {
    TALLY.try_with(|tally| tally.queries.add(took)).ok();
}

/// A call to Redis ended.
pub fn redis(took: Duration) {
    TALLY.try_with(|tally| tally.redis.add(took)).ok();
}
