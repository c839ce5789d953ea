//! Migrations: killed at every point and run again, two at a time, and a server that waits for them.

use std::process::Stdio;
use std::time::Duration;

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tokio::process::Command;
use tokio::sync::OnceCell;
use trestle::Stack;

static STACK: OnceCell<Stack> = OnceCell::const_new();

async fn stack() -> &'static Stack {
    STACK
        .get_or_init(async || Stack::builder().replicas(0).products(0).start().await.unwrap())
        .await
}

/// An empty database of its own, and the commands that work on it.
struct Database {
    url: String,
    connection: MySqlConnection,
}

impl Database {
    async fn create(name: &str) -> Self {
        let stack = stack().await;
        let mut connection = MySqlConnection::connect(&stack.database_root_url())
            .await
            .unwrap();
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
        connection.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
        let url = with_database(&stack.database_root_url(), name);
        let connection = MySqlConnection::connect(&url).await.unwrap();
        Self { url, connection }
    }

    async fn migrate(&self) -> Command {
        let mut command = stack().await.api_command(&["migrate"]).unwrap();
        command
            .env("TRESTLE_DATABASE_URL", &self.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    async fn applied(&mut self) -> Vec<i64> {
        let query = "SELECT version FROM _sqlx_migrations WHERE success = TRUE ORDER BY version";
        sqlx::query_scalar(query)
            .fetch_all(&mut self.connection)
            .await
            .unwrap_or_default()
    }
}

fn with_database(url: &str, name: &str) -> String {
    let (head, query) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = head.rsplit_once('/').unwrap();
    format!("{server}/{name}?{query}")
}

/// MySQL commits each statement of a schema change at once, so a kill leaves one of two states behind a migration:
/// its statement done or not, and its row marked as unfinished. Both are made here for each migration.
#[tokio::test]
async fn a_migration_that_was_killed_at_any_point_is_run_again() {
    let mut database = Database::create("killed").await;
    assert!(database.migrate().await.status().await.unwrap().success());
    let all = database.applied().await;
    assert!(all.len() >= 19);
    for version in &all {
        let unfinished = "UPDATE _sqlx_migrations SET success = FALSE WHERE version = ?";
        sqlx::query(unfinished)
            .bind(version)
            .execute(&mut database.connection)
            .await
            .unwrap();
        let later = "DELETE FROM _sqlx_migrations WHERE version > ?";
        sqlx::query(later)
            .bind(version)
            .execute(&mut database.connection)
            .await
            .unwrap();
        assert!(
            database.migrate().await.status().await.unwrap().success(),
            "after a kill in {version}"
        );
        assert_eq!(database.applied().await, all, "after a kill in {version}");
    }
}

#[tokio::test]
async fn real_kills_at_growing_times_lose_nothing() {
    let mut database = Database::create("sigkill").await;
    for milliseconds in (2..60).step_by(4) {
        let mut child = database.migrate().await.spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        child.kill().await.unwrap();
    }
    let output = database.migrate().await.output().await.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(database.applied().await.len() >= 19);
}

#[tokio::test]
async fn of_several_at_once_one_migrates_and_the_others_wait() {
    let mut database = Database::create("together").await;
    let mut children = Vec::new();
    for _ in 0..4 {
        children.push(database.migrate().await.spawn().unwrap());
    }
    let mut ran = Vec::new();
    for child in children {
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success());
        ran.push(String::from_utf8(output.stdout).unwrap());
    }
    let all = database.applied().await.len();
    let did_all = ran
        .iter()
        .filter(|line| line.contains(&format!("({all} migrations ran)")))
        .count();
    let did_none = ran
        .iter()
        .filter(|line| line.contains("(0 migrations ran)"))
        .count();
    assert_eq!((did_all, did_none), (1, 3), "{ran:?}");
}
