//! `audit`: whether stock, orders, coupons, payments and ratings add up (invariants 1 to 3 of the shop, and what is kept
//! beside them).
//!
//! All checks read one REPEATABLE READ snapshot, so a busy shop audits as truly as a quiet one: whatever was
//! committed together is seen together. Every check aggregates in the database; only violations travel.

mod checks;
mod coupons;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
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
}

/// # Errors
/// When the database cannot be asked.
pub async fn run(args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let options = args.database.options()?;
    let began = Instant::now();
    let mut connection = command::connect(&options).await?;
    let mut failed = 0;
    if args.settled && !settle(&mut connection).await? {
        failed += 1;
    }
    start_snapshot(&mut connection).await?;
    for check in CHECKS {
        if !report(&mut connection, check).await? {
            failed += 1;
        }
    }
    connection.execute("ROLLBACK").await?;
    connection.close().await.ok();
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
async fn settle(connection: &mut MySqlConnection) -> anyhow::Result<bool> {
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
            command::say(&format!(
                "FAIL settled: {} still due after {} s",
                count(due.unsigned_abs(), "payment or refund"),
                SETTLED_WITHIN.as_secs()
            ));
            return Ok(false);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// One snapshot for all that follows, and the clock as it stood then: a check that runs for a minute must not
/// find orders overdue that were not when the snapshot was taken.
async fn start_snapshot(connection: &mut MySqlConnection) -> anyhow::Result<()> {
    for statement in [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        "SET @audited_at = UTC_TIMESTAMP(6)",
    ] {
        connection.execute(statement).await?;
    }
    Ok(())
}

/// Runs one check and prints its line; whether it holds.
async fn report(connection: &mut MySqlConnection, check: &Check) -> anyhow::Result<bool> {
    let total: i64 = sqlx::query_scalar(check.total)
        .fetch_one(&mut *connection)
        .await?;
    let total = count(total.unsigned_abs(), check.what);
    let mut named = Vec::new();
    let mut broken = 0_u64;
    for violations in check.violations {
        let mut rows = sqlx::query_as::<_, (String, String)>(*violations).fetch(&mut *connection);
        while let Some((what, detail)) = rows.try_next().await? {
            broken += 1;
            if named.len() < NAMED {
                named.push(format!("     {}: {detail}", readable(&what)));
            }
        }
    }
    if broken == 0 {
        command::say(&format!("ok   {}: {total}, {}", check.name, check.holds));
        return Ok(true);
    }
    command::say(&format!(
        "FAIL {}: {} among {total}; {} is broken",
        check.name,
        count(broken, "violation"),
        check.holds
    ));
    for line in &named {
        command::say(line);
    }
    if broken > NAMED as u64 {
        command::say(&format!("     and {} more", grouped(broken - NAMED as u64)));
    }
    Ok(false)
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
