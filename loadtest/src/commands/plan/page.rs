//! The plan as a page: the answer on top, then what it was made of.

use super::demand::Demand;
use super::mix::Frequencies;
use super::tiers::Tiers;
use super::{Plan, check, text};
use crate::report::chart::{Bars, Group};
use crate::report::number::{fixed, percent, plain, quantity};
use crate::report::page::{Page, Standing};
use crate::report::run::words;
use crate::report::table::{Cell, Column, Table, Tone};

/// The whole page.
pub fn page(plan: &Plan) -> String {
    let mut page = Page::new(
        "Capacity plan",
        &format!(
            "{} shoppers, {} mix; in {}",
            quantity(plan.wanted.shoppers),
            plan.mix.name(),
            text::unit(plan)
        ),
    );
    let standing = match (plan.holds(), &plan.check) {
        (false, _) => Standing::Bad,
        (true, None) => Standing::Open,
        (true, Some(_)) => Standing::Good,
    };
    page.list(&text::answer(plan));
    page.banner(standing, &text::verdict(plan), &text::reasons(plan));
    page.section("The size").table(&size(plan));
    checked(&mut page, plan);
    demands(&mut page, plan);
    page.section("Assumptions").list(&text::assumptions(plan));
    if !plan.notes.is_empty() {
        page.section("Notes").list(&plan.notes);
    }
    let mut facts = words::environment(&plan.conditions);
    facts.push(("Began", words::when(&plan.began)));
    page.section("Where it was measured").facts(&facts);
    page.finish()
}

fn size(plan: &Plan) -> Table {
    let answer = &plan.answer;
    let mut table = Table::new([
        Column::text("Tier"),
        Column::number(format!("In use ({})", text::unit(plan))),
        Column::number(format!("To have ({})", text::unit(plan))),
        Column::text("As"),
    ]);
    let replicas = format!(
        "{} + 1 replicas of {}",
        answer.replicas,
        plain(plan.wanted.replica_cores)
    );
    let rows = answer.cores.array().into_iter().zip(answer.provided.array());
    for (name, (used, provided)) in Tiers::NAMES.into_iter().zip(rows) {
        let how = if name == "API" {
            replicas.clone()
        } else {
            format!("used to {}", percent(1.0 - plan.wanted.headroom))
        };
        table.row([
            name.into(),
            fixed(used, 3).into(),
            fixed(provided, 3).into(),
            how.into(),
        ]);
    }
    table
}

fn checked(page: &mut Page, plan: &Plan) {
    let Some(found) = &plan.check else { return };
    page.section("Predicted and measured in a run of the mix");
    let mut table = Table::new([
        Column::text("Tier"),
        Column::number("Predicted (cores)"),
        Column::number("Measured (cores)"),
        Column::number("Difference"),
        Column::text("Holds"),
    ]);
    let mut groups = Vec::new();
    let pairs = found.predicted.array().into_iter().zip(found.measured.array());
    for ((name, (predicted, measured)), verdict) in Tiers::NAMES.into_iter().zip(pairs).zip(&found.verdicts) {
        table.row([
            name.into(),
            fixed(predicted, 3).into(),
            fixed(measured, 3).into(),
            check::difference(predicted, measured).into(),
            Cell::holds(verdict.holds),
        ]);
        groups.push(Group::new(name, [predicted, measured]));
    }
    page.table(&table);
    page.figure(
        &Bars {
            title: "CPU by tier in a run of the mix".to_owned(),
            axis: "Cores of this machine".to_owned(),
            series: vec!["predicted".to_owned(), "measured".to_owned()],
            groups,
        },
        "What is used without shoppers is in both.",
    );
    page.list(&text::check(&plan.shop, found));
}

fn demands(page: &mut Page, plan: &Plan) {
    page.section("What one interaction costs").text(
        &format!(
            "24 shoppers with sessions did the mix at {} interactions/s, and then the mix and one more of a kind, in rounds of which the median \
             counts. What was used more for each one more is what one costs, in microseconds of CPU of this machine. Of logins and new accounts \
             the mix had none.",
            quantity(plan.shop.mix.rate)
        ),
    );
    page.table(&table(plan));
    if let Some(cut) = text::cut(&plan.shop.demands) {
        page.note(&cut);
    }
    page.note(&format!(
        "Without any shopper, in cores: {}.",
        Tiers::NAMES
            .into_iter()
            .zip(plan.shop.idle.cores.array())
            .map(|(name, cores)| format!("{name} {}", fixed(cores, 4)))
            .collect::<Vec<_>>()
            .join(", ")
    ));
    page.figure(
        &Bars {
            title: format!(
                "What each has of the CPU at {} interactions/s",
                quantity(plan.answer.arrivals)
            ),
            axis: "Hundredths of a core of this machine".to_owned(),
            series: Tiers::NAMES.map(str::to_owned).to_vec(),
            groups: shares(plan),
        },
        "By how often it comes in the mix; without what is used without any shopper.",
    );
}

fn table(plan: &Plan) -> Table {
    let mut table = Table::new([
        Column::text("Interaction"),
        Column::number("Mix %"),
        Column::number("nginx us"),
        Column::number("API us"),
        Column::number("Redis us"),
        Column::number("database us"),
        Column::number("statements us"),
        Column::number("response ms"),
        Column::number("more /s"),
    ]);
    for demand in &plan.shop.demands {
        let mut row: Vec<Cell> = vec![
            demand.interaction.label().into(),
            text::share(plan, demand).into(),
        ];
        let tiers = Tiers::NAMES.into_iter().zip(demand.cpu.array());
        row.extend(tiers.map(|(name, seconds)| {
            let is_cut = demand.cut.iter().any(|it| it == name);
            Cell::new(
                text::micros(seconds),
                if is_cut { Tone::Faint } else { Tone::Plain },
            )
        }));
        row.push(
            demand
                .statements
                .map_or_else(|| "-".to_owned(), text::micros)
                .into(),
        );
        row.push(fixed(demand.response_ms, 2).into());
        row.push(quantity(demand.rate()).into());
        table.row(row);
    }
    let mut mix: Vec<Cell> = vec!["The mix".into(), "".into()];
    mix.extend(
        text::of_the_mix(plan)
            .array()
            .map(|it| Cell::from(text::micros(it))),
    );
    let busy = plan.needs.busy_connections;
    let each = busy.map(|it| it / plan.answer.arrivals);
    mix.push(each.map_or_else(|| "-".to_owned(), text::micros).into());
    table.row(mix);
    table
}

/// A group for each interaction, a bar for each tier: hundredths of a core at the planned arrivals.
fn shares(plan: &Plan) -> Vec<Group> {
    let frequencies = Frequencies::of(plan.mix);
    let group = |demand: &Demand| {
        let rate = plan.answer.arrivals * frequencies.each[demand.interaction.index()];
        Group::new(demand.interaction.label(), demand.cpu.times(100.0 * rate).array())
    };
    plan.shop.demands.iter().map(group).collect()
}
