//! What `bench` found, as a page and as CSV.

use anyhow::Result;

use super::compare::Comparison;
use super::result::{BenchResult, UNOPTIMISED};
use crate::report::chart::{Bar, Bars, Group};
use crate::report::csv;
use crate::report::number;
use crate::report::page::{Page, Standing};
use crate::report::table::{Cell, Column, Table, Tone};
use crate::result::Audit;

/// The whole page.
pub fn page(result: &BenchResult) -> String {
    let mut page = Page::new(
        "The shop against its limits",
        "One replica with one worker, straight to it; medians over interleaved rounds; the client's CPU is not counted",
    );
    banner(&mut page, result);
    let machine = &result.machine;
    page.facts(&[
        ("began", result.began.clone()),
        ("rounds", result.rounds.to_string()),
        ("seconds a side", number::quantity(result.seconds)),
        (
            "machine",
            format!("{} cores, {}", machine.cores, machine.processor),
        ),
        ("memory", format!("{} MiB", machine.memory_mib)),
        ("kernel", machine.kernel.clone()),
        ("Trestle", result.trestle.clone()),
    ]);
    page.section("Share of the limit")
        .figure(
            &shares(&result.comparisons),
            "1 is as good as the limit. Whiskers are the lowest and the highest round.",
        )
        .table(&table(&result.comparisons));
    for comparison in &result.comparisons {
        page.note(&format!(
            "{}: {}",
            comparison.subject.title, comparison.subject.note
        ));
    }
    layers(&mut page, result);
    footprint(&mut page, result);
    page.finish()
}

fn banner(page: &mut Page, result: &BenchResult) {
    let missed: Vec<String> = result
        .missed()
        .iter()
        .map(|comparison| comparison.miss())
        .collect();
    match &result.audit {
        Audit::Failed(why) => page.banner(Standing::Bad, "The audit failed.", std::slice::from_ref(why)),
        Audit::NotRun(why) => page.banner(Standing::Open, "Not audited.", std::slice::from_ref(why)),
        Audit::Passed(_) if result.unoptimised => page.banner(Standing::Open, UNOPTIMISED, &[]),
        Audit::Passed(_) if missed.is_empty() => page.banner(Standing::Good, "All targets are met.", &[]),
        Audit::Passed(_) => page.banner(Standing::Bad, "Targets were missed.", &missed),
    };
}

fn shares(comparisons: &[Comparison]) -> Bars {
    let groups = comparisons.iter().map(|comparison| Group {
        name: comparison.subject.title.clone(),
        bars: vec![Some(Bar {
            value: comparison.ratio,
            interval: Some((comparison.lowest, comparison.highest)),
        })],
        target: comparison.subject.target,
    });
    Bars {
        title: "The shop against its limits".into(),
        axis: "share of the limit (1 is as good)".into(),
        series: vec!["share".into()],
        groups: groups.collect(),
    }
}

fn table(comparisons: &[Comparison]) -> Table {
    let mut table = Table::new([
        Column::text("What"),
        Column::text("Limit"),
        Column::number("Share"),
        Column::number("Target"),
        Column::text("Met"),
        Column::number("Shop, CPU us"),
        Column::number("Limit, CPU us"),
        Column::number("Shop, a second"),
        Column::number("Limit, a second"),
    ]);
    for comparison in comparisons {
        let subject = &comparison.subject;
        table.row([
            subject.title.as_str().into(),
            subject.limit.as_str().into(),
            number::fixed(comparison.ratio, 2).into(),
            subject
                .target
                .map_or_else(String::new, |target| number::fixed(target, 2))
                .into(),
            comparison
                .met
                .map_or_else(|| Cell::new("no target", Tone::Faint), Cell::holds),
            number::fixed(comparison.shop_cpu_us, 1).into(),
            number::fixed(comparison.limit_cpu_us, 1).into(),
            number::fixed(comparison.shop_rate, 0).into(),
            number::fixed(comparison.limit_rate, 0).into(),
        ]);
    }
    table
}

fn layers(page: &mut Page, result: &BenchResult) {
    if !result.layers.is_empty() {
        let groups = result
            .layers
            .iter()
            .map(|layer| Group::new(layer.name.clone(), [layer.cpu_us]));
        let bars = Bars {
            title: "A read from memory as shipped, by layer".into(),
            axis: "CPU us a request".into(),
            series: vec!["CPU".into()],
            groups: groups.collect(),
        };
        page.section("What each layer costs")
            .figure(&bars, "Together they are the read as shipped.");
        let how = result
            .layers
            .iter()
            .map(|layer| format!("{}: {}", layer.name, layer.how));
        page.list(&how.collect::<Vec<_>>());
    }
    if let Some(statements) = &result.statements {
        page.text(&format!(
            "An order makes {:.1} commits and {:.1} statements, the raw statements {:.1} and {:.1}.",
            statements.shop_commits,
            statements.shop_statements,
            statements.limit_commits,
            statements.limit_statements
        ));
    }
}

fn footprint(page: &mut Page, result: &BenchResult) {
    let mut memory = Table::new([
        Column::text("Process"),
        Column::number("Idle"),
        Column::number("After load"),
    ]);
    for row in &result.memory {
        memory.row([
            row.name.as_str().into(),
            number::bytes(row.idle).into(),
            number::bytes(row.loaded).into(),
        ]);
    }
    let mut files = Table::new([Column::text("Program"), Column::number("On disk")]);
    for file in &result.files {
        files.row([file.name.as_str().into(), number::bytes(file.bytes).into()]);
    }
    page.section("Footprint")
        .text(&format!(
            "A replica is ready {:.0} ms after its start (median of {}).",
            result.start.median_ms,
            result.start.each_ms.len()
        ))
        .table(&memory)
        .note("Resident memory; nginx with its workers.")
        .table(&files)
        .note("Programs as they are built, with their line tables.");
}

/// A line for each round of each comparison.
///
/// # Errors
/// When it cannot be written.
pub fn rounds(result: &BenchResult) -> Result<Vec<u8>> {
    let rows = result.comparisons.iter().flat_map(|comparison| {
        (1..).zip(&comparison.rounds).map(|(number, round): (usize, _)| {
            [
                comparison.subject.id.clone(),
                number.to_string(),
                round.ratio(comparison.subject.measure).to_string(),
                round.shop.cpu_us().to_string(),
                round.limit.cpu_us().to_string(),
                round.shop.rate().to_string(),
                round.limit.rate().to_string(),
            ]
        })
    });
    csv::rows(
        &[
            "comparison",
            "round",
            "ratio",
            "shop_cpu_us",
            "limit_cpu_us",
            "shop_per_second",
            "limit_per_second",
        ],
        rows,
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::super::result::tests::result;
    use super::*;

    #[test]
    fn the_page_says_what_was_missed() {
        let missed = page(&result(0.018));
        assert!(missed.contains("Targets were missed."));
        assert!(missed.contains("Product in memory reaches 0.50 of bare axum, the target is 0.85"));
        assert!(page(&result(0.010)).contains("All targets are met."));
    }

    #[test]
    fn each_round_is_a_line() {
        let text = String::from_utf8(rounds(&result(0.018)).unwrap()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("memory_hit,1,0.5"), "{text}");
    }
}
