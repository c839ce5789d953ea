//! What the one-shot commands (seed, import, audit, admin) share: their connection, the shop's currency, progress.
//!
//! Invariants: one command at a time writes the catalogue (`writer_lock`), and a shop has one currency for ever.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::query_builder::Separated;
use sqlx::{ConnectOptions as _, Executor as _, MySql, MySqlConnection, QueryBuilder};

use crate::config::ConfigError;
use crate::db::{self, migrate};
use crate::types::money::Currency;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A big seed holds the lock for minutes; who waits longer than this should look at it.
const WRITER_WAIT: Duration = Duration::from_secs(900);
/// How often progress is told where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Connects to a database whose schema is current.
///
/// # Errors
/// When it cannot be reached, or its schema is older than this program.
pub async fn connect(options: &MySqlConnectOptions) -> anyhow::Result<MySqlConnection> {
    connect_to("TRESTLE_DATABASE_URL", options).await
}

/// The same, for the database that another variable names.
///
/// # Errors
/// The same, naming the variable.
pub async fn connect_to(
    variable: &'static str,
    options: &MySqlConnectOptions,
) -> anyhow::Result<MySqlConnection> {
    let mut connection = tokio::time::timeout(CONNECT_WITHIN, options.connect())
        .await
        .with_context(|| format!("{variable}: the database did not answer in 10 s"))?
        .with_context(|| format!("{variable}: the database cannot be reached"))?;
    // A command holds row locks for one short transaction at a time and is tried again after a lock wait.
    connection
        .execute("SET SESSION innodb_lock_wait_timeout = 3")
        .await?;
    connection
        .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        .await?;
    anyhow::ensure!(
        migrate::is_current(&mut connection).await?,
        "{variable}: the schema is older than this program: run trestle-api migrate first"
    );
    Ok(connection)
}

/// Waits until no other seed or import writes to this shop. The lock goes when the connection closes.
///
/// # Errors
/// When another one is still at it after 15 minutes.
pub async fn writer_lock(connection: &mut MySqlConnection) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        // A lock's name is the server's, not the database's: as in db/migrate.rs.
        let got: Option<i64> = sqlx::query_scalar(
            "SELECT GET_LOCK(CONCAT('trestle-catalogue:', LEFT(SHA2(DATABASE(), 256), 32)), ?)",
        )
        .bind(if began.elapsed() < LINE_EVERY { 1 } else { 5 })
        .fetch_one(&mut *connection)
        .await?;
        if got == Some(1) {
            return Ok(());
        }
        anyhow::ensure!(
            began.elapsed() < WRITER_WAIT,
            "another seed or import has been running for {} minutes: try again when it has ended",
            WRITER_WAIT.as_secs() / 60
        );
        eprintln!("waiting for another seed or import to end");
    }
}

/// Checks that the shop sells in this currency; a shop that has none yet takes it when `write` says so.
///
/// # Errors
/// A `ConfigError` that names TRESTLE_CURRENCY when the shop's prices are in another.
pub async fn agree_on_currency(
    connection: &mut MySqlConnection,
    ours: Currency,
    write: bool,
) -> anyhow::Result<()> {
    let known = || sqlx::query_scalar!("SELECT currency FROM shop WHERE id = 1");
    let mut theirs = known().fetch_optional(&mut *connection).await?;
    if theirs.is_none() && write {
        let inserted = sqlx::query!("INSERT INTO shop (id, currency) VALUES (1, ?)", ours.as_str())
            .execute(&mut *connection)
            .await;
        match inserted {
            Err(error) if !db::is_duplicate(&error) => return Err(error.into()),
            _ => theirs = known().fetch_optional(&mut *connection).await?,
        }
    }
    match theirs {
        Some(theirs) if theirs != ours.as_str() => Err(ConfigError {
            variable: "TRESTLE_CURRENCY",
            reason: format!("is {ours}, but the shop's prices are in {theirs}"),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Rows of one statement: 65,535 placeholders are the most, and 18 columns the widest table.
const ROWS: usize = 1_000;

/// One multi-row INSERT, or several when there are many rows. Answers the rows written.
///
/// # Errors
/// When the database refuses a row.
pub async fn insert<T>(
    connection: &mut MySqlConnection,
    into: &'static str,
    rows: impl IntoIterator<Item = T>,
    push: impl FnMut(Separated<'_, MySql, &'static str>, T) + Copy,
) -> anyhow::Result<u64> {
    let mut written = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut query = QueryBuilder::<MySql>::new(into);
        query.push_values(rows.by_ref().take(ROWS), push);
        // Each number of rows is another statement: kept ones would fill the server's memory.
        written += query
            .build()
            .persistent(false)
            .execute(&mut *connection)
            .await?
            .rows_affected();
    }
    Ok(written)
}

/// Prints a line to stdout. A reader that went away (`audit | head`) is no reason to break off.
pub fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").ok();
}

/// Progress on stderr: a bar on a terminal, otherwise a line now and then.
pub struct Progress {
    bar: Option<ProgressBar>,
    label: &'static str,
    total: u64,
    done: u64,
    told: Instant,
}

impl Progress {
    /// `template` is indicatif's; the label is already in front of it.
    pub fn new(label: &'static str, total: u64, template: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(&format!("{label:>10} {template}"));
            ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            label,
            total,
            done: 0,
            told: Instant::now(),
        }
    }

    /// Counted things.
    pub fn counting(label: &'static str, total: u64) -> Self {
        Self::new(
            label,
            total,
            "[{bar:40}] {human_pos} of {human_len}, {per_sec}, {eta} left",
        )
    }

    pub fn advance_to(&mut self, done: u64) {
        self.done = done;
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.told.elapsed() >= LINE_EVERY => {
                self.told = Instant::now();
                let percent = (done * 100).checked_div(self.total).unwrap_or(100);
                eprintln!("{}: {percent} %", self.label);
            }
            None => {}
        }
    }

    pub fn advance(&mut self, by: u64) {
        self.advance_to(self.done + by);
    }

    /// Prints a line without spoiling the bar.
    pub fn println(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// 1234567 as 1,234,567.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 product", "2,000 products".
pub fn count(number: u64, one: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {one}{ending}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "product"), "1 product");
        assert_eq!(count(2_000, "product"), "2,000 products");
    }
}
