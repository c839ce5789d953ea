//! `scale-out`: what more replicas bring, what limits then, and whether anything was lost.

mod analysis;
mod calibrate;
mod caps;
mod check;
mod clock;
mod judge;
mod limit;
mod page;
mod pictures;
mod plan;
mod probe;
mod result;
mod rig;
mod rounds;
mod screen;
mod tables;
mod words;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use self::caps::Caps;
use self::clock::Clock;
use self::plan::Plan;
use self::result::{ScaleOutResult, Setup};
use self::rig::{Manner, Rig};
use self::rounds::Found;
use crate::commands::common::{self, OutputArgs, StackArgs};
use crate::generator::ShopArgs;
use crate::interaction::Mix;
use crate::lab::{GeneratorArgs, Held, Lab};
use crate::report::folder::Folder;
use crate::report::number::duration;
use crate::result::Conditions;
use crate::stack::driver::Driver;
use crate::stack::{Root, host};
use crate::usage::Usage;
use crate::verdict::Limits;

/// Shows what more replicas bring: capacity by number of replicas, efficiency, and what limits
///
/// Each number of replicas is saturated by a closed load for some seconds, in interleaved rounds. On one machine the replicas are capped to a
/// part of a core each, so that the machine is not what is measured. In the end the shop is held to all that it has acknowledged.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  \
    trestle-loadtest scale-out\n  \
    trestle-loadtest scale-out --quick --replicas 1,2,4\n  \
    trestle-loadtest scale-out --stack \"trestle --compose\" --quota 12 --output results\n\n\
    Exit code: 0 nothing was lost or failed and the numbers are of the shop; 1 else; 64 wrong arguments.")]
pub struct ScaleOutArgs {
    #[command(flatten)]
    shop: ShopArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    generator: GeneratorArgs,
    #[command(flatten)]
    scale: ScaleArgs,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    output: OutputArgs,
}

/// What is compared, and how.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Scaling out")]
struct ScaleArgs {
    /// The numbers of replicas, with 1 among them; five at least for the fit of the law of scalability [default: 1,2,3,4,6, or as
    /// many as this machine has room for]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    replicas: Vec<usize>,
    /// How often each number is probed, interleaved: 1,2,3,4,6,1,2,...
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "quick")]
    rounds: usize,
    /// Three rounds: a first look, with wide intervals
    #[arg(long)]
    quick: bool,
    /// Measured seconds of a probe
    #[arg(long, value_name = "SECONDS", default_value_t = 6.0)]
    probe_seconds: f64,
    /// What each replica may use, in percent of a core, 5 or more [default: found by a calibration]
    #[arg(long, value_name = "PERCENT", conflicts_with = "uncapped")]
    quota: Option<f64>,
    /// Do not cap the replicas: each has a machine of its own
    #[arg(long)]
    uncapped: bool,
    /// Shoppers for each replica, who never think: enough to saturate it, too few to be refused
    #[arg(long, value_name = "N", default_value_t = 12)]
    shoppers_per_replica: usize,
    /// Shoppers log in and register as in the mix, instead of beginning with sessions: passwords are hashed
    #[arg(long)]
    with_logins: bool,
    /// Which interactions come how often
    #[arg(long, value_enum, default_value_t = Mix::Shopping)]
    mix: Mix,
}

const COUNTS: [usize; 5] = [1, 2, 3, 4, 6];
const QUICK: usize = 3;
/// Seconds of a probe with all that belongs to it, beside the measured ones.
const BESIDE_S: f64 = 4.0;
/// Asking the shop for all that it acknowledged, and the audit, which waits for payments to settle.
const AFTER_S: f64 = 60.0;

impl ScaleArgs {
    fn counts(&self) -> Vec<usize> {
        if self.replicas.is_empty() {
            COUNTS.to_vec()
        } else {
            self.replicas.clone()
        }
    }

    fn check(&self) -> Result<()> {
        let (replicas, percent) = (self.counts(), self.quota.unwrap_or(100.0));
        let mut distinct = replicas.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let least = calibrate::LEAST_QUOTA * 100.0;
        let wrong = if !replicas.contains(&1) {
            "--replicas: 1 has to be among them: efficiency is against one replica".to_owned()
        } else if replicas.contains(&0) {
            "--replicas: 0 replicas serve nobody".to_owned()
        } else if distinct.len() != replicas.len() {
            "--replicas: a number is there twice".to_owned()
        } else if !(1..=100).contains(&self.rounds) {
            "--rounds: 1 to 100".to_owned()
        } else if !(1.0..=120.0).contains(&self.probe_seconds) {
            "--probe-seconds: 1 to 120".to_owned()
        } else if !(1..=1000).contains(&self.shoppers_per_replica) {
            "--shoppers-per-replica: 1 to 1000".to_owned()
        } else if !(least..=6400.0).contains(&percent) {
            format!("--quota: {least} % of a core at least: less would need a period beyond 20 ms")
        } else {
            return Ok(());
        };
        bail!(Usage(wrong))
    }

    fn setup(&self, seed: u64) -> Setup {
        Setup {
            replicas: self.counts(),
            rounds: if self.quick { QUICK } else { self.rounds },
            probe_seconds: self.probe_seconds,
            shoppers_per_replica: self.shoppers_per_replica,
            mix: self.mix,
            with_logins: self.with_logins,
            seed,
        }
    }
}

/// # Errors
/// When something could not be done.
pub async fn run(args: ScaleOutArgs) -> Result<ExitCode> {
    args.scale.check()?;
    let (driver, status) = args.stack.running().await?;
    let before = status.replicas().len();
    // Whatever happens, this future goes, and with it the quotas and the generator.
    let outcome = tokio::select! {
        outcome = scale_out(&args) => outcome,
        name = interrupted() => name.and_then(|name| bail!("ended by {name}: no result")),
    };
    let back = restore(&driver, before).await;
    let (result, folder) = outcome?;
    print!("{}", screen::summary(&result));
    let code = common::ended(result.outcome, &folder);
    back.map(|()| code)
}

/// The stack is as it was.
async fn restore(driver: &Driver, replicas: usize) -> Result<()> {
    common::say(&format!("back to {}", probe::replicas(replicas)));
    tokio::select! {
        done = driver.scale(replicas) => done,
        name = interrupted() => name.and_then(|name| bail!("ended by {name}: the stack may have another number of replicas than before")),
    }
}

/// Returns at SIGINT or SIGTERM.
async fn interrupted() -> Result<&'static str> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}

async fn scale_out(args: &ScaleOutArgs) -> Result<(ScaleOutResult, Folder)> {
    let (began, clock) = (common::now_text(), Instant::now());
    let setup = args.scale.setup(args.shop.seed);
    let machine = host::machine(&Root::default());
    let plan = Plan {
        counts: setup.replicas.clone(),
        is_asked: !args.scale.replicas.is_empty(),
        rounds: setup.rounds,
        calibrates: args.scale.quota.is_none() && !args.scale.uncapped,
        cores: machine.cores,
        limits: args.limits,
        seed: setup.seed,
    };
    let caps = if args.scale.uncapped {
        None
    } else {
        let first = calibrate::first(plan.largest(), machine.cores);
        Some(Caps::open(
            args.scale.quota.map_or(first, |percent| percent / 100.0),
        )?)
    };
    let folder = Folder::create(args.output.output.clone(), "scale-out")?;
    let mut rig = open(args, &plan, &setup, caps, &folder).await?;
    let found = rounds::measure(&mut rig, plan).await?;
    let quota = rig.caps.take().map(|caps| caps.cores());
    let held = rig.lab.hold().await?;
    let conditions = Conditions {
        url: rig.lab.url.clone(),
        products: rig.lab.generator.products,
        replicas: found.counts.iter().copied().max().unwrap_or_default(),
        quota,
        machine,
        trestle: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut result = result(args, setup, found, held, conditions);
    result.began = began;
    result.took = clock.elapsed().as_secs_f64();
    folder.write_json("scale-out.json", &result)?;
    folder.write("probes.csv", result::probes_csv(&result)?)?;
    folder.write("report.html", page::page(&result))?;
    Ok((result, folder))
}

async fn open(
    args: &ScaleOutArgs,
    plan: &Plan,
    setup: &Setup,
    caps: Option<Caps>,
    folder: &Folder,
) -> Result<Rig> {
    let lab = Lab::open(&args.stack, &args.shop, &args.generator, folder).await?;
    let clock = Clock::start(plan.steps(), setup.probe_seconds + BESIDE_S, AFTER_S);
    common::say(&format!(
        "scale-out: {:?} replicas, {} rounds of {} s probes, mix {}, about {}",
        setup.replicas,
        setup.rounds,
        setup.probe_seconds,
        setup.mix.name(),
        duration(clock.left().round())
    ));
    let manner = Manner {
        mix: setup.mix,
        with_logins: setup.with_logins,
        shoppers_per_replica: setup.shoppers_per_replica,
        probe_s: setup.probe_seconds,
        seed: setup.seed,
    };
    Ok(Rig::new(lab, caps, manner, clock))
}

fn result(
    args: &ScaleOutArgs,
    mut setup: Setup,
    found: Found,
    held: Held,
    conditions: Conditions,
) -> ScaleOutResult {
    setup.replicas.clone_from(&found.counts);
    let (outcome, reasons) = judge::judge(&found, &held, args.limits.errors, conditions.machine.cores);
    let notes = judge::notes(
        &found,
        conditions.quota,
        setup.with_logins,
        conditions.machine.cores,
    );
    ScaleOutResult {
        version: 1,
        began: String::new(),
        took: 0.0,
        conditions,
        setup,
        calibration: found.calibration,
        probes: found.probes,
        analysis: found.analysis,
        checks: found.checks,
        limiting: found.limiting,
        verification: held.verification,
        audit: held.audited.audit,
        outcome,
        reasons,
        notes,
    }
}
