//! `admin`: who may use the backoffice. The first admin is made here, by whoever may reach the database: there is no
//! default account and no default password.
//!
//! A token carries its customer's role for five minutes, so a change of role ends the customer's sessions: it holds
//! on every replica within two seconds, as a logout does.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use sqlx::{Connection as _, MySqlConnection};
use uuid::Uuid;

use super::log::{self, Actor, Subject};
use crate::cache::feed;
use crate::command::{self, count};
use crate::config::{ConfigError, DatabaseArgs};
use crate::db;
use crate::identity::{email, password};
use crate::types::id::{CustomerId, SessionId};
use crate::types::text::Checks;

/// Far more than any password.
const PASSWORD_FILE_BYTES: u64 = 4_096;

/// What `admin` takes.
#[derive(Debug, clap::Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make the customer with this e-mail address an admin; their sessions end
    #[command(after_help = EXIT_CODES)]
    Grant(Whom),
    /// Make an admin a customer like all others; their sessions end
    #[command(after_help = EXIT_CODES)]
    Revoke(Whom),
    /// Make a new account that is an admin's
    #[command(after_help = EXIT_CODES)]
    Create(New),
    /// Print the e-mail address and name of each admin
    List(DatabaseArgs),
}

const EXIT_CODES: &str =
    "Exit code: 0 it is so now, 1 there is no such account or the database refused, 64 wrong arguments.";

#[derive(Debug, clap::Args)]
struct Whom {
    #[command(flatten)]
    database: DatabaseArgs,
    /// E-mail address of an account that was registered in the shop
    #[arg(value_name = "EMAIL")]
    email: String,
}

#[derive(Debug, clap::Args)]
struct New {
    #[command(flatten)]
    whom: Whom,
    /// The name that the account has
    #[arg(long, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    password: Password,
}

/// A password is never an argument, which other users of the machine can see.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Password {
    /// Read the password from this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Read the password from stdin
    #[arg(long)]
    password_stdin: bool,
}

/// # Errors
/// When an argument is wrong (`ConfigError`), there is no such account, or the database refuses.
pub async fn run(args: &AdminArgs) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Grant(whom) => set_role(whom, "admin", "admin.grant", "is an admin now").await?,
        What::Revoke(whom) => set_role(whom, "customer", "admin.revoke", "is no admin any more").await?,
        What::Create(new) => create(new).await?,
        What::List(database) => list(database).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn address(text: &str) -> Result<String, ConfigError> {
    email::normalise(text).map_err(|reason| ConfigError {
        variable: "EMAIL",
        reason,
    })
}

/// Gives the account a role. Done again it changes nothing.
async fn set_role(
    whom: &Whom,
    role: &'static str,
    action: &'static str,
    outcome: &str,
) -> anyhow::Result<()> {
    let email = address(&whom.email)?;
    let mut connection = command::connect(&whom.database.options()?).await?;
    let mut tx = connection.begin().await?;
    let account = sqlx::query!(
        r#"SELECT id AS "id: Uuid", role FROM customers WHERE email = ? FOR UPDATE"#,
        email
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(account) = account else {
        bail!(
            "no account has the e-mail address {email}: register it in the shop first, or make one with `admin create`"
        );
    };
    if account.role == role {
        command::say(&format!("{email} {outcome}: nothing to change"));
        return Ok(());
    }
    sqlx::query!("UPDATE customers SET role = ? WHERE id = ?", role, account.id)
        .execute(&mut *tx)
        .await?;
    let subject = Subject::new("customer", account.id);
    log::record(&mut *tx, &Actor::command(), action, &subject, &email).await?;
    let ended = end_sessions(&mut tx, CustomerId(account.id)).await?;
    tx.commit().await?;
    connection.close().await.ok();
    command::say(&format!("{email} {outcome}; {} ended", count(ended, "session")));
    Ok(())
}

/// Ends every session of a customer and tells every replica; answers how many there were.
async fn end_sessions(tx: &mut MySqlConnection, customer: CustomerId) -> anyhow::Result<u64> {
    let live = sqlx::query_scalar!(
        r#"SELECT id AS "id: Uuid"
        FROM sessions
        WHERE customer_id = ?
            AND revoked_at IS NULL
        FOR UPDATE"#,
        customer.0,
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE sessions
        SET revoked_at = UTC_TIMESTAMP(6)
        WHERE customer_id = ?
            AND revoked_at IS NULL",
        customer.0,
    )
    .execute(&mut *tx)
    .await?;
    let ended = live.len() as u64;
    for session in live {
        feed::session_revoked(&mut *tx, SessionId(session)).await?;
    }
    Ok(ended)
}

async fn create(new: &New) -> anyhow::Result<()> {
    let email = address(&new.whom.email)?;
    let options = new.whom.database.options()?;
    let password = new.password.read()?;
    let mut checks = Checks::default();
    let name = checks.required("name", &new.name, 100);
    password::check_new(&mut checks, "password", &password, &email, &name);
    if let Err(crate::error::Error::Validation(errors)) = checks.done() {
        let reasons: Vec<_> = errors
            .into_iter()
            .map(|error| format!("the {} {}", error.field, error.message))
            .collect();
        let reason = reasons.join("; ");
        return Err(ConfigError {
            variable: "admin create",
            reason,
        }
        .into());
    }
    let hash = password::hash(&password)?;
    let mut connection = command::connect(&options).await?;
    let mut tx = connection.begin().await?;
    let id = CustomerId::generate();
    let inserted = sqlx::query!(
        "INSERT INTO customers (id, email, name, password_hash, role, created_at)
        VALUES (?, ?, ?, ?, 'admin', UTC_TIMESTAMP(6))",
        id.0,
        email,
        name,
        hash,
    )
    .execute(&mut *tx)
    .await;
    match inserted {
        Err(error) if db::is_duplicate(&error) => {
            bail!("{email} has an account: `admin grant {email}` makes it an admin's")
        }
        inserted => inserted?,
    };
    let subject = Subject::new("customer", id);
    log::record(&mut *tx, &Actor::command(), "admin.create", &subject, &email).await?;
    tx.commit().await?;
    connection.close().await.ok();
    command::say(&format!("{email} is an admin now"));
    Ok(())
}

impl Password {
    /// The first line of what is read.
    fn read(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        if let Some(path) = &self.password_file {
            let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
            let read = file.take(PASSWORD_FILE_BYTES).read_to_string(&mut text);
            read.with_context(|| path.display().to_string())?;
        } else {
            let read = std::io::stdin()
                .take(PASSWORD_FILE_BYTES)
                .read_to_string(&mut text);
            read.context("stdin")?;
        }
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }
}

async fn list(database: &DatabaseArgs) -> anyhow::Result<()> {
    let mut connection = command::connect(&database.options()?).await?;
    let admins = sqlx::query!("SELECT email, name FROM customers WHERE role = 'admin' ORDER BY email")
        .fetch_all(&mut connection)
        .await?;
    connection.close().await.ok();
    if admins.is_empty() {
        command::say("nobody is an admin: `admin grant EMAIL` makes somebody one");
    }
    for admin in admins {
        command::say(&format!("{} ({})", admin.email, admin.name));
    }
    Ok(())
}
