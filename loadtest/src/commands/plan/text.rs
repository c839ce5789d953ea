//! The plan in words, for the page and the screen.

use std::fmt::Write as _;

use super::Plan;
use super::check::{Check, RESOLUTION, WITHIN, difference};
use super::demand::Demand;
use super::mix::{Shop, VISIT};
use super::tiers::Tiers;
use crate::report::number::{count, fixed, float, percent, percent_of, plain, quantity};
use crate::report::screen::Columns;
use crate::result::{Audit, Caches};

/// Cores of what.
pub fn unit(plan: &Plan) -> &'static str {
    if plan.wanted.vcpu_ratio.is_some() {
        "vCPUs"
    } else {
        "cores of this machine"
    }
}

/// The answer, a sentence each.
pub fn answer(plan: &Plan) -> Vec<String> {
    let (wanted, answer) = (&plan.wanted, &plan.answer);
    let cores = if wanted.vcpu_ratio.is_some() {
        "vCPUs"
    } else {
        "cores"
    };
    let target = percent(1.0 - wanted.headroom);
    let mut said = vec![
        format!(
            "{} shoppers with the {} mix and {} s think time: {} interactions/s.",
            quantity(wanted.shoppers),
            plan.mix.name(),
            plain(wanted.think_s),
            quantity(answer.arrivals)
        ),
        format!(
            "API: {} {cores} in use, so {} of {} {cores} used to {target}, and 1 to spare: {}. With one lost, {} stay free.",
            quantity(answer.cores.api),
            replicas(answer.replicas),
            plain(wanted.replica_cores),
            answer.with_spare,
            percent(wanted.headroom)
        ),
        format!(
            "nginx: {} {cores} in use, {} to have. Redis: {} in use, {} to have. Database: {} in use, {} to have.",
            quantity(answer.cores.nginx),
            quantity(answer.provided.nginx),
            quantity(answer.cores.redis),
            quantity(answer.provided.redis),
            quantity(answer.cores.database),
            quantity(answer.provided.database)
        ),
        connections(plan),
    ];
    if answer.cores.redis > 1.0 - wanted.headroom {
        said.push("Redis computes on one thread: one server of this speed is too little.".to_owned());
    }
    said
}

fn replicas(count: u32) -> String {
    if count == 1 {
        "1 replica".to_owned()
    } else {
        format!("{count} replicas")
    }
}

fn connections(plan: &Plan) -> String {
    let answer = &plan.answer;
    let allowed = format!(
        "Connections to the database: {} replicas may open {} each, {} in all, which the database has to allow",
        answer.with_spare,
        plan.wanted.pool,
        count(u64::from(answer.connections))
    );
    match (answer.busy_connections, answer.needed_pool) {
        (Some(busy), Some(needed)) => {
            let enough = if needed <= plan.wanted.pool {
                "enough"
            } else {
                "TOO FEW: raise TRESTLE_DATABASE_CONNECTIONS"
            };
            format!(
                "{allowed}. {} execute a statement at a time (Little's law); a replica needs {needed}: {enough}.",
                quantity(busy)
            )
        }
        _ => format!(
            "{allowed}. How many are used at a time is not known: the replicas' metrics cannot be read."
        ),
    }
}

/// What the answer rests on.
pub fn assumptions(plan: &Plan) -> Vec<String> {
    let speed = plan.wanted.vcpu_ratio.map_or_else(
        || {
            "Cores are those of this machine. Others differ: run `calibrate` there, and give its ratio as --vcpu-ratio.".to_owned()
        },
        |ratio| {
            format!(
                "A vCPU there is taken to be {} times as fast as a core here in everything that a tier does (--vcpu-ratio); waiting, \
                 for disks and networks, is taken to be the same.",
                plain(ratio)
            )
        },
    );
    let caches = plan.check.as_ref().and_then(|check| hits(check.caches));
    vec![
        speed,
        format!(
            "CPU grows with arrivals along a straight line, from what the mix used at {} interactions/s up to the headroom, not near \
             saturation; below that it is in proportion.",
            quantity(plan.shop.mix.rate)
        ),
        format!(
            "Visits have {} interactions on average; for one interaction there are {} logins and new accounts, a password hash each.",
            fixed(VISIT, 0),
            quantity(plan.hashes)
        ),
        format!(
            "Hit rates stay as they are: {}. They depend on the popularity of the goods (Zipf, exponent 0.8), on their number ({}), and on \
             the rate: each replica has a memory cache of its own, which more replicas share less.",
            caches.unwrap_or_else(|| "not measured in a mix".to_owned()),
            count(plan.conditions.products)
        ),
        "Buy Confirm on top fills its cart itself; where the mix has filled it before, a Shopping Cart is taken off again.".to_owned(),
        "Time of statements is that of a database that is hardly busy, without what a transaction waits between two of them.".to_owned(),
        format!(
            "The data set stays as large; orders and accounts of {} interactions/s make it grow.",
            quantity(plan.answer.arrivals)
        ),
        "TLS, where it is, ends before nginx. Memory, disks and networks are not planned.".to_owned(),
    ]
}

pub fn hits(caches: Caches) -> Option<String> {
    let reads = caches.memory + caches.redis + caches.database;
    (reads > 0).then(|| {
        format!(
            "memory {}, Redis {}, database {}",
            percent_of(caches.memory, reads),
            percent_of(caches.redis, reads),
            percent_of(caches.database, reads)
        )
    })
}

/// What is known of the prediction, in a line.
pub fn verdict(plan: &Plan) -> String {
    match &plan.check {
        None => "Not checked: no run of the mix was held against the prediction".to_owned(),
        Some(check) if check.holds => {
            "Holds: in a run of the mix, CPU of each tier was as predicted, within 15 %".to_owned()
        }
        Some(_) => "Does not hold: in a run of the mix, CPU was not as predicted".to_owned(),
    }
}

/// What does not hold, a line each.
pub fn reasons(plan: &Plan) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(check) = &plan.check {
        let broken = check.verdicts.iter().filter(|it| !it.holds);
        reasons.extend(broken.map(|it| format!("{}: {}, predicted {}", it.what, it.found, it.limit)));
    }
    reasons.extend(plan.verification.violations.iter().cloned());
    match &plan.audit {
        Some(Audit::Failed(said)) => reasons.push(format!("audit: {said}")),
        Some(Audit::NotRun(why)) => reasons.push(format!("the audit could not run: {why}")),
        Some(Audit::Passed(_)) | None => {}
    }
    reasons
}

/// The check's load and what else was found in it.
pub fn check(shop: &Shop, check: &Check) -> Vec<String> {
    let mut said = vec![
        format!(
            "{} shoppers, think time {} s, {} s in {} parts: {} interactions/s. The machine was {} busy.",
            check.shoppers,
            quantity(check.think_s),
            fixed(check.seconds, 0),
            check.parts,
            quantity(check.rate),
            percent(check.host_busy)
        ),
        format!(
            "Logins and new accounts: {}/s counted, which is what the prediction was made of; {}/s by the model of visits.",
            quantity(check.hashes),
            quantity(check.hashes_by_model)
        ),
        format!(
            "Around each part the mix at {} interactions/s was run: it took {} times as much CPU as while the costs were measured (median). So much \
             slower or faster is the machine now, and the prediction is for that.",
            quantity(shop.mix.rate),
            fixed(check.slower, 2)
        ),
        format!(
            "A tier holds within {} of its prediction, or within {} cores, which such a run does not tell apart.",
            percent(WITHIN),
            plain(RESOLUTION)
        ),
    ];
    if let (Some(predicted), Some(measured)) = (check.statements_predicted, check.statements_measured) {
        said.push(format!(
            "Connections that executed a statement: {} predicted, {} measured ({}).",
            quantity(predicted),
            quantity(measured),
            difference(predicted, measured)
        ));
    }
    if check.trouble > 0.0 {
        said.push(format!(
            "{} of the interactions failed or were refused.",
            percent(check.trouble)
        ));
    }
    said
}

/// Slopes that were below 0, a line.
pub fn cut(demands: &[Demand]) -> Option<String> {
    let cut: Vec<String> = demands
        .iter()
        .filter(|it| !it.cut.is_empty())
        .map(|it| format!("{} ({})", it.interaction.label(), it.cut.join(", ")))
        .collect();
    (!cut.is_empty()).then(|| {
        format!(
            "Taken as 0, because not more was used with it (too little to be told from noise): {}.",
            cut.join("; ")
        )
    })
}

/// For the terminal.
pub fn summary(plan: &Plan) -> String {
    let mut text = String::new();
    let mut columns = Columns::new([
        "interaction, CPU in us",
        "nginx",
        "API",
        "Redis",
        "database",
        "more/s",
    ]);
    for demand in &plan.shop.demands {
        columns.row(cells(
            demand.interaction.label(),
            demand.cpu,
            &quantity(demand.rate()),
        ));
    }
    columns.row(cells("the mix", of_the_mix(plan), ""));
    text.push_str(&columns.lines());
    if let Some(cut) = cut(&plan.shop.demands) {
        let _ = writeln!(text, "{cut}");
    }
    if let Some(found) = &plan.check {
        let mut columns = Columns::new(["check, cores", "predicted", "measured", "difference", ""]);
        let pairs = found.predicted.array().into_iter().zip(found.measured.array());
        for ((name, (predicted, measured)), verdict) in
            Tiers::NAMES.into_iter().zip(pairs).zip(&found.verdicts)
        {
            columns.row([
                name.to_owned(),
                fixed(predicted, 3),
                fixed(measured, 3),
                difference(predicted, measured),
                if verdict.holds { "" } else { "NO" }.to_owned(),
            ]);
        }
        let _ = write!(text, "\n{}", columns.lines());
        for line in check(&plan.shop, found) {
            let _ = writeln!(text, "{line}");
        }
    }
    for note in &plan.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let _ = writeln!(text, "\n{}", answer(plan).join("\n"));
    let _ = writeln!(text, "In {}; report.html has the assumptions.", unit(plan));
    for reason in reasons(plan) {
        let _ = writeln!(text, "BROKEN: {reason}");
    }
    text
}

/// CPU seconds for one interaction of the mix, at the planned arrivals.
pub fn of_the_mix(plan: &Plan) -> Tiers {
    plan.needs.cores.times(1.0 / plan.answer.arrivals)
}

fn cells(name: &str, cpu: Tiers, rates: &str) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    cells.extend(cpu.array().map(micros));
    cells.push(rates.to_owned());
    cells
}

pub fn micros(seconds: f64) -> String {
    fixed(seconds * 1e6, 0)
}

/// Percent of the mix.
pub fn share(plan: &Plan, demand: &Demand) -> String {
    let weights = plan.mix.weights();
    let weight = weights.get(demand.interaction.index()).copied();
    weight.map_or_else(
        || "as counted".to_owned(),
        |weight| fixed(float(u64::from(weight)) / 100.0, 2),
    )
}
