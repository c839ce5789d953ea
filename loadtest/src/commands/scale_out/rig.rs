//! The stack under probes: so many replicas, capped, with their CPU metered.

use anyhow::{Result, bail, ensure};

use super::caps::Caps;
use super::clock::Clock;
use super::probe::{Probe, replicas as said};
use crate::commands::common::Progress;
use crate::drive::Phase;
use crate::interaction::Mix;
use crate::lab::Lab;
use crate::load::{Arrivals, Load, Model, Shape, Unit, WarmUp};
use crate::report::number::float;
use crate::result::Measured;
use crate::stack::cpu::{Meter, Usage};
use crate::stack::driver::Process;

/// After a change, before a probe: replicas that are new open their connections and fill their memory with what is popular. They are not
/// capped meanwhile: it is no part of what is measured.
const WARM_S: f64 = 1.5;
/// Until throughput under the quota is even.
const SETTLE_S: f64 = 1.0;

/// What the probes of a run have in common.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub mix: Mix,
    pub with_logins: bool,
    pub shoppers_per_replica: usize,
    pub probe_s: f64,
    pub seed: u64,
}

/// A stack whose replicas are changed and probed.
pub struct Rig {
    pub lab: Lab,
    pub caps: Option<Caps>,
    pub manner: Manner,
    pub clock: Clock,
    pub line: Progress,
    meter: Meter,
    processes: Vec<Process>,
    /// Each load draws other products and shoppers.
    loads: u64,
}

impl Rig {
    pub fn new(lab: Lab, caps: Option<Caps>, manner: Manner, clock: Clock) -> Self {
        Self {
            lab,
            caps,
            manner,
            clock,
            line: Progress::start(),
            meter: Meter::new(crate::stack::Root::default()),
            processes: Vec::new(),
            loads: 0,
        }
    }

    /// Brings the stack to so many replicas, caps those that are new, and warms all up.
    ///
    /// # Errors
    /// When the stack does not come to that number.
    pub async fn scale(&mut self, replicas: usize) -> Result<()> {
        self.show(&format!("{}: starting or draining", said(replicas)));
        self.lab.driver.scale(replicas).await?;
        let status = self.lab.status().await?;
        let ready: Vec<Process> = status
            .replicas()
            .into_iter()
            .filter(|it| it.is_ready())
            .cloned()
            .collect();
        ensure!(
            ready.len() == replicas,
            "the stack was to have {replicas} replicas and has {} that are ready",
            ready.len()
        );
        self.processes = status.processes;
        let Some(caps) = &mut self.caps else {
            return self.warm(replicas).await;
        };
        caps.hold(&ready)?;
        caps.lift(1.0)?;
        self.warm(replicas).await?;
        if let Some(caps) = &mut self.caps {
            caps.set(caps.cores())?;
        }
        Ok(())
    }

    async fn warm(&mut self, replicas: usize) -> Result<()> {
        let load = self.closed(replicas, WARM_S, 0.0);
        self.metered(&load, &format!("{}: warming up", said(replicas)))
            .await
            .map(drop)
    }

    /// A closed load that saturates so many replicas.
    ///
    /// # Errors
    /// When the generator ends.
    pub async fn probe(&mut self, replicas: usize, what: &str) -> Result<Probe> {
        let load = self.closed(replicas, self.manner.probe_s, SETTLE_S);
        let (measured, usage) = self.metered(&load, what).await?;
        let quota = self.caps.as_ref().map(Caps::cores);
        let probe = Probe::new(replicas, self.shoppers(replicas), quota, &measured, &usage);
        self.clock.step();
        Ok(probe)
    }

    /// Single interactions that arrive at a rate, whatever the answers.
    ///
    /// # Errors
    /// When the generator ends.
    pub async fn arrivals(&mut self, rate: f64, seconds: f64, what: &str) -> Result<(Load, Measured)> {
        let model = Model::Open {
            rate,
            arrivals: Arrivals::Poisson,
            unit: Unit::Interactions,
            shape: Shape::default(),
        };
        let load = self.load(model, seconds, SETTLE_S);
        let (measured, _) = self.metered(&load, what).await?;
        self.clock.step();
        Ok((load, measured))
    }

    pub fn shoppers(&self, replicas: usize) -> usize {
        self.manner.shoppers_per_replica * replicas
    }

    fn closed(&mut self, replicas: usize, seconds: f64, warm_up_s: f64) -> Load {
        let model = Model::Closed {
            shoppers: self.shoppers(replicas),
            shape: Shape::default(),
        };
        self.load(model, seconds, warm_up_s)
    }

    fn load(&mut self, model: Model, seconds: f64, warm_up_s: f64) -> Load {
        self.loads += 1;
        Load {
            fine: false,
            product: None,
            model,
            mix: self.manner.mix,
            only: None,
            more: None,
            think_s: 0.0,
            with_sessions: !self.manner.with_logins,
            seconds,
            warm_up: WarmUp::Seconds(warm_up_s),
            seed: self.manner.seed.wrapping_add(self.loads),
        }
    }

    /// A load, and what the tiers used in its measured time.
    async fn metered(&mut self, load: &Load, what: &str) -> Result<(Measured, Usage)> {
        let Self {
            lab,
            meter,
            processes,
            line,
            clock,
            ..
        } = self;
        let (mut from, mut to) = (None, None);
        let measured = lab
            .generator
            .load(load, |tick| {
                match tick.phase {
                    Phase::Measuring if from.is_none() => from = Some(meter.snapshot(processes, None)),
                    Phase::Ending if to.is_none() => to = Some(meter.snapshot(processes, None)),
                    _ => {}
                }
                let rate = float(tick.second.completed);
                line.show(&clock.line(&format!("{what}, {rate} interactions/s")));
            })
            .await?;
        match (from, to) {
            (Some(from), Some(to)) => Ok((measured, to.since(&from))),
            _ => bail!("the load generator did not say when it measured: is it of another version?"),
        }
    }

    pub fn show(&mut self, what: &str) {
        self.line.show(&self.clock.line(what));
    }
}
