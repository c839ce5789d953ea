//! `sqlx-data`: makes `.sqlx`, the query data that lets trestle-api be built without a database, or checks that it is current.
//!
//! It does what `cargo sqlx prepare` does, with a private database of its own: the migrations are applied to an empty
//! MariaDB, then the crate is checked with `DATABASE_URL` and `SQLX_OFFLINE_DIR` set, and sqlx's macros write a file for
//! each query. The data differs between servers, so MariaDB 10.11 makes it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};
use trestle::Stack;

/// The server that the committed data is made with.
const SERVER: &str = "10.11.";

/// Makes the committed query data (.sqlx) from the migrations and the queries in services/api
#[derive(Parser)]
#[command(name = "sqlx-data")]
struct Arguments {
    /// Changes nothing; exit code 1 and a line for each file that is missing, stale or different
    #[arg(long)]
    check: bool,
    /// Cargo's profile to check the crate with: the one whose dependencies are built already
    #[arg(long, value_name = "NAME", default_value = "release")]
    profile: String,
    /// The database server's program; an installed mariadbd without it
    #[arg(long, value_name = "PATH")]
    mysqld: Option<PathBuf>,
}

/// Query files by name.
type Data = BTreeMap<String, String>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sqlx-data: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .context("the workspace")?;
    let builder = Stack::builder().database_only();
    // Not by TRESTLE_MYSQLD, which may name a server that the tests are to be run on: the data is always made with MariaDB.
    let builder = match &arguments.mysqld {
        Some(mysqld) => builder.mysqld(mysqld),
        None => builder.installed_mysqld(),
    };
    let stack = builder.start().await.context("a private database")?;
    check_server(stack.database_version())?;
    let outcome = async {
        migrate(&stack.database_url(), &root.join("services/api/migrations")).await?;
        expand(&root, &stack.database_url(), &arguments.profile)
    }
    .await;
    stack.stop().await?;
    let made = outcome?;
    let folder = root.join(".sqlx");
    if arguments.check {
        check(&folder, &made)
    } else {
        write(&folder, &made)
    }
}

fn check_server(version: &str) -> Result<()> {
    if !version.contains("MariaDB") {
        bail!("the query data is made with MariaDB, and this is {version}: name one with --mysqld");
    }
    if !version.contains(SERVER) {
        eprintln!("sqlx-data: warning: the data is made with MariaDB {SERVER}x, and this is {version}");
    }
    Ok(())
}

/// Applies each migration in the order of its number: one statement a file.
async fn migrate(url: &str, folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let mut connection = MySqlConnection::connect(url)
        .await
        .context("connecting to the private database")?;
    for file in &files {
        let statement = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .with_context(|| format!("applying {}", file.display()))?;
    }
    println!("applied {} migrations", files.len());
    Ok(connection.close().await?)
}

/// Has sqlx's macros write the data of every query of the crate.
fn expand(root: &Path, url: &str, profile: &str) -> Result<Data> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let touched = Touched::all(&root.join("services/api"))?;
    let status = Command::new(cargo)
        .args([
            "check",
            "--package",
            "trestle-api",
            "--all-targets",
            "--profile",
            profile,
        ])
        .current_dir(root)
        .env("DATABASE_URL", url)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", folder.path())
        .status()
        .context("running cargo check")?;
    drop(touched);
    if !status.success() {
        bail!("cargo check of trestle-api failed: see above");
    }
    let made = read(folder.path())?;
    if made.is_empty() {
        bail!("no query was seen: cargo took trestle-api for unchanged");
    }
    Ok(made)
}

/// Root files of the crate's targets, made to look changed so that cargo expands them again. Their times are put back
/// at the end, so that what was built before stays current.
struct Touched(Vec<(PathBuf, SystemTime)>);

impl Touched {
    fn all(package: &Path) -> Result<Self> {
        let mut files = vec![package.join("src/lib.rs"), package.join("src/main.rs")];
        for folder in ["src/bin", "tests", "benches", "examples"] {
            for entry in fs::read_dir(package.join(folder)).into_iter().flatten().flatten() {
                files.extend([entry.path(), entry.path().join("main.rs")]);
            }
        }
        files.retain(|file| file.is_file() && file.extension().is_some_and(|extension| extension == "rs"));
        let mut touched = Self(Vec::new());
        for file in files {
            let before = fs::metadata(&file).and_then(|file| file.modified());
            let before = before.with_context(|| format!("the time of {}", file.display()))?;
            set_modified(&file, SystemTime::now())?;
            touched.0.push((file, before));
        }
        Ok(touched)
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        for (file, before) in &self.0 {
            // At worst it is built once more.
            let _ = set_modified(file, *before);
        }
    }
}

fn set_modified(file: &Path, time: SystemTime) -> Result<()> {
    let open = File::options().append(true).open(file);
    open.and_then(|open| open.set_modified(time))
        .with_context(|| format!("touching {}", file.display()))
}

/// The query files of a folder; none when it is not there.
fn read(folder: &Path) -> Result<Data> {
    let mut data = Data::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.starts_with("query-") && path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            data.insert(name.to_owned(), text);
        }
    }
    Ok(data)
}

fn write(folder: &Path, made: &Data) -> Result<ExitCode> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let old = read(folder)?;
    for name in old.keys().filter(|name| !made.contains_key(*name)) {
        fs::remove_file(folder.join(name)).with_context(|| format!("deleting {name}"))?;
    }
    for (name, text) in made.iter().filter(|(name, text)| old.get(*name) != Some(text)) {
        fs::write(folder.join(name), text).with_context(|| format!("writing {name}"))?;
    }
    println!("{} queries in {}", made.len(), folder.display());
    Ok(ExitCode::SUCCESS)
}

fn check(folder: &Path, made: &Data) -> Result<ExitCode> {
    let faults = faults(&read(folder)?, made);
    if faults.is_empty() {
        println!("{} is current: {} queries", folder.display(), made.len());
        return Ok(ExitCode::SUCCESS);
    }
    for fault in &faults {
        eprintln!("sqlx-data: {fault}");
    }
    eprintln!(
        "sqlx-data: {} is not current; run `cargo run --release --bin sqlx-data`",
        folder.display()
    );
    Ok(ExitCode::FAILURE)
}

/// One line for each file that is not as it should be, with the beginning of its query.
fn faults(committed: &Data, made: &Data) -> Vec<String> {
    let missing = made
        .iter()
        .filter(|(name, _)| !committed.contains_key(*name))
        .map(|(name, text)| ("missing", name, text));
    let stale = committed
        .iter()
        .filter(|(name, _)| !made.contains_key(*name))
        .map(|(name, text)| ("stale", name, text));
    let different = made
        .iter()
        .filter(|(name, text)| committed.get(*name).is_some_and(|old| old != *text))
        .map(|(name, text)| ("different", name, text));
    missing
        .chain(stale)
        .chain(different)
        .map(|(fault, name, text)| format!("{fault}: {name} ({})", start_of_query(text)))
        .collect()
}

fn start_of_query(text: &str) -> String {
    let file: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let query = file
        .get("query")
        .and_then(serde_json::Value::as_str)
        .unwrap_or("not a query file");
    let words: Vec<&str> = query.split_whitespace().collect();
    words.join(" ").chars().take(70).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(files: &[(&str, &str)]) -> Data {
        files
            .iter()
            .map(|&(name, query)| (name.to_owned(), format!("{{\"query\": \"{query}\"}}")))
            .collect()
    }

    #[test]
    fn each_fault_names_its_file_and_query() {
        let committed = data(&[
            ("query-a.json", "SELECT 1"),
            ("query-b.json", "SELECT 2"),
            ("query-c.json", "SELECT 3"),
        ]);
        let made = data(&[
            ("query-b.json", "SELECT 2"),
            ("query-c.json", "SELECT 4"),
            ("query-d.json", "SELECT  5"),
        ]);
        assert_eq!(
            faults(&committed, &made),
            [
                "missing: query-d.json (SELECT 5)",
                "stale: query-a.json (SELECT 1)",
                "different: query-c.json (SELECT 4)"
            ]
        );
        assert!(faults(&made, &made).is_empty());
    }
}
