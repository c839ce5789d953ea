//! A stack under load, for the commands that change it meanwhile: the command that steers it, a generator in a process of its own, and
//! what the shop is held to at the end.

use std::path::Path;

use anyhow::Result;

use crate::commands::common::{self, Audited, Progress, Stack, StackArgs};
use crate::generator::{Generator, ShopArgs, Where};
use crate::report::folder::Folder;
use crate::result::Verification;
use crate::stack::driver::{Driver, Status};

/// How the generator is started; flags of `scale-out`, `autoscale`, `chaos` and `plan`.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The generator")]
pub struct GeneratorArgs {
    /// The command that runs trestle-loadtest where the generator is to be [default: this program; with --stack "trestle --compose", the
    /// service loadtest, beside nginx]
    #[arg(long, value_name = "COMMAND")]
    pub generator: Option<Driver>,
}

/// A running stack and a generator for it.
pub struct Lab {
    pub driver: Driver,
    pub generator: Generator,
    /// The shop, as this program sees it.
    pub url: String,
    stack: Stack,
}

/// What has to hold at the end of everything that was done to a stack.
pub struct Held {
    pub verification: Verification,
    pub audited: Audited,
}

impl Held {
    /// Whether nothing was lost, and somebody looked.
    pub fn is_good(&self) -> bool {
        let audit =
            matches!(self.audited.audit, Some(crate::result::Audit::Passed(_))) || !self.audited.wanted;
        self.verification.violations.is_empty() && audit
    }
}

impl Lab {
    /// Finds the running stack, makes an admin for the load, and starts a generator whose journal is in the folder.
    ///
    /// # Errors
    /// When no stack runs, or the generator cannot reach it.
    pub async fn open(
        stack: &StackArgs,
        shop: &ShopArgs,
        place: &GeneratorArgs,
        folder: &Folder,
    ) -> Result<Self> {
        let (driver, status) = stack.running().await?;
        let url = shop.url.clone().unwrap_or_else(|| status.url.clone());
        let mut shop = shop.clone();
        let stack = stack.find(Some(&url)).await?;
        stack.lend_admin(&mut shop).await?;
        let place = generator(&driver, &url, &shop, place, folder.path());
        common::say(&format!("generator: {} for {}", place.said(), place.url));
        Ok(Self {
            generator: Generator::start(&place).await?,
            driver,
            url,
            stack,
        })
    }

    /// The processes now.
    ///
    /// # Errors
    /// When the stack's command fails.
    pub async fn status(&self) -> Result<Status> {
        self.driver.status().await
    }

    /// Holds the shop to what it has acknowledged, and runs the audit.
    ///
    /// # Errors
    /// When the shop could not be asked.
    pub async fn hold(&mut self) -> Result<Held> {
        let mut line = Progress::start();
        let verification = self
            .generator
            .verify(|done, of| {
                line.show(&format!(
                    "asking the shop for what it acknowledged: {done} of {of} owners"
                ));
            })
            .await?;
        line.done();
        Ok(Held {
            verification,
            audited: self.stack.audit().await,
        })
    }
}

/// Where the generator runs. In containers it shares nginx's network, so that 127.0.0.1 is nginx itself: the published port would measure
/// Docker's proxy.
fn generator(driver: &Driver, url: &str, shop: &ShopArgs, place: &GeneratorArgs, folder: &Path) -> Where {
    let mut flags = vec![
        "--seed".to_owned(),
        shop.seed.to_string(),
        "--accept-encoding".to_owned(),
        shop.accept_encoding.clone(),
    ];
    if let Some(email) = &shop.admin {
        flags.extend(["--admin".to_owned(), email.clone()]);
    }
    if let Some(authority) = &shop.authority {
        flags.extend(["--authority".to_owned(), authority.display().to_string()]);
    }
    let in_container = place.generator.is_none() && driver.command.iter().any(|word| word == "--compose");
    let (command, url, journal) = if in_container {
        // The stack's own command knows the project's folder and files.
        let own = [driver.command.clone(), vec!["loadtest".to_owned()]].concat();
        (
            own,
            "http://127.0.0.1:8080".to_owned(),
            "/tmp/journal.jsonl".into(),
        )
    } else {
        let command = place.generator.clone().map(|it| it.command).unwrap_or_default();
        (command, url.to_owned(), folder.join("journal.jsonl"))
    };
    Where {
        command,
        url,
        flags,
        journal,
        admin_password: shop.admin_password.clone(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn shop() -> ShopArgs {
        ShopArgs {
            url: None,
            authority: None,
            accept_encoding: "identity".to_owned(),
            admin: Some("a@example.com".to_owned()),
            admin_password: Some("p".to_owned()),
            seed: 7,
        }
    }

    #[test]
    fn a_stack_of_containers_has_its_generator_beside_nginx() {
        let driver: Driver = "trestle --compose --project other".parse().unwrap();
        let place = GeneratorArgs { generator: None };
        let place = generator(
            &driver,
            "http://127.0.0.1:9999",
            &shop(),
            &place,
            Path::new("/results"),
        );
        assert_eq!(place.url, "http://127.0.0.1:8080");
        assert_eq!(
            place.command.join(" "),
            "trestle --compose --project other loadtest"
        );
    }

    #[test]
    fn a_local_stack_has_it_here_and_the_password_is_on_no_command_line() {
        let driver: Driver = "trestle --data d".parse().unwrap();
        let place = GeneratorArgs { generator: None };
        let place = generator(
            &driver,
            "http://127.0.0.1:9999",
            &shop(),
            &place,
            Path::new("/results"),
        );
        assert!(place.command.is_empty());
        assert_eq!(place.journal, Path::new("/results/journal.jsonl"));
        assert!(!place.flags.iter().any(|flag| flag == "p"));
    }
}
