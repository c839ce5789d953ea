//! `autoscale`: the classic exercise of auto scaling groups, thirty times as fast: load rises, replicas are added, load falls, they go.

mod fleet;
mod outcome;
mod policy;
mod report;
mod sizing;
mod steer;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use self::fleet::Fleet;
use self::outcome::{AutoscaleResult, Event, Point, Setting};
use self::policy::{Controller, Policy};
use self::sizing::{Exercise, Sizing};
use self::steer::{Burn, Clock, Decider, Pace, Steering};
use crate::commands::common::{self, Progress, StackArgs};
use crate::generator::ShopArgs;
use crate::interaction::Mix;
use crate::lab::{GeneratorArgs, Held, Lab};
use crate::load::Load;
use crate::report::folder::Folder;
use crate::result::{Measured, RunResult, mix_shares};
use crate::usage::Usage;
use crate::verdict;

/// The classic exercise: load rises, replicas are added, load falls, they go
///
/// Target tracking on CPU, as auto scaling groups have it: desired = ceil(serving x CPU / target). Each replica is held at a quota, the load
/// is sized so that its peak needs three of them, and one point of the policy is 60 s / --speedup. It fails unless the number goes 1 -> 3 -> 1
/// with nothing failed and nothing refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trestle-loadtest autoscale\n  \
    trestle-loadtest autoscale --target 50 --in-after 5\n  \
    trestle-loadtest autoscale --spike             the load steps up: what is refused until there are enough\n  \
    trestle-loadtest autoscale --stress            the load stays, CPU is burned in api-1\n  \
    trestle-loadtest autoscale --stack trestle-aws --watch --rate 400     a real group, which scales itself\n\n\
    Exit code: 0 all held and nothing was lost; 1 else; 64 wrong arguments.")]
pub struct AutoscaleArgs {
    #[command(flatten)]
    shop: ShopArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    generator: GeneratorArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    output: common::OutputArgs,
}

/// When replicas come and go.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The policy")]
struct PolicyArgs {
    /// CPU that a replica is to have, in percent of its quota, 50 to 70
    #[arg(long, value_name = "PERCENT", default_value_t = 60, value_parser = clap::value_parser!(u32).range(50..=70))]
    target: u32,
    /// Add a replica after so many successive points above the target
    #[arg(long, value_name = "POINTS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    out_after: u32,
    /// Take one away after so many successive points below --in-below
    #[arg(long, value_name = "POINTS", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=120))]
    in_after: u32,
    /// In percent of the target
    #[arg(long, value_name = "PERCENT", default_value_t = 70, value_parser = clap::value_parser!(u32).range(1..=100))]
    in_below: u32,
    /// Points for which a new replica does not count, from when it is ready on
    #[arg(long, value_name = "POINTS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=60))]
    warm_up: u32,
    /// Most replicas
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..=16))]
    max: u32,
    /// Cores that each replica may use
    #[arg(long, value_name = "CORES", default_value_t = 0.2)]
    quota: f64,
    /// How much faster than a minute a point is [default: 30; with --watch 1]
    #[arg(long, value_name = "FACTOR")]
    speedup: Option<f64>,
}

/// What load.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The load")]
struct LoadArgs {
    /// Interactions a second at the peak [default: what needs --peak replicas, by a calibration of 20 s]
    #[arg(long, value_name = "RATE")]
    rate: Option<f64>,
    /// Replicas that the peak needs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=16))]
    peak: u32,
    /// The load steps up and down; what is refused meanwhile is reported apart
    #[arg(long, group = "exercise")]
    spike: bool,
    /// The load stays; CPU is burned inside api-1's quota instead
    #[arg(long, group = "exercise")]
    stress: bool,
    /// Only look on: the group scales itself, as a real auto scaling group does. Needs --rate
    #[arg(long, requires = "rate", conflicts_with = "stress")]
    watch: bool,
    /// Which interactions come how often
    #[arg(long, value_enum, default_value_t = Mix::Shopping)]
    mix: Mix,
}

/// Shoppers with accounts: more than are ever under way at a time, unless a spike fills all replicas.
const ACCOUNTS: usize = 200;
/// Between two looks at the group.
const LOOK: f64 = 2.0;

/// What was measured.
struct Seen {
    load: Load,
    measured: Measured,
    points: Vec<Point>,
    events: Vec<Event>,
    setting: Setting,
}

/// # Errors
/// When something could not be done.
pub async fn run(args: AutoscaleArgs) -> Result<ExitCode> {
    args.check()?;
    let folder = Folder::create(args.output.output.clone(), "autoscale")?;
    let began = common::now_text();
    let mut lab = Lab::open(&args.stack, &args.shop, &args.generator, &folder).await?;
    let first = steer::wanted(&lab.status().await?);
    let cores = (!args.load.watch).then_some(args.policy.quota);
    let mut fleet = Fleet::new(lab.driver.clone(), cores)?;
    let seen = tokio::select! {
        seen = args.exercise(&mut lab, &mut fleet) => seen,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    // Whatever happened, the stack is left as it was found.
    let restored = fleet.restore(first).await;
    let seen = seen?;
    restored?;
    let held = lab.hold().await?;
    let result = args.result(&lab, seen, held, began)?;
    folder.write_json("autoscale.json", &result)?;
    folder.write("timeline.csv", report::timeline_csv(&result)?)?;
    folder.write("report.html", report::page(&result))?;
    print!("{}", report::summary(&result));
    Ok(common::ended(result.run.outcome, &folder))
}

impl AutoscaleArgs {
    fn check(&self) -> Result<()> {
        let above = |value: f64| value.is_finite() && value > 0.0;
        let (policy, load) = (&self.policy, &self.load);
        if load.peak > policy.max {
            bail!(Usage(format!(
                "--peak {}: --max allows {} replicas",
                load.peak, policy.max
            )));
        }
        if !(0.01..=64.0).contains(&policy.quota) {
            bail!(Usage(format!("--quota {}: 0.01 to 64 cores", policy.quota)));
        }
        if !policy
            .speedup
            .is_none_or(|speedup| (1.0..=120.0).contains(&speedup))
        {
            bail!(Usage("--speedup: 1 to 120, a point of 60 s to 0.5 s".to_owned()));
        }
        if !load.rate.is_none_or(above) {
            bail!(Usage("--rate: above 0".to_owned()));
        }
        Ok(())
    }

    fn policy(&self) -> Policy {
        let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        Policy {
            target: f64::from(self.policy.target) / 100.0,
            out_after: self.policy.out_after,
            in_after: self.policy.in_after,
            in_below: f64::from(self.policy.in_below) / 100.0,
            // The base of the load is sized for one.
            min: 1,
            max: count(self.policy.max),
        }
    }

    fn kind(&self) -> Exercise {
        match (self.load.spike, self.load.stress) {
            (true, _) => Exercise::Spike,
            (_, true) => Exercise::Stress,
            _ => Exercise::Ramp,
        }
    }

    fn peak(&self) -> usize {
        usize::try_from(self.load.peak).unwrap_or(usize::MAX)
    }

    /// From the first account to the end of the load.
    async fn exercise(&self, lab: &mut Lab, fleet: &mut Fleet) -> Result<Seen> {
        // Before replicas are held: each account costs one a password hash.
        prepare(lab).await?;
        let policy = self.policy();
        if !self.load.watch && steer::wanted(&lab.status().await?) != policy.min {
            common::say(&format!("scaling to {} replica", policy.min));
            fleet.scale_now(policy.min).await?;
        }
        let setting = self.setting(lab, fleet).await?;
        let point = setting.point_seconds;
        let load = sizing::load(
            setting.exercise,
            setting.sizing,
            &policy,
            setting.peak,
            point,
            self.load.mix,
            self.shop.seed,
        );
        common::say(&format!("autoscale: {}", common::describe(&load)));
        let (measured, points, events) = self.steer(lab, fleet, &load, &setting).await?;
        Ok(Seen {
            load,
            measured,
            points,
            events,
            setting,
        })
    }

    async fn setting(&self, lab: &mut Lab, fleet: &mut Fleet) -> Result<Setting> {
        let policy = self.policy();
        let status = fleet.look().await?;
        let (mix, seed) = (self.load.mix, self.shop.seed);
        let sizing = if let Some(rate) = self.load.rate {
            Sizing::told(rate, self.peak())
        } else {
            let cost =
                sizing::calibrate(&mut lab.generator, &fleet.meter, &status.processes, mix, seed).await?;
            Sizing::measured(cost, fleet.cores, &policy, self.peak())
        };
        let usual = if self.load.watch { 1.0 } else { 30.0 };
        let speedup = self.policy.speedup.unwrap_or(usual);
        Ok(Setting {
            exercise: self.kind(),
            is_watched: self.load.watch,
            policy,
            warm_up: self.policy.warm_up,
            peak: self.peak(),
            point_seconds: 60.0 / speedup,
            speedup,
            sizing,
        })
    }

    /// The load, and beside it the loop that watches and scales.
    async fn steer(
        &self,
        lab: &mut Lab,
        fleet: &mut Fleet,
        load: &Load,
        setting: &Setting,
    ) -> Result<(Measured, Vec<Point>, Vec<Event>)> {
        let clock = Rc::new(Clock::default());
        let status = fleet.look().await?;
        let (decider, warm_up) = if setting.is_watched {
            // What the group counts as in service is in service.
            (Decider::Group, 0)
        } else {
            (Decider::Here(Controller::new(setting.policy)), setting.warm_up)
        };
        let pace = Pace {
            point: Duration::from_secs_f64(setting.point_seconds),
            looks: looks(setting.point_seconds),
        };
        let target = setting.policy.target;
        let steering = Steering::new(fleet, &status, decider, warm_up, pace, target, &clock);
        let mut steering = steering.burning(burn(setting));
        let measured = tokio::select! {
            measured = lab.generator.load(load, |tick| clock.take(tick)) => measured?,
            ended = steering.run() => {
                ended?;
                bail!("nobody watches the replicas any more");
            }
        };
        let (points, events) = steering.finish();
        ensure!(!points.is_empty(), "the load ended before there was a point");
        Ok((measured, points, events))
    }

    fn result(&self, lab: &Lab, seen: Seen, held: Held, began: String) -> Result<AutoscaleResult> {
        let Seen {
            load,
            measured,
            points,
            events,
            setting,
        } = seen;
        let limits = outcome::limits(&setting, &load.model, &measured, &points)?;
        let validity = verdict::validity(&load.model, &measured);
        let outcome = verdict::outcome(
            &limits,
            &validity,
            Some(&held.verification),
            held.audited.audit.as_ref(),
            held.audited.wanted,
        );
        let mut conditions = common::conditions(&lab.url, lab.generator.products, &measured);
        conditions.quota = (!setting.is_watched).then_some(self.policy.quota);
        let run = RunResult {
            version: 1,
            began,
            conditions,
            mix: mix_shares(load.mix, &measured),
            response: verdict::Limits::default().response(),
            notes: [
                outcome::refused(&setting, &measured),
                outcome::late(&setting, &points),
            ]
            .into_iter()
            .flatten()
            .collect(),
            load,
            measured,
            limits,
            validity,
            verification: Some(held.verification),
            audit: held.audited.audit,
            outcome,
        };
        Ok(AutoscaleResult {
            version: 1,
            setting,
            run,
            points,
            events,
        })
    }
}

async fn prepare(lab: &mut Lab) -> Result<()> {
    let mut line = Progress::start();
    lab.generator
        .prepare(ACCOUNTS, true, |done, of| {
            line.show(&format!("accounts: {done} of {of}"));
        })
        .await
        .context("accounts for the load")?;
    line.done();
    Ok(())
}

/// How often is looked in a point.
fn looks(point: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 to 30: a point is at most 60 s"
    )]
    let looks = (point / LOOK).ceil() as u32;
    looks.max(1)
}

fn burn(setting: &Setting) -> Option<Burn> {
    let seconds = f64::from(sizing::STRESS) * setting.point_seconds;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "10 to 1200: a point is 0.5 to 60 s"
    )]
    let burn = Burn {
        at: Duration::from_secs_f64(f64::from(sizing::stress_at()) * setting.point_seconds),
        seconds: seconds.ceil() as u64,
    };
    (setting.exercise == Exercise::Stress).then_some(burn)
}
