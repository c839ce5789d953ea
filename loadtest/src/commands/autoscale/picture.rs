//! The time line.

use super::outcome::{AutoscaleResult, Point};
use super::report::{pace, whole};
use crate::report::chart::{Event as Mark, Panel, Series, Timeline};
use crate::report::number::float;
use crate::result::Second;

/// Load, replicas, CPU, p99 and errors over one axis.
pub fn timeline(result: &AutoscaleResult) -> Timeline {
    let setting = &result.setting;
    let panels = vec![
        load_panel(result),
        replicas_panel(&result.points),
        cpu_panel(result),
        Panel::new(
            "Latency (ms)",
            vec![Series::line("p99", seconds(result, p99)).looking_like(0)],
        ),
        Panel::new(
            "Errors/s",
            vec![
                Series::line("failed", seconds(result, |one| float(one.failed))).looking_like(1),
                Series::line("refused with 503 or 429", seconds(result, |one| float(one.shed)))
                    .looking_like(3),
            ],
        )
        .with_height(70.0)
        .reaching(4.0)
        .of_whole_numbers(),
    ];
    Timeline {
        title: format!("Autoscaling on CPU: {}", pace(setting)),
        x: "Time since the load began (s)".to_owned(),
        panels,
        events: result
            .events
            .iter()
            .map(|event| Mark {
                at: event.at,
                label: event.what.clone(),
            })
            .collect(),
    }
}

fn load_panel(result: &AutoscaleResult) -> Panel {
    let offered = Series::line("offered", seconds(result, |one| float(one.offered)));
    let completed = Series::line("completed", seconds(result, |one| float(one.completed)));
    Panel::new(
        "Load (interactions/s)",
        vec![offered.looking_like(1).as_backdrop(), completed.looking_like(0)],
    )
}

fn replicas_panel(points: &[Point]) -> Panel {
    #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
    let steps = |name: &str, value: fn(&Point) -> usize| {
        Series::steps(name, points.iter().map(|point| (point.at, value(point) as f64)))
    };
    Panel::new(
        "Replicas",
        vec![
            steps("wanted", |point| point.wanted)
                .looking_like(1)
                .as_backdrop(),
            steps("starting or in warm-up", |point| point.starting).looking_like(3),
            steps("serving", |point| point.serving).looking_like(0),
        ],
    )
    .of_whole_numbers()
    .with_height(100.0)
}

fn cpu_panel(result: &AutoscaleResult) -> Panel {
    let policy = result.setting.policy;
    let each = result
        .points
        .iter()
        .flat_map(|point| point.replicas.values().map(|share| (point.at, 100.0 * share)));
    let mean = result
        .points
        .iter()
        .map(|point| (point.at, 100.0 * point.cpu.unwrap_or(f64::NAN)));
    // A machine of its own has no quota.
    let name = if result.setting.is_watched {
        "CPU (%)"
    } else {
        "CPU (% of the quota)"
    };
    let panel = Panel::new(
        name,
        vec![
            Series::dots("each replica", each).looking_like(4),
            Series::line("mean of those that serve", mean).looking_like(0),
        ],
    )
    .reaching(100.0);
    if result.setting.is_watched {
        return panel;
    }
    panel.with_level(format!("target {}", whole(policy.target)), 100.0 * policy.target)
}

fn seconds(result: &AutoscaleResult, value: impl Fn(&Second) -> f64) -> impl Iterator<Item = (f64, f64)> {
    let seconds = result.run.measured.timeline.iter();
    seconds.map(move |one| (at(one), value(one)))
}

/// Seconds since the measured load began.
pub fn at(second: &Second) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
    let at = second.at as f64;
    at
}

/// Milliseconds. Nothing completed, no latency: a gap.
pub fn p99(second: &Second) -> f64 {
    if second.completed == 0 {
        f64::NAN
    } else {
        float(second.p99_us) / 1_000.0
    }
}
