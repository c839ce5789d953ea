//! `bench`: the shop against its limits, in interleaved rounds: bare axum, raw statements, bare argon2, bare nginx.
//!
//! It starts a small stack of its own with one replica of one worker, so that two cores hold the server and the client. The
//! number that counts is CPU of the server's process for each request, from `/proc`; the client's is not in it. Shares of a
//! limit are comparable between machines, microseconds are not.

mod buyer;
mod checkout;
mod client;
mod compare;
mod footprint;
mod generator;
pub mod limit;
mod login;
mod measure;
mod mysql;
mod page;
mod reads;
mod result;
mod shop;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use clap::builder::PossibleValuesParser;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::signal::unix::{SignalKind, signal};

pub use self::compare::{Comparison, Measure, Round, Sample, Subject};
pub use self::result::{BenchResult, File, Layer, Memory, Start, Statements};

use self::client::Window;
use self::limit::axum::Bare;
use self::reads::Products;
use self::shop::{Process, Shop, Stack};
use crate::report::folder::Folder;
use crate::result::Audit;
use crate::stack::{Root, host};
use crate::usage::Usage;

/// As a shell reports an interrupted command.
const INTERRUPTED: u8 = 130;
const PRODUCTS: u64 = 2_000;
/// What `--only` can name.
const NAMES: [&str; 11] = [
    "memory_hit",
    "memory_hit_1000",
    "not_modified",
    "as_shipped",
    "redis_hit",
    "redis_hit_one",
    "mysql_read",
    "nginx",
    "checkout",
    "login",
    "generator",
];

/// Compares the shop with its limits: bare axum, raw statements, bare argon2, bare nginx
///
/// Starts a small stack of its own and ends it. A missed target is said; only what could not run, or a broken audit, fails.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  trestle-loadtest bench\n  trestle-loadtest bench --quick --output bench"
)]
pub struct BenchArgs {
    /// Three short rounds instead of five
    #[arg(long)]
    pub quick: bool,
    /// Rounds [default: 5, with --quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: Option<u16>,
    /// Seconds of each side in each round, 0.2 to 30 [default: 2, with --quick 1]
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Only these, by commas: memory_hit, memory_hit_1000, not_modified, as_shipped, redis_hit, redis_hit_one, mysql_read, nginx,
    /// checkout, login, generator
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(NAMES))]
    pub only: Vec<String>,
    /// The folder for report.html, bench.json and rounds.csv [default: trestle-results/bench-TIME]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// The folder of the programs trestle and trestle-api; this program's own without it
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    // A cached answer is renewed from its 42nd second on: a longer window would measure that, too.
    if (0.2..=30.0).contains(&number) {
        Ok(number)
    } else {
        Err("must be from 0.2 to 30".to_owned())
    }
}

/// How it is measured.
struct Setting {
    rounds: usize,
    window: Window,
    /// Empty: all.
    only: Vec<String>,
}

impl Setting {
    fn of(args: &BenchArgs) -> Self {
        let (rounds, seconds) = if args.quick { (3, 1.0) } else { (5, 2.0) };
        Self {
            rounds: args.rounds.map_or(rounds, usize::from),
            only: args.only.clone(),
            window: Window {
                warm_up: Duration::from_millis(500),
                measured: Duration::from_secs_f64(args.seconds.unwrap_or(seconds)),
            },
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }
}

fn say(what: &str) {
    eprintln!("bench: {what}");
}

/// Runs all comparisons, writes the results and prints the summary. The stack is ended whatever happens, also on Ctrl-C. Runs
/// where `spawn_local` can be called: the client has one thread.
///
/// # Errors
/// When something could not run.
pub async fn run(args: &BenchArgs) -> Result<ExitCode> {
    let folder = Folder::create(args.output.clone(), "bench")?;
    let programs = programs(args)?;
    let stack = Stack::new(&programs.join("trestle"))?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let outcome = tokio::select! {
        outcome = measure(args, &stack, &programs) => outcome.map(Some),
        _ = interrupt.recv() => Ok(None),
        _ = terminate.recv() => Ok(None),
    };
    say("ending the stack");
    let ended = stack.down().await;
    let Some(result) = outcome? else {
        ended?;
        return Ok(ExitCode::from(INTERRUPTED));
    };
    ended?;
    folder.write_json("bench.json", &result)?;
    folder.write("rounds.csv", page::rounds(&result)?)?;
    folder.write("report.html", page::page(&result))?;
    println!("{}", result.summary().trim_end());
    println!("{}", folder.path().join("report.html").display());
    Ok(match result.audit {
        Audit::Passed(_) => ExitCode::SUCCESS,
        Audit::Failed(_) | Audit::NotRun(_) => ExitCode::FAILURE,
    })
}

fn programs(args: &BenchArgs) -> Result<PathBuf> {
    if let Some(named) = &args.programs {
        let found = named.canonicalize();
        return Ok(found.map_err(|error| Usage(format!("--programs {}: {error}", named.display())))?);
    }
    let own = std::env::current_exe().context("this program's own path")?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}

async fn measure(args: &BenchArgs, stack: &Stack, programs: &Path) -> Result<BenchResult> {
    let setting = Setting::of(args);
    let began = OffsetDateTime::now_utc().format(&Rfc3339)?;
    say("starting a stack with one replica of one worker");
    let shop = stack.up(PRODUCTS).await?;
    let idle = stack.processes().await?;
    say("starting further replicas, to time them");
    let start = footprint::starts(&shop, programs).await?;
    let products = products(&shop).await?;
    let products = Products::read(&shop, products).await?;
    let bare = Bare::start(&products.payload, 1).await?;
    let (mut comparisons, layers) = reads::compare(&setting, &shop, &products, &bare).await?;
    if setting.wants("mysql_read") {
        comparisons.push(mysql::compare(&setting, &shop, &products.all).await?);
    }
    if setting.wants("nginx") {
        comparisons.extend(web::compare(&setting, &shop, products.hot, &bare).await?);
    }
    bare.end().await?;
    let mut statements = None;
    if setting.wants("checkout") {
        let (orders, counted) = checkout::compare(&setting, &shop).await?;
        comparisons.push(orders);
        statements = Some(counted);
    }
    if setting.wants("login") {
        comparisons.push(login::compare(&setting, &shop).await?);
    }
    if setting.wants("generator") {
        comparisons.push(generator::compare(&setting).await?);
    }
    let memory = memory(&idle, &stack.processes().await?);
    say("auditing");
    let audit = match stack.audit().await {
        Ok(said) => Audit::Passed(said),
        Err(error) => Audit::Failed(format!("{error:#}")),
    };
    Ok(BenchResult {
        version: 1,
        began,
        trestle: env!("CARGO_PKG_VERSION").to_owned(),
        machine: host::machine(&Root::default()),
        rounds: setting.rounds,
        seconds: setting.window.measured.as_secs_f64(),
        comparisons,
        layers,
        statements,
        start,
        memory,
        files: footprint::files(programs),
        audit,
        unoptimised: cfg!(debug_assertions),
    })
}

async fn products(shop: &Shop) -> Result<Vec<u64>> {
    let mut database = shop.database().await?;
    Ok(sqlx::query_scalar(limit::reads::PRODUCTS)
        .fetch_all(&mut database)
        .await?)
}

fn memory(idle: &[Process], loaded: &[Process]) -> Vec<Memory> {
    idle.iter()
        .filter_map(|before| {
            let after = loaded.iter().find(|after| after.name == before.name)?;
            Some(Memory {
                name: before.name.clone(),
                idle: before.memory,
                loaded: after.memory,
            })
        })
        .collect()
}
