//! The page's tables.

use super::analysis::Count;
use super::calibrate::Step;
use super::check::Check;
use super::result::ScaleOutResult;
use super::words::estimate;
use crate::report::number::{count, fixed, maybe, percent, quantity};
use crate::report::table::{Cell, Column, Table, Tone};
use crate::stats::bootstrap::{Estimate, Interval};
use crate::stats::usl::UslFit;

pub fn capacity(result: &ScaleOutResult) -> Table {
    let mut table = Table::new([
        Column::number("Replicas"),
        Column::number("Rounds used"),
        Column::number("Interactions/s, median (95 %)"),
        Column::number("Efficiency (95 %)"),
        Column::number("Answers for a CPU second"),
        Column::number("that, N against 1 (95 %)"),
        Column::number("Quota used"),
        Column::number("Refused"),
        Column::number("Failed"),
    ]);
    for one in &result.analysis.counts {
        table.row(capacity_row(one));
    }
    table
}

fn capacity_row(one: &Count) -> Vec<Cell> {
    let said = |it: Option<Estimate>, say: fn(f64) -> String| {
        it.map_or_else(|| "-".to_owned(), |it| estimate(&it, say)).into()
    };
    let trouble = |value: u64| Cell::new(count(value), if value > 0 { Tone::Bad } else { Tone::Plain });
    let ratio = |value: f64| fixed(value, 3);
    vec![
        one.replicas.to_string().into(),
        one.rounds.to_string().into(),
        said(one.throughput, quantity),
        match (one.rounds, one.limited_elsewhere) {
            (0, _) => Cell::new("no probe used", Tone::Bad),
            (_, true) => Cell::new("limited elsewhere", Tone::Bad),
            _ => said(one.efficiency.filter(|_| one.replicas > 1), percent),
        },
        maybe(one.answers_per_cpu_second).into(),
        said(one.answers_against_one.filter(|_| one.replicas > 1), ratio),
        one.quota_used.map_or_else(|| "-".to_owned(), percent).into(),
        trouble(one.shed),
        trouble(one.failed),
    ]
}

/// CPU by tier: medians of the used probes.
pub fn cpu(result: &ScaleOutResult) -> Table {
    let mut table = Table::new([
        Column::number("Replicas"),
        Column::number("API cores"),
        Column::number("nginx cores"),
        Column::number("Database cores"),
        Column::number("Redis cores"),
        Column::number("Generator cores"),
        Column::number("All of these, of the host"),
        Column::number("Host busy"),
        Column::number("Stolen"),
    ]);
    let cores = super::probe::number(result.conditions.machine.cores);
    for one in &result.analysis.counts {
        let cpu = one.cpu;
        let tiers = [cpu.api, cpu.nginx, cpu.database, cpu.redis, cpu.generator].map(|it| fixed(it, 3));
        let shares = [cpu.all() / cores, cpu.host, cpu.steal].map(percent);
        let cells = std::iter::once(one.replicas.to_string())
            .chain(tiers)
            .chain(shares);
        table.row(cells.map(Cell::from));
    }
    table
}

pub fn limiting(result: &ScaleOutResult) -> Table {
    let mut table = Table::new([
        Column::text("Tier"),
        Column::number("May use, cores"),
        Column::number("Uses of that"),
    ]);
    for share in &result.limiting.shares {
        table.row([
            share.tier.name().into(),
            quantity(share.allowed).into(),
            percent(share.used).into(),
        ]);
    }
    table
}

pub fn law(fit: &UslFit) -> Table {
    let mut table = Table::new([
        Column::text("Parameter"),
        Column::number("Value"),
        Column::number("95 % interval"),
        Column::text("What it is"),
    ]);
    let parameters = [
        ("g", fit.law.g, fit.g, 1, "interactions/s of one replica"),
        (
            "a",
            fit.law.a,
            fit.a,
            4,
            "contention: the share that does not run side by side",
        ),
        (
            "b",
            fit.law.b,
            fit.b,
            5,
            "coherency: the cost of keeping each pair in step",
        ),
    ];
    for (name, value, interval, decimals, what) in parameters {
        let interval = interval.map_or_else(
            || "-".to_owned(),
            |Interval { low, high }| format!("{} to {}", fixed(low, decimals), fixed(high, decimals)),
        );
        table.row([
            name.into(),
            fixed(value, decimals).into(),
            interval.into(),
            what.into(),
        ]);
    }
    table
}

pub fn checks(result: &ScaleOutResult) -> Table {
    let mut table = Table::new([
        Column::number("Replicas"),
        Column::number("Interactions/s arriving"),
        Column::number("Completed"),
        Column::text("Limits hold"),
        Column::text("Found"),
    ]);
    let row = |check: &Check| {
        let found: Vec<String> = check
            .limits
            .iter()
            .map(|it| format!("{}: {}", it.what, it.found))
            .collect();
        [
            check.replicas.to_string().into(),
            quantity(check.rate).into(),
            count(check.completed).into(),
            if check.is_valid() {
                Cell::holds(check.holds())
            } else {
                Cell::new("invalid", Tone::Faint)
            },
            Cell::new(found.join("\n"), Tone::Faint),
        ]
    };
    for check in &result.checks {
        table.row(row(check));
    }
    table
}

pub fn calibration(result: &ScaleOutResult) -> Table {
    let mut table = Table::new([
        Column::number("Calibration"),
        Column::number("Quota, of a core"),
        Column::number("Interactions/s"),
        Column::number("Quota used"),
        Column::number("All tiers and generator, of the host"),
        Column::number("Host busy"),
    ]);
    let row = |(number, step): (usize, &Step)| {
        [
            (number + 1).to_string(),
            percent(step.quota),
            quantity(step.probe.throughput),
            step.probe.quota_used().map_or_else(|| "-".to_owned(), percent),
            percent(step.used),
            percent(step.probe.cpu.host),
        ]
    };
    for step in result.calibration.iter().enumerate() {
        table.row(row(step).map(Cell::from));
    }
    table
}

/// Throughput by round and count; what is not used is faint.
pub fn rounds(result: &ScaleOutResult) -> Table {
    let counts = &result.setup.replicas;
    let heads = counts
        .iter()
        .map(|replicas| Column::number(format!("N={replicas}")));
    let mut table = Table::new(std::iter::once(Column::number("Round")).chain(heads));
    for round in 1..=result.setup.rounds {
        let cell = |replicas: &usize| {
            let probe = result
                .probes
                .iter()
                .find(|it| it.round == round && it.replicas == *replicas);
            probe.map_or_else(
                || Cell::from("-"),
                |probe| {
                    let said = quantity(probe.throughput);
                    if result.analysis.uses(probe) {
                        said.into()
                    } else {
                        Cell::new(format!("({said})"), Tone::Faint)
                    }
                },
            )
        };
        table.row(std::iter::once(round.to_string().into()).chain(counts.iter().map(cell)));
    }
    table
}
