//! A comparison as a page.

use super::text::{HEADINGS, cells, told_side};
use super::{Comparison, Finding, Row, Unit};
use crate::report::chart::{Bar, Bars, Group};
use crate::report::page::{Page, Standing};
use crate::report::table::{Cell, Column, Table, Tone};

/// The whole page.
pub fn page(of: &Comparison) -> String {
    let mut page = Page::new("Two runs compared", "B against A, with 95 % confidence intervals");
    if of.differences.is_empty() {
        page.banner(
            Standing::Good,
            "Comparable: data set, load, machine and quota are alike.",
            &[],
        );
    } else {
        page.banner(
            Standing::Open,
            "Not comparable, and compared all the same (A / B):",
            &of.differences,
        );
    }
    page.list(&[
        format!("A: {}", told_side(&of.a)),
        format!("B: {}", told_side(&of.b)),
    ]);
    page.section("Numbers");
    page.table(&table(&of.rows));
    let pictures = [
        (
            Unit::PerSecond,
            "Good interactions a second",
            "interactions a second",
        ),
        (Unit::Milliseconds, "Latency from the intended start", "ms"),
    ];
    for (unit, title, axis) in pictures {
        if let Some(bars) = bars(&of.rows, unit, title, axis) {
            page.figure(&bars, "Whiskers are 95 % intervals.");
        }
    }
    page.section("Notes").list(&of.notes);
    page.finish()
}

fn table(rows: &[Row]) -> Table {
    let number = |heading: &str| Column::number(heading.to_owned());
    let [what, a, b, change, finding] = HEADINGS;
    let mut table = Table::new([
        Column::text(what),
        number(a),
        number(b),
        number(change),
        Column::text(finding),
    ]);
    for row in rows {
        let [what, a, b, change, finding] = cells(row);
        let tone = match row.finding {
            Finding::Higher | Finding::Lower => Tone::Plain,
            Finding::NoDifferenceShown | Finding::NotKnown => Tone::Faint,
        };
        table.row([
            what.into(),
            a.into(),
            b.into(),
            change.into(),
            Cell::new(finding, tone),
        ]);
    }
    table
}

/// None where neither run has such a number.
fn bars(rows: &[Row], unit: Unit, title: &str, axis: &str) -> Option<Bars> {
    let bar = |it: super::Bounded| Bar {
        value: it.value,
        interval: Some((it.low, it.high)),
    };
    let groups: Vec<_> = rows
        .iter()
        .filter(|row| row.unit == unit && (row.a.is_some() || row.b.is_some()))
        .map(|row| Group {
            name: row.what.clone(),
            bars: vec![row.a.map(bar), row.b.map(bar)],
            target: None,
        })
        .collect();
    (!groups.is_empty()).then(|| Bars {
        title: title.to_owned(),
        axis: axis.to_owned(),
        series: vec!["A".to_owned(), "B".to_owned()],
        groups,
    })
}
