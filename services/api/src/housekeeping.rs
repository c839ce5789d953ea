//! Removes what has had its time: every replica does it, a little at a time, and none minds another.

use std::time::Duration;

use rand::RngExt as _;
use sqlx::{MySql, QueryBuilder};
use uuid::Uuid;

use crate::db::{Connection, Db, Deadline};
use crate::error::Result;
use crate::state::AppState;

const EVERY: Duration = Duration::from_secs(60);
/// Rows a statement: few enough that no lock is held for long.
const BATCH: usize = 1000;
/// Batches a run and table, with a pause between: up to 200,000 rows a minute and replica.
const BATCHES: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// What has had its time, found by an index of its own.
struct Purge {
    table: &'static str,
    /// Finds at most `BATCH` ids that the rows to be deleted belong to.
    find: Option<&'static str>,
    /// With ids: statements that end where the list of them begins. Else: one that deletes at most `BATCH` rows.
    delete: &'static [&'static str],
}

/// Where several tables are concerned, ids are found first and rows deleted by them: a DELETE with a subquery and a
/// LIMIT reads its whole table.
const PURGES: &[Purge] = &[
    // Longer than an access token lives and than a replica looks back at its start.
    Purge {
        table: "changes",
        find: None,
        delete: &["DELETE FROM changes
                   WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 20 MINUTE ORDER BY created_at LIMIT 1000"],
    },
    Purge {
        table: "order_responses",
        find: None,
        delete: &["DELETE FROM order_responses
                   WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 24 HOUR ORDER BY created_at LIMIT 1000"],
    },
    Purge {
        table: "sessions",
        find: Some(
            "SELECT id FROM sessions
             WHERE expires_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY ORDER BY expires_at LIMIT 1000",
        ),
        delete: &[
            "DELETE FROM refresh_tokens WHERE session_id IN ",
            "DELETE FROM session_details WHERE session_id IN ",
            "DELETE FROM sessions WHERE id IN ",
        ],
    },
    // Found without a lock and deleted after: a cart that is used in between gets a younger updated_at, so the age is
    // asked for again.
    Purge {
        table: "carts",
        find: Some(
            "SELECT id FROM carts
             WHERE updated_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY AND customer_id IS NULL
             ORDER BY updated_at LIMIT 1000",
        ),
        delete: &[
            "DELETE FROM carts WHERE customer_id IS NULL AND updated_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY AND id IN ",
            "DELETE FROM cart_lines WHERE cart_id NOT IN (SELECT id FROM carts) AND cart_id IN ",
        ],
    },
];

/// Purges for ever.
pub async fn run(state: AppState) {
    loop {
        let jitter = Duration::from_millis(rand::rng().random_range(0..10_000));
        tokio::time::sleep(EVERY + jitter).await;
        if let Ok(_writing) = state.writes.begin() {
            purge(&state.db).await;
        }
    }
}

/// Purges every table once. What does not work now is put off to the next time.
pub async fn purge(db: &Db) {
    for purge in PURGES {
        match purge_all(db, purge).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(table = purge.table, rows, "purged"),
            Err(error) => tracing::warn!(table = purge.table, %error, "a purge was put off"),
        }
    }
}

/// Deletes batch by batch until little is left; answers how many rows or ids.
async fn purge_all(db: &Db, purge: &'static Purge) -> Result<usize> {
    let mut all = 0;
    for _ in 0..BATCHES {
        let deadline = Deadline::after(Duration::from_secs(4));
        let done = db
            .transact(deadline, move |tx| Box::pin(one_batch(tx, purge)))
            .await?;
        all += done;
        if done < BATCH {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(all)
}

async fn one_batch(tx: &mut Connection, purge: &Purge) -> Result<usize> {
    let Some(find) = purge.find else {
        let mut rows = 0;
        for statement in purge.delete {
            rows += sqlx::query(*statement).execute(&mut *tx).await?.rows_affected();
        }
        return Ok(usize::try_from(rows).unwrap_or(BATCH));
    };
    let ids: Vec<Uuid> = sqlx::query_scalar(find).fetch_all(&mut *tx).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    for statement in purge.delete {
        let mut sql = QueryBuilder::<MySql>::new(*statement);
        let mut list = sql.push("(").separated(", ");
        for id in &ids {
            list.push_bind(*id);
        }
        sql.push(")");
        sql.build().execute(&mut *tx).await?;
    }
    Ok(ids.len())
}
