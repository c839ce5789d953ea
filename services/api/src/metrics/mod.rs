//! Everything that is counted, declared in one place and shared by all runtimes: `METRICS.orders.paid.inc()`. What can
//! be read when it is asked for (pools, queues, memory, the caches' own `Stats`) is not counted here: `page.rs` reads it at
//! the scrape. That file also has each metric's name and help.
//!
//! A static, because what is counted lies in layers that know neither state nor feature, and counts are the process's.

mod http;
mod kinds;
mod page;
mod process;
mod writer;

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::MySqlPool;

use crate::error::{Error, Result};
use crate::types::money::Money;

pub use self::http::{Requests, Shard};
pub use self::kinds::{Counter, Histogram};
pub use self::page::{CONTENT_TYPE, Page};
pub use self::process::{cpu_seconds, resident};

pub static METRICS: Metrics = Metrics::new();

/// By area; the names that a scrape sees are in `page.rs`.
pub struct Metrics {
    pub requests: Requests,
    pub refusals: Refusals,
    pub db: Db,
    pub redis_calls: Histogram,
    pub orders: Orders,
    pub logins: Logins,
    pub recovered: Recovered,
}

/// Why a request was turned away at once instead of being worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// As many requests are worked on as may be, and the line is full or did not move.
    Requests,
    /// Too many passwords wait to be hashed.
    Hashes,
    /// Too many cold keys wait to be read from the database.
    Loads,
    /// This client, or this account, asks too often (429).
    Throttled,
}

/// How long each refusal took, from the request's arrival to its answer.
pub struct Refusals {
    pub requests: Histogram,
    pub hashes: Histogram,
    pub loads: Histogram,
    pub throttled: Histogram,
}

impl Refusals {
    pub fn of(&self, reason: Reason) -> &Histogram {
        match reason {
            Reason::Requests => &self.requests,
            Reason::Hashes => &self.hashes,
            Reason::Loads => &self.loads,
            Reason::Throttled => &self.throttled,
        }
    }
}

/// The way to MySQL.
pub struct Db {
    /// The pools of this process, read at the scrape.
    pools: Mutex<Vec<MySqlPool>>,
    /// From asking for a connection to having one.
    pub acquire: Histogram,
    pub acquire_timeouts: Counter,
    pub statements: Histogram,
    pub slow_statements: Counter,
    /// Transactions begun again after a deadlock (1213).
    pub retries_1213: Counter,
    /// The same, after a lock wait that took too long (1205).
    pub retries_1205: Counter,
}

impl Db {
    pub fn watch(&self, pool: MySqlPool) {
        self.pools().push(pool);
    }

    fn pools(&self) -> MutexGuard<'_, Vec<MySqlPool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Orders by the state that they came to, on this replica, by a request or by recovery.
pub struct Orders {
    pub pending: Counter,
    pub paid: Counter,
    pub failed: Counter,
    pub cancelled: Counter,
    pub shipped: Counter,
    /// Totals of paid orders, in minor units of the shop's currency.
    pub sold: Counter,
    /// Orders refused because something was not in stock.
    pub stock_conflicts: Counter,
}

impl Orders {
    /// An order was paid.
    pub fn sold(&self, total: Money) {
        self.paid.inc();
        self.sold.add(u64::try_from(total.amount).unwrap_or_default());
    }
}

/// Login attempts by how they ended.
pub struct Logins {
    pub succeeded: Counter,
    pub failed: Counter,
    /// Not decided: told to wait, overload or an outage.
    pub refused: Counter,
}

impl Logins {
    /// The count for this outcome.
    pub fn of<T>(&self, outcome: &Result<T>) -> &Counter {
        match outcome {
            Ok(_) => &self.succeeded,
            Err(Error::BadCredentials) => &self.failed,
            Err(_) => &self.refused,
        }
    }
}

/// What recovery ended in a request's place.
pub struct Recovered {
    pub paid: Counter,
    pub failed: Counter,
    pub refunded: Counter,
    pub errors: Counter,
}

impl Metrics {
    const fn new() -> Self {
        Self {
            requests: Requests::new(),
            refusals: Refusals {
                requests: Histogram::new(),
                hashes: Histogram::new(),
                loads: Histogram::new(),
                throttled: Histogram::new(),
            },
            db: Db {
                pools: Mutex::new(Vec::new()),
                acquire: Histogram::new(),
                acquire_timeouts: Counter::new(),
                statements: Histogram::new(),
                slow_statements: Counter::new(),
                retries_1213: Counter::new(),
                retries_1205: Counter::new(),
            },
            redis_calls: Histogram::new(),
            orders: Orders {
                pending: Counter::new(),
                paid: Counter::new(),
                failed: Counter::new(),
                cancelled: Counter::new(),
                shipped: Counter::new(),
                sold: Counter::new(),
                stock_conflicts: Counter::new(),
            },
            logins: Logins {
                succeeded: Counter::new(),
                failed: Counter::new(),
                refused: Counter::new(),
            },
            recovered: Recovered {
                paid: Counter::new(),
                failed: Counter::new(),
                refunded: Counter::new(),
                errors: Counter::new(),
            },
        }
    }
}
