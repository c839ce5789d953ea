//! A comparison on the screen.

use std::fmt;

use super::{Comparison, Finding, Interval, Row, Side, Unit};

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(out, "A", &self.a)?;
        head(out, "B", &self.b)?;
        for difference in &self.differences {
            writeln!(out, "differs although it should not (A / B): {difference}")?;
        }
        writeln!(
            out,
            "\n{:<26} {:>24} {:>24}  {:<32} finding",
            "95 % intervals", "A", "B", "B to A"
        )?;
        for row in &self.rows {
            writeln!(
                out,
                "{:<26} {:>24} {:>24}  {:<32} {}",
                row.what,
                told(row.a, row.unit),
                told(row.b, row.unit),
                change(row),
                finding(row.finding)
            )?;
        }
        writeln!(out)?;
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }
}

fn head(out: &mut fmt::Formatter<'_>, name: &str, side: &Side) -> fmt::Result {
    let Side {
        began,
        trestle,
        replicas,
        seconds,
        ..
    } = side;
    writeln!(
        out,
        "{name}: {began}, Trestle {trestle}, {replicas} replicas, {seconds:.0} s"
    )
}

pub(super) fn finding(of: Finding) -> &'static str {
    match of {
        Finding::Higher => "B is higher",
        Finding::Lower => "B is lower",
        Finding::NoDifferenceShown => "no difference shown",
        Finding::NotKnown => "not known: too few samples",
    }
}

pub(super) fn told(interval: Option<Interval>, unit: Unit) -> String {
    let Some(Interval { value, low, high }) = interval else {
        return "-".to_owned();
    };
    match unit {
        Unit::PerSecond => format!("{value:.1}/s ({low:.1}..{high:.1})"),
        Unit::Milliseconds => format!("{value:.1} ms ({low:.1}..{high:.1})"),
        Unit::Share => format!("{:.2} % ({:.2}..{:.2})", 100.0 * value, 100.0 * low, 100.0 * high),
    }
}

pub(super) fn change(row: &Row) -> String {
    let Some(Interval { value, low, high }) = row.change else {
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
