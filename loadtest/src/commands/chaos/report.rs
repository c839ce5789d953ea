//! A chaos run as a page, a CSV file of its faults, and a summary for the terminal.

use std::fmt::Write as _;

use anyhow::Result;

use super::fault::Blow;
use super::result::{ChaosResult, Fallout};
use crate::report::chart::{Event, Panel, Series, Timeline};
use crate::report::csv;
use crate::report::number::{count, fixed, float, quantity};
use crate::report::page::{Page, Standing};
use crate::report::run::words;
use crate::report::screen::Columns;
use crate::report::table::{Cell, Column, Table};
use crate::result::{Audit, Outcome, Tenth};

const COLUMNS: [&str; 8] = [
    "fault",
    "at s",
    "orders",
    "failed",
    "refused",
    "longest pause s",
    "well after s",
    "ready after s",
];
/// A point of the picture is half a second.
const POINT: usize = 5;

/// `report.html`.
pub fn page(result: &ChaosResult) -> String {
    let about = format!("{}, {}", words::load(&result.load), words::when(&result.began));
    let mut page = Page::new("Trestle under faults", &about);
    let (standing, verdict) = match result.outcome {
        Outcome::Passed => (Standing::Good, "Passed: nothing was lost, and all came back"),
        Outcome::Failed | Outcome::Invalid => (Standing::Bad, "Failed"),
        Outcome::NotAudited => (Standing::Open, "Not audited: the database was not asked"),
    };
    page.banner(standing, verdict, &reasons(result));
    let mut facts = words::environment(&result.conditions);
    facts.extend([
        ("Load", words::load(&result.load)),
        ("Mix", result.load.mix.name().to_owned()),
        ("Think time", format!("mean {} s", result.load.think_s)),
        ("Seed", result.load.seed.to_string()),
    ]);
    page.facts(&facts);
    page.section("Over time").figure(
        &picture(result),
        "Each point is half a second, of the latency a second. Upright lines are the faults. Percentiles are of what ended well in that second.",
    );
    page.section("What shoppers noticed").table(&table(result));
    page.note(
        "Counted from a fault to the next one. The longest pause is the longest time without an interaction that ended well, and without an \
         acknowledged order. Shoppers are well again when nothing has failed for a second and throughput is at 90 % of that before the \
         fault, or as near as two standard deviations of so few. Ready is what the stack says of all its processes, counted from the end \
         of a freeze. Requests with errors are asked again where that is safe, so there may be more of them than failed interactions.",
    );
    page.section("Limits").table(&Table::of_verdicts(&result.limits));
    promises(&mut page, result);
    page.finish()
}

fn promises(page: &mut Page, result: &ChaosResult) {
    page.section("Was anything lost?").text(&lost(result));
    if let Some(found) = &result.verification {
        page.list(&found.violations);
    }
    page.audit(result.audit.as_ref());
}

fn lost(result: &ChaosResult) -> String {
    let journal = result.measured.journal;
    let writes = format!(
        "{} writes were acknowledged, {} refused, and of {} the answer never came",
        count(journal.acknowledged),
        count(journal.refused),
        count(journal.unknown)
    );
    match &result.verification {
        Some(found) => format!(
            "{writes}. Afterwards {} shoppers were asked for {} orders and {} carts, violations of what was acknowledged: {}.",
            count(found.owners),
            count(found.orders),
            count(found.carts),
            found.violations.len()
        ),
        None => format!("{writes}. The shop could not be asked afterwards."),
    }
}

/// Each thing that does not hold, in a line.
fn reasons(result: &ChaosResult) -> Vec<String> {
    let broken = result.limits.iter().filter(|verdict| !verdict.holds);
    let mut reasons: Vec<String> = broken
        .map(|verdict| format!("{}: {} (limit {})", verdict.what, verdict.found, verdict.limit))
        .collect();
    match &result.verification {
        Some(found) => reasons.extend(found.violations.iter().cloned()),
        None => reasons.push("the shop could not be asked for what it had acknowledged".to_owned()),
    }
    match &result.audit {
        Some(Audit::Failed(said)) => reasons.push(format!("audit: {said}")),
        Some(Audit::NotRun(why)) => reasons.push(format!("the audit could not run: {why}")),
        Some(Audit::Passed(_)) | None => {}
    }
    reasons
}

fn table(result: &ChaosResult) -> Table {
    let mut columns = vec![
        Column::text("Fault"),
        Column::number("At (s)"),
        Column::number("Orders"),
        Column::number("Failed"),
        Column::number("Refused"),
        Column::number("Longest pause (s)"),
        Column::number("Longest without order (s)"),
        Column::number("Well again after (s)"),
        Column::number("All ready after (s)"),
    ];
    columns.push(Column::text("Requests with errors"));
    let mut table = Table::new(columns);
    for fallout in &result.faults {
        let (struck, noticed) = (&fallout.struck, &fallout.noticed);
        table.row([
            Cell::from(struck.fault.to_string()),
            fixed(struck.at, 1).into(),
            count(noticed.orders).into(),
            count(noticed.failed).into(),
            count(noticed.shed).into(),
            fixed(noticed.longest_pause, 1).into(),
            fixed(noticed.longest_without_order, 1).into(),
            seconds(noticed.recovered).into(),
            seconds(struck.healthy).into(),
            errors(fallout).into(),
        ]);
    }
    table
}

fn seconds(value: Option<f64>) -> String {
    value.map_or_else(|| "never".to_owned(), |value| fixed(value, 1))
}

fn errors(fallout: &Fallout) -> String {
    let errors = fallout.noticed.errors.iter();
    let said: Vec<String> = errors
        .map(|(class, count)| format!("{count} x {class}"))
        .collect();
    said.join(", ")
}

/// Throughput, orders, latency and errors with the faults as marks.
fn picture(result: &ChaosResult) -> Timeline {
    let end = result.measured.seconds;
    let points: Vec<&[Tenth]> = result.measured.tenths.chunks(POINT).collect();
    let rate = |value: fn(&Tenth) -> u64| {
        let rates = points.iter().filter_map(|point| {
            let count: u64 = point.iter().map(value).sum();
            Some((at(point.first()?), float(count) * 2.0))
        });
        // After the end there are only those who finish.
        rates.filter(|(at, _)| at + 0.25 <= end).collect::<Vec<_>>()
    };
    // The seconds of the time line begin with the load, not with the measured time.
    let shift = 0.5 - result.measured.warm_up_seconds.fract();
    let p99 = result.measured.timeline.iter().map(|second| {
        #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
        let at = second.at as f64 + shift;
        let p99 = float(second.p99_us) / 1_000.0;
        (at, if second.completed == 0 { f64::NAN } else { p99 })
    });
    let p99 = p99.filter(|(at, _)| at + 0.5 <= end);
    Timeline {
        title: "Faults under load".to_owned(),
        x: "Time since measuring began (s)".to_owned(),
        panels: vec![
            Panel::new(
                "Interactions/s",
                vec![Series::line("completed", rate(|tenth| tenth.completed))],
            )
            .with_height(150.0),
            Panel::new(
                "Orders/s",
                vec![Series::line("acknowledged", rate(|tenth| tenth.orders))],
            ),
            Panel::new("Latency (ms)", vec![Series::line("p99", p99)]),
            Panel::new(
                "Errors/s",
                vec![
                    Series::line("failed", rate(|tenth| tenth.failed)).looking_like(1),
                    Series::line("refused with 503 or 429", rate(|tenth| tenth.shed)).looking_like(3),
                ],
            )
            .reaching(4.0)
            .of_whole_numbers(),
        ],
        events: result.faults.iter().flat_map(events).collect(),
    }
}

fn events(fallout: &Fallout) -> Vec<Event> {
    let struck = &fallout.struck;
    let mut events = vec![Event {
        at: struck.at,
        label: struck.fault.to_string(),
    }];
    if let Blow::Freeze(seconds) = struck.fault.blow {
        events.push(Event {
            at: struck.at + seconds,
            label: format!("{} resumed", struck.fault.name),
        });
    }
    events
}

/// The middle of a point, seconds.
fn at(first: &Tenth) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
    let at = first.at_ms as f64;
    at / 1_000.0 + 0.25
}

/// `faults.csv`.
///
/// # Errors
/// When CSV cannot be written.
pub fn faults_csv(result: &ChaosResult) -> Result<Vec<u8>> {
    let names = [
        "fault",
        "at_s",
        "orders",
        "failed",
        "refused",
        "longest_pause_s",
        "longest_without_order_s",
        "throughput_before",
        "well_after_s",
        "ready_after_s",
        "errors",
    ];
    let some = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let row = |fallout: &Fallout| {
        let (struck, noticed) = (&fallout.struck, &fallout.noticed);
        [
            struck.fault.to_string(),
            struck.at.to_string(),
            noticed.orders.to_string(),
            noticed.failed.to_string(),
            noticed.shed.to_string(),
            noticed.longest_pause.to_string(),
            noticed.longest_without_order.to_string(),
            noticed.before.to_string(),
            some(noticed.recovered),
            some(struck.healthy),
            errors(fallout),
        ]
    };
    csv::rows(&names, result.faults.iter().map(row))
}

/// For the terminal.
pub fn summary(result: &ChaosResult) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} against {}: {}/s",
        words::load(&result.load),
        result.conditions.url,
        quantity(result.measured.throughput())
    );
    let mut columns = Columns::new(COLUMNS);
    for fallout in &result.faults {
        let (struck, noticed) = (&fallout.struck, &fallout.noticed);
        columns.row([
            struck.fault.to_string(),
            fixed(struck.at, 1),
            count(noticed.orders),
            count(noticed.failed),
            count(noticed.shed),
            fixed(noticed.longest_pause, 1),
            seconds(noticed.recovered),
            seconds(struck.healthy),
        ]);
    }
    text.push_str(&columns.lines());
    for fallout in result.faults.iter().filter(|it| !it.noticed.errors.is_empty()) {
        let _ = writeln!(text, "{}: {}", fallout.struck.fault, errors(fallout));
    }
    let _ = writeln!(text, "{}", lost(result));
    if let Some(Audit::Passed(said)) = &result.audit {
        let _ = writeln!(text, "{}", said.lines().last().unwrap_or_default());
    }
    for reason in reasons(result) {
        let _ = writeln!(text, "BROKEN: {reason}");
    }
    text
}
