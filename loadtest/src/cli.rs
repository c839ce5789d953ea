//! The command line: one command a file in `commands/`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[cfg(feature = "bench")]
use crate::bench;
use crate::commands::{autoscale, calibrate, chaos, compare, merge, plan, run, scale_out, stub};
use crate::generator;

/// Emulated shoppers for any Trestle by URL, and the commands that show how it scales, fails and recovers.
///
/// Each command says what it does, shows its progress, and ends with a summary and a folder that holds report.html, JSON and CSV.
#[derive(Parser)]
#[command(
    name = "trestle-loadtest",
    version,
    arg_required_else_help = true,
    max_term_width = 120,
    after_help = "Exit code: 0 all held, 1 something did not, or could not be done, 64 wrong arguments."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    ScaleOut(Box<scale_out::ScaleOutArgs>),
    Autoscale(Box<autoscale::AutoscaleArgs>),
    Chaos(Box<chaos::ChaosArgs>),
    Compare(compare::Args),
    Merge(merge::Args),
    #[cfg(feature = "bench")]
    Bench(bench::BenchArgs),
    #[cfg(feature = "bench")]
    #[command(subcommand, hide = true)]
    BenchLimit(bench::limit::Limit),
    Plan(Box<plan::Args>),
    Calibrate(calibrate::Args),
    /// Takes commands on standard input: what scale-out, autoscale, chaos and plan start
    #[command(hide = true)]
    Generate(Box<generator::GenerateArgs>),
    /// A server with fixed answers, against which the generator itself is measured
    #[command(hide = true)]
    Stub(stub::StubArgs),
}

/// Carries out what the command line asks for.
///
/// # Errors
/// What went wrong, for one line.
pub async fn carry_out(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::Run(args) => run::run(*args).await,
        Command::ScaleOut(args) => scale_out::run(*args).await,
        Command::Autoscale(args) => autoscale::run(*args).await,
        Command::Chaos(args) => chaos::run(*args).await,
        Command::Compare(args) => compare::run(&args),
        Command::Merge(args) => merge::run(&args),
        #[cfg(feature = "bench")]
        Command::Bench(args) => bench::run(&args).await,
        #[cfg(feature = "bench")]
        Command::BenchLimit(limit) => bench::limit::run(limit).await,
        Command::Plan(args) => plan::run(*args).await,
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Generate(args) => generator::run(*args).await,
        Command::Stub(args) => stub::run(args).await,
    }
}
