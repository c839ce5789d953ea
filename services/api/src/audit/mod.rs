//! `audit`: whether stock, orders, coupons, payments and ratings add up (invariants 1 to 3 of the shop, and what is kept
//! beside them).
//!
//! All checks read one REPEATABLE READ snapshot, so a busy shop audits as truly as a quiet one: whatever was
//! committed together is seen together. Every check aggregates in the database; only violations travel.

mod checks;
mod coupons;
pub mod digest;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, MySqlConnection};

use crate::command::{self, count, grouped};
use crate::config::DatabaseArgs;
use checks::{CHECKS, Check};

/// How long `--settled` waits. Recovery takes a pending order soon after its `settle_by`.
const SETTLED_WITHIN: Duration = Duration::from_secs(90);
const ASK_EVERY: Duration = Duration::from_millis(250);
/// Violations that are named for each check; all are counted.
const NAMED: usize = 5;

/// What `audit` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Checks in one snapshot, under load too: the ledger of each variant adds up to its stock, each order's lines \
    to its ledger and its total, each order's state to the payment gateway's books, each coupon's counters to its uses, each \
    product's rating to its reviews, its price and stock to its variants.\n\
    Exit code: 0 all hold, 1 something is broken or could not be checked, 64 wrong arguments."
)]
pub struct AuditArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// First wait, up to 90 seconds, until no order waits for its payment or refund
    #[arg(long)]
    settled: bool,
    /// Say it as JSON, with the rows and a digest of each table: the same data on another server has the same
    #[arg(long)]
    json: bool,
}

/// # Errors
/// When the database cannot be asked.
pub async fn run(args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let options = args.database.options()?;
    let began = Instant::now();
    let mut connection = command::connect(&options).await?;
    let mut failed = 0;
    if args.settled && !settle(&mut connection, args.json).await? {
        failed += 1;
    }
    start_snapshot(&mut connection).await?;
    let mut checks = Vec::new();
    for check in CHECKS {
        let found = examine(&mut connection, check).await?;
        if !args.json {
            found.say(check);
        }
        if found.broken > 0 {
            failed += 1;
        }
        checks.push(found.as_json(check));
    }
    if args.json {
        let tables = digest::of(&mut connection).await?;
        command::say(&json!({"holds": failed == 0, "checks": checks, "tables": tables}).to_string());
    }
    connection.execute("ROLLBACK").await?;
    connection.close().await.ok();
    if args.json {
        return Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let seconds = began.elapsed().as_secs_f64();
    if failed == 0 {
        command::say(&format!(
            "audit: all {} checks hold ({seconds:.1} s)",
            CHECKS.len()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    command::say(&format!(
        "audit: {} failed ({seconds:.1} s)",
        count(failed, "check")
    ));
    Ok(ExitCode::FAILURE)
}

/// Waits until nothing is due at the payment gateway; false when something still is at the end.
async fn settle(connection: &mut MySqlConnection, quietly: bool) -> anyhow::Result<bool> {
    let began = Instant::now();
    loop {
        let due: i64 =
            sqlx::query_scalar!(r#"SELECT COUNT(*) AS "due!: i64" FROM orders WHERE settle_by IS NOT NULL"#)
                .fetch_one(&mut *connection)
                .await?;
        if due == 0 {
            return Ok(true);
        }
        if began.elapsed() >= SETTLED_WITHIN {
            let due = count(due.unsigned_abs(), "payment or refund");
            let line = format!(
                "FAIL settled: {due} still due after {} s",
                SETTLED_WITHIN.as_secs()
            );
            if quietly {
                eprintln!("{line}");
            } else {
                command::say(&line);
            }
            return Ok(false);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// One snapshot for all that follows, and the clock as it stood then: a check that runs for a minute must not
/// find orders overdue that were not when the snapshot was taken.
pub async fn start_snapshot(connection: &mut MySqlConnection) -> anyhow::Result<()> {
    for statement in [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        "SET @audited_at = UTC_TIMESTAMP(6)",
    ] {
        connection.execute(statement).await?;
    }
    Ok(())
}

/// What one check found.
struct Found {
    total: u64,
    broken: u64,
    /// The first of what is broken, and how.
    named: Vec<String>,
}

async fn examine(connection: &mut MySqlConnection, check: &Check) -> anyhow::Result<Found> {
    let total: i64 = sqlx::query_scalar(check.total)
        .fetch_one(&mut *connection)
        .await?;
    let mut found = Found {
        total: total.unsigned_abs(),
        broken: 0,
        named: Vec::new(),
    };
    for violations in check.violations {
        let mut rows = sqlx::query_as::<_, (String, String)>(*violations).fetch(&mut *connection);
        while let Some((what, detail)) = rows.try_next().await? {
            found.broken += 1;
            if found.named.len() < NAMED {
                found.named.push(format!("{}: {detail}", readable(&what)));
            }
        }
    }
    Ok(found)
}

impl Found {
    fn say(&self, check: &Check) {
        let total = count(self.total, check.what);
        if self.broken == 0 {
            command::say(&format!("ok   {}: {total}, {}", check.name, check.holds));
            return;
        }
        command::say(&format!(
            "FAIL {}: {} among {total}; {} is broken",
            check.name,
            count(self.broken, "violation"),
            check.holds
        ));
        for line in &self.named {
            command::say(&format!("     {line}"));
        }
        if self.broken > NAMED as u64 {
            command::say(&format!("     and {} more", grouped(self.broken - NAMED as u64)));
        }
    }

    fn as_json(&self, check: &Check) -> Value {
        json!({"name": check.name, "total": self.total, "broken": self.broken, "violations": self.named})
    }
}

/// A UUID that comes as bare hexadecimal digits is written as everywhere else.
fn readable(what: &str) -> String {
    what.split(' ')
        .map(|word| match uuid::Uuid::try_parse(word) {
            Ok(id) if word.len() == 32 => id.to_string(),
            _ => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}
