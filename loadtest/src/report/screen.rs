//! Summaries for the terminal: plain text, aligned, no colour.

use std::fmt::Write as _;

use super::number::{bytes, count, float, maybe, percent, quantity};
use super::run::words;
use crate::result::{Audit, Outcome, RunResult};

/// Rows of text in columns; the first column to the left, the others to the right.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    rows: Vec<Vec<String>>,
}

impl Columns {
    pub fn new<T: Into<String>>(headings: impl IntoIterator<Item = T>) -> Self {
        let mut columns = Self::default();
        columns.row(headings);
        columns
    }

    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) -> &mut Self {
        self.rows.push(cells.into_iter().map(Into::into).collect());
        self
    }

    /// Lines, each ended.
    pub fn lines(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            for (place, cell) in row.iter().enumerate() {
                let width = cell.chars().count();
                match widths.get_mut(place) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::from(" ");
            for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = if place == 0 {
                    write!(line, " {cell:<width$}")
                } else {
                    write!(line, "  {cell:>width$}")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// What a run came to, for the terminal. The last line is the outcome.
pub fn run_summary(result: &RunResult) -> String {
    let measured = &result.measured;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} against {}",
        words::load(&result.load),
        result.conditions.url
    );
    let mut totals = Columns::default();
    let rate = |value| words::per_second(value, measured.seconds);
    totals.row([
        "interactions",
        &count(measured.completed),
        &rate(measured.completed),
    ]);
    totals.row(["offered", &count(measured.offered), &rate(measured.offered)]);
    totals.row(["orders", &count(measured.orders), &rate(measured.orders)]);
    totals.row(["failed", &count(measured.failed), ""]);
    totals.row(["refused", &count(measured.shed), ""]);
    text.push_str(&totals.lines());
    let mut columns = Columns::new(["interaction", "good", "errors", "p50 ms", "p99 ms", "limit", ""]);
    for one in &measured.interactions {
        let limit = result.response.of(one.interaction.class());
        let over = one.p99.is_some_and(|p99| p99 > float(limit));
        columns.row([
            one.interaction.label(),
            &count(one.count),
            &count(one.errors),
            &maybe(one.p50),
            &maybe(one.p99),
            &count(limit),
            if over { "over" } else { "" },
        ]);
    }
    let _ = write!(text, "\n{}\n", columns.lines());
    if let Some(caches) = words::caches(result) {
        let _ = writeln!(text, "caches: {caches}");
    }
    let _ = writeln!(
        text,
        "generator: lag p99 {} ms, CPU {} of a core, {} sent, {}",
        quantity(float(measured.client.lag_p99_us) / 1_000.0),
        percent(measured.client.cpu),
        percent(measured.client.sent),
        bytes(measured.client.memory)
    );
    promises(&mut text, result);
    remarks(&mut text, result);
    text
}

/// Errors, notes, what does not hold, and the outcome.
pub(crate) fn remarks(text: &mut String, result: &RunResult) {
    for class in &result.measured.errors {
        let _ = writeln!(text, "error: {} x {}", count(class.count), class.class);
    }
    for note in &result.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let mark = if result.outcome == Outcome::Passed {
        "note"
    } else {
        "BROKEN"
    };
    for reason in words::reasons(result) {
        let _ = writeln!(text, "{mark}: {reason}");
    }
    let _ = writeln!(text, "{}", words::outcome(result.outcome));
}

/// What was written, and whether it was still so afterwards.
pub(crate) fn promises(text: &mut String, result: &RunResult) {
    let journal = result.measured.journal;
    let _ = writeln!(
        text,
        "writes: {} acknowledged, {} refused, {} unknown",
        count(journal.acknowledged),
        count(journal.refused),
        count(journal.unknown)
    );
    let verified = result.verification.as_ref().map_or_else(
        || "the shop was not asked".to_owned(),
        |found| {
            format!(
                "{} orders and {} carts of {} shoppers asked for",
                count(found.orders),
                count(found.carts),
                count(found.owners)
            )
        },
    );
    let audited = match &result.audit {
        Some(Audit::Passed(said)) => format!("audit passed: {said}"),
        Some(Audit::Failed(_)) => "audit FAILED".to_owned(),
        Some(Audit::NotRun(_)) | None => "not audited".to_owned(),
    };
    let _ = writeln!(text, "afterwards: {verified}; {audited}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut columns = Columns::new(["name", "ms"]);
        columns.row(["a long name", "1"]).row(["b", "1,000"]);
        assert_eq!(
            columns.lines(),
            "  name            ms\n  a long name      1\n  b            1,000\n"
        );
    }
}
