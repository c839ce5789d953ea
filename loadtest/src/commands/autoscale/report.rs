//! The report: the time line with load, replicas, CPU, p99 and errors over one axis; CSV; the screen's summary.

use std::fmt::Write as _;

use anyhow::Result;

use super::outcome::{AutoscaleResult, Setting, counts, said};
use super::picture::{at, p99, timeline};
use super::sizing::Exercise;
use crate::report::csv;
use crate::report::number::{count, fixed, maybe, percent, plain, quantity};
use crate::report::page::Page;
use crate::report::run::{sections, standing, words};
use crate::report::screen::{self, Columns};
use crate::report::table::{Column, Table};
use crate::result::Second;

/// The whole page.
pub fn page(result: &AutoscaleResult) -> String {
    let (setting, run) = (&result.setting, &result.run);
    let about = format!("{}; {}", about(setting), words::when(&run.began));
    let mut page = Page::new("Trestle scales with its load", &about);
    page.banner(
        standing(run.outcome),
        words::outcome(run.outcome),
        &words::reasons(run),
    );
    page.facts(&facts(setting)).facts(&words::conditions(run));
    page.section("Over time")
        .figure(&timeline(result), &caption(setting));
    page.section("What happened").table(&happened(result));
    sections::overview(&mut page, run);
    sections::errors(&mut page, run);
    sections::promises(&mut page, run);
    sections::replicas(&mut page, run);
    sections::generator(&mut page, run);
    if !run.notes.is_empty() {
        page.section("Notes").list(&run.notes);
    }
    page.finish()
}

/// What was done, in a line.
fn about(setting: &Setting) -> String {
    let what = match setting.exercise {
        Exercise::Ramp => "A load that rises and falls",
        Exercise::Spike => "A load that steps up and down",
        Exercise::Stress => "A steady load, and CPU burned in a replica",
    };
    let who = if setting.is_watched {
        "the group's own policy, watched"
    } else {
        "target tracking on CPU"
    };
    format!("{what}; {who}; {}", pace(setting))
}

/// How fast the points come.
pub fn pace(setting: &Setting) -> String {
    let point = format!("one point is {} s", plain(setting.point_seconds));
    if (setting.speedup - 1.0).abs() < 1e-9 {
        return point;
    }
    format!(
        "{point}, {} times as fast as a minute's points",
        plain(setting.speedup)
    )
}

fn facts(setting: &Setting) -> Vec<(&'static str, String)> {
    let policy = setting.policy;
    let sizing = setting.sizing;
    let policy_facts = [
        (
            "Policy",
            format!("desired = ceil(serving x CPU / {})", whole(policy.target)),
        ),
        (
            "Out",
            format!("after {} points above the target", policy.out_after),
        ),
        (
            "In",
            format!(
                "after {} points below {}",
                policy.in_after,
                whole(policy.in_below * policy.target)
            ),
        ),
        ("Warm-up", format!("{} points, not counted", setting.warm_up)),
        ("Bounds", format!("{} to {} replicas", policy.min, policy.max)),
    ];
    let mut facts = if setting.is_watched {
        vec![("Policy", "the group's own".to_owned())]
    } else {
        policy_facts.to_vec()
    };
    facts.push(("Point", format!("{} s", plain(setting.point_seconds))));
    facts.push((
        "Rates",
        match setting.exercise {
            Exercise::Stress => format!("{}/s", plain(sizing.base)),
            Exercise::Ramp | Exercise::Spike => {
                format!("{}/s to {}/s", plain(sizing.base), plain(sizing.peak))
            }
        },
    ));
    if let Some(cost) = sizing.cpu_ms {
        facts.push((
            "CPU an interaction",
            format!("{} ms of a replica", quantity(cost)),
        ));
    }
    facts
}

fn caption(setting: &Setting) -> String {
    let speed = if setting.is_watched {
        "A real group's metrics come each minute.".to_owned()
    } else {
        format!(
            "The policy sees one point each {} s where an auto scaling group sees one a minute: all its waits are {} times as short, while \
             replicas start as fast as they do.",
            plain(setting.point_seconds),
            plain(setting.speedup)
        )
    };
    format!(
        "{speed} CPU is the share of a replica's quota. Starting replicas and those in warm-up answer already, but are not counted as \
         serving, nor is their CPU. Load, p99 and errors are by seconds; p99 counts from the intended start."
    )
}

/// A setting in percent: `60 %`.
pub fn whole(share: f64) -> String {
    format!("{} %", plain(100.0 * share))
}

fn happened(result: &AutoscaleResult) -> Table {
    let mut table = Table::new([
        Column::number("Second"),
        Column::text("What"),
        Column::text("Why"),
    ]);
    for event in &result.events {
        table.row([
            fixed(event.at, 1).into(),
            event.what.as_str().into(),
            event.why.as_str().into(),
        ]);
    }
    table
}

/// `timeline.csv`: the load by seconds, with the group as it was at the last point before.
///
/// # Errors
/// When CSV cannot be written.
pub fn timeline_csv(result: &AutoscaleResult) -> Result<Vec<u8>> {
    let names = [
        "second",
        "offered",
        "completed",
        "failed",
        "shed",
        "p50_us",
        "p99_us",
        "in_flight",
        "wanted",
        "starting",
        "serving",
        "cpu_percent_of_quota",
    ];
    let row = |one: &Second| {
        let after = result.points.partition_point(|point| point.at <= at(one));
        let point = after.checked_sub(1).and_then(|it| result.points.get(it));
        let counts = [
            one.offered,
            one.completed,
            one.failed,
            one.shed,
            one.p50_us,
            one.p99_us,
            one.in_flight,
        ];
        let group = point.map(|it| [it.wanted, it.starting, it.serving].map(|it| it.to_string()));
        let cpu = point.and_then(|it| it.cpu);
        std::iter::once(one.at.to_string())
            .chain(counts.map(|it| it.to_string()))
            // Before the first point nothing is known of the group.
            .chain(group.unwrap_or_default())
            .chain([cpu.map_or_else(String::new, |cpu| fixed(100.0 * cpu, 1))])
            .collect::<Vec<_>>()
    };
    csv::rows(&names, result.run.measured.timeline.iter().map(row))
}

/// For the terminal. The last line is the outcome.
pub fn summary(result: &AutoscaleResult) -> String {
    let (setting, run) = (&result.setting, &result.run);
    let measured = &run.measured;
    let mut text = format!("{}\n", about(setting));
    let mut columns = Columns::new(["second", "what", "why"]);
    for event in &result.events {
        columns.row([fixed(event.at, 1), event.what.clone(), event.why.clone()]);
    }
    text.push_str(&columns.lines());
    let highest = result
        .points
        .iter()
        .filter_map(|point| point.cpu)
        .fold(0.0, f64::max);
    let _ = writeln!(
        text,
        "replicas {}; CPU at most {} of the quota; p99 of the worst second {} ms",
        said(&counts(&result.points)),
        percent(highest),
        maybe(measured.timeline.iter().map(p99).reduce(f64::max))
    );
    let _ = writeln!(
        text,
        "interactions: {} offered, {} completed, {} failed, {} refused",
        count(measured.offered),
        count(measured.completed),
        count(measured.failed),
        count(measured.shed)
    );
    screen::promises(&mut text, run);
    screen::remarks(&mut text, run);
    text
}
