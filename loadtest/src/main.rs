//! trestle-loadtest: see `cli.rs`.

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use trestle_loadtest::cli::{self, Arguments};
use trestle_loadtest::usage::Usage;

/// Many small allocations a request: the same allocator as the shop's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What sysexits.h calls EX_USAGE.
const BAD_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            error.print().ok();
            let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if is_answer {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(BAD_USAGE)
            };
        }
    };
    // One thread: a generator needs no locks, and its CPU is that of one core.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default());
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(cli::carry_out(arguments)),
        Err(error) => Err(error.into()),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("trestle-loadtest: {error:#}");
        let is_usage = error.downcast_ref::<Usage>().is_some();
        ExitCode::from(if is_usage { BAD_USAGE } else { 1 })
    })
}
