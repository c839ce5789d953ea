//! `plan`: how much is needed for so many shoppers.
//!
//! The mix is run, and the mix with each interaction on top, in rounds; the slope of each tier's CPU is what one costs. The mix weights
//! them, arithmetic makes arrivals, cores, replicas and connections of that, and the mix at another rate is held against the prediction.

mod args;
mod check;
mod demand;
mod files;
mod measure;
mod metrics;
mod mix;
mod page;
mod sizing;
mod text;
mod tiers;

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

pub use self::args::Args;
use self::check::{Check, Part};
use self::demand::{Point, Round};
use self::measure::{Bench, OnTop};
use self::mix::{Frequencies, Shop};
use self::sizing::{Answer, Needs, Wanted};
use self::tiers::Tiers;
use super::common::{self, Progress};
use crate::interaction::{Interaction, Mix};
use crate::lab::Lab;
use crate::report::folder::Folder;
use crate::result::{Audit, Conditions, Measured, Verification};
use crate::usage::Usage;

/// So many interactions are measured between two runs of the mix alone: the machine's speed changes.
const BETWEEN: usize = 4;

/// So many times as long is the mix alone between the parts of the check, where it tells how fast the machine is now.
const LONGER: f64 = 2.0;

/// What `plan.json` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    pub began: String,
    pub conditions: Conditions,
    pub mix: Mix,
    pub wanted: Wanted,
    /// Replicas that were measured.
    pub replicas: usize,
    pub shop: Shop,
    /// Logins and new accounts for one interaction.
    pub hashes: f64,
    pub needs: Needs,
    pub answer: Answer,
    pub check: Option<Check>,
    pub verification: Verification,
    pub audit: Option<Audit>,
    /// Nothing was lost, and somebody looked.
    pub held: bool,
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether the answer can be relied on: checked and held, nothing lost.
    pub fn holds(&self) -> bool {
        self.held && self.check.as_ref().is_none_or(|check| check.holds)
    }
}

/// # Errors
/// When something could not be done.
pub async fn run(args: Args) -> Result<ExitCode> {
    args.check()?;
    let folder = Folder::create(args.output.output.clone(), "plan")?;
    let began = common::now_text();
    let lab = Lab::open(&args.stack, &args.shop, &args.generator, &folder).await?;
    let url = lab.url.clone();
    let products = lab.generator.products;
    let mut bench = Bench::new(lab, args.shop.seed, args.times()).await?;
    let wanted = args.wanted(bench.pool());
    let mut line = Progress::start();
    let shop = measure(&mut bench, &args, &mut line).await?;
    let frequencies = Frequencies::of(args.mix);
    let needs = needs(&wanted, &frequencies, &shop, bench.replicas());
    let Some(answer) = sizing::size(&wanted, &needs) else {
        bail!(Usage(format!(
            "--replica-cores {}: a replica uses {:.3} cores without any shopper, which leaves nothing below --headroom {}",
            args.replica_cores, needs.idle.api, args.headroom
        )));
    };
    let check = if args.no_check {
        None
    } else {
        Some(checked(&mut bench, &args, &shop, answer.arrivals, &mut line).await?)
    };
    let mut notes = measure::doubts(&shop);
    if !bench.unchanged().await? {
        notes.push(
            "A process of the stack was replaced meanwhile: what it had used is not counted.".to_owned(),
        );
    }
    let replicas = bench.replicas();
    let held = bench.lab().hold().await?;
    let conditions = Conditions {
        replicas,
        ..common::conditions(&url, products, &Measured::default())
    };
    let plan = Plan {
        version: 1,
        began,
        conditions,
        mix: args.mix,
        wanted,
        replicas,
        shop,
        hashes: frequencies.hashes(),
        needs,
        answer,
        check,
        held: held.is_good(),
        verification: held.verification,
        audit: held.audited.audit,
        notes,
    };
    files::write(&folder, &plan)?;
    print!("{}", text::summary(&plan));
    Ok(ended(&plan, &folder))
}

/// Idle, then the mix and each interaction on top of it, in rounds: what slows the machine down for a while is in one of them.
async fn measure(bench: &mut Bench, args: &Args, line: &mut Progress) -> Result<Shop> {
    common::say("nobody shops: what is used all the same");
    let idle = bench.idle().await;
    common::say("warming caches");
    bench.prepare(true, line).await?;
    let rate = bench.warm(args.mix, &idle, line).await?;
    line.done();
    let mut all: Vec<OnTop> = Interaction::ALL.into_iter().map(OnTop::of).collect();
    let (rounds, kinds) = (args.rounds(), all.len());
    common::say("the mix");
    let mut mixes = vec![bench.mix(args.mix, rate, line).await?];
    line.done();
    for round in 1..=rounds {
        let mut place = 0;
        for some in all.chunks_mut(BETWEEN) {
            let mut with = Vec::new();
            for on_top in some.iter_mut() {
                place += 1;
                common::say(&format!(
                    "round {round} of {rounds}, {place} of {kinds}: {} on top",
                    on_top.interaction.label()
                ));
                with.push(bench.on_top(args.mix, rate, on_top, line).await?);
                line.done();
            }
            common::say(&format!("round {round} of {rounds}: the mix"));
            mixes.push(bench.mix(args.mix, rate, line).await?);
            line.done();
            let around = Point::median(mixes.last_chunk::<2>().map_or(&[], |it| it));
            for (on_top, with) in some.iter_mut().zip(with) {
                let mix = around.clone();
                on_top.push(Round { mix, with }, &idle);
            }
        }
    }
    Ok(Shop {
        mix: Point::median(&mixes),
        demands: all.into_iter().map(|on_top| on_top.demand(&idle)).collect(),
        idle,
    })
}

/// The mix by shoppers who come without a session, in parts. Around each the mix as it was measured, to see how fast the machine is now.
async fn checked(
    bench: &mut Bench,
    args: &Args,
    shop: &Shop,
    planned: f64,
    line: &mut Progress,
) -> Result<Check> {
    let long = LONGER * args.times().measured;
    // Customers who come back.
    bench.prepare(false, line).await?;
    let mut load = check::load(args.mix, shop, planned, args.shop.seed);
    common::say("check: the mix as it was measured");
    let mut before = bench.mix_for(args.mix, shop.mix.rate, long, line).await?;
    line.done();
    let (mut parts, count) = (Vec::new(), args.check_parts());
    for part in 1..=count {
        common::say(&format!(
            "check, {part} of {count}: the mix, against the prediction"
        ));
        let (point, measured) = bench.load(&load, "check", line).await?;
        line.done();
        common::say(&format!("check, {part} of {count}: the mix as it was measured"));
        let after = bench.mix_for(args.mix, shop.mix.rate, long, line).await?;
        line.done();
        parts.push(Part {
            beside: Point::median(&[before, after.clone()]),
            point,
            measured,
        });
        before = after;
        load = check::next(load);
    }
    check::compared(shop, &load, &parts)
}

fn needs(wanted: &Wanted, frequencies: &Frequencies, shop: &Shop, replicas: usize) -> Needs {
    #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
    let each = shop.idle.cores.api / replicas.max(1) as f64;
    let arrivals = sizing::arrivals(wanted.shoppers, wanted.think_s, frequencies.response_s(shop));
    Needs {
        arrivals,
        cores: frequencies.cores(shop, arrivals),
        busy_connections: frequencies.statements(shop, arrivals),
        idle: Tiers {
            api: each,
            ..shop.idle.cores
        },
    }
}

/// The last line, and the exit code.
fn ended(plan: &Plan, folder: &Folder) -> ExitCode {
    let report = folder.path().join("report.html");
    let (word, code) = if plan.holds() {
        let word = if plan.check.is_some() {
            "holds"
        } else {
            "not checked"
        };
        (word, ExitCode::SUCCESS)
    } else {
        ("DOES NOT HOLD", ExitCode::FAILURE)
    };
    println!("{word}: {}", report.display());
    code
}

#[cfg(test)]
mod tests;
