//! Reads go memory, Redis, MySQL. Values are the finished bytes of the answer: a hit is forwarded, never decoded.
//!
//! Kept here (invariant 6): no answer is older than its bound, counted from the MySQL read through both layers;
//! on one replica a key never goes back in time; bytes below a floor of the change feed are neither served nor
//! stored. Past its bound an entry is served only while MySQL cannot be read, and the answer says so.

pub mod breaker;
pub mod entry;
pub mod feed;
mod flight;
pub mod memory;
pub mod redis;
pub mod stats;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use rand::RngExt as _;
use tokio::sync::Semaphore;

use self::breaker::Breaker;
use self::entry::Entry;
use self::flight::Flights;
use self::memory::Memory;
use self::redis::Redis;
use self::stats::Stats;
use crate::clock::now_ms;
use crate::db::Deadline;
use crate::db::deadline::READ;
use crate::error::{Error, Result};

/// How long past its bound an entry is kept for a database outage.
pub const STALE_KEPT: Duration = Duration::from_secs(600);
/// Loads from MySQL at a time, in this process; more wait, and past `LOADS_WAITING` are refused.
pub const LOADS: usize = 8;
/// Loads under way and waiting together.
pub const LOADS_WAITING: usize = 256;
/// Between these tenths of its bound an entry that is still asked for is renewed.
const EARLY_FROM: u64 = 7;
const EARLY_TO: u64 = 9;
/// How long a load may take: less than a read's deadline, so that who waits still gets the stale answer.
const LOAD: Duration = Duration::from_millis(1700);
/// The same, while MySQL is known to be away and there is something stale to serve.
const PROBE: Duration = Duration::from_millis(250);

/// What is cached. Lists are known by the canonical text of their query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Product(u64),
    List(Arc<str>),
    Categories,
    /// A page of a product's reviews, by product and page.
    Reviews(Arc<str>),
    /// By the category's handle; empty for the whole shop, as below.
    BestSellers(Arc<str>),
    New(Arc<str>),
    /// What goes with a product.
    Related(u64),
}

impl Key {
    /// The name in Redis. The number is the format of the values: another release must not read them.
    pub fn redis_name(&self) -> String {
        match self {
            Self::Product(id) => format!("trestle:2:product:{id}"),
            Self::List(query) => format!("trestle:2:list:{query}"),
            Self::Categories => "trestle:1:categories".to_owned(),
            Self::Reviews(page) => format!("trestle:1:reviews:{page}"),
            Self::BestSellers(category) => format!("trestle:1:best-sellers:{category}"),
            Self::New(category) => format!("trestle:1:new:{category}"),
            Self::Related(id) => format!("trestle:1:related:{id}"),
        }
    }

    fn weight(&self) -> u64 {
        match self {
            Self::List(text) | Self::Reviews(text) | Self::BestSellers(text) | Self::New(text) => {
                text.len() as u64
            }
            Self::Product(_) | Self::Categories | Self::Related(_) => 0,
        }
    }

    /// The bound: how old an answer may be, in milliseconds.
    fn bound_ms(&self) -> u64 {
        match self {
            // The change feed drops it within a second; this is for when the feed is late.
            // So does a minute do for what sells best.
            Self::Product(_) | Self::BestSellers(_) => 60_000,
            Self::List(_) | Self::Categories | Self::Reviews(_) | Self::New(_) | Self::Related(_) => 5_000,
        }
    }
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Memory,
    Redis,
    Database,
    /// Past its bound, served because MySQL cannot be read.
    Stale,
}

/// An answer and where it came from.
#[derive(Debug, Clone)]
pub struct Hit {
    pub entry: Arc<Entry>,
    pub source: Source,
    /// Milliseconds since MySQL was read.
    pub age_ms: u64,
}

impl Hit {
    fn new(entry: Arc<Entry>, source: Source) -> Self {
        let age_ms = entry.age_ms(now_ms());
        Self {
            entry,
            source,
            age_ms,
        }
    }
}

/// What a load from MySQL found.
pub struct Loaded {
    /// None: there is no such thing.
    pub body: Option<Bytes>,
    pub version: u64,
}

pub type Load = Box<dyn Fn(Deadline) -> BoxFuture<'static, Result<Loaded>> + Send + Sync>;

/// The layers that all runtimes of a process share.
pub struct Cache {
    pub memory: Memory,
    pub breaker: Arc<Breaker>,
    pub stats: Stats,
    /// Whether the change feed could not be read lately: MySQL is away.
    pub outage: AtomicBool,
    flights: Flights,
    loads: Semaphore,
    waiting: Semaphore,
}

impl Cache {
    pub fn new(bytes: u64) -> Self {
        Self {
            memory: Memory::new(bytes),
            breaker: Arc::new(Breaker::default()),
            stats: Stats::default(),
            outage: AtomicBool::new(false),
            flights: Flights::default(),
            loads: Semaphore::new(LOADS),
            waiting: Semaphore::new(LOADS_WAITING),
        }
    }

    /// Places free for loads from MySQL, and in the queue for them.
    pub fn free(&self) -> (usize, usize) {
        (self.loads.available_permits(), self.waiting.available_permits())
    }

    /// The answer for `key`. A miss is loaded once however many ask, in a task that no waiter can cancel.
    ///
    /// # Errors
    /// What the load answers when no layer has anything that may be served.
    pub async fn get(
        self: &Arc<Self>,
        redis: Option<&Redis>,
        key: Key,
        deadline: Deadline,
        load: impl FnOnce() -> Load,
    ) -> Result<Hit> {
        if let Some(entry) = self.memory.get(&key) {
            let age_ms = entry.age_ms(now_ms());
            if age_ms < key.bound_ms() {
                self.stats.memory_hits.add();
                if age_ms >= key.bound_ms() * EARLY_FROM / 10 && age_ms >= early(&key) {
                    // Somebody still asks for it near its end: have the next one ready before that.
                    self.stats.early_refreshes.add();
                    self.start(redis, &key, load);
                }
                return Ok(Hit {
                    entry,
                    source: Source::Memory,
                    age_ms,
                });
            }
        }
        self.stats.memory_misses.add();
        let mut landing = self.start(redis, &key, load);
        match tokio::time::timeout_at(deadline.within(READ).0, landing.landed()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Unavailable("the database")),
        }
    }

    fn start(
        self: &Arc<Self>,
        redis: Option<&Redis>,
        key: &Key,
        load: impl FnOnce() -> Load,
    ) -> flight::Landing {
        let (landing, pilot) = self.flights.board(key);
        if pilot.is_none() {
            self.stats.joins.add();
        }
        if let Some(pilot) = pilot {
            let cache = Arc::clone(self);
            let redis = redis.cloned();
            let key = key.clone();
            let load = load();
            crate::tally::spawn(async move {
                let (outcome, to_store) = cache.fetch(redis.as_ref(), &key, &load).await;
                pilot.land(outcome);
                if let (Some(redis), Some(entry)) = (redis, to_store) {
                    let ttl = Duration::from_millis(key.bound_ms()) + STALE_KEPT;
                    redis
                        .set_if_newer(&key.redis_name(), &entry.to_redis(), ttl)
                        .await;
                }
            });
        }
        landing
    }

    /// Asks Redis, then MySQL. Answers also what Redis should be told.
    async fn fetch(
        &self,
        redis: Option<&Redis>,
        key: &Key,
        load: &Load,
    ) -> (Result<Hit>, Option<Arc<Entry>>) {
        let mut stale = self.memory.get(key);
        if let Some(redis) = redis
            && let Some(entry) = redis
                .get(&key.redis_name())
                .await
                .and_then(|bytes| Entry::from_redis(&bytes))
        {
            let entry = Arc::new(entry);
            let newer = stale.as_ref().is_none_or(|here| here.order() <= entry.order());
            if newer && entry.age_ms(now_ms()) < early(key) {
                if let Some(entry) = self.memory.put(key, Arc::clone(&entry)) {
                    self.stats.redis_hits.add();
                    return (Ok(Hit::new(entry, Source::Redis)), None);
                }
            } else if newer {
                stale = Some(entry);
            }
        }
        if redis.is_some() {
            self.stats.redis_misses.add();
        }
        // While the change feed says that MySQL cannot be read, a load is only a probe: who has something to show
        // neither waits long for it nor is refused because many do.
        let outage = self.outage.load(Ordering::Relaxed);
        let limit = if outage && stale.is_some() { PROBE } else { LOAD };
        match self.load(key, load, Deadline::after(limit)).await {
            Ok(entry) => (Ok(Hit::new(Arc::clone(&entry), Source::Database)), Some(entry)),
            Err(error) if error.is_outage() || (outage && matches!(error, Error::Overloaded)) => {
                (self.stale(key, stale).ok_or(error), None)
            }
            Err(error) => (Err(error), None),
        }
    }

    async fn load(&self, key: &Key, load: &Load, deadline: Deadline) -> Result<Arc<Entry>> {
        let _waiting = self.waiting.try_acquire().map_err(|_| {
            self.stats.refused.add();
            Error::Overloaded
        })?;
        let Ok(Ok(_slot)) = tokio::time::timeout_at(deadline.0, self.loads.acquire()).await else {
            return Err(Error::Overloaded);
        };
        // A change may arrive while the load is under way; then what it read is below the floor, and is read again.
        for _ in 0..3 {
            let read_at = now_ms();
            let loaded = load(deadline)
                .await
                .inspect_err(|_| self.stats.load_failures.add())?;
            self.stats.loads.add();
            let entry = Arc::new(Entry::new(loaded.body, loaded.version, read_at));
            if let Some(entry) = self.memory.put(key, entry) {
                return Ok(entry);
            }
        }
        Err(Error::Unavailable("a consistent read"))
    }

    fn stale(&self, key: &Key, entry: Option<Arc<Entry>>) -> Option<Hit> {
        let entry = entry?;
        let longest = key.bound_ms() + u64::try_from(STALE_KEPT.as_millis()).unwrap_or(u64::MAX);
        if entry.age_ms(now_ms()) > longest || self.memory.is_below_floor(key, entry.version) {
            return None;
        }
        self.stats.stale.add();
        Some(Hit::new(entry, Source::Stale))
    }
}

/// The age from which an entry is renewed before its bound: jittered, so that entries made together do not end
/// together.
fn early(key: &Key) -> u64 {
    let bound = key.bound_ms();
    rand::rng().random_range(bound * EARLY_FROM / 10..=bound * EARLY_TO / 10)
}
