//! A comparison in words, on the screen.

use std::fmt;

use crate::report::screen::Columns;

use super::{Bounded, Comparison, Finding, Row, Side, Unit};

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(out, "A", &self.a)?;
        head(out, "B", &self.b)?;
        for difference in &self.differences {
            writeln!(out, "differs although it should not (A / B): {difference}")?;
        }
        let mut columns = Columns::new(HEADINGS);
        for row in &self.rows {
            columns.row(cells(row));
        }
        writeln!(out, "\n{}", columns.lines())?;
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }
}

pub const HEADINGS: [&str; 5] = ["95 % intervals", "A", "B", "B to A", "finding"];

/// One number in the columns of [`HEADINGS`].
pub fn cells(row: &Row) -> [String; 5] {
    [
        row.what.clone(),
        told(row.a, row.unit),
        told(row.b, row.unit),
        change(row),
        finding(row.finding).to_owned(),
    ]
}

fn head(out: &mut fmt::Formatter<'_>, name: &str, side: &Side) -> fmt::Result {
    writeln!(out, "{name}: {}", told_side(side))
}

/// One run on one line.
pub fn told_side(side: &Side) -> String {
    let Side {
        folder,
        began,
        trestle,
        replicas,
        seconds,
        ..
    } = side;
    let version = if trestle.is_empty() {
        "of unknown version"
    } else {
        trestle
    };
    format!("{folder}: {began}, Trestle {version}, replicas: {replicas}, {seconds:.0} s")
}

fn finding(of: Finding) -> &'static str {
    match of {
        Finding::Higher => "B is higher",
        Finding::Lower => "B is lower",
        Finding::NoDifferenceShown => "no difference shown",
        Finding::NotKnown => "not known: too few samples",
    }
}

fn told(interval: Option<Bounded>, unit: Unit) -> String {
    let Some(Bounded { value, low, high }) = interval else {
        return "-".to_owned();
    };
    match unit {
        Unit::PerSecond => format!("{value:.1}/s ({low:.1}..{high:.1})"),
        Unit::Milliseconds => format!("{value:.1} ms ({low:.1}..{high:.1})"),
        Unit::Share => format!("{:.2} % ({:.2}..{:.2})", 100.0 * value, 100.0 * low, 100.0 * high),
    }
}

fn change(row: &Row) -> String {
    let Some(Bounded { value, low, high }) = row.change else {
        return "-".to_owned();
    };
    match row.unit {
        Unit::PerSecond | Unit::Milliseconds => format!("x {value:.3} ({low:.3}..{high:.3})"),
        Unit::Share => format!(
            "{:+.2} points ({:+.2}..{:+.2})",
            100.0 * value,
            100.0 * low,
            100.0 * high
        ),
    }
}
