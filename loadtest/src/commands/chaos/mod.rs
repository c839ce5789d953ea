//! `chaos`: what shoppers notice of a killed or frozen replica, Redis, nginx or database.

mod fault;
mod report;
mod result;
mod strike;
pub mod window;

use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub use self::fault::{Blow, Fault};
pub use self::result::ChaosResult;
use self::strike::Striker;
pub use self::strike::Struck;
use crate::commands::common::{self, Audited, OutputArgs, StackArgs};
use crate::drive::Tick;
use crate::generator::ShopArgs;
use crate::interaction::Mix;
use crate::lab::{GeneratorArgs, Lab};
use crate::load::{Load, Model, Shape, WarmUp};
use crate::report::folder::Folder;
use crate::report::run::timeline_csv;
use crate::result::{Measured, Outcome, Verification};
use crate::usage::Usage;
use crate::verdict;

/// Kills and freezes parts of the stack while shoppers buy, and tells what they noticed
///
/// A replica, Redis, nginx or the database, each at its second. For each fault: what failed, the longest pause, how long until shoppers
/// were well again and until the stack said that all is ready. Afterwards the shop is asked, as each shopper, for all that it had
/// acknowledged, and `audit` runs where the database is.
///
/// The run fails when anything was lost; when a fault is still noticed, or not all is ready, 30 s after its end; and when a single
/// interaction failed or was refused after a fault of Redis or of one replica among several: another replica takes over, and the database
/// holds all that Redis does. A replica that was frozen may refuse: it does not know yet which sessions ended meanwhile. While nginx or
/// the database is gone, interactions may fail; that is reported.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trestle-loadtest chaos\n  \
    trestle-loadtest chaos --fault kill:api-1@10 --fault freeze:redis@20+5 --fault kill:database@40 --seconds 60\n  \
    trestle-loadtest chaos --stack \"trestle --compose\" --shoppers 100\n\n\
    Exit code: 0 nothing was lost and all came back; 1 else; 64 wrong arguments.")]
pub struct ChaosArgs {
    #[command(flatten)]
    shop: ShopArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    place: GeneratorArgs,
    /// kill:NAME@SECOND or freeze:NAME@SECOND+FOR, repeatable; names as `status` has them: api-1, redis, nginx, database [default: all
    /// of these one after the other, one replica frozen]
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// How many shoppers, each with a session
    #[arg(long, value_name = "N", default_value_t = 40)]
    shoppers: usize,
    /// Mean think time in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.25)]
    think: f64,
    /// Which interactions come how often
    #[arg(long, value_enum, default_value_t = Mix::Ordering)]
    mix: Mix,
    /// Measured seconds, after the warm-up
    #[arg(long, value_name = "SECONDS", default_value_t = 90.0)]
    seconds: f64,
    #[command(flatten)]
    output: OutputArgs,
}

impl ChaosArgs {
    fn load(&self) -> Load {
        Load {
            model: Model::Closed {
                shoppers: self.shoppers,
                shape: Shape::default(),
            },
            mix: self.mix,
            only: None,
            more: None,
            product: None,
            fine: true,
            think_s: self.think,
            with_sessions: true,
            seconds: self.seconds,
            warm_up: WarmUp::Settled,
            seed: self.shop.seed,
        }
    }

    fn check(&self) -> Result<(), Usage> {
        let wrong = |why: &str| Err(Usage(why.to_owned()));
        if self.shoppers == 0 {
            return wrong("--shoppers must be at least 1");
        }
        if !(self.think >= 0.0 && self.think.is_finite()) {
            return wrong("--think must be 0 or more seconds");
        }
        if !(10.0..=3_600.0).contains(&self.seconds) {
            return wrong("--seconds must be from 10 to 3600: faults need time to be got over");
        }
        Ok(())
    }
}

/// # Errors
/// When something could not be done.
pub async fn run(args: ChaosArgs) -> Result<ExitCode> {
    args.check()?;
    let (driver, status) = args.stack.running().await?;
    let faults = match args.faults.as_slice() {
        [] => fault::program(&status, args.seconds),
        named => named.to_vec(),
    };
    let faults = fault::checked(faults, &status, args.seconds)?;
    let folder = Folder::create(args.output.output.clone(), "chaos")?;
    let load = args.load();
    let said: Vec<String> = faults
        .iter()
        .map(|it| format!("{it} at {:.0} s", it.at))
        .collect();
    common::say(&format!(
        "chaos: {}: {}",
        common::describe(&load),
        said.join(", ")
    ));
    let mut lab = Lab::open(&args.stack, &args.shop, &args.place, &folder).await?;
    let mut line = common::Progress::start();
    lab.generator
        .prepare(args.shoppers, true, |done, of| {
            line.show(&format!("accounts: {done} of {of}"));
        })
        .await?;
    line.done();

    let began = common::now_text();
    let replicas = status.replicas().len();
    let striker = Rc::new(Striker::new(driver, status));
    let (measured, struck) = under_load(&mut lab, &load, &striker, &faults).await?;

    let (verification, audited) = hold(&mut lab).await;
    let fallouts = result::fallouts(struck, &measured);
    let limits = result::limits(&fallouts, replicas);
    let wanted = audited.as_ref().is_none_or(|it| it.wanted);
    let audit = audited.and_then(|it| it.audit);
    let outcome = match verification {
        Some(_) => verdict::outcome(&limits, &[], verification.as_ref(), audit.as_ref(), wanted),
        None => Outcome::Failed,
    };
    let products = lab.generator.products;
    let url = lab.url.clone();
    lab.generator.end().await;
    let result = ChaosResult {
        version: 1,
        began,
        conditions: common::conditions(&url, products, &measured),
        load,
        faults: fallouts,
        measured,
        limits,
        verification,
        audit,
        outcome,
    };
    write(&folder, &result)?;
    print!("{}", report::summary(&result));
    Ok(common::ended(outcome, &folder))
}

/// What the shop holds of what it acknowledged; nothing when it cannot even be asked, which is a result, too.
async fn hold(lab: &mut Lab) -> (Option<Verification>, Option<Audited>) {
    match lab.hold().await {
        Ok(held) => (Some(held.verification), Some(held.audited)),
        Err(error) => {
            common::say(&format!("the shop could not be asked: {error:#}"));
            (None, None)
        }
    }
}

/// The load, and the faults meanwhile. Whoever gives up (Ctrl-C) leaves nothing frozen.
async fn under_load(
    lab: &mut Lab,
    load: &Load,
    striker: &Rc<Striker>,
    faults: &[Fault],
) -> Result<(Measured, Vec<Struck>)> {
    let (stands, watching) = watch::channel(strike::Load::WarmingUp);
    let mut line = common::Progress::start();
    let loading = async {
        let measured = lab.generator.load(load, |tick: Tick| {
            let stood = *stands.borrow();
            if let (strike::Load::WarmingUp, Some(from)) = (stood, tick.measured_from()) {
                stands.send_replace(strike::Load::MeasuredFrom(from));
            }
            line.show(&common::tick_line(&tick));
        });
        let measured = measured.await;
        stands.send_replace(strike::Load::Over);
        line.done();
        measured
    };
    let both = async { tokio::join!(loading, striker.strike_all(faults, &watching)) };
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        (measured, struck) = both => Ok((measured?, struck)),
        _ = tokio::signal::ctrl_c() => give_up(striker).await,
        _ = terminated.recv() => give_up(striker).await,
    }
}

async fn give_up<T>(striker: &Striker) -> Result<T> {
    striker.release().await;
    bail!("interrupted")
}

/// `chaos.json`, `report.html` and the CSV files.
fn write(folder: &Folder, result: &ChaosResult) -> Result<()> {
    folder.write_json("chaos.json", result)?;
    folder.write("report.html", report::page(result))?;
    folder.write("timeline.csv", timeline_csv(&result.measured.timeline)?)?;
    folder.write("faults.csv", report::faults_csv(result)?)
}
