//! `copy`: all of a shop's rows into an empty database on another server, MariaDB or MySQL, for when the shop outgrows the
//! server that it began on.
//!
//! Rows are read in one snapshot and written as values, so nothing depends on what two servers would make of each other's
//! dumps, and no file with everybody's data lies about. In the end both sides are compared by their digests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySql, MySqlConnection, QueryBuilder, Row as _};

use crate::audit::digest::{self, Column, Digest};
use crate::audit::start_snapshot;
use crate::command::{self, Progress, count, grouped};
use crate::config::{DatabaseArgs, Secret, database_options};

const TO: &str = "TRESTLE_COPY_TO_URL";
/// Of one statement: below every server's limits (65,535 values, packets of 4 MiB and more).
const ROWS: usize = 500;
const VALUES: usize = 20_000;
const BYTES: usize = 1024 * 1024;

/// What `copy` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The other database has the same schema (trestle-api migrate) and no rows; the user needs SELECT, INSERT and \
    DELETE. Stop writes first (PUT /writes on each replica's operations port): what is written to the shop meanwhile stays \
    behind. When it fails, what it wrote is removed again.\n\
    Exit code: 0 both hold the same, 1 failed, 64 wrong arguments."
)]
pub struct CopyArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The database that is to be filled, as TRESTLE_DATABASE_URL names the shop's
    #[arg(long, env = TO, hide_env_values = true, value_name = "URL")]
    to: Option<Secret>,
    /// A file that holds its URL
    #[arg(long, env = "TRESTLE_COPY_TO_URL_FILE", value_name = "FILE")]
    to_file: Option<PathBuf>,
}

/// # Errors
/// When an argument is wrong (`ConfigError`), a database cannot be asked, or the other one is not empty or not alike.
pub async fn run(args: &CopyArgs) -> anyhow::Result<ExitCode> {
    let from = args.database.options()?;
    let to = database_options(TO, args.to.as_ref(), args.to_file.as_ref())?;
    let began = Instant::now();
    let mut from = command::connect(&from).await?;
    let mut to = command::connect_to(TO, &to).await?;
    // No seed and no import on either side meanwhile.
    command::writer_lock(&mut from).await?;
    command::writer_lock(&mut to).await?;
    let tables = digest::tables(&mut from).await?;
    check_alike(&tables, &digest::tables(&mut to).await?)?;
    check_empty(&mut to, &tables).await?;
    for setting in [
        // Tables are filled in the order of their names.
        "SET SESSION foreign_key_checks = 0",
        "SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO')",
    ] {
        to.execute(setting).await?;
    }
    let digests = match fill(&mut from, &mut to, &tables).await {
        Ok(digests) => digests,
        Err(error) => {
            empty(&mut to, &tables).await?;
            return Err(error.context("nothing was copied"));
        }
    };
    from.close().await.ok();
    to.close().await.ok();
    let rows = digests.values().map(|table| table.rows).sum();
    command::say(&format!(
        "copied {} of {} in {:.1} s: both databases hold the same",
        count(rows, "row"),
        count(tables.len() as u64, "table"),
        began.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::SUCCESS)
}

type Tables = BTreeMap<String, Vec<Column>>;

fn check_alike(from: &Tables, to: &Tables) -> anyhow::Result<()> {
    let all = from.keys().chain(to.keys());
    let other = all.into_iter().find(|table| from.get(*table) != to.get(*table));
    anyhow::ensure!(
        other.is_none(),
        "{TO}: the table {} is another there: bring both up to date with the same release (trestle-api migrate)",
        other.map_or("", String::as_str)
    );
    Ok(())
}

async fn check_empty(to: &mut MySqlConnection, tables: &Tables) -> anyhow::Result<()> {
    for table in tables.keys() {
        let row = sqlx::query(AssertSqlSafe(format!("SELECT 1 FROM `{table}` LIMIT 1")))
            .persistent(false)
            .fetch_optional(&mut *to)
            .await?;
        anyhow::ensure!(
            row.is_none(),
            "{TO}: the table {table} has rows there: name an empty database"
        );
    }
    Ok(())
}

async fn empty(to: &mut MySqlConnection, tables: &Tables) -> anyhow::Result<()> {
    for table in tables.keys() {
        to.execute(AssertSqlSafe(format!("DELETE FROM `{table}`")))
            .await?;
    }
    Ok(())
}

/// Copies every table out of one snapshot, and compares.
async fn fill(
    from: &mut MySqlConnection,
    to: &mut MySqlConnection,
    tables: &Tables,
) -> anyhow::Result<BTreeMap<String, Digest>> {
    start_snapshot(from).await?;
    let wanted = digest::of(from).await?;
    let all = wanted.values().map(|table| table.rows).sum();
    let mut progress = Progress::counting("rows", all);
    for (table, columns) in tables {
        table_of(from, to, table, columns, &mut progress).await?;
    }
    from.execute("ROLLBACK").await?;
    let found = digest::of(to).await?;
    let other = wanted
        .iter()
        .find(|(table, digest)| found.get(*table) != Some(*digest));
    if let Some((table, Digest { rows, .. })) = other {
        let there = found.get(table).map_or(0, |digest| digest.rows);
        anyhow::bail!(
            "the table {table} is not the same on both sides ({} rows, {} rows there)",
            grouped(*rows),
            grouped(there)
        );
    }
    Ok(wanted)
}

/// A value as it travels: bytes as they are, all else in the server's own words.
enum Cell {
    Bytes(Option<Vec<u8>>),
    Text(Option<String>),
}

impl Cell {
    fn of(row: &MySqlRow, index: usize, column: &Column) -> Result<Self, sqlx::Error> {
        if column.is_binary {
            row.try_get(index).map(Self::Bytes)
        } else {
            row.try_get(index).map(Self::Text)
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.as_ref().map_or(0, Vec::len),
            Self::Text(text) => text.as_ref().map_or(0, String::len),
        }
    }
}

async fn table_of(
    from: &mut MySqlConnection,
    to: &mut MySqlConnection,
    table: &str,
    columns: &[Column],
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let columns: Vec<_> = columns.iter().filter(|column| !column.is_generated).collect();
    let values = columns.iter().map(|Column { name, is_binary, .. }| {
        if *is_binary {
            format!("`{name}`")
        } else {
            format!("CAST(`{name}` AS CHAR CHARACTER SET utf8mb4)")
        }
    });
    let select = format!("SELECT {} FROM `{table}`", values.collect::<Vec<_>>().join(", "));
    let names: Vec<_> = columns
        .iter()
        .map(|column| format!("`{}`", column.name))
        .collect();
    let into = format!("INSERT INTO `{table}` ({}) ", names.join(", "));
    let mut rows = sqlx::query(AssertSqlSafe(select)).persistent(false).fetch(from);
    let mut batch = Vec::<Vec<Cell>>::new();
    let mut bytes = 0;
    loop {
        let row = rows.try_next().await?;
        if let Some(row) = &row {
            let cells = columns.iter().enumerate();
            let cells = cells.map(|(index, column)| Cell::of(row, index, column));
            let cells = cells.collect::<Result<Vec<_>, _>>()?;
            bytes += cells.iter().map(Cell::len).sum::<usize>();
            batch.push(cells);
        }
        let is_full = batch.len() >= ROWS || batch.len() * columns.len() >= VALUES || bytes >= BYTES;
        if !batch.is_empty() && (is_full || row.is_none()) {
            progress.advance(batch.len() as u64);
            insert(to, &into, std::mem::take(&mut batch)).await?;
            bytes = 0;
        }
        if row.is_none() {
            return Ok(());
        }
    }
}

async fn insert(to: &mut MySqlConnection, into: &str, batch: Vec<Vec<Cell>>) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<MySql>::new(into);
    query.push_values(batch, |mut row, cells| {
        for cell in cells {
            match cell {
                Cell::Bytes(bytes) => row.push_bind(bytes),
                Cell::Text(text) => row.push_bind(text),
            };
        }
    });
    // Each number of rows is another statement.
    query.build().persistent(false).execute(to).await?;
    Ok(())
}
