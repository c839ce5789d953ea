//! The loop beside the load: at each point it looks at the group, decides, and has replicas started or drained without waiting for them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinHandle;

use super::fleet::{Fleet, Roster};
use super::outcome::{Event, Point};
use super::policy::{Controller, Decision, Group, Policy};
use crate::commands::common::{self, Progress};
use crate::drive::{Phase, Tick};
use crate::stack::driver::Status;

/// A stack whose state cannot be read so often in turn is no longer there.
const BLIND: u32 = 5;

/// What the load says meanwhile.
#[derive(Default)]
pub struct Clock {
    /// When the measured load began.
    origin: Cell<Option<Instant>>,
    tick: Cell<Option<Tick>>,
}

impl Clock {
    pub fn take(&self, tick: Tick) {
        if tick.phase == Phase::Measuring && self.origin.get().is_none() {
            self.origin
                .set(Instant::now().checked_sub(Duration::from_secs_f64(tick.elapsed)));
        }
        self.tick.set(Some(tick));
    }

    fn elapsed(&self) -> Option<Duration> {
        self.origin.get().map(|origin| origin.elapsed())
    }
}

/// How often is looked.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub point: Duration,
    /// Between two looks at the group: a new replica is to be found, and held at its quota, sooner than the next point may come.
    pub looks: u32,
}

/// CPU to be burned: when, since the measured load began, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Burn {
    pub at: Duration,
    pub seconds: u64,
}

/// Who decides.
pub enum Decider {
    /// This program.
    Here(Controller),
    /// The group itself.
    Group,
}

pub struct Steering<'a> {
    fleet: &'a mut Fleet,
    decider: Decider,
    roster: Roster,
    pace: Pace,
    burn: Option<Burn>,
    burning: Option<JoinHandle<Result<()>>>,
    clock: Rc<Clock>,
    started: Instant,
    wanted: usize,
    points: Vec<Point>,
    events: Vec<Event>,
    line: Progress,
    policy: Policy,
}

impl<'a> Steering<'a> {
    /// Begins with the replicas that are there.
    pub fn new(
        fleet: &'a mut Fleet,
        status: &Status,
        decider: Decider,
        warm_up: u32,
        pace: Pace,
        policy: Policy,
        clock: &Rc<Clock>,
    ) -> Self {
        fleet.cpu(&status.processes);
        Self {
            fleet,
            decider,
            roster: Roster::new(status, warm_up),
            pace,
            burn: None,
            burning: None,
            clock: Rc::clone(clock),
            started: Instant::now(),
            wanted: wanted(status),
            points: Vec::new(),
            events: Vec::new(),
            line: Progress::start(),
            policy,
        }
    }

    /// Burns CPU in the first replica too.
    pub fn burning(mut self, burn: Option<Burn>) -> Self {
        self.burn = burn;
        self
    }

    /// Goes on until it is dropped.
    ///
    /// # Errors
    /// When the stack cannot be read any more, held, or scaled.
    pub async fn run(&mut self) -> Result<()> {
        let look = self.pace.point / self.pace.looks.max(1);
        let mut next = Instant::now();
        let (mut looked, mut blind) = (0, 0);
        loop {
            // One that came late is not made up for by haste.
            next = (next + look).max(Instant::now());
            tokio::time::sleep_until(next.into()).await;
            let status = match self.fleet.look().await {
                Ok(status) => status,
                Err(error) if blind < BLIND => {
                    blind += 1;
                    self.say(&format!("the stack: {error:#}"));
                    continue;
                }
                Err(error) => return Err(error),
            };
            blind = 0;
            looked += 1;
            if looked >= self.pace.looks {
                looked = 0;
                self.point(&status).await?;
            }
        }
    }

    async fn point(&mut self, status: &Status) -> Result<()> {
        self.stress().await?;
        let replicas = self.fleet.cpu(&status.processes);
        let names = self.roster.point(status);
        let cpu = mean(&names, &replicas);
        let serving = names.len();
        let is_changing = self.fleet.is_changing().await?;
        let before = self.points.last().map(|point| point.serving);
        if before.is_some_and(|before| serving > before) {
            let why = match self.decider {
                Decider::Here(_) => "its warm-up is over",
                Decider::Group => "it is ready",
            };
            self.event(format!("{serving} serve"), why.to_owned());
        }
        let group = Group {
            serving,
            wanted: self.wanted,
            cpu,
            is_changing,
        };
        self.decide(group, status);
        let point = Point {
            at: self.started.elapsed().as_secs_f64(),
            wanted: self.wanted,
            starting: self.wanted.saturating_sub(serving),
            serving,
            cpu,
            replicas,
        };
        self.line.show(&self.told(&point));
        self.points.push(point);
        Ok(())
    }

    fn decide(&mut self, group: Group, status: &Status) {
        let cpu = percent(group.cpu);
        match &mut self.decider {
            Decider::Here(controller) => {
                let Policy {
                    out_after, in_after, ..
                } = self.policy;
                let (count, word, points) = match controller.decide(group) {
                    Decision::Stay => return,
                    Decision::Out(count) => (count, "out", format!("{out_after} points above the target")),
                    Decision::In(count) => (count, "in", format!("{in_after} points below the lower bound")),
                };
                let why = format!("{points}; CPU of {} serving at {cpu}", group.serving);
                self.event(format!("{word} to {count}"), why);
                self.wanted = count;
                self.fleet.scale(count);
            }
            Decider::Group => {
                let count = wanted(status);
                if count != self.wanted {
                    let word = if count > self.wanted { "out" } else { "in" };
                    let why = format!("the group decided; CPU of {} serving at {cpu}", group.serving);
                    self.event(format!("{word} to {count}"), why);
                    self.wanted = count;
                }
            }
        }
    }

    /// Begins to burn CPU when it is time.
    async fn stress(&mut self) -> Result<()> {
        if let Some(handle) = self.burning.take_if(|handle| handle.is_finished()) {
            handle.await??;
        }
        let Some(burn) = self.burn else { return Ok(()) };
        if self.clock.elapsed().is_some_and(|elapsed| elapsed >= burn.at) {
            self.burn = None;
            self.event(
                "stress".to_owned(),
                format!("api-1 burns CPU for {} s", burn.seconds),
            );
            self.burning = Some(self.fleet.stress("api-1", burn.seconds));
        }
        Ok(())
    }

    fn event(&mut self, what: String, why: String) {
        self.say(&format!("{what}: {why}"));
        self.events.push(Event {
            at: self.started.elapsed().as_secs_f64(),
            what,
            why,
        });
    }

    fn say(&mut self, text: &str) {
        self.line.done();
        common::say(text);
    }

    fn told(&self, point: &Point) -> String {
        let load = self.clock.tick.get().map(|tick| common::tick_line(&tick));
        format!(
            "{}; {} of {} replicas serve, CPU {} (target {:.0} %)",
            load.unwrap_or_else(|| "the load begins".to_owned()),
            point.serving,
            point.wanted,
            percent(point.cpu),
            100.0 * self.policy.target
        )
    }

    /// All points and events, in seconds since the measured load began.
    pub fn finish(mut self) -> (Vec<Point>, Vec<Event>) {
        self.line.done();
        let origin = self.clock.origin.get().unwrap_or(self.started);
        let before = origin.saturating_duration_since(self.started).as_secs_f64();
        let (mut points, mut events) = (self.points, self.events);
        for at in points
            .iter_mut()
            .map(|point| &mut point.at)
            .chain(events.iter_mut().map(|event| &mut event.at))
        {
            // Tenths: more is not known.
            *at = ((*at - before) * 10.0).round() / 10.0;
        }
        (points, events)
    }
}

/// Replicas that are asked for: as the status says, or all but those that leave.
pub fn wanted(status: &Status) -> usize {
    let replicas = status.replicas();
    let staying = replicas.iter().filter(|it| it.state != "draining").count();
    status.desired.unwrap_or(staying)
}

fn mean(names: &[String], shares: &BTreeMap<String, f64>) -> Option<f64> {
    let known: Vec<f64> = names
        .iter()
        .filter_map(|name| shares.get(name))
        .copied()
        .collect();
    let count = u32::try_from(known.len()).ok().filter(|count| *count > 0)?;
    Some(known.iter().sum::<f64>() / f64::from(count))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "not known".to_owned(),
        |share| format!("{:.0} %", 100.0 * share),
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn only_serving_replicas_count_for_the_mean() {
        let shares = BTreeMap::from([
            ("api-1".to_owned(), 0.8),
            ("api-2".to_owned(), 0.6),
            ("api-3".to_owned(), 0.1),
        ]);
        let two = ["api-1".to_owned(), "api-2".to_owned()];
        assert!((mean(&two, &shares).unwrap() - 0.7).abs() < 1e-12);
        assert_eq!(mean(&[], &shares), None);
        assert_eq!(mean(&["api-9".to_owned()], &shares), None);
    }

    #[test]
    fn the_group_says_what_it_wants_or_it_is_counted() {
        let status = |desired: Option<usize>| {
            let processes = [("api-1", "ready"), ("api-2", "draining"), ("redis", "ready")]
                .map(|(name, state)| serde_json::json!({"name": name, "state": state, "address": ""}));
            let text = serde_json::json!({"url": "", "desired": desired, "processes": processes});
            serde_json::from_value::<Status>(text).unwrap()
        };
        assert_eq!(wanted(&status(Some(5))), 5);
        assert_eq!(wanted(&status(None)), 1);
    }
}
