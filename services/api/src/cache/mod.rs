//! Reads go memory, Redis, MySQL. Values are the finished bytes of the answer: a hit is forwarded, never decoded.
//!
//! Kept here (invariant 6): no answer is older than its bound, counted from the MySQL read through both layers;
//! on one replica a key never goes back in time; bytes below a floor of the change feed are neither served nor
//! stored. Past its bound an entry is served only while MySQL cannot be read, and the answer says so.

pub mod breaker;
pub mod entry;
pub mod feed;
mod flight;
pub mod flush;
mod given;
mod hit;
pub mod key;
pub mod lost;
pub mod memory;
pub mod redis;
pub mod stats;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::RngExt as _;
use tokio::sync::Semaphore;

use self::breaker::Breaker;
use self::entry::Entry;
use self::flight::Flights;
pub use self::hit::{Asked, Hit, Load, Loaded, Source};
pub use self::key::{Key, STALE_KEPT};
use self::lost::LostCarts;
use self::memory::Memory;
use self::redis::{Redis, Reply};
use self::stats::Stats;
use crate::clock::now_ms;
use crate::db::Deadline;
use crate::db::deadline::READ;
use crate::error::{Error, Result};
use crate::{pace, tally};

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

/// A candidate for the answer while MySQL cannot be read, and where it was found.
type Stale = Option<(Arc<Entry>, Source)>;

/// The layers that all runtimes of a process share.
pub struct Cache {
    pub memory: Memory,
    pub breaker: Breaker,
    pub stats: Stats,
    pub lost_carts: LostCarts,
    /// Whether the change feed could not be read lately: MySQL is away.
    pub outage: AtomicBool,
    redis_on: AtomicBool,
    flights: Flights,
    loads: Semaphore,
    waiting: Semaphore,
}

impl Cache {
    /// Memory of at most so many bytes, and which layers are switched on.
    pub fn new(bytes: u64, memory_on: bool, redis_on: bool) -> Self {
        Self {
            memory: Memory::new(bytes, memory_on),
            breaker: Breaker::default(),
            stats: Stats::default(),
            lost_carts: LostCarts::default(),
            outage: AtomicBool::new(false),
            redis_on: AtomicBool::new(redis_on),
            flights: Flights::default(),
            loads: Semaphore::new(LOADS),
            waiting: Semaphore::new(LOADS_WAITING),
        }
    }

    /// Whether Redis may be asked at all; whether it answers is the breaker's matter.
    pub fn redis_is_on(&self) -> bool {
        self.redis_on.load(Ordering::Relaxed)
    }

    /// Switches Redis on or off for this replica, carts included. What was changed meanwhile is kept from being read
    /// afterwards by floors and by `lost_carts`, as after an outage.
    pub fn switch_redis(&self, on: bool) {
        self.redis_on.store(on, Ordering::Relaxed);
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
            let bound = entry.bound_ms(&key);
            if age_ms < bound {
                self.stats.memory_hits.add();
                if age_ms >= bound * EARLY_FROM / 10 && age_ms >= early(bound) {
                    // Somebody still asks for it near its end: have the next one ready before that.
                    let (_, joined) = self.start(redis, &key, load);
                    if !joined {
                        self.stats.early_refreshes.add();
                    }
                }
                return Ok(Hit {
                    entry,
                    source: Source::Memory,
                    age_ms,
                    stale: false,
                    asked: Asked {
                        memory: true,
                        redis: false,
                    },
                    joined: false,
                });
            }
        }
        self.stats.memory_misses.add();
        pace::keep();
        let (landing, joined) = self.start(redis, &key, load);
        if joined {
            self.stats.joins.add();
        }
        match tokio::time::timeout_at(deadline.within(READ).0, landing.landed()).await {
            Ok(outcome) => outcome.map(|hit| Hit { joined, ..hit }),
            Err(_) => Err(Error::Unavailable("the database")),
        }
    }

    /// Joins the load under way for `key`, or begins it. Answers also which of both.
    fn start(
        self: &Arc<Self>,
        redis: Option<&Redis>,
        key: &Key,
        load: impl FnOnce() -> Load,
    ) -> (flight::Landing, bool) {
        let (landing, pilot) = self.flights.board(key);
        let Some(pilot) = pilot else {
            return (landing, true);
        };
        let cache = Arc::clone(self);
        let redis = redis.cloned();
        let key = key.clone();
        let load = load();
        tally::spawn(async move {
            let outcome = cache.fetch(redis.as_ref(), &key, &load).await;
            let loaded = outcome
                .as_ref()
                .ok()
                .filter(|hit| hit.source == Source::Database && !hit.stale);
            let to_store = loaded.map(|hit| Arc::clone(&hit.entry));
            pilot.land(outcome);
            if let (Some(redis), Some(entry)) = (redis, to_store) {
                let ttl = key.bound() + STALE_KEPT;
                redis
                    .set_if_newer(&key.redis_name(), &entry.to_redis(), ttl)
                    .await;
            }
        });
        (landing, false)
    }

    /// Asks Redis, then MySQL.
    async fn fetch(&self, redis: Option<&Redis>, key: &Key, load: &Load) -> Result<Hit> {
        let entered = tally::enter().await;
        let mut stale: Stale = self.memory.get(key).map(|entry| (entry, Source::Memory));
        let reply = match redis {
            Some(redis) if entered.is_ok() => redis.get(&key.redis_name()).await,
            _ => Reply::Skipped,
        };
        let asked = Asked {
            memory: self.memory.is_on(),
            redis: reply != Reply::Skipped,
        };
        let hit = |entry: Arc<Entry>, source, stale| Hit {
            age_ms: entry.age_ms(now_ms()),
            entry,
            source,
            stale,
            asked,
            joined: false,
        };
        if let Some(entry) = reply.got().flatten().and_then(|bytes| Entry::from_redis(&bytes)) {
            let entry = Arc::new(entry);
            if entry.age_ms(now_ms()) < early(entry.bound_ms(key)) {
                if let Some(entry) = self.memory.put_from_redis(key, entry) {
                    self.stats.redis_hits.add();
                    return Ok(hit(entry, Source::Redis, false));
                }
            } else if stale
                .as_ref()
                .is_none_or(|(here, _)| here.order() <= entry.order())
            {
                stale = Some((entry, Source::Redis));
            }
        }
        if asked.redis {
            self.stats.redis_misses.add();
        }
        // While the change feed says that MySQL cannot be read, a load is only a probe: who has something to show
        // neither waits long for it nor is refused because many do.
        let outage = self.outage.load(Ordering::Relaxed);
        let limit = if outage && stale.is_some() { PROBE } else { LOAD };
        let loaded = match entered {
            Ok(()) => self.load(key, load, Deadline::after(limit)).await,
            Err(overloaded) => Err(overloaded),
        };
        match loaded {
            Ok(entry) => Ok(hit(entry, Source::Database, false)),
            Err(error) if error.is_outage() || (outage && matches!(error, Error::Overloaded)) => {
                match stale.filter(|(entry, _)| self.may_be_given_stale(key, entry)) {
                    Some((entry, source)) => Ok(hit(entry, source, true)),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn load(&self, key: &Key, load: &Load, deadline: Deadline) -> Result<Arc<Entry>> {
        let overloaded = || {
            self.stats.refused.add();
            Error::Overloaded
        };
        let _waiting = self.waiting.try_acquire().map_err(|_| overloaded())?;
        let Ok(Ok(_slot)) = tokio::time::timeout_at(deadline.0, self.loads.acquire()).await else {
            return Err(overloaded());
        };
        // A change may arrive while the load is under way; then what it read is below the floor, and is read again.
        for _ in 0..3 {
            let read_at = now_ms();
            self.stats.loads.add();
            let loaded = load(deadline)
                .await
                .inspect_err(|_| self.stats.load_failures.add())?;
            let entry = Arc::new(Entry::new(loaded.body, loaded.version, read_at));
            if let Some(entry) = self.memory.put_loaded(key, entry) {
                return Ok(entry);
            }
        }
        Err(Error::Unavailable("a consistent read"))
    }

    fn may_be_given_stale(&self, key: &Key, entry: &Entry) -> bool {
        let longest = entry.bound_ms(key) + u64::try_from(STALE_KEPT.as_millis()).unwrap_or(u64::MAX);
        let given = entry.age_ms(now_ms()) <= longest && self.memory.give_stale(key, entry);
        if given {
            self.stats.stale.add();
        }
        given
    }

    /// Places free for loads from MySQL, and in the queue for them.
    pub fn free(&self) -> (usize, usize) {
        (self.loads.available_permits(), self.waiting.available_permits())
    }
}

/// The age from which an entry is renewed before its bound: jittered, so that entries made together do not end
/// together.
fn early(bound: u64) -> u64 {
    rand::rng().random_range(bound * EARLY_FROM / 10..=bound * EARLY_TO / 10)
}
