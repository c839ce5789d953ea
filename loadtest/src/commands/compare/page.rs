//! A comparison as a page.

use super::text::{change, finding, told};
use super::{Comparison, Side};
use crate::report::page::{Page, Standing};
use crate::report::table::{Cell, Column, Table};

/// `report.html` of a comparison.
pub fn page(comparison: &Comparison) -> String {
    let mut page = Page::new(
        "Two results beside each other",
        "Intervals hold the true number with 95 %.",
    );
    if !comparison.differences.is_empty() {
        page.banner(
            Standing::Open,
            "Compared by force: what should be alike differs",
            &comparison.differences,
        );
    }
    page.facts(&[("A", side(&comparison.a)), ("B", side(&comparison.b))]);
    let columns = [
        Column::text("Number"),
        Column::number("A"),
        Column::number("B"),
        Column::number("B to A"),
        Column::text("Finding"),
    ];
    let mut table = Table::new(columns);
    for row in &comparison.rows {
        table.row([
            Cell::from(row.what.as_str()),
            Cell::from(told(row.a, row.unit)),
            Cell::from(told(row.b, row.unit)),
            Cell::from(change(row)),
            Cell::from(finding(row.finding)),
        ]);
    }
    page.section("Numbers").table(&table).list(&comparison.notes);
    page.finish()
}

fn side(side: &Side) -> String {
    format!(
        "{}, Trestle {}, {} replicas, {:.0} s",
        side.began, side.trestle, side.replicas, side.seconds
    )
}
