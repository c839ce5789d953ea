//! The open model: arrivals come when they come, whether or not the shop has answered those before. And the flash sale: all at once.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Course, Crowd, Phase};
use crate::load::{Load, Model, Shape, Unit};
use crate::model::arrivals::ArrivalTimes;
use crate::model::think::ThinkTime;
use crate::shopper::Shopper;

/// Longer than a warm-up lasts.
const LONGEST_WARM_UP: Duration = Duration::from_secs(3600);

impl Crowd {
    /// One task that lets them arrive, each in a task of its own.
    pub(super) fn arrive(&self, course: &Rc<Course>) -> JoinSet<()> {
        let mut work = JoinSet::new();
        let arriving = Arriving {
            course: Rc::clone(course),
            crowd: self.handle(),
        };
        work.spawn_local(async move { Box::pin(arriving.run()).await });
        work
    }

    /// The same crowd, for a task.
    fn handle(&self) -> Self {
        Self {
            shop: Rc::clone(&self.shop),
            idle: Rc::clone(&self.idle),
            // Draws of those who are made here differ from the others'.
            made: std::cell::Cell::new(self.made.get() + (1 << 32)),
            seed: self.seed,
            halt: Rc::clone(&self.halt),
        }
    }

    /// All buyers at once.
    pub(super) fn flash(&self, product: u64, buyers: usize, due: Instant, work: &mut JoinSet<()>) {
        for _ in 0..buyers {
            let mut shopper = self.somebody(true);
            let idle = Rc::clone(&self.idle);
            let shop = Rc::clone(&self.shop);
            work.spawn_local(async move {
                shop.recorder.borrow_mut().begun(due, Instant::now());
                shopper.flash(product, due).await;
                idle.borrow_mut().push(shopper);
            });
        }
    }
}

struct Arriving {
    course: Rc<Course>,
    crowd: Crowd,
}

impl Arriving {
    async fn run(self) {
        let Model::Open {
            rate,
            arrivals,
            unit,
            shape,
        } = self.course.load.model.clone()
        else {
            return;
        };
        let seed = self.course.load.seed;
        let mut under_way = JoinSet::new();
        let warm = ArrivalTimes::new(
            rate * shape.value(0.0),
            arrivals,
            &Shape::default(),
            LONGEST_WARM_UP,
            seed ^ 1,
        );
        self.until(warm, Instant::now(), unit, Some(Phase::WarmUp), &mut under_way)
            .await;
        if let Some(from) = self.course.from.get() {
            let end = Duration::from_secs_f64(self.course.load.seconds);
            let measured = ArrivalTimes::new(rate, arrivals, &shape, end, seed);
            self.until(measured, from, unit, None, &mut under_way).await;
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Lets them arrive until there are no more, the load is over, or `phase` is.
    async fn until(
        &self,
        arrivals: ArrivalTimes,
        from: Instant,
        unit: Unit,
        phase: Option<Phase>,
        under_way: &mut JoinSet<()>,
    ) {
        let shop = &self.crowd.shop;
        let mut now = self.course.phase.clone();
        let mut arrivals = arrivals.map(|arrival| from + arrival);
        while let Some(due) = arrivals.next() {
            tokio::select! {
                biased;
                _ = now.wait_for(|now| *now == Phase::Ending || phase.is_some_and(|phase| *now != phase)) => {
                    let over = Instant::now();
                    let missed = std::iter::once(due).chain(arrivals).take_while(|due| *due < over);
                    let mut recorder = shop.recorder.borrow_mut();
                    missed.for_each(|due| recorder.not_begun(due));
                    return;
                }
                () = shop.sleep_until(due) => {}
            }
            let shopper = self.crowd.somebody(self.course.load.with_sessions);
            let (course, idle) = (Rc::clone(&self.course), Rc::clone(&self.crowd.idle));
            under_way.spawn_local(async move {
                let shopper = match unit {
                    Unit::Interactions => one(shopper, due).await,
                    Unit::Sessions => Box::pin(session(shopper, due, &course)).await,
                };
                come_back(&idle, shopper);
            });
            while under_way.try_join_next().is_some() {}
        }
    }
}

/// Who is back comes next, so that few have to be there. But who was made because all were busy, and has no session, comes last: where
/// all are to have one, the next would pay for it with a hash.
fn come_back(idle: &RefCell<Vec<Shopper>>, shopper: Shopper) {
    let mut idle = idle.borrow_mut();
    if shopper.lacks_session() {
        idle.insert(0, shopper);
    } else {
        idle.push(shopper);
    }
}

async fn one(mut shopper: Shopper, due: Instant) -> Shopper {
    let shop = Rc::clone(&shopper.shop);
    shop.recorder.borrow_mut().begun(due, Instant::now());
    shopper.interact(shop.draw(), due).await;
    shopper.leave_in_time();
    shopper
}

/// Stays until the visit is over.
async fn session(mut shopper: Shopper, arrival: Instant, course: &Course) -> Shopper {
    let shop = Rc::clone(&shopper.shop);
    let Load { think_s, .. } = course.load;
    let think = ThinkTime::new(think_s);
    let mut due = arrival;
    loop {
        if !course.wait_until(&shop, due).await {
            return shopper;
        }
        shop.recorder.borrow_mut().begun(due, Instant::now());
        shopper.interact(shop.draw(), due).await;
        shopper.leave_in_time();
        if !shopper.is_visiting() {
            return shopper;
        }
        due = Instant::now() + think.sample(shopper.rng());
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use std::cell::Cell;

    use tokio::sync::watch;
    use tokio::task::LocalSet;

    use super::*;
    use crate::interaction::Mix;
    use crate::load::{Arrivals, WarmUp};
    use crate::stub;
    use crate::verdict;

    /// A generator that was busy elsewhere until half a second before the end: what was due by then and did not begin is missing.
    #[tokio::test]
    async fn arrivals_that_did_not_begin_in_time_make_the_run_invalid() {
        LocalSet::new().run_until(load_that_is_over()).await;
    }

    async fn load_that_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let shop = stub::shop(folder.path()).await;
        let model = Model::Open {
            rate: 100.0,
            arrivals: Arrivals::Constant,
            unit: Unit::Interactions,
            shape: Shape::default(),
        };
        let (phase, receiver) = watch::channel(Phase::Ending);
        let from = Instant::now().checked_sub(Duration::from_millis(500)).unwrap();
        {
            let mut recorder = shop.recorder.borrow_mut();
            recorder.measure(from, true);
            recorder.stop(Instant::now());
        }
        let arriving = Arriving {
            course: Rc::new(Course {
                load: Load {
                    model: model.clone(),
                    mix: Mix::Shopping,
                    only: None,
                    more: None,
                    product: None,
                    fine: false,
                    think_s: 7.0,
                    with_sessions: false,
                    seconds: 1.0,
                    warm_up: WarmUp::Settled,
                    seed: 1,
                },
                phase: receiver,
                from: Cell::new(Some(from)),
            }),
            crowd: Crowd::new(Rc::clone(&shop), 1),
        };
        let mut under_way = JoinSet::new();
        let due = ArrivalTimes::new(
            100.0,
            Arrivals::Constant,
            &Shape::default(),
            Duration::from_secs(1),
            1,
        );
        arriving
            .until(due, from, Unit::Interactions, None, &mut under_way)
            .await;
        drop(phase);
        assert!(under_way.is_empty());
        let recorder = shop.recorder.replace(crate::recorder::Recorder::new().unwrap());
        let measured = recorder.finish().unwrap();
        assert_eq!((measured.offered, measured.client.sent), (50, 0.0));
        let sent = verdict::validity(&model, &measured);
        let sent = sent.iter().find(|it| it.what == "sent of intended").unwrap();
        assert!(!sent.holds, "{}", sent.found);
    }
}
