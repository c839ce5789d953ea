//! The way to MySQL. Three guards live here, each against a loss that was reproduced with sqlx 0.9:
//!
//! - a connection whose work did not come to its end (timed out, cancelled, failed on the wire) is closed, never
//!   reused: it may be inside an open transaction, whose next borrower would lose what it writes, and a dead
//!   link would keep its place in the pool for good;
//! - a connection goes back to the pool within a bounded time: sqlx pings the server on the way, without a bound;
//! - a transaction runs in a task of its own, so that a client that hangs up cannot cancel it half way.
//!
//! Deadlocks and lock waits are retried here and nowhere else.

mod connection;
pub mod deadline;
pub mod migrate;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use rand::RngExt as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{Connection as _, Executor as _, MySqlConnection, MySqlPool};
use tokio::time::timeout_at;

pub use connection::Connection;
pub use deadline::Deadline;

use crate::error::{Error, Result};
use crate::health::Dependency;
use crate::metrics::METRICS;
use crate::{pace, tally};

/// How often a transaction that met a deadlock or a lock wait is tried in all.
const ATTEMPTS: u32 = 4;
/// A connection unused for longer is pinged before it is handed out: the server ends idle ones after 10 s.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// A statement that takes longer is named in the log, unless the configuration says another time.
pub const SLOW: Duration = Duration::from_millis(500);
/// How long a request tries a database that is known to be away.
const WHILE_LOST: Duration = Duration::from_secs(1);
/// For so long after the database was away every connection is pinged: longer than an unused one is kept (7 s).
const DOUBTFUL: Duration = Duration::from_secs(15);
/// How long a connection may take to go back to the pool.
const RETURN_LIMIT: Duration = Duration::from_millis(500);

/// One runtime's share of the connections to MySQL.
#[derive(Clone)]
pub struct Db {
    pool: MySqlPool,
    slow: Duration,
    /// What somebody who asks the database all the time knows of it.
    known: Arc<OnceLock<Arc<Dependency>>>,
}

impl Db {
    /// Makes a pool of at most `connections`. Nothing is connected yet.
    pub fn new(options: MySqlConnectOptions, connections: u32) -> Self {
        let known = Arc::new(OnceLock::<Arc<Dependency>>::new());
        let heard = Arc::clone(&known);
        let pool = MySqlPoolOptions::new()
            .max_connections(connections)
            .min_connections(0)
            .acquire_timeout(Duration::from_secs(5))
            // Below the server's wait_timeout, so that the pool closes first.
            .idle_timeout(Duration::from_secs(7))
            .max_lifetime(Duration::from_secs(600))
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                // The pool's own rounds make idle connections look fresh, those to a server that is gone too.
                let doubtful = heard.get().is_some_and(|known| known.failed_within(DOUBTFUL));
                Box::pin(async move {
                    if doubtful || meta.idle_for > PING_AFTER_IDLE {
                        // A link that does not answer is dropped, and the pool makes another.
                        let ping = tokio::time::timeout(Duration::from_millis(500), connection.ping()).await;
                        return Ok(matches!(ping, Ok(Ok(()))));
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| Box::pin(prepare_session(connection)))
            .connect_lazy_with(options);
        Self {
            pool,
            slow: SLOW,
            known,
        }
    }

    /// Names statements in the log that take this long.
    #[must_use]
    pub fn slow_after(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }

    /// Waits only briefly while `known` says that the database is away: a request is told at once then, instead of
    /// holding its place until its deadline.
    #[must_use]
    pub fn heeding(self, known: Arc<Dependency>) -> Self {
        self.known.get_or_init(|| known);
        self
    }

    fn heed(&self, deadline: Deadline) -> Deadline {
        if self.known.get().is_some_and(|known| known.is_lost()) {
            deadline.within(WHILE_LOST)
        } else {
            deadline
        }
    }

    /// Shows the pool's use at the operations port.
    #[must_use]
    pub fn watched(self) -> Self {
        METRICS.db.watch(self.pool.clone());
        self
    }

    /// Reads outside of a transaction: `work` gets a connection in autocommit mode.
    ///
    /// # Errors
    /// What `work` answers, or `Unavailable` when the deadline passes first.
    pub async fn read<T>(
        &self,
        deadline: Deadline,
        work: impl for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>>,
    ) -> Result<T> {
        let deadline = self.heed(deadline);
        let mut lease = self.lease(deadline).await?;
        let outcome = timeout_at(deadline.0, work(lease.connection())).await;
        lease.settle(outcome)
    }

    /// Does `work` in one transaction, in a task of its own, and commits it when `work` answers Ok. After a
    /// deadlock (1213) or a lock wait (1205) all of it is rolled back and done again.
    ///
    /// # Errors
    /// What `work` answers (and nothing is written), or `Unavailable` when the deadline passes first; then the
    /// transaction may have been committed, so the caller must not claim that it was not.
    pub async fn transact<T: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + Sync + 'static,
    ) -> Result<T> {
        let db = self.clone();
        let task = tally::spawn(async move {
            let mut attempt = 1;
            loop {
                match db.attempt(deadline, &work).await {
                    Err(Error::Database(error)) if attempt < ATTEMPTS && is_contention(&error) => {
                        match number(&error) {
                            Some(1213) => METRICS.db.retries_1213.inc(),
                            _ => METRICS.db.retries_1205.inc(),
                        }
                        // Full jitter, so that the transactions that collided do not do so again in step.
                        let most = 10 * 2_u64.pow(attempt);
                        let pause = rand::rng().random_range(0..=most);
                        tracing::debug!(attempt, %error, "a transaction is tried again");
                        if timeout_at(deadline.0, tokio::time::sleep(Duration::from_millis(pause)))
                            .await
                            .is_err()
                        {
                            return Err(Error::Unavailable("the database"));
                        }
                        attempt += 1;
                    }
                    outcome => return outcome,
                }
            }
        });
        task.await
            .map_err(|error| Error::Internal(format!("a transaction's task ended: {error}")))?
    }

    async fn attempt<T>(
        &self,
        deadline: Deadline,
        work: &(impl for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Sync),
    ) -> Result<T> {
        let deadline = self.heed(deadline);
        let mut lease = self.lease(deadline).await?;
        let connection = lease.connection();
        let outcome = timeout_at(deadline.0, async {
            connection.execute("START TRANSACTION").await?;
            match work(connection).await {
                Ok(value) => {
                    connection.execute("COMMIT").await?;
                    Ok(value)
                }
                Err(error) => {
                    connection.execute("ROLLBACK").await?;
                    Err(error)
                }
            }
        })
        .await;
        lease.settle(outcome)
    }

    async fn lease(&self, deadline: Deadline) -> Result<Lease> {
        tally::enter().await?;
        pace::keep();
        // Boxed: it holds a whole connection handshake, 18 kB that every future above would carry along.
        let began = Instant::now();
        let acquired = timeout_at(deadline.0, Box::pin(self.pool.acquire())).await;
        METRICS.db.acquire.observe(began.elapsed());
        match acquired {
            Ok(Ok(connection)) => Ok(Lease {
                connection: Connection::new(connection, self.slow),
                finished: false,
            }),
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => {
                METRICS.db.acquire_timeouts.inc();
                Err(Error::Unavailable("the database"))
            }
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// Closes every connection after its work.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A borrowed connection, closed when it is dropped before its work was settled.
struct Lease {
    connection: Connection,
    finished: bool,
}

impl Lease {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Takes the outcome of the work; the connection goes back to the pool only if the server had the last word.
    fn settle<T>(&mut self, outcome: Result<Result<T>, tokio::time::error::Elapsed>) -> Result<T> {
        match outcome {
            Ok(Err(Error::Database(error))) => {
                self.finished = !is_outage(&error);
                Err(Error::Database(error))
            }
            Ok(outcome) => {
                self.finished = true;
                outcome
            }
            Err(_) => Err(Error::Unavailable("the database")),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.finished {
            // On its way back sqlx pings the server, for as long as it takes: on a link that died meanwhile that
            // is for ever, and the place in the pool is gone. Cut off here, the link is closed instead.
            tokio::spawn(tokio::time::timeout(
                RETURN_LIMIT,
                self.connection.pooled().return_to_pool(),
            ));
        } else {
            self.connection.pooled().close_on_drop();
        }
    }
}

/// What every session of ours has, whatever the server's defaults are.
async fn prepare_session(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    // wait_timeout frees the locks of a replica that froze between two statements; lock waits end long before a
    // request's deadline. 8 s is the longest deadline of a request: no statement may outlive it.
    connection
        .execute("SET SESSION wait_timeout = 10, innodb_lock_wait_timeout = 2")
        .await?;
    connection
        .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        .await?;
    let version: String = sqlx::query_scalar("SELECT VERSION()")
        .fetch_one(&mut *connection)
        .await?;
    let limit = if version.contains("MariaDB") {
        "SET SESSION max_statement_time = 8"
    } else {
        "SET SESSION max_execution_time = 8000"
    };
    connection.execute(limit).await?;
    Ok(())
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let sqlx::Error::Database(database) = error else {
        return None;
    };
    database
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .map(sqlx::mysql::MySqlDatabaseError::number)
}

/// A deadlock (1213, everything rolled back) or a lock wait (1205, only the statement).
pub fn is_contention(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(1205 | 1213))
}

/// A row that is there already (1062).
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    number(error) == Some(1062)
}

/// Whether an error says that the database, or this link to it, does not work now: the connection is not kept.
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Too many connections, shutting down, killed, read-only after a failover, statement time over.
        sqlx::Error::Database(_) => {
            matches!(
                number(error),
                Some(1040 | 1053 | 1290 | 1317 | 1792 | 1836 | 1927 | 1969 | 3024 | 4031)
            )
        }
        _ => false,
    }
}
