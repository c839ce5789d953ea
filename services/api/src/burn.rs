//! `trestle-api burn`: uses up CPU for a while, as the classic exercise of auto scaling does on a server.
//!
//! Run where a replica runs (its container, its cgroup), it takes from the replica's own allowance: the replica slows down,
//! and whoever watches its CPU sees it busy. It touches neither the shop nor its database.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::command::{count, say};
use crate::metrics;

/// Steps between two looks at the clock: far below a millisecond.
const STEPS: u32 = 100_000;

/// What `burn` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It ends by itself, or at SIGTERM or Ctrl-C; the last line says how much CPU it got.\n\nExit code: 0 done, 1 failed, 64 wrong usage."
)]
pub struct BurnArgs {
    /// For how long, in seconds
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Threads; without it one for each core that this process may use
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

/// Burns, and says at the end how much CPU it got.
///
/// # Errors
/// When no signal can be waited for, or no thread be started.
pub async fn run(args: &BurnArgs) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let threads = match args.threads {
        Some(threads) => usize::from(threads),
        None => thread::available_parallelism().map_or(1, usize::from),
    };
    say(&format!(
        "burning CPU on {} for {} s; SIGTERM or Ctrl-C ends it",
        count(threads as u64, "thread"),
        args.seconds
    ));
    let began = Instant::now();
    let until = began + Duration::from_secs(args.seconds);
    let stop = Arc::new(AtomicBool::new(false));
    let burning = (0..threads)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::Builder::new().spawn(move || burn(&stop, until))
        })
        .collect::<Result<Vec<_>, _>>()
        .context("starting a thread (--threads)")?;
    let cut_short = tokio::select! {
        () = tokio::time::sleep_until(until.into()) => false,
        _ = terminate.recv() => true,
        _ = interrupt.recv() => true,
    };
    stop.store(true, Ordering::Relaxed);
    for thread in burning {
        thread.join().ok();
    }
    let elapsed = began.elapsed().as_secs_f64();
    let got = metrics::cpu_seconds();
    say(&format!(
        "{}burned {got:.1} CPU seconds in {elapsed:.1} s, {:.2} cores",
        if cut_short { "ended early: " } else { "" },
        got / elapsed.max(1e-3)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Looks at the clock itself: the thread that waits may get little of a small allowance.
fn burn(stop: &AtomicBool, until: Instant) {
    let mut number = 1_u64;
    while !stop.load(Ordering::Relaxed) && Instant::now() < until {
        for _ in 0..STEPS {
            number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    #[tokio::test]
    async fn it_uses_the_cpu_and_ends_by_itself() {
        let before = metrics::cpu_seconds();
        let args = BurnArgs {
            seconds: 1,
            threads: Some(1),
        };
        let code = run(&args).await.unwrap();
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(metrics::cpu_seconds() > before);
    }

    #[test]
    fn a_thread_that_is_told_to_stop_does() {
        burn(&AtomicBool::new(true), Instant::now() + Duration::from_secs(3600));
    }
}
