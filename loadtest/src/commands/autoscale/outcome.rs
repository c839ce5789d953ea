//! What came of the exercise: `autoscale.json`, and whether it holds.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::policy::Policy;
use super::sizing::{Exercise, Sizing};
use crate::load::Model;
use crate::report::number::{count, percent_of, plain, quantity};
use crate::result::{Measured, RunResult, Verdict};
use crate::verdict::{self, Limits};

/// Points that came slower than this, times what was said, are mentioned.
const LATE: f64 = 1.1;

/// `autoscale.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AutoscaleResult {
    /// Of this format: 1.
    pub version: u32,
    pub setting: Setting,
    /// The load, and what shoppers had of it; its limits are those of the exercise.
    pub run: RunResult,
    pub points: Vec<Point>,
    pub events: Vec<Event>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setting {
    pub exercise: Exercise,
    /// The group scaled itself; this program only looked on.
    pub is_watched: bool,
    pub policy: Policy,
    /// Points.
    pub warm_up: u32,
    /// Replicas that the peak of the load was made for.
    pub peak: usize,
    /// Seconds of a point, and how much faster that is than a minute.
    pub point_seconds: f64,
    pub speedup: f64,
    pub sizing: Sizing,
}

/// The group at one point in time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Point {
    /// Seconds since the measured load began; below 0 before.
    pub at: f64,
    pub wanted: usize,
    /// Wanted, but not serving yet: starting or in warm-up.
    pub starting: usize,
    pub serving: usize,
    /// Mean of the serving ones, as a share of the quota.
    pub cpu: Option<f64>,
    /// Of each replica, those in warm-up too.
    pub replicas: BTreeMap<String, f64>,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub at: f64,
    /// A word or two, for the picture.
    pub what: String,
    pub why: String,
}

/// The counts that served, in turn.
pub fn counts(points: &[Point]) -> Vec<usize> {
    let mut counts: Vec<usize> = points.iter().map(|point| point.serving).collect();
    counts.dedup();
    counts
}

/// `1 → 2 → 3`.
pub fn said(counts: &[usize]) -> String {
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    counts.join(" → ")
}

/// What the exercise is held to.
///
/// # Errors
/// When a histogram cannot be read.
pub fn limits(
    setting: &Setting,
    model: &Model,
    measured: &Measured,
    points: &[Point],
) -> Result<Vec<Verdict>> {
    let none = |what: &str, found: u64| Verdict {
        what: what.to_owned(),
        limit: "0".to_owned(),
        found: count(found),
        holds: found == 0,
    };
    let is_ramp = setting.exercise == Exercise::Ramp;
    let mut verdicts = vec![replicas(setting, points), none("failed", measured.failed)];
    if is_ramp {
        verdicts.push(none("refused with 503", measured.shed));
    }
    let general = verdict::limits(&Limits::default(), model, measured)?.into_iter();
    verdicts.extend(
        general.filter(|it| it.what == "429 answers" || is_ramp && it.what == "completed of offered"),
    );
    Ok(verdicts)
}

fn replicas(setting: &Setting, points: &[Point]) -> Verdict {
    let counts = counts(points);
    let ends = (counts.first().copied(), counts.last().copied());
    let most = counts.iter().max().copied().unwrap_or_default();
    let first = ends.0.unwrap_or_default();
    // What CPU is burned in one replica needs is not known before.
    let (wanted, reached) = match setting.exercise {
        Exercise::Stress => ("more".to_owned(), most > first),
        Exercise::Ramp | Exercise::Spike => (setting.peak.to_string(), most == setting.peak),
    };
    Verdict {
        what: "replicas that served".to_owned(),
        limit: format!("{first} → {wanted} → {first}"),
        found: said(&counts),
        holds: reached && ends.0.is_some() && ends.0 == ends.1,
    }
}

/// What was refused, said apart where it does not fail the run.
pub fn refused(setting: &Setting, measured: &Measured) -> Option<String> {
    if setting.exercise == Exercise::Ramp || measured.shed == 0 {
        return None;
    }
    let mut seconds = measured.timeline.iter().filter(|one| one.shed > 0);
    let first = seconds.next()?.at;
    let last = seconds.next_back().map_or(first, |one| one.at);
    Some(format!(
        "Refused with 503 until there were enough replicas: {} interactions, {} of those offered, from second {first} to {last}. They do not \
         fail this exercise.",
        count(measured.shed),
        percent_of(measured.shed, measured.offered)
    ))
}

/// Says so when points came slower than they were to: the stack's command took longer, or the machine was busy.
pub fn late(setting: &Setting, points: &[Point]) -> Option<String> {
    let (first, last) = (points.first()?, points.last()?);
    let spaces = u32::try_from(points.len() - 1).ok().filter(|it| *it > 0)?;
    let mean = (last.at - first.at) / f64::from(spaces);
    (mean > LATE * setting.point_seconds).then(|| {
        format!(
            "Points came every {} s instead of every {} s: to look at the stack took so long.",
            quantity(mean),
            plain(setting.point_seconds)
        )
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;
    use crate::load::{Arrivals, Shape, Unit};
    use crate::result::{ErrorClass, Second};

    fn setting(exercise: Exercise) -> Setting {
        Setting {
            exercise,
            is_watched: false,
            policy: Policy {
                target: 0.6,
                out_after: 3,
                in_after: 15,
                in_below: 0.7,
                min: 1,
                max: 4,
            },
            warm_up: 3,
            peak: 3,
            point_seconds: 2.0,
            speedup: 30.0,
            sizing: Sizing::told(100.0, 3),
        }
    }

    fn points(serving: &[usize]) -> Vec<Point> {
        let point = |serving: &usize| Point {
            serving: *serving,
            ..Point::default()
        };
        serving.iter().map(point).collect()
    }

    fn broken(exercise: Exercise, measured: &Measured, serving: &[usize]) -> Vec<String> {
        let model = Model::Open {
            rate: 100.0,
            arrivals: Arrivals::Poisson,
            unit: Unit::Interactions,
            shape: Shape::default(),
        };
        let verdicts = limits(&setting(exercise), &model, measured, &points(serving)).unwrap();
        let broken = verdicts.into_iter().filter(|it| !it.holds);
        broken.map(|it| it.what).collect()
    }

    fn measured() -> Measured {
        Measured {
            offered: 10_000,
            completed: 10_000,
            ..Measured::default()
        }
    }

    #[test]
    fn the_ramp_goes_to_three_and_back() {
        let fine = [1, 1, 2, 2, 3, 3, 2, 1];
        assert!(broken(Exercise::Ramp, &measured(), &fine).is_empty());
        assert_eq!(said(&counts(&points(&fine))), "1 → 2 → 3 → 2 → 1");
        for other in [&[1, 2, 1][..], &[1, 2, 3, 4, 3, 2, 1], &[1, 2, 3, 2], &[]] {
            let broken = broken(Exercise::Ramp, &measured(), other);
            assert_eq!(broken, ["replicas that served"], "{other:?}");
        }
    }

    #[test]
    fn one_failed_or_refused_fails_the_ramp() {
        let fine = [1, 3, 1];
        let failed = Measured {
            failed: 1,
            ..measured()
        };
        let shed = Measured {
            shed: 1,
            ..measured()
        };
        let lost = Measured {
            completed: 9_000,
            ..measured()
        };
        assert_eq!(broken(Exercise::Ramp, &failed, &fine), ["failed"]);
        assert_eq!(broken(Exercise::Ramp, &shed, &fine), ["refused with 503"]);
        assert_eq!(broken(Exercise::Ramp, &lost, &fine), ["completed of offered"]);
    }

    #[test]
    fn a_spike_says_what_was_refused_apart_but_a_429_fails_it() {
        let mut shed = Measured {
            shed: 500,
            ..measured()
        };
        shed.timeline = [(3, 0), (4, 200), (5, 0), (6, 300), (7, 0)]
            .map(|(at, shed)| Second {
                at,
                shed,
                ..Second::default()
            })
            .to_vec();
        assert!(broken(Exercise::Spike, &shed, &[1, 2, 3, 2, 1]).is_empty());
        let said = refused(&setting(Exercise::Spike), &shed).unwrap();
        assert!(said.contains("500 interactions, 5.0 %"), "{said}");
        assert!(said.contains("from second 4 to 6"), "{said}");
        assert_eq!(refused(&setting(Exercise::Ramp), &shed), None);
        shed.errors.push(ErrorClass {
            class: "429 too_many_attempts".to_owned(),
            count: 1,
            samples: Vec::new(),
        });
        assert_eq!(broken(Exercise::Spike, &shed, &[1, 3, 1]), ["429 answers"]);
    }

    #[test]
    fn points_that_come_late_are_mentioned() {
        let every = |seconds: f64| {
            let point = |number: u32| Point {
                at: f64::from(number) * seconds,
                ..Point::default()
            };
            late(&setting(Exercise::Ramp), &(0..10).map(point).collect::<Vec<_>>())
        };
        assert_eq!(every(2.1), None);
        assert!(every(3.0).unwrap().contains("every 3.00 s instead of every 2 s"));
        assert_eq!(late(&setting(Exercise::Ramp), &points(&[1])), None);
    }

    #[test]
    fn stress_has_to_add_one_at_least_and_to_end_as_it_began() {
        assert!(broken(Exercise::Stress, &measured(), &[1, 2, 1]).is_empty());
        for other in [&[1, 1][..], &[1, 2]] {
            assert_eq!(
                broken(Exercise::Stress, &measured(), other),
                ["replicas that served"]
            );
        }
    }
}
