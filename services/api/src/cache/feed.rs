//! The change feed: what was changed, read from MySQL every 250 ms by every replica.
//!
//! It keeps two promises: a changed product is not served from a cache a second later, and a session that was
//! ended is refused everywhere within two seconds, with Redis up or down. Each read goes back 10 s, because a row
//! can commit after one with a higher id; no transaction lives longer than that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sqlx::MySqlConnection;
use uuid::Uuid;

use super::{Cache, Key};
use crate::clock::now_ms;
use crate::db::{Db, Deadline};
use crate::error::Result;
use crate::types::id::{ProductId, SessionId};

const EVERY: Duration = Duration::from_millis(250);
const BACK_SECONDS: i64 = 10;
/// At start: all revocations that an access token can still outlive (it lives 5 min).
const BACK_AT_START_SECONDS: i64 = 900;
const REVOCATION_KEPT: Duration = Duration::from_secs(900);
/// How old the last read of the feed may be for a token still to be believed.
const TRUSTED_FOR_MS: u64 = 2_000;

/// Writes that a product changed, in the transaction that changed it.
///
/// # Errors
/// When the database refuses.
pub async fn product_changed(tx: &mut MySqlConnection, product: ProductId, version: u64) -> Result<()> {
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
pub async fn session_revoked(tx: &mut MySqlConnection, session: SessionId) -> Result<()> {
    sqlx::query!(
        "INSERT INTO changes (kind, uuid_key, created_at) VALUES ('session', ?, UTC_TIMESTAMP(6))",
        session.0,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Sessions that were ended while tokens of theirs may still be about.
#[derive(Default)]
pub struct Revocations {
    ended: RwLock<HashMap<Uuid, Instant>>,
    /// Milliseconds since 1970 when the feed was last read whole.
    read_at: AtomicU64,
}

impl Revocations {
    /// Whether this replica's knowledge is fresh enough to believe a token.
    pub fn are_known(&self) -> bool {
        now_ms().saturating_sub(self.read_at.load(Ordering::Relaxed)) <= TRUSTED_FOR_MS
    }

    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.ended
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&session.0)
    }

    /// Takes a revocation at once, on the replica that made it.
    pub fn add(&self, session: SessionId) {
        self.ended
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(session.0, Instant::now());
    }

    fn forget_old(&self) {
        self.ended
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, at| at.elapsed() < REVOCATION_KEPT);
    }

    /// Milliseconds since the feed was last read whole.
    pub fn age_ms(&self) -> u64 {
        now_ms().saturating_sub(self.read_at.load(Ordering::Relaxed))
    }
}

/// Reads the feed once, going back `seconds`.
///
/// # Errors
/// When the database cannot be read in time.
async fn read(db: &Db, cache: &Cache, revocations: &Revocations, seconds: i64) -> Result<()> {
    let began = now_ms();
    let deadline = Deadline::after(Duration::from_secs(1));
    let rows = db
        .read(deadline, |connection| {
            Box::pin(async move {
                Ok(sqlx::query!(
                    r#"SELECT
                        kind,
                        id_key,
                        uuid_key AS "uuid_key: Uuid",
                        MAX(version) AS "version!: u64"
                    FROM changes
                    WHERE created_at >= UTC_TIMESTAMP(6) - INTERVAL ? SECOND
                    GROUP BY kind, id_key, uuid_key"#,
                    seconds,
                )
                .fetch_all(connection)
                .await?)
            })
        })
        .await?;
    for row in rows {
        match (row.kind.as_str(), row.uuid_key) {
            ("product", _) => cache.memory.raise_floor(&Key::Product(row.id_key), row.version),
            ("session", Some(session)) => revocations.add(SessionId(session)),
            _ => {}
        }
    }
    revocations.read_at.store(began, Ordering::Relaxed);
    Ok(())
}

/// Follows the feed for ever. Answers `started` through the flag that `Revocations::are_known` reads.
pub async fn follow(db: Db, cache: Arc<Cache>, revocations: Arc<Revocations>) {
    let mut back = BACK_AT_START_SECONDS;
    let mut last_ok = Instant::now();
    let mut failing = false;
    let mut tidied = Instant::now();
    loop {
        match read(&db, &cache, &revocations, back).await {
            Ok(()) => {
                if failing {
                    tracing::info!("the change feed is read again");
                }
                failing = false;
                last_ok = Instant::now();
                back = BACK_SECONDS;
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "the change feed cannot be read");
                }
                failing = true;
                // What was missed meanwhile must be read when the database is back.
                let missed = i64::try_from(last_ok.elapsed().as_secs()).unwrap_or(BACK_AT_START_SECONDS);
                back = back.max(BACK_SECONDS + missed + 1).min(BACK_AT_START_SECONDS);
            }
        }
        if tidied.elapsed() > Duration::from_secs(10) {
            cache.memory.forget_old_floors();
            revocations.forget_old();
            tidied = Instant::now();
        }
        tokio::time::sleep(EVERY).await;
    }
}
