//! How much CPU an interaction costs a replica here.

use anyhow::{Result, ensure};

use super::sizing::base;
use crate::commands::common::{self, Progress};
use crate::drive::{Phase, Tick};
use crate::generator::Generator;
use crate::interaction::Mix;
use crate::load::{Arrivals, Load, Model, Shape, Unit};
use crate::report::number::{float, quantity};
use crate::stack::cpu::{Meter, Snapshot};
use crate::stack::driver::Process;

/// Shoppers who fill a replica's quota, and for how long.
const PROBES: usize = 12;
const FILL_SECONDS: f64 = 6.0;
const PROBE_SECONDS: f64 = 5.0;
const MEASURED_SECONDS: f64 = 8.0;
/// Of what fills it: near the target, where the cost is wanted.
const MEASURED_AT: f64 = 0.55;

/// Fills caches, with all the CPU that there is: what is asked for the first time costs more, and would be taken for the cost.
///
/// # Errors
/// When the generator fails.
pub async fn fill(generator: &mut Generator, mix: Mix, seed: u64) -> Result<()> {
    let mut line = Progress::start();
    generator
        .load(&full(FILL_SECONDS, mix, seed), |tick| {
            line.show(&format!("filling caches: {}", common::tick_line(&tick)));
        })
        .await?;
    line.done();
    Ok(())
}

/// As much as a few shoppers can ask for who never think.
fn full(seconds: f64, mix: Mix, seed: u64) -> Load {
    let model = Model::Closed {
        shoppers: PROBES,
        shape: Shape::default(),
    };
    base(model, seconds, 2.0, mix, seed)
}

/// Measures the CPU seconds of an interaction on the one replica, which is held at its quota already: first what fills it, then the cost
/// at about the target, for a full replica is cheaper.
///
/// # Errors
/// When the generator fails, or nothing was completed.
pub async fn cost(
    generator: &mut Generator,
    meter: &Meter,
    processes: &[Process],
    mix: Mix,
    seed: u64,
) -> Result<f64> {
    let mut line = Progress::start();
    let full = generator
        .load(&full(PROBE_SECONDS, mix, seed), |tick| {
            line.show(&format!("calibration, full: {}", common::tick_line(&tick)));
        })
        .await?
        .throughput();
    ensure!(full > 0.0, "the calibration completed no interaction");
    let model = Model::Open {
        rate: full * MEASURED_AT,
        arrivals: Arrivals::Poisson,
        unit: Unit::Interactions,
        shape: Shape::default(),
    };
    let mut window = Window::default();
    let mut read = |tick: Tick| {
        line.show(&format!(
            "calibration, at the target: {}",
            common::tick_line(&tick)
        ));
        window.take(&tick, || meter.snapshot(processes, None));
    };
    generator
        .load(&base(model, MEASURED_SECONDS, 2.0, mix, seed), &mut read)
        .await?;
    line.done();
    let cost = window.cost()?;
    common::say(&format!(
        "calibration: a replica is full at {}/s, and an interaction costs it {} ms of CPU",
        quantity(full),
        quantity(1_000.0 * cost)
    ));
    Ok(cost)
}

/// From the first to the last second of the measured time.
#[derive(Default)]
struct Window {
    ends: Option<(Snapshot, Snapshot)>,
    completed: u64,
}

impl Window {
    fn take(&mut self, tick: &Tick, read: impl FnOnce() -> Snapshot) {
        if tick.phase != Phase::Measuring {
            return;
        }
        let now = read();
        self.ends = Some(match self.ends.take() {
            Some((first, _)) => {
                self.completed += tick.second.completed;
                (first, now)
            }
            None => (now.clone(), now),
        });
    }

    fn cost(&self) -> Result<f64> {
        let cpu = self
            .ends
            .as_ref()
            .map_or(0.0, |(first, last)| last.since(first).api_seconds());
        ensure!(
            cpu > 0.0 && self.completed > 0,
            "the calibration saw no CPU time of the replica: say the load with --rate"
        );
        Ok(cpu / float(self.completed))
    }
}
