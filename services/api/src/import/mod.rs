//! `import`: products from a CSV file in the format that Shopify exports.
//!
//! The file is read as a stream: memory holds one batch of products, whatever the file's size. Importing a file
//! twice changes nothing the second time: a product is known by its handle, a variant by handle and option values.
//!
//! `--all-or-nothing` reads the file twice, first only to check it. One transaction for all would hold locks that
//! sales need for as long as it takes, and its rows in the change feed would be older at their commit than the
//! feed looks back. The price: should the database fail in the second reading, the batches before it stay; the
//! same import again brings the rest.

mod apply;
mod check;
mod header;
pub(crate) mod product;
mod reading;
mod records;
mod row;
pub(crate) mod store;
pub(crate) mod text;
mod update;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use sqlx::{Connection as _, MySqlConnection};

use crate::command::{self, Progress, count};
use crate::config::DatabaseArgs;
use crate::types::money::Currency;
use apply::Counts;
use product::Draft;
use reading::{Reading, Step};
use row::Problem;

/// Products and variants of a transaction, and about how many bytes of them: far below what a server takes in one
/// packet, and few enough that the locks on them are short.
const BATCH_PRODUCTS: usize = 200;
const BATCH_VARIANTS: usize = 500;
const BATCH_BYTES: usize = 1024 * 1024;
/// Products changed a second at most. Each replica reads ten seconds of the change feed four times a second, and
/// must do so within a second, or it refuses tokens: 10,000 rows are read in some 20 ms.
const CHANGES_PER_SECOND: u64 = 1_000;
/// Refused rows and warnings that are printed; all are counted.
const TOLD: u64 = 1_000;

/// What `import` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Columns: Handle, Title and Variant Price are required; Body (HTML), Vendor, Type, Tags, Published, Status, \
    Option1-3 Name and Value, Variant SKU, Variant Inventory Qty, Variant Inventory Policy, Image Src, Image Position, \
    Image Alt Text and Variant Image are read; all others are passed over. Rows of one handle follow one another.\n\
    A quantity is taken when a variant is made, never again. What the file does not mention stays as it is.\n\
    A bad row is reported with its line, column and reason, and left out; when it is the first of its handle, so is the \
    product. May run while the shop is open.\n\
    Exit code: 0 every row is in, 1 some row is not or the import failed, 64 wrong arguments."
)]
pub struct ImportArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The file: CSV, UTF-8, with a header
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Import nothing when any row is bad
    #[arg(long)]
    all_or_nothing: bool,
    /// The shop's currency, an ISO 4217 code, which the file's prices are in
    #[arg(long, env = "TRESTLE_CURRENCY", default_value = "USD", value_name = "CODE")]
    currency: Currency,
}

/// # Errors
/// When an argument is wrong (`ConfigError`), the file cannot be read or the database refuses.
pub async fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let options = args.database.options()?;
    // Before the database is asked for anything.
    open(args)?;
    let mut connection = command::connect(&options).await?;
    command::writer_lock(&mut connection).await?;
    command::agree_on_currency(&mut connection, args.currency, false).await?;

    if args.all_or_nothing {
        let checked = pass(&mut connection, args, false).await?;
        if checked.refused > 0 {
            command::say(&format!(
                "nothing was imported (--all-or-nothing): {} refused, {}",
                count(checked.refused, "row"),
                count(checked.warnings, "warning")
            ));
            return Ok(ExitCode::FAILURE);
        }
    }
    command::agree_on_currency(&mut connection, args.currency, true).await?;
    let total = pass(&mut connection, args, true).await?;
    connection.close().await.ok();
    command::say(&total.summary());
    if let Some(error) = total.broken_off {
        return Err(error);
    }
    Ok(if total.refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

type Source = BufReader<File>;

/// Opens the file and reads its header; its length, too.
fn open(args: &ImportArgs) -> anyhow::Result<(Reading<Source>, u64)> {
    let path: &Path = &args.file;
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let metadata = file.metadata().with_context(|| path.display().to_string())?;
    ensure!(!metadata.is_dir(), "{}: is a directory", path.display());
    ensure!(
        metadata.is_file(),
        "{}: is not a regular file: save it first",
        path.display()
    );
    let source = BufReader::with_capacity(256 * 1024, file);
    let reading = Reading::begin(source, args.currency).with_context(|| path.display().to_string())?;
    Ok((reading, metadata.len()))
}

#[derive(Debug, Default)]
struct Total {
    counts: Counts,
    refused: u64,
    warnings: u64,
    /// Why the rest of the file could not be read.
    broken_off: Option<anyhow::Error>,
}

impl Total {
    fn add(&mut self, counts: &Counts) {
        let sum = &mut self.counts;
        sum.created += counts.created;
        sum.updated += counts.updated;
        sum.unchanged += counts.unchanged;
        sum.variants_created += counts.variants_created;
        sum.variants_updated += counts.variants_updated;
    }

    fn summary(&self) -> String {
        let counts = &self.counts;
        format!(
            "{} created, {} updated, {} unchanged; {} created, {} updated; {} refused; {}",
            count(counts.created, "product"),
            command::grouped(counts.updated),
            command::grouped(counts.unchanged),
            count(counts.variants_created, "variant"),
            command::grouped(counts.variants_updated),
            count(self.refused, "row"),
            count(self.warnings, "warning"),
        )
    }

    /// Prints a problem, as long as there are not too many.
    fn tell(&mut self, progress: &Progress, problem: &Problem, is_warning: bool, rows: u64) {
        let (told, word) = if is_warning {
            (&mut self.warnings, "warning")
        } else {
            (&mut self.refused, "refused")
        };
        let before = *told;
        *told += rows;
        let Problem { line, column, reason } = problem;
        if before < TOLD {
            progress.println(&format!("{word}: line {line}: {column}: {reason}"));
        }
        if before < TOLD && *told >= TOLD {
            progress.println(&format!("{word}: further ones are counted and not shown"));
        }
    }
}

/// Reads the whole file once: to write what is good, or only to check it.
async fn pass(connection: &mut MySqlConnection, args: &ImportArgs, write: bool) -> anyhow::Result<Total> {
    let (mut reading, length) = open(args)?;
    store::begin_seen(connection).await?;
    let label = if write { "importing" } else { "checking" };
    let mut progress = Progress::new(label, length, "[{bar:40}] {bytes} of {total_bytes}, {eta} left");
    let mut total = Total::default();
    let mut batch: Vec<Draft> = vec![];
    let (mut bytes, mut variants) = (0, 0);
    // What a checking pass said is not said again.
    let quiet = write && args.all_or_nothing;
    loop {
        let step = reading.next().unwrap_or_else(|error| {
            total.broken_off = Some(error);
            batch.extend(reading.finish());
            Step::End
        });
        for (problems, is_warning) in [(&mut reading.problems, false), (&mut reading.warnings, true)] {
            for problem in problems.drain(..) {
                if quiet && is_warning {
                    total.warnings += 1;
                } else {
                    total.tell(&progress, &problem, is_warning, 1);
                }
            }
        }
        let ended = matches!(step, Step::End);
        if let Step::Product(draft) = step {
            bytes += draft.bytes();
            variants += draft.variants.len();
            batch.push(*draft);
        }
        if ended && !write && total.broken_off.is_some() {
            break;
        }
        if !batch.is_empty()
            && (ended || batch.len() >= BATCH_PRODUCTS || variants >= BATCH_VARIANTS || bytes >= BATCH_BYTES)
        {
            flush(connection, &batch, write, &mut total, &progress).await?;
            batch.clear();
            (bytes, variants) = (0, 0);
            progress.advance_to(reading.bytes());
        }
        if ended {
            break;
        }
    }
    match total.broken_off.take() {
        // Nothing was written yet: as good as a file that cannot be read at all.
        Some(error) if !write => Err(error),
        broken_off => Ok(Total { broken_off, ..total }),
    }
}

/// One batch, and a pause when it changed many products of the shop.
async fn flush(
    connection: &mut MySqlConnection,
    batch: &[Draft],
    write: bool,
    total: &mut Total,
    progress: &Progress,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let (counts, refused) = apply::batch(connection, batch, write).await?;
    for (problem, rows) in &refused {
        total.tell(progress, problem, false, *rows);
    }
    total.add(&counts);
    let least = Duration::from_millis(counts.updated * 1_000 / CHANGES_PER_SECOND);
    tokio::time::sleep(least.saturating_sub(began.elapsed())).await;
    Ok(())
}
