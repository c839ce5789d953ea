//! The generator's own side: `trestle-loadtest generate`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use http::HeaderValue;
use tokio::sync::mpsc;

use super::{Command, Reply};
use crate::drive::Crowd;
use crate::journal::Journal;
use crate::shopper::Admin;
use crate::shopper::shop::Shop;
use crate::shopper::target::Target;
use crate::verify;

/// Which shop, and how it is asked.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The shop")]
pub struct ShopArgs {
    /// The shop's address, http://HOST[:PORT]; without it, that of the stack
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A PEM file of the authority to trust for https, when it is a private one
    #[arg(long, value_name = "FILE")]
    pub authority: Option<PathBuf>,
    /// What API requests accept: identity or gzip
    #[arg(long, value_name = "CODING", default_value = "identity", value_parser = ["identity", "gzip"])]
    pub accept_encoding: String,
    /// An admin's account, for the two admin interactions; its password is in TRESTLE_LOADTEST_ADMIN_PASSWORD
    #[arg(long, value_name = "EMAIL")]
    pub admin: Option<String>,
    /// Of an admin that was made for this run.
    #[arg(skip)]
    pub admin_password: Option<String>,
    /// Another seed draws other shoppers, products and think times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

impl ShopArgs {
    /// The shop at this address, with the defaults.
    pub fn of(url: &str) -> Self {
        Self {
            url: Some(url.to_owned()),
            authority: None,
            accept_encoding: "identity".to_owned(),
            admin: None,
            admin_password: None,
            seed: 1,
        }
    }
}

/// What `generate` takes.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    shop: ShopArgs,
    /// Where the journal of all writes goes
    #[arg(long, value_name = "FILE")]
    journal: PathBuf,
}

/// Learns the shop, and makes a crowd for it.
///
/// # Errors
/// When the shop does not answer as Trestle does, or the admin may not log in.
pub async fn open(args: &ShopArgs, url: &str, journal: Journal) -> Result<Crowd> {
    let target = Target::resolve(url, args.authority.as_deref()).await?;
    let encoding = HeaderValue::from_str(&args.accept_encoding).context("--accept-encoding")?;
    let shop = Shop::read(target, journal, encoding, args.seed).await?;
    if let Some(email) = &args.admin {
        let password = args.password_of(email)?;
        let admin = Admin::log_in(&mut shop.client(), email, &password).await?;
        *shop.admin.borrow_mut() = Some(admin);
    }
    Ok(Crowd::new(shop, args.seed))
}

/// Takes commands until its standard input ends.
///
/// # Errors
/// When the shop cannot be learnt.
pub async fn run(args: GenerateArgs) -> Result<ExitCode> {
    let Some(url) = args.shop.url.clone() else {
        bail!("--url is required");
    };
    let journal = Journal::create(&args.journal)?;
    let crowd = match open(&args.shop, &url, journal).await {
        Ok(crowd) => crowd,
        Err(error) => {
            say(&Reply::Failed(format!("{error:#}")));
            return Err(error);
        }
    };
    say(&Reply::Ready {
        products: crowd.shop.goods.products.len() as u64,
        pid: std::process::id(),
    });
    let mut commands = commands();
    while let Some(line) = commands.recv().await {
        let reply = match serde_json::from_str::<Command>(&line) {
            Ok(command) => carry_out(&crowd, command).await,
            Err(error) => Err(error).context("a command that cannot be read"),
        };
        say(&reply.unwrap_or_else(|error| Reply::Failed(format!("{error:#}"))));
    }
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(crowd: &Crowd, command: Command) -> Result<Reply> {
    match command {
        Command::Prepare {
            accounts,
            with_sessions,
        } => {
            let tell = |done, of| say(&Reply::Progress { done, of });
            crowd.prepare(accounts, with_sessions, tell).await?;
            Ok(Reply::Done)
        }
        Command::Load(load) => {
            let measured = crowd.drive(&load, |tick| say(&Reply::Tick(tick))).await?;
            Ok(Reply::Measured(Box::new(measured)))
        }
        Command::Verify => {
            crowd.leave();
            let shop = Rc::clone(&crowd.shop);
            let verification = verify::verify(&shop, |done, of| say(&Reply::Progress { done, of })).await?;
            Ok(Reply::Verified(verification))
        }
    }
}

/// The lines of standard input. When it ends, so does this process, whatever it is doing: who started it is gone.
fn commands() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(8);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
        std::process::exit(0);
    });
    receiver
}

fn say(reply: &Reply) {
    if let Ok(line) = serde_json::to_string(reply) {
        println!("{line}");
    }
}
