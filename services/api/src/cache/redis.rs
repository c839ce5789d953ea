//! The second layer's link: one multiplexed connection a runtime, every call bounded and behind the breaker.
//!
//! redis-rs's own manager never reconnects after answers stopped coming (measured: 75 errors in 45 s, 0 answers),
//! so a link that failed is thrown away here and another is made in the background. Nothing in this file can fail
//! a request: a call that did not work is a miss.
//!
//! The breaker is for a Redis that does not answer. One that answers with an error (out of memory, read-only) does so
//! quickly, so its reads go on; what it refused to write counts as lost, and whoever lost it sees to that.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo as _,
    RedisError, ServerErrorKind, TlsCertificates, Value,
};
use tokio::time::{Instant, timeout};

use super::Cache;
use crate::tally;

/// A read that takes longer costs more than the database would.
const CALL: Duration = Duration::from_millis(50);
const CONNECT: Duration = Duration::from_millis(100);
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);
/// A link that leads to a read-only Redis is made anew when it is older: after a failover the name leads elsewhere.
const READ_ONLY_KEPT: Duration = Duration::from_secs(10);
/// Time-outs in a row after which the link is taken for dead.
const TIMEOUTS_TO_DROP: u32 = 3;

/// Sets a value only if it is newer than what is there: the first 32 bytes are its order.
const SET_IF_NEWER: &str = "
local here = redis.call('GETRANGE', KEYS[1], 0, 31)
if here ~= '' and here >= string.sub(ARGV[1], 1, 32) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1";

/// Adds one to each key and lets all live on for the same time.
const COUNT_UP: &str = "
for _, key in ipairs(KEYS) do
    redis.call('INCR', key)
    redis.call('PEXPIRE', key, ARGV[1])
end
return 1";

/// Reads a Redis URL.
///
/// # Errors
/// What is wrong with it, without the URL, which may hold a password.
pub fn client(url: &str) -> Result<Client, String> {
    let info = url
        .into_connection_info()
        .map_err(|error| error.category().to_owned())?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(
            "#insecure would trust anybody: name the authority instead (TRESTLE_REDIS_CA_FILE)".into(),
        );
    }
    // Small requests that wait for small answers: without this each waits for the delayed ACK of the last.
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    Client::open(info.set_tcp_settings(tcp)).map_err(|error| error.category().to_owned())
}

/// The same server, whose certificate has to come from these authorities (PEM) and be for the URL's host.
///
/// # Errors
/// What is wrong with them.
pub fn trusting_only(client: &Client, authorities: Vec<u8>) -> Result<Client, String> {
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(authorities),
    };
    Client::build_with_tls(client.get_connection_info().clone(), certificates)
        .map_err(|error| error.category().to_owned())
}

enum Slot {
    Absent {
        retry_at: Instant,
    },
    Connecting,
    Ready {
        connection: MultiplexedConnection,
        timeouts: u32,
        generation: u64,
        since: Instant,
    },
}

struct Inner {
    client: Client,
    slot: Mutex<Slot>,
    /// Whether there was a link before.
    was_linked: AtomicBool,
    /// For its switch, its breaker and its counts, which all links share.
    cache: Arc<Cache>,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<T> {
    Got(T),
    /// Redis was asked, and gave nothing that can be used.
    Failed,
    /// Redis was not asked: it is switched off, the breaker is open, or there is no link just now.
    Skipped,
}

impl<T> Reply<T> {
    pub fn got(self) -> Option<T> {
        match self {
            Self::Got(value) => Some(value),
            Self::Failed | Self::Skipped => None,
        }
    }
}

/// One runtime's link to Redis.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

impl Redis {
    pub fn new(client: Client, cache: Arc<Cache>) -> Self {
        let slot = Mutex::new(Slot::Absent {
            retry_at: Instant::now(),
        });
        Self {
            inner: Arc::new(Inner {
                client,
                slot,
                was_linked: AtomicBool::new(false),
                cache,
            }),
        }
    }

    /// Connects once; used at start so that the first requests find a link. Waited for no longer than it usually takes.
    pub async fn warm(&self) {
        if self.begin_connecting() {
            let inner = Arc::clone(&self.inner);
            let connecting = tokio::spawn(async move { connect(&inner).await });
            timeout(CONNECT * 2, connecting).await.ok();
        }
    }

    pub async fn get(&self, key: &str) -> Reply<Option<bytes::Bytes>> {
        let mut command = Cmd::with_capacity(2, 64);
        command.arg("GET").arg(key);
        self.call(&command).await
    }

    /// Stores `value`, which begins with its order, unless something newer is there. Kept for `ttl`. Answers whether
    /// Redis now has this or something newer.
    pub async fn set_if_newer(&self, key: &str, value: &[u8], ttl: Duration) -> bool {
        let mut command = Cmd::with_capacity(6, value.len() + 512);
        command.arg("EVAL").arg(SET_IF_NEWER).arg(1).arg(key).arg(value);
        command.arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        self.call::<i64>(&command).await.got().is_some()
    }

    pub async fn delete(&self, key: &str) -> bool {
        let mut command = Cmd::new();
        command.arg("DEL").arg(key);
        self.call::<i64>(&command).await.got().is_some()
    }

    /// Adds one to each count; each is forgotten `ttl` after the last time.
    pub async fn count_up(&self, keys: &[String], ttl: Duration) -> bool {
        let mut command = Cmd::new();
        command.arg("EVAL").arg(COUNT_UP).arg(keys.len()).arg(keys);
        command.arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        self.call::<i64>(&command).await.got().is_some()
    }

    /// The counts of these keys; None when Redis does not say.
    pub async fn counts<const N: usize>(&self, keys: &[String; N]) -> Option<[u64; N]> {
        let mut command = Cmd::new();
        command.arg("MGET").arg(keys.as_slice());
        let counts = self.call::<Vec<Option<u64>>>(&command).await.got()?;
        let counts: Vec<_> = counts.into_iter().map(Option::unwrap_or_default).collect();
        counts.try_into().ok()
    }

    async fn call<T: FromRedisValue>(&self, command: &Cmd) -> Reply<T> {
        let cache = &self.inner.cache;
        if !cache.redis_is_on() {
            return Reply::Skipped;
        }
        let calls = &cache.stats.redis;
        let link = if cache.breaker.permits() {
            self.link()
        } else {
            None
        };
        let Some((mut connection, generation)) = link else {
            calls.skipped.add();
            return Reply::Skipped;
        };
        let began = Instant::now();
        let answer = timeout(CALL, connection.send_packed_command(command)).await;
        tally::redis(began.elapsed());
        // An error that the server answered comes as a value.
        match answer.map(|answer| answer.and_then(Value::extract_error)) {
            Ok(Ok(value)) => {
                calls.ok.add();
                cache.breaker.succeeded();
                self.answered(generation);
                redis::from_redis_value(value).map_or(Reply::Failed, Reply::Got)
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "a call to Redis failed");
                self.erred(&error, generation);
                Reply::Failed
            }
            Err(_) => {
                calls.timed_out.add();
                cache.breaker.failed();
                self.timed_out(generation);
                Reply::Failed
            }
        }
    }

    fn erred(&self, error: &RedisError, generation: u64) {
        let cache = &self.inner.cache;
        if let kind @ (ErrorKind::Server(_) | ErrorKind::Extension) = error.kind() {
            // The server's own words: it is there.
            cache.stats.redis.refused.add();
            cache.breaker.succeeded();
            self.answered(generation);
            if kind == ErrorKind::Server(ServerErrorKind::ReadOnly) {
                self.drop_link(generation, READ_ONLY_KEPT);
            }
            return;
        }
        cache.stats.redis.failed.add();
        cache.breaker.failed();
        if error.is_unrecoverable_error() || error.is_io_error() {
            self.drop_link(generation, Duration::ZERO);
        }
    }

    /// The link, if there is one now. Where there is none, one is made in the background.
    fn link(&self) -> Option<(MultiplexedConnection, u64)> {
        if let Slot::Ready {
            connection,
            generation,
            ..
        } = &*self.slot()
        {
            return Some((connection.clone(), *generation));
        }
        if self.begin_connecting() {
            let inner = Arc::clone(&self.inner);
            tokio::spawn(async move { connect(&inner).await });
        }
        None
    }

    fn begin_connecting(&self) -> bool {
        let mut slot = self.slot();
        let due = matches!(&*slot, Slot::Absent { retry_at } if *retry_at <= Instant::now());
        if due {
            *slot = Slot::Connecting;
        }
        due
    }

    fn answered(&self, of: u64) {
        if let Slot::Ready {
            timeouts, generation, ..
        } = &mut *self.slot()
            && *generation == of
        {
            *timeouts = 0;
        }
    }

    fn timed_out(&self, of: u64) {
        let mut slot = self.slot();
        if let Slot::Ready {
            timeouts, generation, ..
        } = &mut *slot
            && *generation == of
        {
            *timeouts += 1;
            if *timeouts >= TIMEOUTS_TO_DROP {
                *slot = Slot::Absent {
                    retry_at: Instant::now(),
                };
            }
        }
    }

    /// Makes way for a new link, unless this one is no older than `kept`.
    fn drop_link(&self, of: u64, kept: Duration) {
        let mut slot = self.slot();
        if matches!(&*slot, Slot::Ready { generation, since, .. } if *generation == of && since.elapsed() >= kept)
        {
            *slot = Slot::Absent {
                retry_at: Instant::now(),
            };
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.inner.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks the server's name up, to the end.
///
/// A lookup cannot be broken off: it holds a thread until DNS has answered or given up, which takes ten seconds where the
/// name has gone with its container. Who gives one up and begins another soon has all the threads that resolve MySQL's
/// name, too: a replica that started without Redis and MySQL then never found MySQL. So there is one at a time.
///
/// # Errors
/// When there is no such name.
pub async fn resolve(client: &Client) -> std::io::Result<()> {
    match client.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            tokio::net::lookup_host((host.as_str(), *port)).await.map(drop)
        }
        _ => Ok(()),
    }
}

async fn connect(inner: &Inner) {
    static GENERATION: AtomicU64 = AtomicU64::new(0);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        // Our own, shorter one is around each call: theirs would only be another timer to set.
        .set_response_timeout(None)
        // The default of 50 in flight stalls a runtime that serves more at once.
        .set_pipeline_buffer_size(1024);
    let outcome = match resolve(&inner.client).await {
        Ok(()) => {
            timeout(
                CONNECT * 2,
                inner.client.get_multiplexed_async_connection_with_config(&config),
            )
            .await
        }
        Err(error) => Ok(Err(error.into())),
    };
    let slot = match outcome {
        // The handshake was answered, so calls will be.
        Ok(Ok(connection)) => {
            inner.cache.breaker.succeeded();
            // After a failover this may be another Redis, which had not heard of all that the last one was told.
            if inner.was_linked.swap(true, Ordering::Relaxed) {
                inner.cache.lost_carts.note();
            }
            let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
            Slot::Ready {
                connection,
                timeouts: 0,
                generation,
                since: Instant::now(),
            }
        }
        failed => {
            if let Ok(Err(error)) = failed {
                tracing::debug!(%error, "Redis cannot be reached");
            }
            inner.cache.breaker.failed();
            Slot::Absent {
                retry_at: Instant::now() + RECONNECT_PAUSE,
            }
        }
    };
    *inner.slot.lock().unwrap_or_else(PoisonError::into_inner) = slot;
}
