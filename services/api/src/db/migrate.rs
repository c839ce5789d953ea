//! Migrations: forward only, one statement each, safe to run again.
//!
//! sqlx's own lock does nothing on MariaDB (it asks for an endless wait and drops the answer), so ours is around
//! it. A migration that was killed half way is run again: each holds one statement that changes nothing the
//! second time.

use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, MySqlConnection};

/// What the tree's `migrations` folder holds, built into the program.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

const LOCK_WAIT_SECONDS: i64 = 60;

/// Brings the schema up to date and answers how many migrations ran.
///
/// # Errors
/// When the database cannot be reached, another migration holds the lock for a minute, or a statement fails.
pub async fn run(options: &MySqlConnectOptions) -> anyhow::Result<usize> {
    let mut connection = connect(options).await?;
    // A lock's name is the server's, not the database's: two shops on one server must not wait for each other. It holds 64
    // characters, as many as a database's name. SHA2, because MySQL 9.7 has no MD5.
    let got: Option<i64> =
        sqlx::query_scalar("SELECT GET_LOCK(CONCAT('trestle-migrate:', LEFT(SHA2(DATABASE(), 256), 32)), ?)")
            .bind(LOCK_WAIT_SECONDS)
            .fetch_one(&mut connection)
            .await?;
    anyhow::ensure!(
        got == Some(1),
        "another migration has been running for {LOCK_WAIT_SECONDS} s: try again when it has ended"
    );
    let outcome = apply(&mut connection).await;
    // Closing the connection frees the lock, whatever happened.
    connection.close().await.ok();
    outcome
}

async fn apply(connection: &mut MySqlConnection) -> anyhow::Result<usize> {
    let before = applied(connection).await?;
    if before.is_some() {
        connection
            .execute("DELETE FROM _sqlx_migrations WHERE success = FALSE")
            .await?;
    }
    let mut migrator = sqlx::migrate::Migrator {
        migrations: MIGRATIONS.migrations.clone(),
        ..sqlx::migrate::Migrator::DEFAULT
    };
    migrator.set_locking(false);
    // An older release may run against a newer schema: migrations keep the previous release working.
    migrator.set_ignore_missing(true);
    migrator.run(&mut *connection).await?;
    let after = applied(connection).await?.unwrap_or_default();
    Ok(after.saturating_sub(before.unwrap_or_default()))
}

/// How many migrations have been applied; None when none ever ran.
async fn applied(connection: &mut MySqlConnection) -> Result<Option<usize>, sqlx::Error> {
    let table: i64 = sqlx::query_scalar(
        "SELECT CAST(COUNT(*) AS SIGNED) FROM information_schema.tables
         WHERE table_schema = DATABASE() AND table_name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *connection)
    .await?;
    if table == 0 {
        return Ok(None);
    }
    let count: i64 =
        sqlx::query_scalar("SELECT CAST(COUNT(*) AS SIGNED) FROM _sqlx_migrations WHERE success = TRUE")
            .fetch_one(connection)
            .await?;
    Ok(Some(usize::try_from(count).unwrap_or_default()))
}

/// Whether the schema is at least what this program was built with.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_current(connection: &mut MySqlConnection) -> Result<bool, sqlx::Error> {
    if applied(connection).await?.is_none() {
        return Ok(false);
    }
    let newest: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success = TRUE")
            .fetch_one(connection)
            .await?;
    let needed = MIGRATIONS
        .migrations
        .iter()
        .map(|migration| migration.version)
        .max();
    Ok(newest >= needed)
}

/// Connects, waiting up to a minute for a database that is still coming up.
async fn connect(options: &MySqlConnectOptions) -> anyhow::Result<MySqlConnection> {
    let give_up = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let attempt = tokio::time::timeout(Duration::from_secs(5), options.connect()).await;
        let error = match attempt {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) if !super::is_outage(&error) => return Err(error.into()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in 5 s".to_owned(),
        };
        anyhow::ensure!(
            tokio::time::Instant::now() < give_up,
            "the database cannot be reached: {error}"
        );
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[cfg(test)]
mod tests {
    /// One statement a file: DDL commits by itself, so a second statement could be lost by a kill between the two.
    #[test]
    fn each_migration_is_one_statement_that_can_run_again() {
        for migration in super::MIGRATIONS.migrations.iter() {
            let lines = migration.sql.as_str().lines();
            let code = lines
                .filter(|line| !line.trim_start().starts_with("--"))
                .collect::<String>();
            let statements = code
                .split(';')
                .filter(|statement| !statement.trim().is_empty())
                .count();
            assert_eq!(statements, 1, "{}", migration.version);
            let code = code.to_uppercase();
            assert!(
                code.contains("IF NOT EXISTS") || code.contains("IF EXISTS") || code.starts_with("UPDATE"),
                "{}: cannot run again",
                migration.version
            );
        }
    }
}
