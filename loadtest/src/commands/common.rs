//! What the commands have in common: which stack, where results go, what is said while they work.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::drive::{Phase, Tick};
use crate::generator::{ADMIN_PASSWORD, ShopArgs};
use crate::load::{Arrivals, Load, Model, Unit};
use crate::report::folder::Folder;
use crate::result::{Audit, Conditions, Measured, Outcome};
use crate::stack::driver::{Driver, Status};
use crate::stack::{Root, host};
use crate::usage::Usage;

/// Where results go.
#[derive(Debug, Clone, clap::Args)]
pub struct OutputArgs {
    /// The folder for report.html, JSON and CSV; new or empty [default: trestle-results/COMMAND-DATE-TIME]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// The stack behind the shop.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The stack")]
pub struct StackArgs {
    /// The command that steers the stack, such as "trestle --data DIR" or "trestle --compose" [default: trestle, beside this program]
    #[arg(long, value_name = "COMMAND")]
    pub stack: Option<Driver>,
    /// Do without the audit of the database: the result may then be called passed
    #[arg(long)]
    pub no_audit: bool,
}

/// A shop and, where it can be steered, its stack.
pub struct Stack {
    pub url: String,
    pub driver: Option<Driver>,
    audit_wanted: bool,
}

/// What came of the audit, and whether it was wanted.
pub struct Audited {
    pub audit: Option<Audit>,
    pub wanted: bool,
}

impl StackArgs {
    /// The shop at `url`, or the one of the stack. A stack that was not named is used when it runs, and its shop is the one meant.
    ///
    /// # Errors
    /// When neither a URL nor a running stack is there.
    pub async fn find(&self, url: Option<&str>) -> Result<Stack> {
        let named = self.stack.is_some();
        let driver = self.stack.clone().unwrap_or_default();
        let status = driver.status().await;
        let (url, driver) = match (url, status) {
            (Some(url), Ok(status)) if named || is_same(url, &status) => (url.to_owned(), Some(driver)),
            (Some(_), Err(error)) if named => return Err(error.context("--stack")),
            (Some(url), _) => (url.to_owned(), None),
            (None, Ok(status)) => (status.url, Some(driver)),
            (None, Err(error)) => {
                let reason = format!("no --url, and no stack runs: {error:#}");
                bail!(Usage(reason.lines().next().unwrap_or_default().to_owned()));
            }
        };
        Ok(Stack {
            url: url.trim_end_matches('/').to_owned(),
            driver,
            audit_wanted: !self.no_audit,
        })
    }

    /// The stack, which has to run.
    ///
    /// # Errors
    /// When it does not.
    pub async fn running(&self) -> Result<(Driver, Status)> {
        let driver = self.stack.clone().unwrap_or_default();
        let status = driver.status().await.map_err(|error| error.context("--stack"))?;
        Ok((driver, status))
    }
}

fn is_same(url: &str, status: &Status) -> bool {
    url.trim_end_matches('/') == status.url.trim_end_matches('/')
}

impl Stack {
    /// An admin for the load, where the stack's command can name one and nobody was named.
    ///
    /// # Errors
    /// When the account cannot be made.
    pub async fn lend_admin(&self, shop: &mut ShopArgs) -> Result<()> {
        if shop.admin.is_some() {
            return Ok(());
        }
        let Some(driver) = &self.driver else { return Ok(()) };
        let (email, password) =
            crate::shopper::new_admin(&self.url, shop.authority.as_deref(), driver).await?;
        shop.admin = Some(email);
        shop.admin_password = Some(password);
        Ok(())
    }

    /// Asks the database whether all adds up.
    pub async fn audit(&self) -> Audited {
        let audit = match &self.driver {
            _ if !self.audit_wanted => None,
            Some(driver) => {
                say("audit of the database");
                Some(driver.audit().await)
            }
            None => Some(Audit::NotRun(
                "nobody said where the database is: --stack, or --no-audit".to_owned(),
            )),
        };
        Audited {
            audit,
            wanted: self.audit_wanted,
        }
    }
}

impl ShopArgs {
    /// The admin's password: the one that was made for this run, or the environment's.
    ///
    /// # Errors
    /// When there is none.
    pub fn password_of(&self, email: &str) -> Result<String> {
        if let Some(password) = &self.admin_password {
            return Ok(password.clone());
        }
        match std::env::var(ADMIN_PASSWORD) {
            Ok(password) => Ok(password),
            Err(_) => bail!(Usage(format!(
                "--admin {email}: {ADMIN_PASSWORD} does not hold its password"
            ))),
        }
    }
}

/// What the result was measured under.
pub fn conditions(url: &str, products: u64, measured: &Measured) -> Conditions {
    Conditions {
        url: url.to_owned(),
        products,
        replicas: measured.replicas.len(),
        quota: None,
        machine: host::machine(&Root::default()),
        trestle: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The load in a few words.
pub fn describe(load: &Load) -> String {
    let what = match &load.model {
        Model::Closed { shoppers, .. } => format!("{shoppers} shoppers, think time {} s", load.think_s),
        Model::Open {
            rate, arrivals, unit, ..
        } => {
            let unit = match unit {
                Unit::Interactions => "interactions",
                Unit::Sessions => "sessions",
            };
            let spread = match arrivals {
                Arrivals::Poisson => "Poisson",
                Arrivals::Constant => "constant",
            };
            format!("{rate} {unit}/s ({spread})")
        }
        Model::Flash { product, buyers } => {
            return format!("a flash sale of product {product}, {buyers} buyers");
        }
    };
    let mix = load.only.map_or_else(
        || format!("mix {}", load.mix.name()),
        |only| format!("{} alone", only.label()),
    );
    format!("{what}, {mix}, {} s", load.seconds)
}

/// Now, RFC 3339.
pub fn now_text() -> String {
    let now = time::OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .unwrap_or(now)
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}

/// A line on standard error, where progress goes: standard output is for the summary.
pub fn say(line: &str) {
    eprintln!("{line}");
}

/// A line that is written over on a terminal, and elsewhere comes every few seconds.
pub struct Progress {
    is_terminal: bool,
    last: Option<Instant>,
    is_open: bool,
}

const EVERY: Duration = Duration::from_secs(5);

impl Progress {
    pub fn start() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            last: None,
            is_open: false,
        }
    }

    pub fn show(&mut self, line: &str) {
        if self.is_terminal {
            // To the line's beginning, and nothing of the longer line before.
            eprint!("\r\x1b[K{line}");
            std::io::stderr().flush().ok();
            self.is_open = true;
        } else if self.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.last = Some(Instant::now());
            eprintln!("{line}");
        }
    }

    /// The next line is another one.
    pub fn done(&mut self) {
        if self.is_open {
            eprintln!();
        }
        self.is_open = false;
        self.last = None;
    }
}

/// A second of a load.
pub fn tick_line(tick: &Tick) -> String {
    let phase = match tick.phase {
        Phase::WarmUp => "warm-up",
        Phase::Measuring => "measuring",
        Phase::Ending => "ending",
    };
    let of = tick.of.map_or_else(String::new, |of| format!(" of {of:.0}"));
    let second = tick.second;
    let ms = crate::stats::hist::milliseconds;
    let trouble = match second.failed + second.shed {
        0 => String::new(),
        _ => format!(", {} failed, {} refused", second.failed, second.shed),
    };
    format!(
        "{phase} {:.0}{of} s: {}/s, p50 {:.1} ms, p99 {:.1} ms, {} under way{trouble}",
        tick.elapsed,
        second.completed,
        ms(second.p50_us),
        ms(second.p99_us),
        second.in_flight
    )
}

/// The last line, and the exit code.
pub fn ended(outcome: Outcome, folder: &Folder) -> ExitCode {
    let report = folder.path().join("report.html");
    let (word, code) = match outcome {
        Outcome::Passed => ("passed", ExitCode::SUCCESS),
        Outcome::Failed => ("FAILED", ExitCode::FAILURE),
        Outcome::Invalid => ("INVALID: the generator was the limit", ExitCode::FAILURE),
        Outcome::NotAudited => ("NOT AUDITED", ExitCode::FAILURE),
    };
    println!("{word}: {}", report.display());
    code
}
