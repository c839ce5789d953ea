//! The command line of the API tier.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};
use trestle_api::config::{Config, ConfigError, DatabaseArgs, ServeArgs};
use trestle_api::ops::healthcheck::{self, HealthcheckArgs};
use trestle_api::telemetry::{LastLines, Log};
use trestle_api::{audit, backoffice, burn, copy, db, import, openapi, pictures, seed, serve};

/// Small and frequent allocations dominate; measured 18 % more throughput on the Redis path than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What sysexits.h calls EX_USAGE: the command or its configuration is wrong.
const BAD_CONFIGURATION: u8 = 64;

/// The API tier of Trestle, a load-bearing shop.
#[derive(Parser)]
#[command(name = "trestle-api", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API until SIGTERM
    Serve(Box<ServeArgs>),
    /// Bring the database's schema up to date
    Migrate(DatabaseArgs),
    /// Fill the shop with believable products, customers and orders
    Seed(seed::SeedArgs),
    /// Import products from a CSV file in the Shopify product format
    Import(import::ImportArgs),
    /// Check that stock, orders, payments, coupons and ratings add up
    Audit(audit::AuditArgs),
    /// Copy the shop into an empty database on another server
    Copy(copy::CopyArgs),
    /// Print the OpenAPI document of the API
    Openapi(openapi::command::OpenapiArgs),
    /// Give products the pictures that were drawn for the shop, at this address
    Pictures(pictures::PicturesArgs),
    /// Say who may use the backoffice: grant, revoke, create, list
    Admin(backoffice::command::AdminArgs),
    /// Use up CPU for a while, to see what follows
    Burn(burn::BurnArgs),
    /// Ask a replica's operations port whether it is ready, as containers' health checks do
    Healthcheck(HealthcheckArgs),
}

fn main() -> ExitCode {
    // Dropped after all that may log.
    let _last = LastLines;
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            let code = if error.is::<ConfigError>() {
                BAD_CONFIGURATION
            } else {
                1
            };
            eprintln!("trestle-api: {error:#}");
            ExitCode::from(code)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => {
            let config = Config::check(&args)?;
            let log = Log::start(&args.log, args.log_format, args.access_log).map_err(anyhow::Error::msg)?;
            serve::run(config, log)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate(args) => {
            let options = args.options()?;
            let ran = block_on(db::migrate::run(&options))?;
            println!("the schema is current ({ran} migrations ran)");
            Ok(ExitCode::SUCCESS)
        }
        Command::Seed(args) => block_on(seed::run(&args)),
        Command::Import(args) => block_on(import::run(&args)),
        Command::Audit(args) => block_on(audit::run(&args)),
        Command::Copy(args) => block_on(copy::run(&args)),
        Command::Openapi(args) => openapi::command::run(&args),
        Command::Pictures(args) => block_on(pictures::run(&args)),
        Command::Admin(args) => block_on(backoffice::command::run(&args)),
        Command::Burn(args) => block_on(burn::run(&args)),
        Command::Healthcheck(args) => healthcheck::run(&args),
    }
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// Help and version are answers; anything else is one line that names the variable or flag, and exit code 64.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        error.print().ok();
        return if error.use_stderr() {
            ExitCode::from(BAD_CONFIGURATION)
        } else {
            ExitCode::SUCCESS
        };
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let line = if let (Some(argument), Some(value)) =
        (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue))
    {
        let reason = std::error::Error::source(error).map_or_else(
            || "is not one of the possible values".to_owned(),
            ToString::to_string,
        );
        format!("{}: {value:?}: {reason}", name_of(&argument))
    } else {
        let text = error.to_string();
        text.lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned()
    };
    eprintln!("trestle-api: {line}");
    ExitCode::from(BAD_CONFIGURATION)
}

/// `--listen <ADDRESS>` as `TRESTLE_LISTEN (--listen)`.
fn name_of(argument: &str) -> String {
    let flag = argument.split_whitespace().next().unwrap_or(argument);
    let command = Cli::command();
    let variable = command
        .get_subcommands()
        .flat_map(clap::Command::get_arguments)
        .find_map(|known| {
            let long = known.get_long()?;
            (flag.strip_prefix("--") == Some(long))
                .then(|| known.get_env()?.to_str().map(str::to_owned))
                .flatten()
        });
    variable.map_or_else(|| flag.to_owned(), |variable| format!("{variable} ({flag})"))
}
