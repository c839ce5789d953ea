//! The change feed: what was changed, read from MySQL every 250 ms by every replica.
//!
//! It keeps three promises: a changed product is not served from a cache a second later, a session that was ended is
//! refused everywhere within two seconds, and carts whose change Redis did not hear of are not taken from it a second
//! later; with Redis up or down. Each read goes back 10 s, because a row
//! can commit after one with a higher id; no transaction lives longer than that.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sqlx::{MySql, MySqlExecutor, QueryBuilder};
use uuid::Uuid;

use super::{Cache, Key};
use crate::clock::now_ms;
use crate::db::{Connection, Db, Deadline};
use crate::error::Result;
use crate::health::Dependency;
use crate::types::id::{ProductId, SessionId};

const EVERY: Duration = Duration::from_millis(250);
/// A row can commit this much later than one with a higher id: transactions are bounded to less.
const OVERLAP_SECONDS: u64 = 10;
/// Revocations are looked for this far back at the start, and after a gap: an access token lives 5 min.
const SESSIONS_BACK_SECONDS: u64 = 900;
/// Products only as far back as an entry may be served as fresh (60 s): at the start only Redis can have older bytes.
const PRODUCTS_BACK_SECONDS: u64 = 75;
const REVOCATION_KEPT: Duration = Duration::from_secs(900);
/// How old the last read of the feed may be for a token still to be believed.
const TRUSTED_FOR: Duration = Duration::from_secs(2);
/// A read has to be quick; the first, and one after a gap, may find more.
const READ_WITHIN: Duration = Duration::from_secs(1);
const CATCH_UP_WITHIN: Duration = Duration::from_secs(10);
/// Telling must not make the next read late.
const TELL_WITHIN: Duration = Duration::from_millis(500);

/// Writes that a product changed, in the transaction that changed it.
///
/// # Errors
/// When the database refuses.
pub async fn product_changed(tx: impl MySqlExecutor<'_>, product: ProductId, version: u64) -> Result<()> {
    sqlx::query!(
        "INSERT INTO changes (kind, id_key, version, created_at) VALUES ('product', ?, ?, UTC_TIMESTAMP(6))",
        product.0,
        version,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes that a session was ended, in the transaction that ended it.
///
/// # Errors
/// When the database refuses.
pub async fn session_revoked(tx: impl MySqlExecutor<'_>, session: SessionId) -> Result<()> {
    sqlx::query!(
        "INSERT INTO changes (kind, uuid_key, created_at) VALUES ('session', ?, UTC_TIMESTAMP(6))",
        session.0,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// `session_revoked` for many.
///
/// # Errors
/// When the database refuses.
pub async fn sessions_revoked(tx: &mut Connection, sessions: &[SessionId]) -> Result<()> {
    for chunk in sessions.chunks(500) {
        let mut sql = QueryBuilder::<MySql>::new("INSERT INTO changes (kind, uuid_key, created_at) ");
        sql.push_values(chunk, |mut row, session| {
            row.push("'session'")
                .push_bind(session.0)
                .push("UTC_TIMESTAMP(6)");
        });
        sql.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Writes that Redis did not hear of a cart's change, made before `at` (milliseconds since 1970).
async fn carts_lost(connection: &mut Connection, at: u64) -> Result<()> {
    sqlx::query!(
        "INSERT INTO changes (kind, version, created_at) VALUES ('carts', ?, UTC_TIMESTAMP(6))",
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Sessions that were ended while tokens of theirs may still be about.
pub struct Revocations {
    ended: RwLock<HashMap<Uuid, Instant>>,
    started: Instant,
    read: Mutex<Option<ReadAt>>,
    /// The database's answers and errors, for `/readyz`.
    pub database: Arc<Dependency>,
}

/// When the last whole read of the feed began, by both clocks: the steady one does not count a suspended machine, the
/// other may be set back.
#[derive(Debug, Clone, Copy)]
struct ReadAt {
    steady: Instant,
    wall_ms: u64,
}

impl ReadAt {
    fn now() -> Self {
        Self {
            steady: Instant::now(),
            wall_ms: now_ms(),
        }
    }

    /// The longer of what the two clocks say.
    fn elapsed(self) -> Duration {
        let wall = Duration::from_millis(now_ms().saturating_sub(self.wall_ms));
        self.steady.elapsed().max(wall)
    }
}

impl Default for Revocations {
    fn default() -> Self {
        Self {
            ended: RwLock::default(),
            started: Instant::now(),
            read: Mutex::default(),
            database: Arc::default(),
        }
    }
}

impl Revocations {
    /// Whether this replica's knowledge is fresh enough to believe a token.
    pub fn are_known(&self) -> bool {
        self.last_read().is_some_and(|read| read.elapsed() <= TRUSTED_FOR)
    }

    pub fn is_revoked(&self, session: SessionId) -> bool {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        ended.contains_key(&session.0)
    }

    /// Takes a revocation at once, on the replica that made it.
    pub fn add(&self, session: SessionId) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.insert(session.0, Instant::now());
    }

    /// Milliseconds since the feed was last read whole, or since the start.
    pub fn age_ms(&self) -> u128 {
        let age = self
            .last_read()
            .map_or_else(|| self.started.elapsed(), ReadAt::elapsed);
        age.as_millis()
    }

    fn forget_old(&self) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, at| at.elapsed() < REVOCATION_KEPT);
    }

    fn last_read(&self) -> Option<ReadAt> {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn was_read(&self, at: ReadAt) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// How far back the next read must go: past whatever was missed since the last, however that came about. A replica
    /// that was frozen missed just as much as one that could not reach the database.
    fn gap_seconds(&self) -> u64 {
        let elapsed = self.last_read().map(|read| read.elapsed().as_secs());
        elapsed.map_or(u64::MAX, |seconds| seconds.saturating_add(OVERLAP_SECONDS + 1))
    }
}

/// Reads the feed once, as far back as needed.
async fn read(db: &Db, cache: &Cache, revocations: &Revocations) -> Result<()> {
    let began = ReadAt::now();
    let gap = revocations.gap_seconds().max(OVERLAP_SECONDS);
    let within = if gap > 2 * OVERLAP_SECONDS {
        CATCH_UP_WITHIN
    } else {
        READ_WITHIN
    };
    let back = |longest: u64| i64::try_from(gap.min(longest)).unwrap_or(i64::MAX);
    let (sessions_back, products_back) = (back(SESSIONS_BACK_SECONDS), back(PRODUCTS_BACK_SECONDS));
    let (sessions, products, carts) = db
        .read(Deadline::after(within), move |connection| {
            Box::pin(async move {
                let sessions = ended_sessions(&mut *connection, sessions_back).await?;
                let products = changed_products(&mut *connection, products_back).await?;
                // Carts are in Redis for a shorter time than products are looked back for.
                let carts = lost_carts(connection, products_back).await?;
                Ok((sessions, products, carts))
            })
        })
        .await?;
    if let Some(at) = carts {
        cache.lost_carts.believe(at);
    }
    for session in sessions {
        revocations.add(session);
    }
    for (product, version) in products {
        cache.memory.raise_floor(&Key::Product(product), version);
    }
    revocations.was_read(began);
    Ok(())
}

/// Tells the other replicas of carts that were lost here. Apart from the read, which tokens depend on: a database that
/// can be read and not written to keeps customers logged in. What could not be told is told next time.
async fn tell(db: &Db, cache: &Cache) -> Result<()> {
    let Some(at) = cache.lost_carts.untold() else {
        return Ok(());
    };
    db.read(Deadline::after(TELL_WITHIN), move |connection| {
        Box::pin(carts_lost(connection, at))
    })
    .await?;
    cache.lost_carts.was_told(at);
    Ok(())
}

async fn ended_sessions(connection: &mut Connection, seconds: i64) -> Result<Vec<SessionId>> {
    let rows = sqlx::query_scalar!(
        r#"SELECT uuid_key AS "session!: Uuid"
        FROM changes
        WHERE kind = 'session'
          AND uuid_key IS NOT NULL
          AND created_at >= UTC_TIMESTAMP(6) - INTERVAL ? SECOND"#,
        seconds,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(SessionId).collect())
}

async fn changed_products(connection: &mut Connection, seconds: i64) -> Result<Vec<(u64, u64)>> {
    let rows = sqlx::query!(
        r#"SELECT
            id_key,
            MAX(version) AS "version!: u64"
        FROM changes
        WHERE kind = 'product'
          AND created_at >= UTC_TIMESTAMP(6) - INTERVAL ? SECOND
        GROUP BY id_key"#,
        seconds,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id_key, row.version)).collect())
}

async fn lost_carts(connection: &mut Connection, seconds: i64) -> Result<Option<u64>> {
    let row = sqlx::query!(
        r#"SELECT MAX(version) AS "at: u64"
        FROM changes
        WHERE kind = 'carts'
          AND created_at >= UTC_TIMESTAMP(6) - INTERVAL ? SECOND"#,
        seconds,
    )
    .fetch_one(connection)
    .await?;
    Ok(row.at)
}

/// Follows the feed for ever, and says through `Revocations::are_known` and `Cache::outage` how that goes.
pub async fn follow(db: Db, cache: Arc<Cache>, revocations: Arc<Revocations>) {
    let (mut tidied, mut is_telling) = (Instant::now(), true);
    loop {
        match read(&db, &cache, &revocations).await {
            Ok(()) => {
                revocations.database.answered();
                if cache.outage.swap(false, Ordering::Relaxed) {
                    tracing::info!("the change feed is read again");
                }
                let told = tell(&db, &cache).await;
                if let Err(error) = &told
                    && is_telling
                {
                    tracing::warn!(%error, "the change feed cannot be told of lost carts");
                }
                is_telling = told.is_ok();
            }
            Err(error) => {
                revocations.database.failed(&error);
                if !cache.outage.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the change feed cannot be read");
                }
            }
        }
        if tidied.elapsed() > Duration::from_secs(10) {
            cache.memory.forget_old();
            revocations.forget_old();
            tidied = Instant::now();
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_was_frozen_looks_back_over_the_whole_gap_and_believes_no_token_meanwhile() {
        let revocations = Revocations::default();
        assert!(!revocations.are_known());
        assert_eq!(revocations.gap_seconds(), u64::MAX);
        revocations.was_read(ReadAt::now());
        assert!(revocations.are_known());
        assert_eq!(revocations.gap_seconds(), OVERLAP_SECONDS + 1);
        // The steady clock stood still while the machine was suspended; the wall clock went on.
        let suspended = ReadAt {
            steady: Instant::now(),
            wall_ms: now_ms() - 30_000,
        };
        revocations.was_read(suspended);
        assert!(!revocations.are_known());
        assert!(revocations.gap_seconds() >= 30 + OVERLAP_SECONDS);
        // The wall clock was set back; the steady one went on.
        let set_back = ReadAt {
            steady: Instant::now().checked_sub(Duration::from_secs(30)).unwrap(),
            wall_ms: now_ms() + 60_000,
        };
        revocations.was_read(set_back);
        assert!(!revocations.are_known());
        assert!(revocations.gap_seconds() >= 30 + OVERLAP_SECONDS);
    }
}
