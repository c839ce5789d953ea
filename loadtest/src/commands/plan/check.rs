//! The planner held to a run of the mix: does each tier use what the demands say?

use serde::{Deserialize, Serialize};

use anyhow::Result;

use super::demand::Point;
use super::measure::{PAST_THE_TICK, SHOPPERS, think};
use super::mix::{Frequencies, Shop};
use super::tiers::Tiers;
use crate::interaction::Mix;
use crate::load::{Load, Model, Shape, WarmUp};
use crate::report::number::{fixed, float, percent};
use crate::result::{Caches, Measured, Verdict};
use crate::stats::sample::median;

/// Measured and predicted CPU of a tier may differ by so much of the prediction.
pub const WITHIN: f64 = 0.15;
/// Less than this, in cores, is not told apart: the kernel counts in hundredths of a second, and a tier that hardly works wakes up
/// more often than its work needs.
pub const RESOLUTION: f64 = 0.005;
/// The busiest tier, in cores, that the run is to come to: at least, so that there is something to compare, and at most.
const BUSY: (f64, f64) = (0.2, 0.35);
/// Measured seconds of a part.
const SECONDS: f64 = 10.0 + PAST_THE_TICK;
/// Seconds before it is measured: at least, and at most. Sessions have to begin and end as often as they go on doing.
const WARM_UP: (f64, f64) = (3.0, 14.0);

/// One part of the check.
pub struct Part {
    pub point: Point,
    pub measured: Measured,
    /// The mix as the prediction was made of it, run before and after.
    pub beside: Point,
}

/// What came of it: medians of the parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    pub shoppers: usize,
    pub think_s: f64,
    pub parts: usize,
    /// Measured seconds of all parts.
    pub seconds: f64,
    /// Completed interactions a second.
    pub rate: f64,
    /// The machine took so many times as much CPU for the mix, around each part, as while the costs were measured.
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

/// The load of the check's first part.
pub fn load(mix: Mix, shop: &Shop, planned: f64, seed: u64) -> Load {
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
        seconds: SECONDS,
        warm_up: WarmUp::Seconds(until_steady.clamp(WARM_UP.0, WARM_UP.1).floor() + PAST_THE_TICK),
        seed: seed ^ 0xC4EC,
    }
}

/// The load of the part after this one: most shoppers are in the middle of a visit.
pub fn next(load: Load) -> Load {
    Load {
        warm_up: WarmUp::Seconds(WARM_UP.0 + PAST_THE_TICK),
        seed: load.seed.wrapping_add(1),
        ..load
    }
}

/// Interactions from a visit's beginning to its session or its end.
fn until_session(mix: Mix) -> f64 {
    let weights = mix.weights();
    let buys = f64::from(weights[8] + weights[9]) / 10_000.0;
    1.0 / (buys + 1.0 / super::mix::VISIT)
}

/// How much more CPU the mix takes for an interaction than when all was measured: other programs share caches and cores.
fn slower(shop: &Shop, beside: &Point) -> f64 {
    let each = |point: &Point| (point.cores.sum() - shop.idle.cores.sum()) / point.rate.max(1e-9);
    let (then, now) = (each(&shop.mix), each(beside));
    if then > 0.0 && now > 0.0 { now / then } else { 1.0 }
}

/// What a part was to use, on the machine as fast as it was around it.
fn predicted(mix: Mix, shop: &Shop, part: &Part) -> Point {
    let share = |count: u64| float(count) / float(part.measured.completed.max(1));
    // So few come that chance alone makes a third more or less of them in such a run.
    let frequencies =
        Frequencies::of(mix).with_hashes(share(part.measured.logins), share(part.measured.accounts));
    let (rate, slower) = (part.point.rate, slower(shop, &part.beside));
    Point {
        cores: frequencies.cores(shop, rate).times(slower).plus(shop.idle.cores),
        statements: frequencies.statements(shop, rate).map(|it| it * slower),
        ..part.point.clone()
    }
}

/// Compares what was measured in the parts with the prediction.
///
/// # Errors
/// When it was no closed load.
pub fn compared(shop: &Shop, load: &Load, parts: &[Part]) -> Result<Check> {
    let Model::Closed { shoppers, .. } = load.model else {
        anyhow::bail!("the check is a closed load");
    };
    let all = |of: fn(&Measured) -> f64| parts.iter().map(|it| of(&it.measured)).sum::<f64>();
    let seconds = all(|it| it.seconds);
    let predictions: Vec<Point> = parts.iter().map(|it| predicted(load.mix, shop, it)).collect();
    let predicted = Point::median(&predictions);
    let points: Vec<Point> = parts.iter().map(|it| it.point.clone()).collect();
    let measured = Point::median(&points);
    let beside: Vec<f64> = parts.iter().map(|it| slower(shop, &it.beside)).collect();
    let verdicts = compare(predicted.cores, measured.cores);
    Ok(Check {
        shoppers,
        think_s: load.think_s,
        parts: parts.len(),
        seconds,
        rate: measured.rate,
        slower: median(&beside).unwrap_or(1.0),
        predicted: predicted.cores,
        measured: measured.cores,
        statements_predicted: predicted.statements,
        statements_measured: measured.statements,
        hashes: all(|it| float(it.logins + it.accounts)) / seconds.max(1e-9),
        hashes_by_model: Frequencies::of(load.mix).hashes() * measured.rate,
        caches: parts.iter().fold(Caches::default(), |sum, it| Caches {
            memory: sum.memory + it.measured.caches.memory,
            redis: sum.redis + it.measured.caches.redis,
            database: sum.database + it.measured.caches.database,
        }),
        trouble: measured.trouble,
        host_busy: measured.host_busy,
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
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
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
        let found = slower(&shop, &at(50.0, 0.225));
        assert!((found - 1.25).abs() < 1e-9, "{found}");
        assert!((slower(&shop, &Point::default()) - 1.0).abs() < 1e-9);
        // And the prediction is for that machine: what it uses without anybody stays as it was.
        let part = Part {
            point: at(100.0, 0.35),
            measured: Measured::default(),
            beside: at(50.0, 0.225),
        };
        let found = predicted(Mix::Shopping, &shop, &part);
        assert!((found.cores.api - 0.35).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_part_that_was_held_up_does_not_count() {
        let at = |cores| Point {
            rate: 100.0,
            cores: api(cores),
            ..Point::default()
        };
        let shop = Shop {
            mix: at(0.2),
            ..Shop::default()
        };
        let parts: Vec<Part> = [0.2, 0.9, 0.21]
            .map(|cores| Part {
                point: at(cores),
                measured: Measured {
                    seconds: 10.0,
                    logins: 1,
                    completed: 1_000,
                    ..Measured::default()
                },
                beside: at(0.2),
            })
            .into();
        let load = load(Mix::Shopping, &shop, 100.0, 1);
        let check = compared(&shop, &load, &parts).unwrap();
        assert!(check.holds, "{check:?}");
        assert_eq!((check.parts, check.seconds.to_bits()), (3, 30.0_f64.to_bits()));
        assert!((check.hashes - 0.1).abs() < 1e-9 && (check.slower - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_check_makes_the_machine_work_but_not_hard() {
        for (busiest, factor) in [(0.0, 1.0), (0.05, 4.0), (0.3, 1.0), (0.7, 0.5)] {
            assert!((aim(100.0, busiest) - 100.0 * factor).abs() < 1e-9, "{busiest}");
        }
    }

    #[test]
    fn the_check_comes_at_the_planned_rate() {
        let small = load(Mix::Shopping, &Shop::default(), 10.0, 1);
        assert!((small.think_s - 2.4).abs() < 1e-9, "{}", small.think_s);
        assert!(!small.with_sessions, "logins are part of the mix");
        let first = small.seed;
        let second = next(small);
        assert_ne!(second.seed, first, "other products each time");
        assert!(!second.with_sessions);
    }
}
