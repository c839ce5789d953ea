//! The load of the exercise: which rates need one replica and which three, and how the load goes from one to the other.

use serde::{Deserialize, Serialize};

use super::policy::Policy;
use crate::interaction::Mix;
use crate::load::{Arrivals, Load, Model, Shape, Unit, WarmUp};

/// So much less than all replicas at their target the peak needs. Three are then at 0.8 of it and two at 1.2. When it was tried, an interaction
/// cost up to a sixth more with three than with the one it was measured on (each has a cache of its own to fill): at 0.94 and 1.4 the
/// number is the same.
const PEAK_BELOW: f64 = 0.6;
/// CPU that the base needs: one replica is below its target with it, and two have so little to do that one goes.
const BASE: f64 = 0.55;
/// Points of each part of the ramp. It rises so slowly that a replica can be started before the others are full.
const BEFORE: u32 = 7;
const RISE_A_REPLICA: u32 = 20;
const PEAK: u32 = 15;
const FALL: u32 = 15;
/// For the last replica to be drained.
const AFTER: u32 = 6;
/// A step's peak: time for two replicas, one after the other, and to be seen at rest.
const SPIKE: u32 = 35;
/// For how many points CPU is burned.
pub const STRESS: u32 = 20;

/// What the load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exercise {
    /// Rises slowly and falls again.
    Ramp,
    /// Steps up at once, and down.
    Spike,
    /// The load stays; CPU is burned in a replica.
    Stress,
}

/// Interactions a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sizing {
    /// What one replica is enough for.
    pub base: f64,
    /// What needs all of `--peak`.
    pub peak: f64,
    /// CPU milliseconds of a replica for one interaction, where they were measured.
    pub cpu_ms: Option<f64>,
}

impl Sizing {
    /// From the CPU seconds that an interaction costs a replica.
    pub fn measured(cost: f64, quota: f64, policy: &Policy, peak: usize) -> Self {
        let target = policy.target * quota / cost;
        // Whole numbers: a report is to be read.
        Self {
            base: (BASE * target).round().max(1.0),
            peak: ((replicas(peak) - PEAK_BELOW) * target).round().max(1.0),
            cpu_ms: Some(1_000.0 * cost),
        }
    }

    /// From the highest rate.
    pub fn told(rate: f64, peak: usize) -> Self {
        Self {
            base: rate * BASE / (replicas(peak) - PEAK_BELOW),
            peak: rate,
            cpu_ms: None,
        }
    }
}

fn replicas(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
    let count = count as f64;
    count
}

/// The load over time, and how long it lasts, in points.
pub fn course(exercise: Exercise, low: f64, policy: &Policy, peak: usize) -> (Shape, u32) {
    let steps = u32::try_from(peak.saturating_sub(1)).unwrap_or(1).max(1);
    let back = steps * policy.in_after + AFTER;
    let at = |points: u32, factor: f64| (f64::from(points), factor);
    match exercise {
        Exercise::Ramp => {
            let top = BEFORE + RISE_A_REPLICA * steps;
            let fall = top + PEAK;
            let shape = vec![
                at(0, low),
                at(BEFORE, low),
                at(top, 1.0),
                at(fall, 1.0),
                at(fall + FALL, low),
            ];
            (Shape(shape), fall + FALL + back)
        }
        Exercise::Spike => {
            let end = BEFORE + SPIKE;
            let shape = vec![
                at(0, low),
                at(BEFORE, low),
                at(BEFORE, 1.0),
                at(end, 1.0),
                at(end, low),
            ];
            (Shape(shape), end + back)
        }
        Exercise::Stress => (Shape(vec![at(0, low)]), BEFORE + STRESS + back),
    }
}

/// When the stress begins, in points.
pub fn stress_at() -> u32 {
    BEFORE
}

/// The whole load, with points of so many seconds.
pub fn load(
    exercise: Exercise,
    sizing: Sizing,
    policy: &Policy,
    peak: usize,
    point: f64,
    mix: Mix,
    seed: u64,
) -> Load {
    let (rate, low) = match exercise {
        Exercise::Ramp | Exercise::Spike => (sizing.peak, sizing.base / sizing.peak),
        Exercise::Stress => (sizing.base, 1.0),
    };
    let (Shape(points), length) = course(exercise, low, policy, peak);
    let shape = points.into_iter().map(|(at, factor)| (at * point, factor));
    let model = Model::Open {
        rate,
        arrivals: Arrivals::Poisson,
        unit: Unit::Interactions,
        shape: Shape(shape.collect()),
    };
    Load {
        seconds: f64::from(length) * point,
        // Time in which connections are made and caches filled; the ramp begins low in any case.
        ..base(model, 4.0, 4.0, mix, seed)
    }
}

/// One of the exercise's loads.
pub fn base(model: Model, seconds: f64, warm_up: f64, mix: Mix, seed: u64) -> Load {
    Load {
        model,
        mix,
        only: None,
        more: None,
        fine: false,
        product: None,
        think_s: 0.0,
        with_sessions: true,
        seconds,
        warm_up: WarmUp::Seconds(warm_up),
        seed,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;
    use crate::commands::autoscale::policy::{Controller, Decision, Group};

    fn policy(target: f64) -> Policy {
        Policy {
            target,
            out_after: 3,
            in_after: 15,
            in_below: 0.7,
            min: 1,
            max: 5,
        }
    }

    /// The counts that serve in turn and the highest CPU, with replicas that answer `lag` points after they were wanted and count as
    /// serving after a warm-up of three more.
    fn play(exercise: Exercise, policy: Policy, peak: usize, lag: u32) -> (Vec<usize>, f64) {
        let sizing = Sizing::measured(0.001, 0.2, &policy, peak);
        let (shape, length) = course(exercise, sizing.base / sizing.peak, &policy, peak);
        let mut controller = Controller::new(policy);
        let (mut serving, mut answering, mut wanted, mut due) = (1, 1, 1, 0);
        let (mut counts, mut highest) = (vec![1], 0.0_f64);
        for point in 0..length {
            if point >= due {
                answering = wanted;
            }
            let warm_up = if wanted > serving { 3 } else { 0 };
            if serving != wanted && point >= due + warm_up {
                serving = wanted;
                counts.push(serving);
            }
            let rate = sizing.peak * shape.value(f64::from(point));
            let cpu = rate * 0.001 / 0.2 / replicas(answering);
            highest = highest.max(cpu);
            let group = Group {
                serving,
                wanted,
                cpu: Some(cpu.min(1.0)),
                is_changing: false,
            };
            match controller.decide(group) {
                Decision::Stay => {}
                Decision::Out(count) => (wanted, due) = (count, point + lag),
                Decision::In(count) => (wanted, due) = (count, point + 1),
            }
        }
        (counts, highest)
    }

    #[test]
    fn rates_by_hand() {
        // A replica at its target does 0.6 x 0.2 / 0.001 = 120 a second.
        let sizing = Sizing::measured(0.001, 0.2, &policy(0.6), 3);
        assert!((sizing.base - 66.0).abs() < 1e-9, "{sizing:?}");
        assert!((sizing.peak - 288.0).abs() < 1e-9, "{sizing:?}");
        let told = Sizing::told(288.0, 3);
        assert!((told.base - 66.0).abs() < 1e-9, "{told:?}");
    }

    #[test]
    fn the_ramp_takes_one_to_three_and_back_and_no_replica_is_ever_full() {
        for target in [0.5, 0.6, 0.7] {
            for lag in [1, 4] {
                let (counts, highest) = play(Exercise::Ramp, policy(target), 3, lag);
                assert_eq!(counts, [1, 2, 3, 2, 1], "target {target}, {lag} points");
                assert!(highest < 0.95, "target {target}, {lag} points: {highest}");
            }
        }
    }

    #[test]
    fn a_higher_peak_needs_as_many_as_was_said() {
        let (counts, _) = play(Exercise::Ramp, policy(0.6), 4, 2);
        assert_eq!(counts, [1, 2, 3, 4, 3, 2, 1]);
    }

    #[test]
    fn a_spike_fills_what_is_there_and_is_followed_too() {
        let (counts, highest) = play(Exercise::Spike, policy(0.6), 3, 4);
        assert_eq!(counts, [1, 2, 3, 2, 1]);
        assert!(highest > 1.0, "{highest}");
    }

    #[test]
    fn a_demonstration_lasts_under_four_minutes() {
        let policy = policy(0.6);
        for exercise in [Exercise::Ramp, Exercise::Spike, Exercise::Stress] {
            let (shape, length) = course(exercise, 0.2, &policy, 3);
            assert!(f64::from(length) * 2.0 < 240.0, "{exercise:?}: {length} points");
            shape.check().unwrap();
            let last = shape.0.last().map_or(0.0, |point| point.0);
            assert!(last < f64::from(length), "{exercise:?} ends before its shape");
        }
    }
}
