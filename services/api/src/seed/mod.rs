//! `seed`: a believable shop of any size, the same for the same seed.
//!
//! Each thing is made from the seed and its number alone, in batches, so memory stays flat from a thousand products
//! to a million. Times count back from the moment of seeding, and the UUIDs of customers and orders carry them;
//! all else depends on nothing but the arguments and on what the shop already holds.
//!
//! It may run beside live replicas. A new product writes nothing to the change feed: nobody was given its id
//! before, so no cache holds anything of it but, at worst, somebody's guess at the id, for as long as absence is
//! kept. Lists show it when they expire.

mod customer;
mod order;
mod password;
mod product;
mod review;
mod store;
mod words;

use std::process::ExitCode;
use std::time::Instant;

use sqlx::{Connection as _, MySqlConnection};

use crate::command::{self, Progress, count, grouped};
use crate::config::{ConfigError, DatabaseArgs};
use crate::types::money::Currency;
use customer::Customer;
use order::Order;
use product::Product;

/// Rows of a transaction: large enough that the commit is a small part of it, small enough (about 1 MB) for
/// every server's packet limit and for flat memory.
const BATCH: u64 = 500;
/// Orders come from a sample of customers and variants of this size, held in memory.
const SAMPLE: u64 = 20_000;

/// What `seed` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Adds to what the shop holds. The same seed and numbers, in an empty shop, give the same products, customers \
    and orders. May run while the shop is open.\n\
    Exit code: 0 done, 1 failed (batches before the failure stay), 64 wrong arguments."
)]
pub struct SeedArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Products to add, 0 to 10000000, each with 1 to 6 variants
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    products: u64,
    /// Customers to add, 0 to 10000000, each with an address
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    customers: u64,
    /// Paid orders of the last 90 days to add, 0 to 10000000, by customers and of products there then are; a third of
    /// their lines is reviewed
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    orders: u64,
    /// Another number makes another shop
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// The password of all seeded customers, 8 to 128 characters; without one they cannot log in
    #[arg(
        long,
        env = "TRESTLE_SEED_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    password: Option<String>,
    /// The shop's currency, an ISO 4217 code
    #[arg(long, env = "TRESTLE_CURRENCY", default_value = "USD", value_name = "CODE")]
    currency: Currency,
    /// Give each product a picture: URL/NN.svg, NN its id modulo 24 in two digits
    #[arg(long, value_name = "URL", value_parser = crate::pictures::folder)]
    pictures: Option<String>,
    /// Do nothing when the shop has a product
    #[arg(long)]
    if_empty: bool,
}

/// # Errors
/// When an argument is wrong (`ConfigError`) or the database refuses.
pub async fn run(args: &SeedArgs) -> anyhow::Result<ExitCode> {
    let options = args.database.options()?;
    if let Some(password) = &args.password {
        password::check(password)?;
    }
    let mut connection = command::connect(&options).await?;
    command::writer_lock(&mut connection).await?;
    if args.if_empty && store::any_product(&mut connection).await? {
        command::say("the shop has products: nothing was seeded (--if-empty)");
        return Ok(ExitCode::SUCCESS);
    }
    command::agree_on_currency(&mut connection, args.currency, true).await?;

    let began = Instant::now();
    let mut written = Written::default();
    seed_products(&mut connection, args, &mut written).await?;
    seed_customers(&mut connection, args, &mut written).await?;
    seed_orders(&mut connection, args, &mut written).await?;
    connection.close().await.ok();
    command::say(&written.summary(args, began.elapsed().as_secs_f64()));
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Default)]
struct Written {
    variants: u64,
    rows: u64,
}

impl Written {
    fn summary(&self, args: &SeedArgs, seconds: f64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a rate, shown rounded")]
        let rate = self.rows as f64 / seconds.max(0.001);
        let login = match (&args.password, args.customers) {
            (_, 0) => "",
            (Some(_), _) => "; the customers log in with the password given",
            (None, _) => "; the customers have no password and cannot log in (--password gives them one)",
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive rate, shown rounded"
        )]
        let rate = grouped(rate as u64);
        format!(
            "seeded {} ({}), {}, {}: {} in {seconds:.1} s, {rate} rows/s{login}",
            count(args.products, "product"),
            count(self.variants, "variant"),
            count(args.customers, "customer"),
            count(args.orders, "order"),
            count(self.rows, "row"),
        )
    }
}

async fn seed_products(
    connection: &mut MySqlConnection,
    args: &SeedArgs,
    written: &mut Written,
) -> anyhow::Result<()> {
    if args.products == 0 {
        return Ok(());
    }
    let categories = store::categories(connection).await?;
    let (last_product, mut last_variant) = store::last_ids(connection).await?;
    let mut progress = Progress::counting("products", args.products);
    for (first, last) in batches(last_product + 1, args.products) {
        // The number is the id, so that handles and SKUs of two seedings differ.
        let batch: Vec<_> = (first..=last)
            .map(|number| Product::generate(args.seed, number, args.currency))
            .collect();
        let variants: u64 = batch.iter().map(|product| product.variants.len() as u64).sum();
        let pictures = args.pictures.as_deref();
        written.rows +=
            store::products(connection, &categories, first, last_variant + 1, &batch, pictures).await?;
        last_variant += variants;
        written.variants += variants;
        progress.advance(batch.len() as u64);
    }
    Ok(())
}

async fn seed_customers(
    connection: &mut MySqlConnection,
    args: &SeedArgs,
    written: &mut Written,
) -> anyhow::Result<()> {
    if args.customers == 0 {
        return Ok(());
    }
    // One hash for all: a hash each would take 17 ms a customer.
    let hash = args
        .password
        .as_deref()
        .map(crate::identity::password::hash)
        .transpose()?;
    let now = store::now(connection).await?;
    let last = store::last_customer(connection).await?;
    let mut progress = Progress::counting("customers", args.customers);
    for (first, last) in batches(last + 1, args.customers) {
        let batch: Vec<_> = (first..=last)
            .map(|number| Customer::generate(args.seed, number, now))
            .collect();
        written.rows += store::customers(connection, hash.as_deref(), &batch).await?;
        progress.advance(batch.len() as u64);
    }
    Ok(())
}

async fn seed_orders(
    connection: &mut MySqlConnection,
    args: &SeedArgs,
    written: &mut Written,
) -> anyhow::Result<()> {
    if args.orders == 0 {
        return Ok(());
    }
    let now = store::now(connection).await?;
    let buyers = store::buyers(connection, SAMPLE).await?;
    let wares = store::wares(connection, SAMPLE).await?;
    if buyers.is_empty() || wares.is_empty() {
        return Err(ConfigError {
            variable: "--orders",
            reason: "needs products and customers with an address (--products, --customers)".into(),
        }
        .into());
    }
    let last = store::orders(connection).await?;
    let mut progress = Progress::counting("orders", args.orders);
    for (first, last) in batches(last + 1, args.orders) {
        let batch: Vec<_> = (first..=last)
            .map(|number| Order::generate(args.seed, number, now, &buyers, &wares))
            .collect();
        let reviews: Vec<_> = (first..)
            .zip(&batch)
            .flat_map(|(number, order)| review::of_order(args.seed, number, now, order))
            .collect();
        written.rows += store::paid_orders(connection, args.currency, &batch, &reviews).await?;
        progress.advance(batch.len() as u64);
    }
    Ok(())
}

/// First and last number of each batch.
fn batches(first: u64, count: u64) -> impl Iterator<Item = (u64, u64)> {
    let end = first + count;
    (first..end)
        .step_by(usize::try_from(BATCH).unwrap_or(usize::MAX))
        .map(move |from| (from, (from + BATCH).min(end) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_cover_every_number_once() {
        let all: Vec<_> = batches(7, 1_001).collect();
        assert_eq!(all, [(7, 506), (507, 1_006), (1_007, 1_007)]);
        assert_eq!(batches(1, 0).count(), 0);
    }
}
