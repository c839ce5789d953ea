//! The summary on the screen.

use std::fmt::Write as _;

use super::result::ScaleOutResult;
use super::words::{estimate, findings, verdict};
use crate::report::number::{count, fixed, maybe, percent, quantity};
use crate::report::screen::Columns;
use crate::stats::bootstrap::Estimate;

/// What a run came to, for the terminal.
pub fn summary(result: &ScaleOutResult) -> String {
    let said = |it: Option<Estimate>, say: fn(f64) -> String| {
        it.map_or_else(|| "-".to_owned(), |it| estimate(&it, say))
    };
    let mut columns = Columns::new([
        "replicas",
        "interactions/s (95 %)",
        "efficiency (95 %)",
        "answers/CPU s",
        "N against 1",
        "quota used",
        "host busy",
        "90 % check",
        "",
    ]);
    for one in &result.analysis.counts {
        let check = result.checks.iter().find(|it| it.replicas == one.replicas);
        columns.row([
            one.replicas.to_string(),
            said(one.throughput, quantity),
            said(one.efficiency.filter(|_| one.replicas > 1), percent),
            maybe(one.answers_per_cpu_second),
            one.answers_against_one
                .map_or_else(|| "-".to_owned(), |it| fixed(it.value, 3)),
            one.quota_used.map_or_else(|| "-".to_owned(), percent),
            percent(one.cpu.host),
            check
                .map_or("-", |it| if it.holds() { "holds" } else { "over" })
                .to_owned(),
            if one.limited_elsewhere {
                "limited elsewhere"
            } else {
                ""
            }
            .to_owned(),
        ]);
    }
    let mut text = format!("\n{}\n", columns.lines());
    if let Some(fit) = &result.analysis.usl {
        let _ = writeln!(
            text,
            "Universal Scalability Law: g {}, a {}, b {}",
            quantity(fit.law.g),
            fixed(fit.law.a, 4),
            fixed(fit.law.b, 5)
        );
    }
    if let Some(why) = &result.analysis.no_fit {
        let _ = writeln!(text, "no fit: {why}");
    }
    for found in findings(result) {
        let _ = writeln!(text, "{found}");
    }
    let _ = writeln!(text, "limits: {}", result.limiting.why);
    for note in &result.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let found = &result.verification;
    let _ = writeln!(
        text,
        "afterwards: {} orders and {} carts of {} shoppers asked for, {} violations",
        count(found.orders),
        count(found.carts),
        count(found.owners),
        count(found.violations.len() as u64)
    );
    for reason in &result.reasons {
        let _ = writeln!(text, "BROKEN: {reason}");
    }
    let _ = writeln!(text, "{}", verdict(result.outcome));
    text
}
