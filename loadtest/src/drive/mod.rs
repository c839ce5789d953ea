//! Puts a load on a shop: shoppers who think between interactions (closed), arrivals that wait for nobody (open), or a flash sale.

mod closed;
mod open;
mod warm_up;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use crate::load::{Load, Model};
use crate::own::{self, Own};
use crate::result::{Measured, Second};
use crate::shopper::Shopper;
use crate::shopper::shop::Shop;

/// What is under way at the end of a load is waited for as long as a client waits for an answer.
const DRAIN: Duration = Duration::from_secs(16);
/// Accounts that are made at a time before a load: a light load on the shop's hashes.
const PREPARED_AT_A_TIME: usize = 4;

/// Where a load stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    WarmUp,
    Measuring,
    Ending,
}

/// Told every second while a load runs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Tick {
    pub phase: Phase,
    /// Seconds of this phase that are over, and how many there will be (none: not known).
    pub elapsed: f64,
    pub of: Option<f64>,
    pub second: Second,
}

impl Tick {
    /// When the measured time began, if this tick is of it and was made just now.
    pub fn measured_from(&self) -> Option<Instant> {
        let elapsed = Duration::try_from_secs_f64(self.elapsed).ok()?;
        (self.phase == Phase::Measuring)
            .then(|| Instant::now().checked_sub(elapsed))
            .flatten()
    }
}

/// The shoppers of a generator. They stay between loads: with their sessions, their connections, their carts.
pub struct Crowd {
    pub shop: Rc<Shop>,
    idle: Rc<RefCell<Vec<Shopper>>>,
    made: Cell<u64>,
    seed: u64,
    halt: Rc<Notify>,
}

/// What the tasks of one load share.
struct Course {
    load: Load,
    phase: watch::Receiver<Phase>,
    /// When the measured time began.
    from: Cell<Option<Instant>>,
}

impl Course {
    fn is_over(&self) -> bool {
        *self.phase.borrow() == Phase::Ending
    }

    /// Returns at the moment, or earlier when the load ends: then false.
    async fn wait_until(&self, shop: &Shop, moment: Instant) -> bool {
        if self.is_over() {
            return false;
        }
        let mut phase = self.phase.clone();
        tokio::select! {
            biased;
            () = shop.sleep_until(moment) => !self.is_over(),
            _ = phase.wait_for(|phase| *phase == Phase::Ending) => false,
        }
    }

    /// The shape's value now; in the warm-up its first one.
    fn factor(&self, now: Instant) -> f64 {
        let shape = match &self.load.model {
            Model::Closed { shape, .. } | Model::Open { shape, .. } => shape,
            Model::Flash { .. } => return 1.0,
        };
        let at = self
            .from
            .get()
            .map_or(0.0, |from| now.saturating_duration_since(from).as_secs_f64());
        shape.value(at)
    }
}

impl Crowd {
    pub fn new(shop: Rc<Shop>, seed: u64) -> Self {
        Self {
            shop,
            idle: Rc::default(),
            made: Cell::new(0),
            seed,
            halt: Rc::default(),
        }
    }

    /// Makes accounts until there are so many: with sessions, each held by a shopper, or without, for returning customers who log in.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn prepare(
        &self,
        accounts: usize,
        with_sessions: bool,
        mut tell: impl FnMut(usize, usize),
    ) -> Result<()> {
        let there = if with_sessions {
            self.idle.borrow().iter().filter(|it| it.keeps_session()).count()
        } else {
            self.shop.accounts.borrow().idle()
        };
        let missing = accounts.saturating_sub(there);
        let mut open = tokio::task::JoinSet::new();
        let (mut begun, mut done) = (0, 0);
        while done < missing {
            while begun < missing && open.len() < PREPARED_AT_A_TIME {
                begun += 1;
                let mut shopper = self.shopper(true);
                open.spawn_local(async move {
                    shopper.prepare().await?;
                    anyhow::Ok(shopper)
                });
            }
            let Some(joined) = open.join_next().await else {
                break;
            };
            let mut shopper = joined??;
            if with_sessions {
                self.idle.borrow_mut().push(shopper);
            } else {
                shopper.forget_session();
                shopper.retire();
            }
            done += 1;
            tell(done, missing);
        }
        Ok(())
    }

    /// Somebody new.
    fn shopper(&self, keeps_session: bool) -> Shopper {
        self.made.set(self.made.get() + 1);
        Shopper::new(&self.shop, self.seed, self.made.get(), keeps_session)
    }

    /// Somebody who is idle, or somebody new. Who keeps no session would log in during a load that is to have no hash in it.
    fn somebody(&self, keeps_session: bool) -> Shopper {
        let mut idle = self.idle.borrow_mut();
        let place = idle.iter().rposition(|it| it.keeps_session() == keeps_session);
        place.map_or_else(|| self.shopper(keeps_session), |place| idle.remove(place))
    }

    /// Puts the load on the shop and measures it.
    ///
    /// # Errors
    /// When the load makes no sense, or the journal cannot be written.
    pub async fn drive(&self, load: &Load, mut tell: impl FnMut(Tick)) -> Result<Measured> {
        check(load)?;
        self.shop.begin(load)?;
        let (phase, receiver) = watch::channel(Phase::WarmUp);
        let course = Rc::new(Course {
            load: load.clone(),
            phase: receiver,
            from: Cell::new(None),
        });
        let work = match &load.model {
            Model::Closed { shoppers, .. } => self.shop_on(&course, *shoppers),
            Model::Open { .. } => self.arrive(&course),
            Model::Flash { .. } => tokio::task::JoinSet::new(),
        };
        let mut work = work;

        let settled = match load.model {
            Model::Flash { .. } => true,
            _ => warm_up::wait(&self.shop, load.warm_up, &mut tell).await,
        };
        let from = Instant::now();
        course.from.set(Some(from));
        self.shop.recorder.borrow_mut().measure(from, settled);
        let before = own::now();
        phase.send_replace(Phase::Measuring);
        // Whoever meters the tiers' CPU needs both ends of the measured time.
        self.tick(Phase::Measuring, Duration::ZERO, Some(load.seconds), &mut tell);
        if let Model::Flash { product, buyers } = load.model {
            self.flash(product, buyers, from, &mut work);
            self.until_done(&mut work, Duration::from_secs_f64(load.seconds), from, &mut tell)
                .await;
        } else {
            self.measure(load.seconds, from, &mut tell).await;
        }
        let until = Instant::now();
        self.shop.recorder.borrow_mut().stop(until);
        let after = own::now();
        phase.send_replace(Phase::Ending);
        self.tick(Phase::Ending, Duration::ZERO, None, &mut tell);
        self.until_done(&mut work, DRAIN, until, &mut tell).await;
        let late = work.len();
        work.shutdown().await;
        if let Some(error) = self.shop.take_trouble() {
            return Err(error);
        }
        self.finish(before, after, late)
    }

    fn finish(&self, before: Own, after: Own, late: usize) -> Result<Measured> {
        let recorder = std::mem::replace(
            &mut *self.shop.recorder.borrow_mut(),
            crate::recorder::Recorder::new()?,
        );
        let mut measured = recorder.finish()?;
        measured.client.cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / measured.seconds.max(1e-9);
        measured.client.memory = after.memory;
        measured.client.connections = self.idle.borrow().len() as u64;
        measured.journal = self.shop.journal_file().counts();
        if late > 0 {
            measured.failed += late as u64;
            measured.completed += late as u64;
            measured.errors.push(crate::result::ErrorClass {
                class: format!("no end within {} s of the load's", DRAIN.as_secs()),
                count: late as u64,
                samples: Vec::new(),
            });
        }
        Ok(measured)
    }

    /// The measured time, with a tick a second.
    async fn measure(&self, seconds: f64, from: Instant, tell: &mut impl FnMut(Tick)) {
        let end = from + Duration::from_secs_f64(seconds);
        let half = from + Duration::from_secs_f64(seconds / 2.0);
        let mut next = from + Duration::from_secs(1);
        let mut is_first_half = true;
        loop {
            let now = Instant::now();
            if is_first_half && now >= half {
                is_first_half = false;
                self.shop.recorder.borrow_mut().half_time();
            }
            if now >= end {
                return;
            }
            if now >= next {
                next += Duration::from_secs(1);
                self.tick(Phase::Measuring, now - from, Some(seconds), tell);
            }
            let wake = end.min(next);
            let wake = if is_first_half { wake.min(half) } else { wake };
            tokio::select! {
                () = self.shop.sleep_until(wake) => {}
                () = self.halt.notified() => return,
            }
        }
    }

    /// Ends the measured time of the load that runs, before its seconds are over.
    pub fn halt(&self) {
        self.halt.notify_one();
    }

    fn tick(&self, phase: Phase, elapsed: Duration, of: Option<f64>, tell: &mut impl FnMut(Tick)) {
        let second = self.shop.recorder.borrow_mut().last_second();
        tell(Tick {
            phase,
            elapsed: elapsed.as_secs_f64(),
            of,
            second: second.unwrap_or_default(),
        });
    }

    /// Waits for what is under way, at most so long.
    async fn until_done(
        &self,
        work: &mut tokio::task::JoinSet<()>,
        limit: Duration,
        from: Instant,
        tell: &mut impl FnMut(Tick),
    ) {
        let mut next = from + Duration::from_secs(1);
        while !work.is_empty() && from.elapsed() < limit {
            let moment = next.min(from + limit);
            tokio::select! {
                _ = work.join_next() => {}
                () = self.shop.sleep_until(moment) => {}
            }
            let now = Instant::now();
            if now >= next {
                next += Duration::from_secs(1);
                self.tick(Phase::Ending, now - from, None, tell);
            }
        }
    }

    /// All shoppers leave and give their accounts back, so that these can be asked about.
    pub fn leave(&self) {
        for shopper in self.idle.borrow_mut().iter_mut() {
            shopper.retire();
        }
        self.idle.borrow_mut().clear();
    }
}

fn check(load: &Load) -> Result<()> {
    if !(load.seconds > 0.0 && load.seconds.is_finite()) {
        bail!("--seconds must be above 0");
    }
    match &load.model {
        Model::Closed { shoppers, shape } => {
            if *shoppers == 0 {
                bail!("--shoppers must be at least 1");
            }
            shape.check()
        }
        Model::Open { rate, shape, .. } => {
            if !(*rate > 0.0 && rate.is_finite()) {
                bail!("--arrivals must be above 0");
            }
            shape.check()
        }
        Model::Flash { buyers, .. } => {
            if *buyers == 0 {
                bail!("--buyers must be at least 1");
            }
            Ok(())
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use tokio::task::LocalSet;

    use super::*;
    use crate::stub;

    /// A planner's check, whose shoppers log in, comes between two loads whose shoppers have sessions.
    #[tokio::test]
    async fn who_keeps_no_session_has_no_part_in_a_load_of_those_who_do() {
        LocalSet::new().run_until(one_of_each_kind()).await;
    }

    async fn one_of_each_kind() {
        let folder = tempfile::tempdir().unwrap();
        let crowd = Crowd::new(stub::shop(folder.path()).await, 0);
        let without = crowd.somebody(false);
        crowd.idle.borrow_mut().push(without);
        crowd.prepare(1, true, |_, _| {}).await.unwrap();
        // The last one is taken first: those without stand there.
        crowd.idle.borrow_mut().rotate_left(1);
        let found = [crowd.somebody(true), crowd.somebody(false)];
        assert!(found[0].has_session(), "it was made ready");
        assert!(!found[1].has_session());
        assert!(crowd.idle.borrow().is_empty());
    }
}
