//! The page's sections, in their order.

use super::{pictures, words};
use crate::report::number::{bytes, count, fixed, float, maybe, percent, percent_of};
use crate::report::page::Page;
use crate::report::table::{Cell, Column, Table, Tone};
use crate::result::{Interactions, RunResult};

pub(crate) fn overview(page: &mut Page, result: &RunResult) {
    let measured = &result.measured;
    let seconds = measured.seconds;
    let mut table = Table::new([
        Column::text("What"),
        Column::number("Count"),
        Column::number("Rate"),
    ]);
    let mut row = |what: &str, value: u64| {
        table.row([
            what.into(),
            count(value).into(),
            words::per_second(value, seconds).into(),
        ]);
    };
    row("Interactions offered", measured.offered);
    row("Interactions completed", measured.completed);
    row("HTTP requests answered", measured.requests);
    row("Orders acknowledged", measured.orders);
    row("Logins", measured.logins);
    row("New accounts", measured.accounts);
    let of_completed = |value| Cell::from(format!("{} of completed", percent_of(value, measured.completed)));
    table.row([
        "Interactions failed".into(),
        count(measured.failed).into(),
        of_completed(measured.failed),
    ]);
    table.row([
        "Interactions refused (503, 429)".into(),
        count(measured.shed).into(),
        of_completed(measured.shed),
    ]);
    table.row([
        "Backlog at half time".into(),
        count(measured.backlog_half).into(),
        "".into(),
    ]);
    table.row([
        "Backlog at the end".into(),
        count(measured.backlog_end).into(),
        "".into(),
    ]);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes a second"
    )]
    let rate = (float(measured.bytes) / seconds.max(1e-9)) as u64;
    table.row([
        "Bytes of answers".into(),
        bytes(measured.bytes).into(),
        format!("{}/s", bytes(rate)).into(),
    ]);
    page.section("What it came to").table(&table);
    page.section("Limits").table(&Table::of_verdicts(&result.limits));
}

pub(crate) fn time(page: &mut Page, result: &RunResult) {
    if result.measured.timeline.len() > 1 {
        page.section("Over time").figure(
            &pictures::timeline(result),
            "Each point is one second. Offered are the interactions that were to begin in that second, completed those that ended in it. \
             Latency counts from the intended start. A gap means that nothing was measured in that second.",
        );
    }
}

pub(crate) fn interactions(page: &mut Page, result: &RunResult) {
    let mut table = Table::new([
        Column::text("Interaction"),
        Column::number("Good"),
        Column::number("Errors"),
        Column::number("Mix wanted %"),
        Column::number("Mix achieved %"),
        Column::number("p50 ms"),
        Column::number("p90 ms"),
        Column::number("p95 ms"),
        Column::number("p99 ms"),
        Column::number("p99.9 ms"),
        Column::number("max ms"),
        Column::number("p99 limit ms"),
        Column::text("Holds"),
        // With a hyphen that does not break.
        Column::number("TPC\u{2011}W p90 limit s"),
    ]);
    for one in &result.measured.interactions {
        table.row(interaction(result, one));
    }
    page.section("By interaction").table(&table).note(
        "Latency counts from the intended start to the last byte, good answers only. A percentile stands only where at least ten samples lie \
         beyond it. TPC-W's own limits of the 90th percentile are only printed beside: nothing is held to them.",
    );
    if !result.measured.interactions.is_empty() {
        page.figure(
            &pictures::latencies(result),
            "Percentiles of each interaction from its intended start, with the limit that its p99 is held to.",
        );
    }
}

fn interaction(result: &RunResult, one: &Interactions) -> Vec<Cell> {
    let limit = result.response.of(one.interaction.class());
    let mix = result
        .mix
        .iter()
        .find(|share| share.interaction == one.interaction);
    let share =
        |share: Option<f64>| Cell::from(share.map_or_else(|| "-".to_owned(), |share| fixed(share, 2)));
    let errors = if one.errors > 0 { Tone::Bad } else { Tone::Plain };
    vec![
        one.interaction.label().into(),
        count(one.count).into(),
        Cell::new(count(one.errors), errors),
        share(mix.map(|mix| mix.wanted)),
        share(mix.map(|mix| mix.achieved)),
        maybe(one.p50).into(),
        maybe(one.p90).into(),
        maybe(one.p95).into(),
        maybe(one.p99).into(),
        maybe(one.p999).into(),
        maybe(Some(one.max_ms)).into(),
        count(limit).into(),
        one.p99.map_or_else(
            || Cell::new("-", Tone::Faint),
            |p99| Cell::holds(p99 <= float(limit)),
        ),
        Cell::new(
            one.interaction
                .tpcw_limit_s()
                .map_or_else(|| "-".to_owned(), count),
            Tone::Faint,
        ),
    ]
}

pub(crate) fn errors(page: &mut Page, result: &RunResult) {
    page.section("Errors");
    if result.measured.errors.is_empty() {
        page.text("None.");
        return;
    }
    let mut table = Table::new([
        Column::text("Class"),
        Column::number("Count"),
        Column::text("The first few"),
    ]);
    for class in &result.measured.errors {
        table.row([
            class.class.as_str().into(),
            count(class.count).into(),
            Cell::new(class.samples.join("\n"), Tone::Faint),
        ]);
    }
    page.table(&table);
}

/// What the shop had acknowledged, and whether it was still so when it was asked.
pub(crate) fn promises(page: &mut Page, result: &RunResult) {
    let journal = result.measured.journal;
    page.section("Was anything lost?").facts(&[
        ("Acknowledged", format!("{} writes", count(journal.acknowledged))),
        ("Refused", format!("{} writes", count(journal.refused))),
        (
            "Unknown",
            format!("{} writes whose answer never came", count(journal.unknown)),
        ),
    ]);
    match &result.verification {
        Some(found) => {
            page.text(&format!(
                "Afterwards {} shoppers were asked for {} orders and {} carts through the API: {}",
                count(found.owners),
                count(found.orders),
                count(found.carts),
                if found.violations.is_empty() {
                    "each is as it was acknowledged.".to_owned()
                } else {
                    format!(
                        "{} violations.",
                        count(u64::try_from(found.violations.len()).unwrap_or(u64::MAX))
                    )
                }
            ));
            page.list(&found.violations);
        }
        None => {
            page.text("The shop was not asked afterwards.");
        }
    }
    page.audit(result.audit.as_ref());
}

pub(crate) fn replicas(page: &mut Page, result: &RunResult) {
    let all: u64 = result.measured.replicas.iter().map(|(_, answers)| answers).sum();
    let mut table = Table::new([
        Column::text("Replica"),
        Column::number("Answers"),
        Column::number("Share"),
    ]);
    for (name, answers) in &result.measured.replicas {
        table.row([
            name.as_str().into(),
            count(*answers).into(),
            percent_of(*answers, all).into(),
        ]);
    }
    if !table.is_empty() {
        page.section("Replicas").table(&table);
    }
}

pub(crate) fn generator(page: &mut Page, result: &RunResult) {
    let client = result.measured.client;
    page.section("The generator itself")
        .table(&Table::of_verdicts(&result.validity))
        .facts(&[
            (
                "Lag p99",
                format!("{} ms", maybe(Some(float(client.lag_p99_us) / 1_000.0))),
            ),
            ("CPU", format!("{} of a core", percent(client.cpu))),
            ("Sent", format!("{} of what was to be sent", percent(client.sent))),
            ("Memory", bytes(client.memory)),
            ("Connections", count(client.connections)),
        ]);
}
