//! The closed model: so many shoppers, each waiting for its answers and then thinking. The shape scales their number.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use tokio::task::JoinSet;

use super::{Course, Crowd};
use crate::load::Model;
use crate::model::think::ThinkTime;
use crate::shopper::Shopper;

/// How often a shopper who is not wanted at the moment looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Crowd {
    pub(super) fn shop_on(&self, course: &Rc<Course>, shoppers: usize) -> JoinSet<()> {
        let mut work = JoinSet::new();
        for number in 0..peak(course, shoppers) {
            let shopper = self.somebody(course.load.with_sessions);
            let (course, idle) = (Rc::clone(course), Rc::clone(&self.idle));
            work.spawn_local(async move {
                let shopper = Box::pin(shop(shopper, number, shoppers, &course)).await;
                idle.borrow_mut().push(shopper);
            });
        }
        work
    }
}

/// The most that are there at a time.
fn peak(course: &Course, shoppers: usize) -> usize {
    let Model::Closed { shape, .. } = &course.load.model else {
        return shoppers;
    };
    wanted(shoppers, shape.peak())
}

fn wanted(shoppers: usize, factor: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small number of shoppers"
    )]
    let wanted = (shoppers as f64 * factor).round() as usize;
    wanted
}

async fn shop(mut shopper: Shopper, number: usize, shoppers: usize, course: &Course) -> Shopper {
    let shop = Rc::clone(&shopper.shop);
    let think = ThinkTime::new(course.load.think_s);
    // Nobody begins with the others: each is somewhere in a think time.
    let spread: f64 = shopper.rng().random();
    let mut due = Instant::now() + think.sample(shopper.rng()).mul_f64(spread);
    loop {
        if number >= wanted(shoppers, course.factor(Instant::now())) {
            if !course.wait_until(&shop, Instant::now() + LOOK_AGAIN).await {
                return shopper;
            }
            due = Instant::now();
            continue;
        }
        if !course.wait_until(&shop, due).await {
            return shopper;
        }
        shop.recorder.borrow_mut().begun(due, Instant::now());
        shopper.interact(shop.draw(), due).await;
        shopper.leave_in_time();
        due = Instant::now() + think.sample(shopper.rng());
    }
}
