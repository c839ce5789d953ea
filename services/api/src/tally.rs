//! What is known of one request wherever work is done for it: its id and trace, its statements to MySQL and its calls to
//! Redis, counted and timed for its log line.
//!
//! It travels with the task; work that is spawned for a request takes it along through [`spawn`].

use std::future::Future;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::task::JoinHandle;

use crate::admission::{Admission, Place};
use crate::error::{Error, Result};
use crate::metrics::{METRICS, Reason};
use crate::middleware::Trace;
use crate::writes::Writing;

tokio::task_local! {
    static TALLY: Arc<Tally>;
}

/// One request.
#[derive(Debug)]
pub struct Tally {
    request_id: HeaderValue,
    pub trace: Trace,
    pub queries: Count,
    pub redis: Count,
    /// Which queue was full, if one was.
    refused: OnceLock<Reason>,
    admission: Arc<Admission>,
    standing: Mutex<Standing>,
    /// That it writes, for as long as anything of it goes on.
    writing: OnceLock<Writing>,
}

/// Where a request stands with regard to the places for work.
#[derive(Debug)]
enum Standing {
    /// It has needed none so far.
    Outside,
    /// It keeps this one until it ends.
    Inside(#[expect(dead_code, reason = "kept for its drop")] Place),
    /// It had one, or ended without: what it still does needs none.
    Left,
}

impl Tally {
    pub fn new(request_id: HeaderValue, trace: Trace, admission: Arc<Admission>) -> Self {
        Self {
            request_id,
            trace,
            queries: Count::default(),
            redis: Count::default(),
            refused: OnceLock::new(),
            admission,
            standing: Mutex::new(Standing::Outside),
            writing: OnceLock::new(),
        }
    }

    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// Takes a place to work at, unless the request had one.
    ///
    /// # Errors
    /// `Overloaded` when there is none soon.
    pub async fn enter(&self) -> Result<()> {
        if !matches!(*self.standing(), Standing::Outside) {
            return Ok(());
        }
        let Some(place) = self.admission.enter().await else {
            self.refuse(Reason::Requests);
            return Err(Error::Overloaded);
        };
        let mut standing = self.standing();
        // It may have ended, or another task of it may have been quicker.
        if matches!(*standing, Standing::Outside) {
            *standing = Standing::Inside(place);
        }
        Ok(())
    }

    /// Counts as one that writes until all work for it has ended.
    pub fn writes(&self, writing: Writing) {
        self.writing.get_or_init(|| writing);
    }

    /// Leaves the place to another request, for good.
    pub fn leave(&self) {
        *self.standing() = Standing::Left;
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn refuse(&self, reason: Reason) {
        self.refused.get_or_init(|| reason);
    }

    pub fn refusal(&self) -> Option<Reason> {
        self.refused.get().copied()
    }
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

/// The request at hand, if there is one.
pub fn current() -> Option<Arc<Tally>> {
    TALLY.try_with(Arc::clone).ok()
}

/// The request at hand is turned away because this queue is full.
pub fn refused(reason: Reason) {
    TALLY.try_with(|tally| tally.refuse(reason)).ok();
}

/// The request at hand is going to ask Redis or MySQL: it takes a place, if it has none. Work that is nobody's request needs
/// none.
///
/// # Errors
/// `Overloaded` when there is none soon.
pub async fn enter() -> Result<()> {
    match current() {
        Some(tally) => tally.enter().await,
        None => Ok(()),
    }
}

/// The request at hand leaves its place to another, for good: it is going to wait for something outside of this shop, and
/// little is left to do after that.
pub fn leave_place() {
    TALLY.try_with(|tally| tally.leave()).ok();
}

/// A statement ended.
pub fn query(took: Duration) {
    METRICS.db.statements.observe(took);
    TALLY.try_with(|tally| tally.queries.add(took)).ok();
}

/// A call to Redis ended.
pub fn redis(took: Duration) {
    METRICS.redis_calls.observe(took);
    TALLY.try_with(|tally| tally.redis.add(took)).ok();
}
