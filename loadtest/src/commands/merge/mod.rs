//! Results of several generators that ran at the same time (`run --start-at`), as one.

mod measured;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::commands::common::ended;
use crate::commands::compare::{Failure, read};
use crate::load::{Load, Model};
use crate::report::folder::Folder;
use crate::report::run::{run_csv, run_page};
use crate::report::screen;
use crate::result::{Audit, RunResult, Verification, mix_shares};
use crate::verdict::{self, Limits};

/// Measuring began within it of each other: the time lines are added second by second.
const TOGETHER: Duration = Duration::seconds(1);

/// One result from those of several generators that ran at the same time
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The generators' result folders
    #[arg(required = true, num_args = 2..)]
    pub folders: Vec<PathBuf>,
    /// The folder for the whole
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    #[command(flatten)]
    pub limits: Limits,
}

/// Reads the folders, merges them and writes a folder as `run` does; `judge` sets what follows from the numbers: limits,
/// validity, outcome.
///
/// # Errors
/// [`Failure::Refused`] when they did not put one load on one shop at the same time.
pub fn command(args: &Args, judge: impl FnOnce(&mut RunResult)) -> Result<(RunResult, Folder), Failure> {
    let parts = args
        .folders
        .iter()
        .map(|folder| read(folder))
        .collect::<Result<Vec<_>>>()?;
    let merged = merge(&parts, judge)?;
    let folder = Folder::create(Some(args.output.clone()), "merge")?;
    folder.write_json("result.json", &merged)?;
    folder.write("report.html", run_page(&merged))?;
    for (name, content) in run_csv(&merged)? {
        folder.write(name, content)?;
    }
    Ok((merged, folder))
}

/// Merges, holds the whole to the limits, and says how it ended.
///
/// # Errors
/// [`crate::usage::Usage`] when they did not put one load on one shop at the same time.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (whole, folder) = command(args, |whole| judge(&args.limits, whole)).map_err(Failure::told)?;
    print!("{}", screen::run_summary(&whole));
    Ok(ended(whole.outcome, &folder))
}

/// What follows from the numbers of the whole.
fn judge(limits: &Limits, whole: &mut RunResult) {
    // Its histograms were just written, so they can be read.
    whole.limits = verdict::limits(limits, &whole.load.model, &whole.measured).unwrap_or_default();
    whole.validity = verdict::validity(&whole.load.model, &whole.measured);
    whole.response = limits.response();
    let verification = whole.verification.as_ref();
    whole.outcome = verdict::outcome(
        &whole.limits,
        &whole.validity,
        verification,
        whole.audit.as_ref(),
        true,
    );
}

/// Counts, histograms and time lines are added. Of what cannot be added the worst counts: how late the generators were, what they
/// used, how much of what was due they sent.
///
/// # Errors
/// [`Failure::Refused`] when they did not put one load on one shop at the same time.
pub fn merge(parts: &[RunResult], judge: impl FnOnce(&mut RunResult)) -> Result<RunResult, Failure> {
    let Some((first, others)) = parts.split_first() else {
        return Err(Failure::Refused("merge: no result folder is given".to_owned()));
    };
    for (number, other) in (2..).zip(others) {
        let found = differences(first, other)?;
        if !found.is_empty() {
            let line = format!(
                "merge: result {number} is not of the same load: {}",
                found.join("; ")
            );
            return Err(Failure::Refused(line));
        }
    }
    let measured = measured::merged(parts)?;
    let mut load = first.load.clone();
    load.model = parts
        .iter()
        .skip(1)
        .fold(load.model, |sum, part| added(sum, &part.load.model));
    let mut merged = RunResult {
        mix: mix_shares(load.mix, &measured),
        load,
        measured,
        verification: verification(parts),
        audit: audit(parts),
        notes: notes(parts),
        ..first.clone()
    };
    merged.conditions.replicas = parts
        .iter()
        .map(|part| part.conditions.replicas)
        .max()
        .unwrap_or_default();
    judge(&mut merged);
    Ok(merged)
}

/// What keeps two from being parts of one load: the first's, the other's.
fn differences(a: &RunResult, b: &RunResult) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut same = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what} {a} / {b}"));
        }
    };
    same("url", a.conditions.url.clone(), b.conditions.url.clone());
    same(
        "products",
        a.conditions.products.to_string(),
        b.conditions.products.to_string(),
    );
    same(
        "trestle",
        a.conditions.trestle.clone(),
        b.conditions.trestle.clone(),
    );
    same("load", told(&of_one(&a.load))?, told(&of_one(&b.load))?);
    same(
        "response limits",
        serde_json::to_string(&a.response)?,
        serde_json::to_string(&b.response)?,
    );
    let (on_a, on_b) = (measuring_began(a)?, measuring_began(b)?);
    if (on_a - on_b).abs() > TOGETHER {
        let (on_a, on_b) = (on_a.format(&Rfc3339)?, on_b.format(&Rfc3339)?);
        found.push(format!(
            "measuring began {on_a} / {on_b}: --start-at, and --warm-up in seconds"
        ));
    }
    Ok(found)
}

fn told(load: &Load) -> Result<String> {
    Ok(serde_json::to_string(load)?)
}

/// The load without what each generator may have of its own: its number of shoppers, and its seed.
fn of_one(load: &Load) -> Load {
    let model = match load.model.clone() {
        Model::Closed { shape, .. } => Model::Closed { shoppers: 0, shape },
        Model::Open {
            arrivals,
            unit,
            shape,
            ..
        } => Model::Open {
            rate: 0.0,
            arrivals,
            unit,
            shape,
        },
        Model::Flash { product, .. } => Model::Flash { product, buyers: 0 },
    };
    Load {
        model,
        seed: 0,
        ..load.clone()
    }
}

/// Both loads, of one kind, together.
fn added(a: Model, b: &Model) -> Model {
    match (a, b) {
        (Model::Closed { shoppers, shape }, Model::Closed { shoppers: more, .. }) => Model::Closed {
            shoppers: shoppers + more,
            shape,
        },
        (
            Model::Open {
                rate,
                arrivals,
                unit,
                shape,
            },
            Model::Open { rate: more, .. },
        ) => Model::Open {
            rate: rate + more,
            arrivals,
            unit,
            shape,
        },
        (Model::Flash { product, buyers }, Model::Flash { buyers: more, .. }) => Model::Flash {
            product,
            buyers: buyers + more,
        },
        (a, _) => a,
    }
}

/// When the measured time began: the load's beginning, and the warm-up.
fn measuring_began(of: &RunResult) -> Result<OffsetDateTime> {
    let began =
        OffsetDateTime::parse(&of.began, &Rfc3339).map_err(|error| anyhow!("began {}: {error}", of.began))?;
    Ok(began + Duration::seconds_f64(of.measured.warm_up_seconds))
}

/// Each asked for its own shoppers; none where one did not ask.
fn verification(parts: &[RunResult]) -> Option<Verification> {
    let mut sum = Verification::default();
    for part in parts {
        let part = part.verification.as_ref()?;
        sum.owners += part.owners;
        sum.orders += part.orders;
        sum.carts += part.carts;
        sum.violations.extend(part.violations.iter().cloned());
    }
    Some(sum)
}

/// The database is one: what is wrong there is wrong for all, and one that asked is enough.
fn audit(parts: &[RunResult]) -> Option<Audit> {
    let rank = |audit: &&Audit| match audit {
        Audit::Failed(_) => 2,
        Audit::Passed(_) => 1,
        Audit::NotRun(_) => 0,
    };
    parts
        .iter()
        .filter_map(|part| part.audit.as_ref())
        .max_by_key(rank)
        .cloned()
}

fn notes(parts: &[RunResult]) -> Vec<String> {
    let mut notes = vec![format!(
        "Merged from {} generators. A second's p50 is the mean of theirs, its p99 the highest; all other percentiles are exact.",
        parts.len()
    )];
    let seeds: std::collections::BTreeSet<_> = parts.iter().map(|part| part.load.seed).collect();
    if seeds.len() < parts.len() {
        notes.push(
            "Generators shared a seed: they drew the same shoppers and products. Give each its own."
                .to_owned(),
        );
    }
    let machines = parts
        .iter()
        .filter(|part| part.conditions.machine != parts[0].conditions.machine);
    if machines.count() > 0 {
        notes.push("The generators ran on several machines; the first's is named.".to_owned());
    }
    for note in parts.iter().flat_map(|part| &part.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

#[cfg(test)]
pub(crate) mod tests;
