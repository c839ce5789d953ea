//! `calibrate`: how fast is a core of this machine, by work of the shop's kind?
//!
//! The work is fixed: a product as JSON is read, looked through, written, and its bytes are hashed and coded. It says how fast a core
//! runs compiled code that parses, allocates and copies; it says nothing of disks, networks, or of what a kernel costs.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::common;
use crate::report::number::{percent, plain, quantity};
use crate::result::Machine;
use crate::stack::{Root, host};
use crate::stats::sample::{median, quantile};
use crate::usage::Usage;

/// Numbers of different work are not compared.
const WORK: u32 = 1;
const ROUNDS: u32 = 7;
/// Pieces of work between two looks at the clock.
const BATCH: u32 = 50;

/// How fast is a core of this machine? For `plan --vcpu-ratio`
///
/// Does a fixed work of the shop's kind (JSON read and written, bytes hashed and coded) with one thread, then with one a core, and
/// counts pieces a second of CPU time: CPU that others take does not count, but what they do to caches and clock rates does. The
/// second number is the one to plan with: two vCPUs may be one core's two threads.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trestle-loadtest calibrate --save here.json          # where `plan` measures\n  \
    trestle-loadtest calibrate --against here.json       # on an instance of the type to be planned: the ratio\n\n\
    Both programs have to be release builds of the same version.\n\
    Exit code: 0 measured; 1 could not be; 64 wrong arguments.")]
pub struct Args {
    /// Write the numbers to this file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Tell the ratio to this: a file of --save from the other machine, or its number
    #[arg(long, value_name = "FILE|NUMBER")]
    against: Option<String>,
    /// Seconds of each of the two measurements
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0)]
    seconds: f64,
}

/// What a machine came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calibration {
    pub work: u32,
    /// False for a build that is not optimised: its numbers say nothing.
    pub optimised: bool,
    pub began: String,
    pub machine: Machine,
    /// Pieces a second of CPU time, one thread: the median of the rounds.
    pub alone: f64,
    /// A core, with a thread on each.
    pub all_busy: f64,
    /// Of `all_busy`, between the rounds' quartiles.
    pub spread: f64,
}

/// # Errors
/// When a file cannot be read or written, or the two cannot be compared.
pub fn run(args: &Args) -> Result<ExitCode> {
    if !(args.seconds > 0.0 && args.seconds <= 600.0) {
        bail!(Usage("--seconds must be above 0, and at most 600".to_owned()));
    }
    let optimised = !cfg!(debug_assertions);
    let against = args
        .against
        .as_deref()
        .map(|other| read(other, optimised))
        .transpose()?;
    let machine = host::machine(&Root::default());
    common::say(&format!(
        "{} cores, {}: {} s with one thread, {} s with one a core",
        machine.cores,
        machine.processor,
        plain(args.seconds),
        plain(args.seconds)
    ));
    let found = calibrate(machine, args.seconds, optimised)?;
    if let Some(path) = &args.save {
        let mut text = serde_json::to_vec_pretty(&found)?;
        text.push(b'\n');
        std::fs::write(path, text).with_context(|| format!("--save {}", path.display()))?;
    }
    print!("{}", told(&found, against));
    Ok(ExitCode::SUCCESS)
}

fn calibrate(machine: Machine, seconds: f64, optimised: bool) -> Result<Calibration> {
    let round = Duration::from_secs_f64(seconds / f64::from(ROUNDS));
    let (mut alone, mut busy) = (Vec::new(), Vec::new());
    // In turn, so that a machine that changes its clock does so to both.
    for _ in 0..ROUNDS {
        alone.push(speed(1, round)?);
        busy.push(speed(machine.cores, round)?);
    }
    let middle = |values: &[f64], q| quantile(values, q).unwrap_or_default();
    let all_busy = median(&busy).unwrap_or_default();
    Ok(Calibration {
        work: WORK,
        optimised,
        began: common::now_text(),
        machine,
        alone: median(&alone).unwrap_or_default(),
        all_busy,
        spread: (middle(&busy, 0.75) - middle(&busy, 0.25)) / all_busy.max(1e-9),
    })
}

fn told(found: &Calibration, against: Option<f64>) -> String {
    let mut text = format!(
        "{} pieces a second of CPU with one thread\n\
         {} with one a core ({} of the former; rounds differ by {}): the number of this machine\n",
        quantity(found.alone),
        quantity(found.all_busy),
        percent(found.all_busy / found.alone.max(1e-9)),
        percent(found.spread)
    );
    if !found.optimised {
        text.push_str("This is no release build: the numbers say nothing about the machine.\n");
    }
    if found.spread > 0.05 {
        text.push_str("The rounds differ much: something else runs, or the clock changes. Try again when it is quiet.\n");
    }
    if let Some(against) = against {
        let ratio = found.all_busy / against;
        let _ = writeln!(
            text,
            "plan --vcpu-ratio {ratio:.3}    (a core of this machine by one of the other)"
        );
    }
    text
}

/// The number to compare with.
fn read(other: &str, optimised: bool) -> Result<f64> {
    if let Ok(number) = other.parse::<f64>() {
        if number > 0.0 && number.is_finite() {
            return Ok(number);
        }
        bail!(Usage(format!("--against {other}: a number must be above 0")));
    }
    let text = std::fs::read_to_string(Path::new(other))
        .map_err(|error| Usage(format!("--against {other}: neither a number nor a file: {error}")))?;
    let there: Calibration =
        serde_json::from_str(&text).map_err(|error| Usage(format!("--against {other}: {error}")))?;
    if there.work != WORK {
        bail!(Usage(format!(
            "--against {other}: measured with other work ({}, not {WORK}): calibrate both with the same version",
            there.work
        )));
    }
    if there.optimised != optimised {
        bail!(Usage(format!(
            "--against {other}: one of the two is no release build; they cannot be compared"
        )));
    }
    if there.all_busy <= 0.0 {
        bail!(Usage(format!("--against {other}: holds no speed")));
    }
    Ok(there.all_busy)
}

/// Pieces a second of CPU time, the mean of so many threads at once.
fn speed(threads: usize, wall: Duration) -> Result<f64> {
    let workers: Vec<_> = (0..threads.max(1))
        .map(|_| std::thread::spawn(move || work_for(wall)))
        .collect();
    let mut sum = 0.0;
    let count = workers.len();
    for worker in workers {
        let Ok(speed) = worker.join() else {
            bail!("a thread of the calibration ended early");
        };
        sum += speed?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few threads")]
    let mean = sum / count as f64;
    Ok(mean)
}

fn work_for(wall: Duration) -> Result<f64> {
    let document = product().to_string();
    let (began, cpu) = (Instant::now(), thread_cpu()?);
    let mut pieces = 0_u32;
    while began.elapsed() < wall {
        for _ in 0..BATCH {
            black_box(piece(black_box(&document)));
        }
        pieces = pieces.saturating_add(BATCH);
    }
    let used = thread_cpu()?.saturating_sub(cpu);
    Ok(f64::from(pieces) / used.as_secs_f64().max(1e-9))
}

fn thread_cpu() -> Result<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map(Duration::from)
        .context("the CPU time of a thread")
}

/// One piece: what a server does with a body, without the network.
fn piece(document: &str) -> u64 {
    let Ok(mut product) = serde_json::from_str::<Value>(document) else {
        return 0;
    };
    let price: u64 = product["variants"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|variant| variant["price"]["amount"].as_u64())
        .sum();
    product["total"] = json!({"amount": price, "currency": "EUR"});
    let body = product.to_string();
    let mut hasher = DefaultHasher::new();
    hasher.write(body.as_bytes());
    let coded = STANDARD.encode(body.as_bytes());
    hasher.write(coded.as_bytes());
    hasher.finish()
}

/// About as large as a product of the shop.
fn product() -> Value {
    let variants: Vec<Value> = (0..4_u32)
        .map(|number| {
            json!({
                "id": 40_000 + number, "sku": format!("CAL-{number:05}"), "options": {"colour": "green", "size": "M"},
                "price": {"amount": 1_999 + number, "currency": "EUR"}, "in_stock": number != 3,
            })
        })
        .collect();
    json!({
        "id": 4_711, "slug": "a-lamp-for-reading", "title": "A lamp for reading",
        "description": "It stands beside the chair and lights the page, not the room. ".repeat(8),
        "category": "home/lamps", "tags": ["light", "reading", "oak"], "rating": {"average": 4.4, "count": 127},
        "variants": variants, "images": ["/pictures/4711-1.webp", "/pictures/4711-2.webp"],
    })
}

#[cfg(test)]
mod tests;
