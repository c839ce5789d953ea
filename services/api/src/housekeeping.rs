//! Removes what has had its time: every replica does it, a little at a time, and none minds another.

use std::time::Duration;

use rand::RngExt as _;

use crate::db::Deadline;
use crate::state::AppState;

const EVERY: Duration = Duration::from_secs(60);

/// One statement each; at most 1,000 rows a run, so that no lock is held for long.
const PURGES: &[(&str, &str)] = &[
    // Longer than an access token lives and than a replica looks back at its start.
    (
        "changes",
        "DELETE FROM changes WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 20 MINUTE LIMIT 1000",
    ),
    (
        "order_responses",
        "DELETE FROM order_responses WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 24 HOUR LIMIT 1000",
    ),
    (
        "refresh_tokens",
        "DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE expires_at < UTC_TIMESTAMP(6)) LIMIT 1000",
    ),
    (
        "sessions",
        "DELETE FROM sessions WHERE expires_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY LIMIT 1000",
    ),
    (
        "cart_lines",
        "DELETE FROM cart_lines WHERE cart_id IN (SELECT id FROM carts WHERE customer_id IS NULL
         AND updated_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY) LIMIT 1000",
    ),
    (
        "carts",
        "DELETE FROM carts WHERE customer_id IS NULL AND updated_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY
         AND id NOT IN (SELECT cart_id FROM cart_lines) LIMIT 1000",
    ),
];

/// Purges for ever.
pub async fn run(state: AppState) {
    loop {
        let jitter = Duration::from_millis(rand::rng().random_range(0..10_000));
        tokio::time::sleep(EVERY + jitter).await;
        for (table, sql) in PURGES {
            let deadline = Deadline::after(Duration::from_secs(5));
            let outcome = state
                .db
                .read(deadline, |connection| {
                    Box::pin(async move { Ok(sqlx::query(*sql).execute(connection).await?.rows_affected()) })
                })
                .await;
            match outcome {
                Ok(0) => {}
                Ok(rows) => tracing::info!(table, rows, "purged"),
                Err(error) => tracing::debug!(table, %error, "a purge was put off"),
            }
        }
    }
}
