//! What handlers reach: what the whole process shares, and what one runtime has for itself.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::admission::Admission;
use crate::cache::Cache;
use crate::cache::feed::Revocations;
use crate::cache::redis::Redis;
use crate::config::Config;
use crate::db::Db;
use crate::health::Dependency;
use crate::identity::Throttle;
use crate::instance::host::Place;
use crate::lifecycle::Lifecycle;
use crate::telemetry::Log;
use crate::writes::Writes;

/// Shared by all runtimes of this process.
pub struct Shared {
    pub config: Config,
    pub cache: Arc<Cache>,
    pub revocations: Arc<Revocations>,
    pub lifecycle: Arc<Lifecycle>,
    pub log: Log,
    /// One permit a password hash: each takes 19 MiB and a core for 20 ms.
    pub hashes: Arc<Semaphore>,
    /// Failed logins, and who waits because of them.
    pub throttle: Throttle,
    /// How many requests are worked on at a time.
    pub admission: Arc<Admission>,
    /// Whether anything may be written.
    pub writes: Writes,
    pub started: Instant,
    /// The machine, container or process that this is.
    pub place: Place,
    /// What the start waits for: a database with a current schema and our currency.
    pub schema: Dependency,
    /// Redis, asked once a second.
    pub redis_seen: Dependency,
    /// Set once the schema was seen and the revocations were loaded.
    pub ready: AtomicBool,
}

impl Shared {
    /// The zone: as configured, else as EC2 says.
    pub fn zone(&self) -> &str {
        let configured = self.config.zone.as_deref();
        configured
            .or_else(|| self.place.host().zone.as_deref())
            .unwrap_or("local")
    }
}

/// What a handler gets: the shared part, and this runtime's own connections. One pointer, because every request
/// clones it.
#[derive(Clone)]
pub struct AppState(Arc<Own>);

/// What one runtime has for itself.
pub struct Own {
    shared: Arc<Shared>,
    pub db: Db,
    pub redis: Option<Redis>,
}

impl AppState {
    pub fn new(shared: Arc<Shared>, db: Db) -> Self {
        let client = shared.config.redis.clone();
        let redis = client.map(|client| Redis::new(client, Arc::clone(&shared.cache)));
        Self(Arc::new(Own { shared, db, redis }))
    }
}

impl Deref for AppState {
    type Target = Own;

    fn deref(&self) -> &Own {
        &self.0
    }
}

impl Deref for Own {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}
