//! Puts loads on the stack and reads what each tier uses meanwhile.
//!
//! All is measured in a shop at work. An interaction that comes alone, on one connection, finds code, data and connections warm: a mix used
//! a fifth to a third more than the sum of its interactions measured so.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::demand::{Demand, Point, Round};
use super::metrics::{self, Database};
use super::mix::Shop;
use super::tiers::Tiers;
use crate::commands::common::Progress;
use crate::drive::{Phase, Tick};
use crate::interaction::{Class, Interaction, Mix};
use crate::lab::Lab;
use crate::load::{Load, Model, More, Shape, WarmUp};
use crate::report::number::{float, percent, quantity};
use crate::result::Measured;
use crate::stack::Root;
use crate::stack::cpu::{Meter, Snapshot};
use crate::stack::driver::Status;

/// Few, with short think times: so a visit, which is counted in think times, comes to its end and others begin.
pub const SHOPPERS: usize = 24;
/// A tick comes after each whole second; the last one has to lie inside.
pub const PAST_THE_TICK: f64 = 0.3;
/// The mix at a rate that every machine bears, to find out which one is wanted.
const FIRST_MIX: f64 = 60.0;
/// The busiest tier with the mix alone, in cores; and how many interactions a second that is at least, and at most.
const MIX_USES: f64 = 0.15;
const MIX_RATE: (f64, f64) = (20.0, 400.0);
/// What an interaction on top makes the busiest tier use more, in cores: enough to be seen. Many more would each cost less than those of a
/// mix do, because caches are hit more often. Its first rate is multiplied by so much at least, and at most.
const MORE_USES: f64 = 0.06;
const FACTOR: (f64, f64) = (0.25, 8.0);
/// On top at least, a second: of fewer, one that falls before or after the measured time would count as a tenth of the cost.
const FEWEST: f64 = 4.0;

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

/// One interaction that comes on top of the mix, once in each round.
pub struct OnTop {
    pub interaction: Interaction,
    /// How many more a second.
    rate: f64,
    response_s: f64,
    rounds: Vec<Round>,
}

impl OnTop {
    pub fn of(interaction: Interaction) -> Self {
        Self {
            interaction,
            rate: first_rate(interaction),
            response_s: 0.0,
            rounds: Vec::new(),
        }
    }

    /// One round of it. How many the next ones are follows from the first.
    pub fn push(&mut self, round: Round, idle: &Point) {
        if self.rounds.is_empty() {
            self.rate = next_rate(
                self.rate,
                &Demand::of(self.interaction, idle, vec![round.clone()]),
            );
        }
        self.rounds.push(round);
    }

    pub fn demand(self, idle: &Point) -> Demand {
        Demand::of(self.interaction, idle, self.rounds)
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

    /// Accounts: of shoppers with sessions, or of customers who come back without one.
    pub async fn prepare(&mut self, with_sessions: bool, line: &mut Progress) -> Result<()> {
        let tell = |done, of| line.show(&format!("accounts: {done} of {of}"));
        self.lab.generator.prepare(SHOPPERS, with_sessions, tell).await
    }

    /// Brings caches to a state that the mix has, and finds the rate of the mix that all is measured with.
    pub async fn warm(&mut self, mix: Mix, idle: &Point, line: &mut Progress) -> Result<f64> {
        let first = self.mix(mix, FIRST_MIX, line).await?;
        let used = first.cores.with(idle.cores, |used, idle| used - idle).most();
        let factor = if used > 0.0 { MIX_USES / used } else { 1.0 };
        Ok((FIRST_MIX * factor).clamp(MIX_RATE.0, MIX_RATE.1).round())
    }

    /// The mix alone, by shoppers who have sessions.
    pub async fn mix(&mut self, mix: Mix, rate: f64, line: &mut Progress) -> Result<Point> {
        self.mix_for(mix, rate, self.times.measured, line).await
    }

    /// The mix alone for so many seconds.
    pub async fn mix_for(&mut self, mix: Mix, rate: f64, seconds: f64, line: &mut Progress) -> Result<Point> {
        let load = self.of(mix, None, (rate, 0.0), 0.0, seconds);
        let said = format!("the mix at {}/s", quantity(rate));
        let (point, _) = self.load(&load, &said, line).await?;
        Ok(point)
    }

    /// The mix, and one interaction on top.
    pub async fn on_top(
        &mut self,
        mix: Mix,
        rate: f64,
        on_top: &mut OnTop,
        line: &mut Progress,
    ) -> Result<Point> {
        let said = format!(
            "{} at {}/s on top",
            on_top.interaction.label(),
            quantity(on_top.rate)
        );
        let load = self.of(
            mix,
            Some(on_top.interaction),
            (rate, on_top.rate),
            on_top.response_s,
            self.times.measured,
        );
        let (mut point, mut measured) = self.load(&load, &said, line).await?;
        if point.trouble > DOUBTFUL {
            // Something else held the machine up: once more.
            (point, measured) = self.load(&load, &said, line).await?;
        }
        let own = measured
            .interactions
            .iter()
            .find(|it| it.interaction == on_top.interaction);
        let response_ms = own.map_or(0.0, |it| it.mean_ms);
        on_top.response_s = response_ms / 1_000.0;
        let more = match on_top.interaction {
            // The mix has none, of shoppers who have sessions.
            Interaction::Login => float(measured.logins) / measured.seconds,
            Interaction::NewAccount => float(measured.accounts) / measured.seconds,
            // The mix has some, too; of all that come so many are on top.
            _ => point.rate * load.more.map_or(0.0, |it| it.share),
        };
        Ok(Point {
            more,
            response_ms,
            ..point
        })
    }

    /// Any load, from the last tick of its warm-up to the last one of its measured time.
    pub async fn load(&mut self, load: &Load, said: &str, line: &mut Progress) -> Result<(Point, Measured)> {
        let (mut from, mut until) = (None, None);
        let (meter, status) = (&self.meter, &self.status);
        let tell = |tick: Tick| {
            match tick.phase {
                Phase::WarmUp => from = Some(now(meter, status)),
                Phase::Measuring => until = Some(now(meter, status)),
                Phase::Ending => {}
            }
            line.show(&format!("{said}: {}", crate::commands::common::tick_line(&tick)));
        };
        let measured = self.lab.generator.load(load, tell).await?;
        let (Some(from), Some(until)) = (from, until) else {
            anyhow::bail!("{said}: the generator did not say when it measured");
        };
        Ok((point(&from, &until, &measured), measured))
    }

    /// The mix, and one interaction on top, so many of each a second if an answer takes so long; by shoppers who have sessions.
    fn of(
        &self,
        mix: Mix,
        more: Option<Interaction>,
        (of_mix, on_top): (f64, f64),
        response_s: f64,
        seconds: f64,
    ) -> Load {
        let all = of_mix + on_top;
        let (_, think_s) = think(all, response_s);
        Load {
            fine: false,
            product: None,
            model: Model::Closed {
                shoppers: SHOPPERS,
                shape: Shape::default(),
            },
            mix,
            only: None,
            more: more.map(|interaction| More {
                interaction,
                share: on_top / all,
            }),
            think_s,
            with_sessions: true,
            seconds: seconds + PAST_THE_TICK,
            warm_up: WarmUp::Seconds(self.times.warm_up + PAST_THE_TICK),
            // Other products each time.
            seed: self.seed ^ all.to_bits() ^ more.map_or(0, |it| (it.index() as u64 + 1) << 8),
        }
    }
}

/// How often each shopper comes for so many a second in all, and how long they think in between, in seconds.
pub fn think(rate: f64, response_s: f64) -> (f64, f64) {
    let cycle = float(SHOPPERS as u64) / rate.max(0.1);
    (cycle, (cycle - response_s).max(0.02))
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
        more: 0.0,
        cores: Tiers::cores(&usage),
        statements: statements.map(|(from, until)| usage.cores(until.statements - from.statements)),
        response_ms: waited / float(good.max(1)),
        trouble: float(measured.failed + measured.shed) / float(measured.completed.max(1)),
        host_busy: usage.host.busy_share(),
        host_steal: usage.host.steal_share(),
    }
}

/// More a second that every machine bears.
fn first_rate(interaction: Interaction) -> f64 {
    match interaction.class() {
        Class::Read => 80.0,
        Class::Write => 40.0,
        Class::Hash => 4.0,
    }
}

/// The rate at which the busiest tier uses so much more as is wanted.
fn next_rate(rate: f64, first: &Demand) -> f64 {
    let used = first.cpu.most() * first.rate();
    let factor = if used > 0.0 { MORE_USES / used } else { FACTOR.1 };
    (rate * factor.clamp(FACTOR.0, FACTOR.1)).round().max(FEWEST)
}

/// What makes a point doubtful.
pub fn doubts(shop: &Shop) -> Vec<String> {
    let mut doubts = Vec::new();
    for demand in &shop.demands {
        let name = demand.interaction.label();
        let with: Vec<Point> = demand.rounds.iter().map(|it| it.with.clone()).collect();
        let point = Point::median(&with);
        if point.trouble > DOUBTFUL {
            doubts.push(format!(
                "{name}: {} failed or were refused",
                percent(point.trouble)
            ));
        }
        if point.host_steal > 0.03 {
            doubts.push(format!(
                "{name}: {} of the machine's time was stolen",
                percent(point.host_steal)
            ));
        }
        if point.host_busy > 0.85 {
            doubts.push(format!(
                "{name}: the machine was {} busy, with other things too",
                percent(point.host_busy)
            ));
        }
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::super::demand::tests::point;
    use super::*;

    fn demand(more: f64, api: f64) -> Demand {
        let round = Round {
            mix: point(100.0, 0.0, 0.1),
            with: point(100.0 + more, more, 0.1 + api),
        };
        Demand::of(Interaction::Home, &point(0.0, 0.0, 0.0), vec![round])
    }

    #[test]
    fn the_next_rate_is_seen_and_borne() {
        let next = |api| next_rate(40.0, &demand(40.0, api)).to_bits();
        assert_eq!(next(0.03), 80.0_f64.to_bits());
        // Neither so few that the slope is noise, nor so many that a costly one is not seen coming.
        assert_eq!(next(2.0), 10.0_f64.to_bits());
        assert_eq!(next(0.0), 320.0_f64.to_bits());
        // A hash of 50 ms.
        assert_eq!(next_rate(4.0, &demand(4.0, 0.2)).to_bits(), 4.0_f64.to_bits());
    }

    #[test]
    fn what_is_doubtful_is_named() {
        let fine = demand(40.0, 0.1);
        let mut stolen = demand(40.0, 0.1);
        stolen.interaction = Interaction::Cart;
        stolen.rounds[0].with.host_steal = 0.05;
        stolen.rounds[0].with.trouble = 0.02;
        let doubts = doubts(&Shop {
            demands: vec![fine, stolen],
            ..Shop::default()
        });
        assert_eq!(doubts.len(), 2, "{doubts:?}");
        assert!(
            doubts.iter().all(|it| it.starts_with("Shopping Cart: ")),
            "{doubts:?}"
        );
    }
}
