//! `run`: one load against a shop, measured, held to its limits, and the shop held to what it acknowledged.

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::commands::common::{self, Audited, StackArgs};
use crate::drive::Crowd;
use crate::generator::{self, ShopArgs};
use crate::interaction::{Interaction, Mix};
use crate::journal::Journal;
use crate::load::{Arrivals, Load, Model, Shape, Unit, WarmUp};
use crate::report::folder::Folder;
use crate::report::{run as page, screen};
use crate::result::{RunResult, Verification, mix_shares};
use crate::stack::Root;
use crate::stack::limits::Limits as HostLimits;
use crate::usage::Usage;
use crate::verdict::{self, Limits};
use crate::verify;

/// Puts one load on a shop and measures it
///
/// Closed (--shoppers), open (--arrivals) or a flash sale (--flash). Afterwards the shop is asked, as each shopper, for all that it had
/// acknowledged, and `audit` runs where the database is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trestle-loadtest run --shoppers 200 --think 1 --seconds 60\n  \
    trestle-loadtest run --url http://shop.example --arrivals 300 --mix browsing --shape 0:0.2,60:1,120:1 --seconds 120\n  \
    trestle-loadtest run --flash 17 --buyers 200\n\n\
    Exit code: 0 all limits hold and nothing was lost; 1 else; 64 wrong arguments.")]
pub struct RunArgs {
    #[command(flatten)]
    shop: ShopArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    output: common::OutputArgs,
    /// Begin at this moment, so that several generators begin together: HH:MM:SS of today or RFC 3339, UTC
    #[arg(long, value_name = "TIME")]
    start_at: Option<String>,
    /// Do not ask the shop for what it acknowledged: for a server that only answers
    #[arg(long, hide = true)]
    no_verify: bool,
}

/// What load.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The load")]
pub struct LoadArgs {
    /// Closed: so many shoppers, each thinking between two interactions [default: 100 without another model]
    #[arg(long, value_name = "N", group = "model")]
    shoppers: Option<usize>,
    /// Open: so many arrivals a second, whether or not the shop answers
    #[arg(long, value_name = "RATE", group = "model")]
    arrivals: Option<f64>,
    /// Flash sale: all buyers want a piece of this product at once
    #[arg(long, value_name = "PRODUCT", group = "model", requires = "buyers")]
    flash: Option<u64>,
    /// Buyers of the flash sale
    #[arg(long, value_name = "N", requires = "flash")]
    buyers: Option<usize>,
    /// Which interactions come how often
    #[arg(long, value_enum, default_value_t = Mix::Shopping)]
    mix: Mix,
    /// This interaction alone, such as product_detail
    #[arg(long, value_name = "NAME", value_parser = interaction)]
    only: Option<Interaction>,
    /// Mean think time in seconds: exponential, cut at ten times the mean; sessions last 15 min / 7 s times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 7.0)]
    think: f64,
    /// Measured seconds, after the warm-up
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    seconds: f64,
    /// The load over the measured time as SECOND:FACTOR,...: straight between two points; two at one second are a step
    #[arg(long, value_name = "POINTS", default_value = "0:1")]
    shape: Shape,
    /// How arrivals are spread
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    spread: Arrivals,
    /// What arrives: single interactions, or shoppers who stay for a session
    #[arg(long, value_enum, default_value_t = Unit::Interactions)]
    unit: Unit,
    /// Shoppers begin with valid sessions and keep them: no password is hashed while it is measured
    #[arg(long)]
    with_sessions: bool,
    /// Accounts made before the load [default: one for each shopper, at most 500]
    #[arg(long, value_name = "N")]
    accounts: Option<usize>,
    /// Seconds before measuring begins [default: until throughput and hit rate have settled, at most 30]
    #[arg(long, value_name = "SECONDS")]
    warm_up: Option<f64>,
}

fn interaction(name: &str) -> Result<Interaction, String> {
    let quoted = format!("\"{name}\"");
    serde_json::from_str(&quoted).map_err(|_| {
        let names = Interaction::ALL.map(|it| serde_json::to_string(&it).unwrap_or_default());
        format!("is none of {}", names.join(", ").replace('"', ""))
    })
}

/// More accounts are not made before a load: each costs the shop a password hash.
const MOST_ACCOUNTS: usize = 500;
const SHOPPERS: usize = 100;

impl LoadArgs {
    fn load(&self, seed: u64) -> Load {
        let model = if let Some(rate) = self.arrivals {
            Model::Open {
                rate,
                arrivals: self.spread,
                unit: self.unit,
                shape: self.shape.clone(),
            }
        } else if let (Some(product), Some(buyers)) = (self.flash, self.buyers) {
            Model::Flash { product, buyers }
        } else {
            Model::Closed {
                shoppers: self.shoppers.unwrap_or(SHOPPERS),
                shape: self.shape.clone(),
            }
        };
        Load {
            model,
            mix: self.mix,
            only: self.only,
            more: None,
            product: None,
            fine: false,
            think_s: self.think,
            with_sessions: self.with_sessions || self.flash.is_some(),
            seconds: self.seconds,
            warm_up: self.warm_up.map_or(WarmUp::Settled, WarmUp::Seconds),
            seed,
        }
    }

    /// How many may be there at a time.
    fn crowd(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of shoppers"
        )]
        let scaled = |count: f64| (count * self.shape.peak()).ceil() as usize;
        #[expect(clippy::cast_precision_loss, reason = "a number of shoppers")]
        match (self.arrivals, self.buyers) {
            // An answer takes a second at most, or the run fails anyway.
            (Some(rate), _) if self.unit == Unit::Interactions => scaled(rate),
            (Some(rate), _) => scaled(rate * self.think * 129.0),
            (None, Some(buyers)) => buyers,
            (None, None) => scaled(self.shoppers.unwrap_or(SHOPPERS) as f64),
        }
    }

    fn accounts(&self) -> usize {
        let wanted = if self.flash.is_some() {
            self.crowd()
        } else {
            self.crowd().min(MOST_ACCOUNTS)
        };
        self.accounts.unwrap_or(wanted)
    }
}

/// # Errors
/// When something could not be done.
pub async fn run(mut args: RunArgs) -> Result<ExitCode> {
    let seed = args.shop.seed;
    let load = args.load.load(seed);
    args.load
        .shape
        .check()
        .map_err(|error| Usage(format!("--shape: {error:#}")))?;
    let stack = args.stack.find(args.shop.url.as_deref()).await?;
    let url = stack.url.clone();
    HostLimits::raise(&Root::default())?
        .fits(args.load.crowd())
        .map_err(|error| Usage(format!("the load: {error}")))?;
    let folder = Folder::create(args.output.output.clone(), "run")?;
    common::say(&format!("run: {} against {url}", common::describe(&load)));
    stack.lend_admin(&mut args.shop).await?;
    let journal = Journal::create(&folder.path().join("journal.jsonl"))?;
    let crowd = generator::open(&args.shop, &url, journal).await?;
    let mut line = common::Progress::start();
    let prepared = crowd.prepare(args.load.accounts(), load.with_sessions, |done, of| {
        line.show(&format!("accounts: {done} of {of}"));
    });
    prepared.await?;
    line.done();
    if let Some(moment) = &args.start_at {
        wait_for(moment).await?;
    }
    let began = common::now_text();
    let stock = Stock::look(&crowd, &load).await?;
    let measured = crowd
        .drive(&load, |tick| line.show(&common::tick_line(&tick)))
        .await?;
    line.done();
    let verification = if args.no_verify {
        None
    } else {
        let mut verification = check(&crowd, &mut line).await?;
        stock.compare(&crowd, &measured, &mut verification).await?;
        Some(verification)
    };
    let audited = stack.audit().await;
    let result = args.result(&crowd, load, measured, verification, audited, began, &url)?;
    write(&folder, &result)?;
    print!("{}", screen::run_summary(&result));
    Ok(common::ended(result.outcome, &folder))
}

async fn check(crowd: &Crowd, line: &mut common::Progress) -> Result<Verification> {
    crowd.leave();
    let shop = Rc::clone(&crowd.shop);
    let verification = verify::verify(&shop, |done, of| {
        line.show(&format!(
            "asking the shop for what it acknowledged: {done} of {of} owners"
        ));
    })
    .await?;
    line.done();
    Ok(verification)
}

impl RunArgs {
    #[expect(clippy::too_many_arguments, reason = "what a result is made of")]
    fn result(
        &self,
        crowd: &Crowd,
        load: Load,
        measured: crate::result::Measured,
        verification: Option<Verification>,
        audited: Audited,
        began: String,
        url: &str,
    ) -> Result<RunResult> {
        let limits = verdict::limits(&self.limits, &load.model, &measured)?;
        let validity = verdict::validity(&load.model, &measured);
        let outcome = verdict::outcome(
            &limits,
            &validity,
            verification.as_ref(),
            audited.audit.as_ref(),
            audited.wanted,
        );
        let products = crowd.shop.goods.products.len() as u64;
        let mut notes = Vec::new();
        if crowd.shop.admin.borrow().is_none() && load.only.is_none() {
            notes.push(
                "Nobody may play the admin (--admin): the two admin interactions' 0.2 % went to Product Detail.".to_owned(),
            );
        }
        Ok(RunResult {
            version: 1,
            began,
            conditions: common::conditions(url, products, &measured),
            mix: mix_shares(load.mix, &measured),
            response: self.limits.response(),
            load,
            measured,
            limits,
            validity,
            verification,
            audit: audited.audit,
            outcome,
            notes,
        })
    }
}

/// `result.json`, `report.html` and the CSV files.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Folder, result: &RunResult) -> Result<()> {
    folder.write_json("result.json", result)?;
    folder.write("report.html", page::run_page(result))?;
    for (name, content) in page::run_csv(result)? {
        folder.write(name, content)?;
    }
    Ok(())
}

/// What is on hand of a flash sale's product, where an admin may look.
struct Stock {
    variant: Option<u64>,
    before: Option<i64>,
}

impl Stock {
    async fn look(crowd: &Crowd, load: &Load) -> Result<Self> {
        let Model::Flash { product, .. } = load.model else {
            return Ok(Self {
                variant: None,
                before: None,
            });
        };
        let variant = crate::shopper::first_variant(&crowd.shop, product)
            .await
            .with_context(|| format!("--flash {product}"))?;
        let before = on_hand(crowd, variant).await?;
        Ok(Self {
            variant: Some(variant),
            before,
        })
    }

    /// Each piece that left the stock was acknowledged to somebody, and no more were acknowledged than there were.
    async fn compare(
        &self,
        crowd: &Crowd,
        measured: &crate::result::Measured,
        verification: &mut Verification,
    ) -> Result<()> {
        let (Some(variant), Some(before)) = (self.variant, self.before) else {
            return Ok(());
        };
        let Some(after) = on_hand(crowd, variant).await? else {
            return Ok(());
        };
        let sold = before - after;
        let acknowledged = i64::try_from(measured.orders).unwrap_or(i64::MAX);
        common::say(&format!(
            "flash sale: {before} on hand before, {after} after; {acknowledged} buyers have a piece"
        ));
        // An order that nobody heard the end of may have taken a piece.
        let unknown = i64::try_from(measured.journal.unknown).unwrap_or(i64::MAX);
        if sold < acknowledged || sold > acknowledged + unknown {
            verification.violations.push(format!(
                "flash sale: {sold} pieces of variant {variant} left the stock, {acknowledged} were acknowledged"
            ));
        }
        Ok(())
    }
}

async fn on_hand(crowd: &Crowd, variant: u64) -> Result<Option<i64>> {
    let admin = crowd.shop.admin.borrow().clone();
    let Some(admin) = admin else { return Ok(None) };
    admin.on_hand(&mut crowd.shop.client(), variant).await.map(Some)
}

/// Waits for a moment that several generators were told.
async fn wait_for(moment: &str) -> Result<()> {
    use time::format_description::well_known::Rfc3339;
    use time::macros::format_description;
    let now = time::OffsetDateTime::now_utc();
    let parsed = time::OffsetDateTime::parse(moment, &Rfc3339).or_else(|_| {
        time::Time::parse(moment, format_description!("[hour]:[minute]:[second]"))
            .map(|clock| now.replace_time(clock))
    });
    let Ok(at) = parsed else {
        bail!(Usage(format!(
            "--start-at {moment:?} is neither HH:MM:SS nor RFC 3339"
        )));
    };
    let left = at - now;
    if left.is_negative() || left > time::Duration::hours(1) {
        bail!(Usage(format!(
            "--start-at {moment} is not within the next hour (UTC)"
        )));
    }
    common::say(&format!("waiting until {moment} UTC"));
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
    Ok(())
}
