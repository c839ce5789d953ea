//! Shoppers who go on buying while something happens to the shop, and whether what they were told is true afterwards: the load
//! generator's shoppers, its journal and its verification, on a thread of their own.

use std::cell::Cell;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::{mpsc, oneshot, watch};
use trestle::Stack;
use trestle_loadtest::commands::chaos::window;
use trestle_loadtest::generator::{self, ShopArgs};
use trestle_loadtest::interaction::{Interaction, Mix};
use trestle_loadtest::journal::Journal;
use trestle_loadtest::load::{Load, Model, Shape, WarmUp};
use trestle_loadtest::result::{Measured, Verification};
use trestle_loadtest::{drive, verify};

use crate::{Good, within};

/// Between two purchases of one shopper, in the mean: a light load.
const PAUSE: f64 = 0.15;
/// No crowd shops longer, whatever its test does.
const AT_MOST: f64 = 180.0;
/// Longer than any tier takes to come back.
const SOON: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A crowd at work.
pub struct Crowd {
    seen: watch::Receiver<Seen>,
    told: oneshot::Receiver<(Instant, Measured)>,
    asks: mpsc::Sender<oneshot::Sender<Result<Verification>>>,
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

/// How it goes at the moment.
#[derive(Debug, Clone, Copy)]
struct Seen {
    orders: u64,
    /// Since when nothing has failed.
    well_since: Instant,
}

/// What the crowd was told in all.
pub struct Told {
    /// Acknowledged orders.
    pub paid: u64,
    /// Requests with an error: 5xx, or no answer after one repeat on a new connection.
    pub failed: u64,
    began: Instant,
    measured: Measured,
    asks: mpsc::Sender<oneshot::Sender<Result<Verification>>>,
}

/// The ends of the channels that the crowd's thread has.
struct Worker {
    seen: watch::Sender<Seen>,
    told: oneshot::Sender<(Instant, Measured)>,
    asked: mpsc::Receiver<oneshot::Sender<Result<Verification>>>,
    stop: oneshot::Receiver<()>,
}

impl Crowd {
    /// Customers register, and begin to buy this.
    ///
    /// # Panics
    /// When they cannot, or have not bought twice each within a minute.
    pub async fn start(stack: &Stack, shoppers: usize, good: Good) -> Self {
        let (sees, seen) = watch::channel(Seen {
            orders: 0,
            well_since: Instant::now(),
        });
        let (tell, told) = oneshot::channel();
        let (asks, asked) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let work = Worker {
            seen: sees,
            told: tell,
            asked,
            stop: stopped,
        };
        let url = stack.url();
        let worker = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build_local(tokio::runtime::LocalOptions::default())
                .expect("a runtime");
            let outcome = runtime.block_on(work.run(&url, &load(shoppers, good), shoppers));
            outcome.expect("the crowd goes on");
        });
        let crowd = Self {
            seen,
            told,
            asks,
            stop,
            worker,
        };
        crowd.buys(shoppers * 2).await;
        crowd
    }

    /// Waits until this many more orders were acknowledged.
    ///
    /// # Panics
    /// When that takes a minute.
    pub async fn buys(&self, more: usize) {
        let wanted = self.seen.borrow().orders + more as u64;
        within(SOON, "orders are acknowledged", async || {
            assert!(!self.worker.is_finished(), "the crowd's thread says why it ended");
            (self.seen.borrow().orders >= wanted).then_some(())
        })
        .await;
    }

    /// Waits until nothing has failed for this long.
    ///
    /// # Panics
    /// When that takes a minute.
    pub async fn is_content_for(&self, quiet: Duration) {
        let began = Instant::now();
        within(SOON, "nothing fails any more", async || {
            let since = self.seen.borrow().well_since.max(began);
            (since.elapsed() >= quiet).then_some(())
        })
        .await;
    }

    /// They finish what they are at.
    ///
    /// # Panics
    /// When the load generator could not go on.
    pub async fn stop(self) -> Told {
        self.stop.send(()).ok();
        let (began, measured) = self.told.await.expect("the crowd's thread says why it ended");
        Told {
            paid: measured.tenths.iter().map(|tenth| tenth.orders).sum(),
            failed: measured.errors.iter().map(|class| class.count).sum(),
            began,
            measured,
            asks: self.asks,
        }
    }
}

fn load(shoppers: usize, good: Good) -> Load {
    Load {
        model: Model::Closed {
            shoppers,
            shape: Shape::default(),
        },
        mix: Mix::Ordering,
        only: Some(Interaction::BuyConfirm),
        more: None,
        product: Some(good.product),
        fine: true,
        think_s: PAUSE,
        with_sessions: true,
        seconds: AT_MOST,
        warm_up: WarmUp::Seconds(0.0),
        seed: 1,
    }
}

impl Worker {
    async fn run(mut self, url: &str, load: &Load, shoppers: usize) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let journal = Journal::create(&folder.path().join("journal.jsonl"))?;
        let crowd = generator::open(&ShopArgs::of(url), url, journal).await?;
        crowd.prepare(shoppers, true, |_, _| {}).await?;
        let began = Instant::now();
        let is_over = Cell::new(false);
        let driven = async {
            let measured = crowd.drive(load, |_| {}).await;
            is_over.set(true);
            measured
        };
        let (measured, ()) = tokio::join!(driven, watch_over(&crowd, &self.seen, &mut self.stop, &is_over));
        self.told.send((began, measured?)).ok();
        while let Some(reply) = self.asked.recv().await {
            crowd.leave();
            let shop = Rc::clone(&crowd.shop);
            reply.send(verify::verify(&shop, |_, _| {}).await).ok();
        }
        Ok(())
    }
}

/// Tells how it goes, and ends the load when that is wanted.
async fn watch_over(
    crowd: &drive::Crowd,
    seen: &watch::Sender<Seen>,
    stop: &mut oneshot::Receiver<()>,
    is_over: &Cell<bool>,
) {
    let mut errors = 0;
    while !is_over.get() {
        let total = crowd.shop.recorder.borrow().total;
        seen.send_modify(|seen| {
            seen.orders = total.orders;
            if total.errors > errors {
                seen.well_since = Instant::now();
            }
        });
        errors = total.errors;
        // Also when whoever started the crowd is gone.
        if stop.try_recv() != Err(oneshot::error::TryRecvError::Empty) {
            crowd.halt();
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

impl Told {
    /// The longest time without an acknowledged order that touches what came after `moment`, to a tenth of a second.
    pub fn longest_pause(&self, moment: Instant) -> Duration {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let from = millis(moment.saturating_duration_since(self.began));
        let until = millis(Duration::from_secs_f64(self.measured.seconds));
        let seconds = window::longest_pause(&self.measured.tenths, from, until, |tenth| tenth.orders);
        Duration::from_secs_f64(seconds)
    }

    /// The failures by kind, for the test's summary.
    pub fn failures_by_kind(&self) -> String {
        let kinds = self.measured.errors.iter();
        let kinds: Vec<String> = kinds.map(|it| format!("{} x {}", it.count, it.class)).collect();
        kinds.join(", ")
    }

    /// Compares what each shopper was told with what the shop says now, asked as that shopper, and runs the audit.
    ///
    /// # Panics
    /// When an acknowledged order is not there once, as it was, or when there are orders that nobody asked for.
    pub async fn is_true(&self, stack: &Stack) {
        assert!(self.paid > 0, "nobody bought anything");
        let (reply, found) = oneshot::channel();
        self.asks.send(reply).await.expect("the crowd's thread");
        let found = found.await.expect("the crowd's thread").expect("a verification");
        assert_eq!(found.violations, Vec::<String>::new());
        assert!(found.orders >= self.paid, "{found:?}");
        let audit = stack.api_output(&["audit", "--settled"]).await.expect("an audit");
        let text = String::from_utf8_lossy(&audit.stdout);
        assert!(audit.status.success(), "{text}");
    }
}
