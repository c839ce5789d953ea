//! `autoscale`: the classic exercise of auto scaling groups, thirty times as fast: load rises, replicas are added, load falls, they go.

mod args;
mod calibrate;
mod fleet;
mod outcome;
mod picture;
mod policy;
mod report;
mod sizing;
mod steer;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

pub use self::args::AutoscaleArgs;
use self::fleet::Fleet;
use self::outcome::{AutoscaleResult, Event, Point, Setting};
use self::policy::Controller;
use self::sizing::{Exercise, Sizing};
use self::steer::{Burn, Clock, Decider, Pace, Steering};
use crate::commands::common::{self, Progress};
use crate::lab::{Held, Lab};
use crate::load::Load;
use crate::report::folder::Folder;
use crate::result::{Measured, RunResult, mix_shares};
use crate::verdict;

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
    /// From the first account to the end of the load.
    async fn exercise(&self, lab: &mut Lab, fleet: &mut Fleet) -> Result<Seen> {
        // Before replicas are held: each account costs one a password hash.
        prepare(lab).await?;
        let policy = self.policy();
        if !self.load.watch && steer::wanted(&lab.status().await?) != policy.min {
            common::say(&format!("scaling to {} replica", policy.min));
            fleet.scale_now(policy.min).await?;
        }
        if !self.load.watch {
            calibrate::fill(&mut lab.generator, self.load.mix, self.shop.seed).await?;
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
                calibrate::cost(&mut lab.generator, &fleet.meter, &status.processes, mix, seed).await?;
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
        let steering = Steering::new(fleet, &status, decider, warm_up, pace, setting.policy, &clock);
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
