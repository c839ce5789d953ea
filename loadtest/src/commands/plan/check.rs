//! The planner held to a run of the mix: does each tier use what the demands say?

use serde::{Deserialize, Serialize};

use anyhow::Result;

use super::demand::Point;
use super::measure::{Moment, SHOPPERS, steady, think};
use super::mix::{Frequencies, Shop};
use super::tiers::Tiers;
use crate::interaction::Mix;
use crate::load::{Load, Model, Shape, WarmUp};
use crate::report::number::{fixed, float, percent};
use crate::result::{Caches, Measured, Verdict};
use crate::stats::sample::mean;

/// Measured and predicted CPU of a tier may differ by so much of the prediction.
pub const WITHIN: f64 = 0.15;
/// Less than this, in cores, is not told apart: the kernel counts in hundredths of a second, and a tier that hardly works wakes up
/// more often than its work needs.
pub const RESOLUTION: f64 = 0.005;
/// The busiest tier, in cores, that the run is to come to: at least, so that there is something to compare, and at most.
const BUSY: (f64, f64) = (0.2, 0.35);
/// A process is now and then slower for seconds, on a machine that is shared: the median of so many seconds each.
const WINDOW: usize = 5;
/// Seconds before it is measured: at least, and at most. Sessions have to begin and end as often as they go on doing.
const WARM_UP: (f64, f64) = (4.0, 14.0);

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    pub shoppers: usize,
    pub think_s: f64,
    /// Measured seconds.
    pub seconds: f64,
    /// Completed interactions a second.
    pub rate: f64,
    /// The machine took so many times as much CPU for the mix, before and after the check, as while the costs were measured.
    pub slower: f64,
    /// Cores, on the machine as it is now.
    pub predicted: Tiers,
    pub measured: Tiers,
    /// Connections that executed a statement.
    pub statements_predicted: Option<f64>,
    pub statements_measured: Option<f64>,
    /// Logins and new accounts a second: counted, and by the model of visits.
    pub hashes: f64,
    pub hashes_by_model: f64,
    pub caches: Caches,
    /// Of the interactions that failed or were refused, 0 to 1.
    pub trouble: f64,
    pub host_busy: f64,
    pub verdicts: Vec<Verdict>,
    pub holds: bool,
}

/// The rate of the check: the planned one, unless that is too little to compare or too much for the machine to have room. `busiest` is
/// what the busiest tier uses at the planned one, in cores.
fn aim(planned: f64, busiest: f64) -> f64 {
    if busiest > 0.0 {
        planned * busiest.clamp(BUSY.0, BUSY.1) / busiest
    } else {
        planned
    }
}

/// The load of the check.
pub fn load(mix: Mix, shop: &Shop, planned: f64, seconds: f64, seed: u64) -> Load {
    let frequencies = Frequencies::of(mix);
    let rate = aim(planned, frequencies.cores(shop, planned).most());
    let (cycle, think_s) = think(rate, frequencies.response_s(shop));
    // Until one who has just come has a session: 1 / (buys + 1 / visit) interactions; three times that.
    let until_steady = 3.0 * cycle * until_session(mix);
    Load {
        fine: false,
        product: None,
        model: Model::Closed {
            shoppers: SHOPPERS,
            shape: Shape::default(),
        },
        mix,
        only: None,
        more: None,
        think_s,
        with_sessions: false,
        seconds,
        warm_up: WarmUp::Seconds(until_steady.clamp(WARM_UP.0, WARM_UP.1).floor() + 0.3),
        seed: seed ^ 0xC4EC,
    }
}

/// Interactions from a visit's beginning to its session or its end.
fn until_session(mix: Mix) -> f64 {
    let weights = mix.weights();
    let buys = f64::from(weights[8] + weights[9]) / 10_000.0;
    1.0 / (buys + 1.0 / super::mix::VISIT)
}

/// How much more CPU the mix takes for an interaction than when all was measured: other programs share caches and cores.
fn slower(shop: &Shop, beside: &[Point]) -> f64 {
    let each = |point: &Point| (point.cores.sum() - shop.idle.cores.sum()) / point.rate.max(1e-9);
    let then = each(&shop.mix);
    let now = mean(&beside.iter().map(each).collect::<Vec<_>>());
    now.filter(|_| then > 0.0).map_or(1.0, |now| now / then)
}

/// Compares what was measured in the check with the prediction. `beside` is the mix as the prediction was made of it, run before and after.
///
/// # Errors
/// When it was no closed load.
pub fn compared(
    shop: &Shop,
    load: &Load,
    (moments, measured): (&[Moment], &Measured),
    beside: &[Point],
) -> Result<Check> {
    let point = steady(moments, WINDOW, measured);
    let seconds = measured.seconds.max(1e-9);
    let share = |count: u64| float(count) / float(measured.completed.max(1));
    let model = Frequencies::of(load.mix);
    let hashes_by_model = model.hashes() * point.rate;
    // So few come that chance alone makes a third more or less of them in such a run.
    let frequencies = model.with_hashes(share(measured.logins), share(measured.accounts));
    let slower = slower(shop, beside);
    let predicted = frequencies
        .cores(shop, point.rate)
        .times(slower)
        .plus(shop.idle.cores);
    let verdicts = compare(predicted, point.cores);
    let Model::Closed { shoppers, .. } = load.model else {
        anyhow::bail!("the check is a closed load");
    };
    Ok(Check {
        shoppers,
        think_s: load.think_s,
        seconds,
        rate: point.rate,
        predicted,
        measured: point.cores,
        slower,
        statements_predicted: frequencies.statements(shop, point.rate).map(|it| it * slower),
        statements_measured: point.statements,
        hashes: float(measured.logins + measured.accounts) / seconds,
        hashes_by_model,
        caches: measured.caches,
        trouble: point.trouble,
        host_busy: point.host_busy,
        holds: verdicts.iter().all(|it| it.holds),
        verdicts,
    })
}

/// A verdict for each tier.
pub fn compare(predicted: Tiers, measured: Tiers) -> Vec<Verdict> {
    let tiers = predicted.array().into_iter().zip(measured.array());
    let named = Tiers::NAMES.into_iter().zip(tiers);
    named
        .map(|(name, (predicted, measured))| {
            let off = (measured - predicted).abs();
            Verdict {
                what: format!("CPU of {name}"),
                limit: format!("{} cores, {} more or less", fixed(predicted, 3), percent(WITHIN)),
                found: format!(
                    "{} cores ({})",
                    fixed(measured, 3),
                    difference(predicted, measured)
                ),
                holds: off <= WITHIN * predicted || off <= RESOLUTION,
            }
        })
        .collect()
}

/// `+12.3 %` of the prediction.
pub fn difference(predicted: f64, measured: f64) -> String {
    if predicted <= 0.0 {
        return "nothing predicted".to_owned();
    }
    let share = 100.0 * (measured / predicted - 1.0);
    let sign = if share >= 0.0 { "+" } else { "" };
    format!("{sign}{} %", fixed(share, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(api: f64) -> Tiers {
        Tiers {
            api,
            ..Tiers::default()
        }
    }

    fn holds(predicted: f64, measured: f64) -> bool {
        compare(api(predicted), api(measured)).iter().all(|it| it.holds)
    }

    #[test]
    fn fifteen_percent_is_the_limit() {
        assert!(holds(0.4, 0.459) && holds(0.4, 0.341));
        assert!(!holds(0.4, 0.461) && !holds(0.4, 0.339));
        // What the kernel's clock cannot tell apart is no difference.
        assert!(holds(0.010, 0.0149));
        assert!(!holds(0.010, 0.0151));
        let verdicts = compare(api(0.4), api(0.5));
        assert_eq!(verdicts[1].what, "CPU of API");
        assert_eq!(verdicts[1].found, "0.500 cores (+25.0 %)");
        assert_eq!(difference(0.4, 0.3), "-25.0 %");
    }

    #[test]
    fn a_machine_that_is_slower_now_is_seen_in_the_mix() {
        let at = |rate, cores| Point {
            rate,
            cores: api(cores),
            ..Point::default()
        };
        let shop = Shop {
            idle: at(0.0, 0.1),
            mix: at(100.0, 0.3),
            ..Shop::default()
        };
        let found = slower(&shop, &[at(100.0, 0.3), at(50.0, 0.25)]);
        assert!((found - 1.25).abs() < 1e-9, "{found}");
        assert!((slower(&shop, &[]) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_check_makes_the_machine_work_but_not_hard() {
        for (busiest, factor) in [(0.0, 1.0), (0.05, 4.0), (0.3, 1.0), (0.7, 0.5)] {
            assert!((aim(100.0, busiest) - 100.0 * factor).abs() < 1e-9, "{busiest}");
        }
    }

    #[test]
    fn the_check_comes_at_the_planned_rate() {
        let small = load(Mix::Shopping, &Shop::default(), 10.0, 10.0, 1);
        assert!((small.think_s - 2.4).abs() < 1e-9, "{}", small.think_s);
        assert!(!small.with_sessions, "logins are part of the mix");
    }
}
