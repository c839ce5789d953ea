//! Puts loads on the stack and reads what each tier uses meanwhile.
//!
//! Each load has as many shoppers, and so as many connections, as the mix that checks the prediction: what a request costs depends on
//! how many come together, and on how many workers of nginx and of the replicas share them.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::demand::{Demand, Point};
use super::metrics::{self, Database};
use super::tiers::Tiers;
use crate::commands::common::Progress;
use crate::drive::{Phase, Tick};
use crate::interaction::{Class, Interaction, Mix};
use crate::lab::Lab;
use crate::load::{Load, Model, Shape, WarmUp};
use crate::report::number::{float, percent, quantity};
use crate::result::Measured;
use crate::stack::Root;
use crate::stack::cpu::{Meter, Snapshot};
use crate::stack::driver::Status;

/// Few, with short think times: so a visit, which is counted in think times, comes to its end and others begin.
pub const SHOPPERS: usize = 24;
/// A tick comes after each whole second; the last one has to lie inside.
const PAST_THE_TICK: f64 = 0.3;
/// The busiest tier at the higher rate, in cores.
const HIGH: f64 = 0.25;
/// The higher rate is so many times the lower at least, and at most. The lower is about a twentieth of a core on the machines that we know.
const LEAST: f64 = 2.0;
const MOST: f64 = 12.0;

/// More failures than this, and it is not that interaction's cost what was measured.
const DOUBTFUL: f64 = 0.01;

/// Seconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub warm_up: f64,
    pub measured: f64,
}

/// The stack, its processes, and the clocks.
pub struct Bench {
    lab: Lab,
    meter: Meter,
    status: Status,
    seed: u64,
    times: Times,
}

/// All that is read at one moment.
pub struct Moment {
    cpu: Snapshot,
    database: Option<Database>,
}

/// One interaction run alone, at two rates in each round.
pub struct Alone {
    pub interaction: Interaction,
    /// The higher rate that was asked for; the same in all rounds.
    high_rate: Option<f64>,
    low: Vec<Point>,
    high: Vec<Point>,
}

impl Alone {
    pub fn of(interaction: Interaction) -> Self {
        Self {
            interaction,
            high_rate: None,
            low: Vec::new(),
            high: Vec::new(),
        }
    }

    pub fn demand(&self, idle: &Point) -> Demand {
        Demand::of(
            self.interaction,
            idle,
            Point::median(&self.low),
            Point::median(&self.high),
        )
    }
}

impl Bench {
    pub async fn new(lab: Lab, seed: u64, times: Times) -> Result<Self> {
        let status = lab.status().await?;
        for name in ["nginx", "api-1", "redis", "database"] {
            ensure!(
                status.find(name).is_some_and(|it| it.pid.is_some()),
                "--stack: it does not say which process of this machine {name} is, so that its CPU cannot be read"
            );
        }
        Ok(Self {
            lab,
            meter: Meter::new(Root::default()),
            status,
            seed,
            times,
        })
    }

    pub fn lab(&mut self) -> &mut Lab {
        &mut self.lab
    }

    pub fn replicas(&self) -> usize {
        self.status.replicas().len()
    }

    /// Connections that a replica may open, as the replicas say.
    pub fn pool(&self) -> Option<u32> {
        metrics::read(&self.status.replicas()).map(|it| it.pool)
    }

    /// Whether each process is still the one that was measured.
    pub async fn unchanged(&self) -> Result<bool> {
        let now = self.lab.status().await?;
        let pids = |status: &Status| {
            let mut pids: Vec<_> = status
                .processes
                .iter()
                .map(|it| (it.name.clone(), it.pid))
                .collect();
            pids.sort();
            pids
        };
        Ok(pids(&now) == pids(&self.status))
    }

    fn now(&self) -> Moment {
        now(&self.meter, &self.status)
    }

    /// What is used when nobody comes.
    pub async fn idle(&self) -> Point {
        let before = self.now();
        // It is taken off each measurement: longer, so that it is surer than those.
        tokio::time::sleep(Duration::from_secs_f64(2.0 * self.times.measured)).await;
        point(&before, &self.now(), &Measured::default())
    }

    /// Makes accounts with sessions, and brings caches to a state that the mix has.
    pub async fn warm(&mut self, mix: Mix, seconds: f64, line: &mut Progress) -> Result<()> {
        self.lab
            .generator
            .prepare(SHOPPERS, true, |done, of| {
                line.show(&format!("accounts: {done} of {of}"));
            })
            .await?;
        let load = Load {
            only: None,
            mix,
            ..self.of(Interaction::Home, 60.0, 0.0, seconds)
        };
        self.lab
            .generator
            .load(&load, |tick| {
                line.show(&format!("warming caches: {:.0} s", tick.elapsed));
            })
            .await?;
        Ok(())
    }

    /// One round of one interaction. The higher rate follows from what the lower one costs.
    pub async fn round(&mut self, alone: &mut Alone, idle: &Point, line: &mut Progress) -> Result<()> {
        let interaction = alone.interaction;
        let low = self
            .alone(interaction, first_rate(interaction), 0.0, line)
            .await?;
        let high_rate = *alone.high_rate.get_or_insert_with(|| higher_rate(&low, idle));
        let high = self
            .alone(interaction, high_rate, low.response_ms / 1_000.0, line)
            .await?;
        alone.low.push(low);
        alone.high.push(high);
        Ok(())
    }

    async fn alone(
        &mut self,
        interaction: Interaction,
        rate: f64,
        response_s: f64,
        line: &mut Progress,
    ) -> Result<Point> {
        let load = self.of(interaction, rate, response_s, self.times.measured + PAST_THE_TICK);
        let said = format!("{} at {}/s", interaction.label(), quantity(rate));
        let (moments, measured) = self.load(&load, &said, line).await?;
        let point = steady(&moments, usize::MAX, &measured);
        if point.trouble <= DOUBTFUL {
            return Ok(point);
        }
        // Something else held the machine up: once more.
        let (moments, measured) = self.load(&load, &said, line).await?;
        Ok(steady(&moments, usize::MAX, &measured))
    }

    /// Any load, with a moment at the last tick of its warm-up and at each one of its measured time.
    pub async fn load(
        &mut self,
        load: &Load,
        said: &str,
        line: &mut Progress,
    ) -> Result<(Vec<Moment>, Measured)> {
        let (mut first, mut others) = (None, Vec::new());
        let (meter, status) = (&self.meter, &self.status);
        let tell = |tick: Tick| {
            match tick.phase {
                Phase::WarmUp => first = Some(now(meter, status)),
                Phase::Measuring => others.push(now(meter, status)),
                Phase::Ending => {}
            }
            line.show(&format!("{said}: {}", crate::commands::common::tick_line(&tick)));
        };
        let measured = self.lab.generator.load(load, tell).await?;
        let (Some(first), false) = (first, others.is_empty()) else {
            anyhow::bail!("{said}: the generator did not say when it measured");
        };
        others.insert(0, first);
        Ok((others, measured))
    }

    /// One interaction by shoppers who have sessions, so many a second if an answer takes so long.
    fn of(&self, interaction: Interaction, rate: f64, response_s: f64, seconds: f64) -> Load {
        let (_, think_s) = think(rate, response_s);
        Load {
            fine: false,
            product: None,
            model: Model::Closed {
                shoppers: SHOPPERS,
                shape: Shape::default(),
            },
            mix: Mix::Shopping,
            only: Some(interaction),
            think_s,
            with_sessions: true,
            seconds,
            warm_up: WarmUp::Seconds(self.times.warm_up + PAST_THE_TICK),
            // Other products at the other rate.
            seed: self.seed ^ rate.to_bits() ^ ((interaction.index() as u64) << 8),
        }
    }
}

/// How often each shopper comes for so many a second in all, and how long they think in between, in seconds.
pub fn think(rate: f64, response_s: f64) -> (f64, f64) {
    let cycle = float(SHOPPERS as u64) / rate.max(0.1);
    (cycle, (cycle - response_s).max(0.02))
}

/// Medians over windows of so many ticks; a last one that is shorter is left out, unless it is the only one.
pub fn steady(moments: &[Moment], ticks: usize, measured: &Measured) -> Point {
    let ticks = ticks.min(moments.len().saturating_sub(1)).max(1);
    let ends = moments.iter().step_by(ticks);
    let windows = ends.clone().zip(ends.skip(1));
    Point::median(
        &windows
            .map(|(from, until)| point(from, until, measured))
            .collect::<Vec<_>>(),
    )
}

fn now(meter: &Meter, status: &Status) -> Moment {
    Moment {
        cpu: meter.snapshot(&status.processes, None),
        database: metrics::read(&status.replicas()),
    }
}

fn point(from: &Moment, until: &Moment, measured: &Measured) -> Point {
    let usage = until.cpu.since(&from.cpu);
    let statements = from.database.zip(until.database);
    let counted = measured.interactions.iter();
    let good: u64 = counted.clone().map(|it| it.count).sum();
    let waited: f64 = counted.map(|it| it.mean_ms * float(it.count)).sum();
    Point {
        rate: float(measured.completed) / measured.seconds.max(1e-9),
        requests: float(measured.requests) / measured.seconds.max(1e-9),
        cores: Tiers::cores(&usage),
        statements: statements.map(|(from, until)| usage.cores(until.statements - from.statements)),
        response_ms: waited / float(good.max(1)),
        caches: measured.caches,
        trouble: float(measured.failed + measured.shed) / float(measured.completed.max(1)),
        host_busy: usage.host.busy_share(),
        host_steal: usage.host.steal_share(),
    }
}

/// Arrivals a second that every machine bears.
fn first_rate(interaction: Interaction) -> f64 {
    match interaction.class() {
        Class::Read => 40.0,
        Class::Write => 20.0,
        Class::Hash => 2.0,
    }
}

/// The rate at which the busiest tier uses a quarter of a core.
fn higher_rate(low: &Point, idle: &Point) -> f64 {
    let used = low.cores.with(idle.cores, |used, idle| used - idle).most();
    let factor = if used > 0.0 { HIGH / used } else { MOST };
    (low.rate * factor.clamp(LEAST, MOST)).round()
}

/// What makes a point doubtful.
pub fn doubts(demands: &[Demand]) -> Vec<String> {
    let mut doubts = Vec::new();
    for demand in demands {
        let name = demand.interaction.label();
        let trouble = demand.low.trouble.max(demand.high.trouble);
        if trouble > DOUBTFUL {
            doubts.push(format!("{name}: {} failed or were refused", percent(trouble)));
        }
        let steal = demand.low.host_steal.max(demand.high.host_steal);
        if steal > 0.03 {
            doubts.push(format!(
                "{name}: {} of the machine's time was stolen",
                percent(steal)
            ));
        }
        let busy = demand.low.host_busy.max(demand.high.host_busy);
        if busy > 0.85 {
            doubts.push(format!(
                "{name}: the machine was {} busy, with other things too",
                percent(busy)
            ));
        }
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(rate: f64, api: f64) -> Point {
        Point {
            rate,
            cores: Tiers {
                api,
                ..Tiers::default()
            },
            ..Point::default()
        }
    }

    #[test]
    fn the_higher_rate_uses_a_quarter_of_a_core() {
        let idle = used(0.0, 0.01);
        assert_eq!(
            higher_rate(&used(40.0, 0.06), &idle).to_bits(),
            200.0_f64.to_bits()
        );
        // Neither so close that the slope is noise, nor so far that a costly one is not seen coming.
        assert_eq!(
            higher_rate(&used(40.0, 0.90), &idle).to_bits(),
            80.0_f64.to_bits()
        );
        assert_eq!(
            higher_rate(&used(40.0, 0.01), &idle).to_bits(),
            480.0_f64.to_bits()
        );
    }

    #[test]
    fn what_is_doubtful_is_named() {
        let fine = used(40.0, 0.1);
        let stolen = Point {
            host_steal: 0.05,
            trouble: 0.02,
            ..fine.clone()
        };
        let demands = [
            Demand::of(Interaction::Home, &fine, fine.clone(), fine.clone()),
            Demand::of(Interaction::Cart, &fine.clone(), fine, stolen),
        ];
        let doubts = doubts(&demands);
        assert_eq!(doubts.len(), 2, "{doubts:?}");
        assert!(
            doubts.iter().all(|it| it.starts_with("Shopping Cart: ")),
            "{doubts:?}"
        );
    }
}
