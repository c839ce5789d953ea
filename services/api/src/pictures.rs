//! `pictures`: gives products the pictures that were drawn for a shop that has none of its own, or moves them to another address.
//!
//! A picture of one's own stays: only a product without any gets one, and only what this made is moved.

use std::process::ExitCode;

use sqlx::{Connection as _, MySqlConnection};

use crate::cache::feed;
use crate::command::{self, Progress, count};
use crate::config::DatabaseArgs;
use crate::import::store::lock_state;
use crate::types::id::ProductId;

/// How many there are, from 00.svg on.
const NUMBER: u64 = 24;
/// Products of a transaction.
const BATCH: u64 = 200;

/// What `pictures` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Repeating it changes nothing. May run while the shop is open.\n\
    Exit code: 0 done, 1 failed (what was changed before stays), 64 wrong arguments."
)]
pub struct PicturesArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Address of the folder with 00.svg to 23.svg; a product's picture is its id modulo 24
    #[arg(value_name = "URL", value_parser = folder)]
    url: String,
}

/// The address of the folder with the pictures, without a slash at its end.
///
/// # Errors
/// What it has to be.
pub fn folder(url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    let is_plain = !url.contains(['?', '#']) && url.len() <= 900;
    if crate::import::text::is_on_the_web(url) && is_plain {
        Ok(url.to_owned())
    } else {
        Err("must be the http or https address of the folder with 00.svg to 23.svg".to_owned())
    }
}

/// The picture's file, with the slash before it.
fn file(product: u64) -> String {
    format!("/{:02}.svg", product % NUMBER)
}

/// The address of a product's picture.
pub fn address(folder: &str, product: u64) -> String {
    format!("{folder}{}", file(product))
}

/// # Errors
/// When an argument is wrong (`ConfigError`) or the database refuses.
pub async fn run(args: &PicturesArgs) -> anyhow::Result<ExitCode> {
    let options = args.database.options()?;
    let mut connection = command::connect(&options).await?;
    command::writer_lock(&mut connection).await?;
    let last = sqlx::query_scalar!(r#"SELECT MAX(id) AS "id: u64" FROM products"#)
        .fetch_one(&mut connection)
        .await?
        .unwrap_or_default();
    let mut progress = Progress::counting("products", last);
    let mut changed = 0;
    let mut first = 1;
    while first <= last {
        let until = last.min(first + BATCH - 1);
        changed += batch(&mut connection, &args.url, first, until).await?;
        progress.advance_to(until);
        first = until + 1;
    }
    drop(progress);
    connection.close().await.ok();
    command::say(&format!(
        "{} changed: pictures are at {}",
        count(changed, "product"),
        args.url
    ));
    Ok(ExitCode::SUCCESS)
}

/// Answers how many were changed.
async fn batch(connection: &mut MySqlConnection, folder: &str, first: u64, last: u64) -> anyhow::Result<u64> {
    let mut tx = connection.begin().await?;
    let rows = sqlx::query!(
        r#"SELECT p.id, p.title, MIN(x.url) AS "url: String", COUNT(x.url) AS "pictures!: i64"
        FROM products p LEFT JOIN product_pictures x ON x.product_id = p.id
        WHERE p.id BETWEEN ? AND ?
        GROUP BY p.id, p.title
        ORDER BY p.id"#,
        first,
        last
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut changes = vec![];
    for row in rows {
        let address = address(folder, row.id);
        let is_ours = match &row.url {
            None => true,
            Some(url) => row.pictures == 1 && *url != address && url.ends_with(&file(row.id)),
        };
        if !is_ours {
            continue;
        }
        // Its revision, for who edits it; and the row that an editor locks first.
        sqlx::query!(
            "UPDATE products SET updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)
            WHERE id = ?",
            row.id
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!("DELETE FROM product_pictures WHERE product_id = ?", row.id)
            .execute(&mut *tx)
            .await?;
        sqlx::query!(
            "INSERT INTO product_pictures (product_id, position, url, alt) VALUES (?, 1, ?, ?)",
            row.id,
            address,
            row.title
        )
        .execute(&mut *tx)
        .await?;
        let version = lock_state(&mut tx, row.id).await? + 1;
        sqlx::query!(
            "UPDATE product_state SET version = ? WHERE product_id = ?",
            version,
            row.id
        )
        .execute(&mut *tx)
        .await?;
        changes.push((ProductId(row.id), version));
    }
    let changed = changes.len() as u64;
    // Last before COMMIT: a row that is older than the feed looks back when it is committed is never seen.
    for (product, version) in changes {
        feed::product_changed(&mut *tx, product, version).await?;
    }
    tx.commit().await?;
    Ok(changed)
}
