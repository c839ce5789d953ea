//! What an import reads and writes, a batch of products at a time.

use std::collections::HashMap;

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use super::text;
use crate::command;

/// A product as the shop has it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredProduct {
    pub id: u64,
    pub handle: String,
    pub title: String,
    /// SHA-256 in hexadecimal digits: descriptions are compared, not fetched.
    pub description_hash: String,
    pub vendor: String,
    pub tags: String,
    pub category_id: u64,
    pub option1_name: String,
    pub option2_name: String,
    pub option3_name: String,
    pub price_min: i64,
    pub published: i8,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredVariant {
    pub id: u64,
    pub product_id: u64,
    pub position: i32,
    pub sku: Option<String>,
    pub option1: String,
    pub option2: String,
    pub option3: String,
    pub price: i64,
    /// No longer sold; only the backoffice puts it back.
    pub is_withdrawn: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredPicture {
    pub product_id: u64,
    pub url: String,
    pub alt: String,
    pub variant_id: Option<u64>,
}

/// The id of the category with that name, made when there is none.
pub async fn category(connection: &mut MySqlConnection, name: &str) -> anyhow::Result<u64> {
    let handle = text::slug(name);
    if let Some(id) = known_category(connection, &handle).await? {
        return Ok(id);
    }
    let inserted = sqlx::query!(
        "INSERT INTO categories (handle, name) VALUES (?, ?)",
        handle,
        name
    )
    .execute(connection)
    .await?;
    Ok(inserted.last_insert_id())
}

pub async fn known_category(connection: &mut MySqlConnection, handle: &str) -> anyhow::Result<Option<u64>> {
    Ok(
        sqlx::query_scalar!("SELECT id FROM categories WHERE handle = ?", handle)
            .fetch_optional(connection)
            .await?,
    )
}

/// `sql` followed by a list of values in brackets.
async fn list<T>(
    connection: &mut MySqlConnection,
    sql: &'static str,
    values: impl IntoIterator<Item = impl for<'q> sqlx::Encode<'q, MySql> + sqlx::Type<MySql>>,
    end: &'static str,
) -> anyhow::Result<Vec<T>>
where
    T: for<'r> sqlx::FromRow<'r, sqlx::mysql::MySqlRow> + Send + Unpin,
{
    let mut values = values.into_iter().peekable();
    if values.peek().is_none() {
        return Ok(vec![]);
    }
    let mut query = QueryBuilder::<MySql>::new(sql);
    query.push("(");
    let mut separated = query.separated(", ");
    for value in values {
        separated.push_bind(value);
    }
    query.push(")").push(end);
    Ok(query
        .build_query_as()
        .persistent(false)
        .fetch_all(connection)
        .await?)
}

/// Locks the products that the shop has, as an editor does. A read that follows sees what was committed before: the
/// connection is READ COMMITTED.
pub async fn lock_products(connection: &mut MySqlConnection, handles: Vec<String>) -> anyhow::Result<()> {
    let _: Vec<(u64,)> = list(
        connection,
        "SELECT id FROM products WHERE handle IN ",
        handles,
        " ORDER BY id FOR UPDATE",
    )
    .await?;
    Ok(())
}

pub async fn products(
    connection: &mut MySqlConnection,
    handles: Vec<String>,
) -> anyhow::Result<Vec<StoredProduct>> {
    list(
        connection,
        "SELECT id, handle, title, SHA2(description, 256) AS description_hash, vendor, tags, category_id, option1_name,
            option2_name, option3_name, price_min, published
        FROM products
        WHERE handle IN ",
        handles,
        "",
    )
    .await
}

/// Ids of products by their handles.
pub async fn product_ids(
    connection: &mut MySqlConnection,
    handles: Vec<String>,
) -> anyhow::Result<HashMap<String, u64>> {
    let rows: Vec<(String, u64)> = list(
        connection,
        "SELECT handle, id FROM products WHERE handle IN ",
        handles,
        "",
    )
    .await?;
    Ok(rows.into_iter().collect())
}

pub async fn variants(
    connection: &mut MySqlConnection,
    products: Vec<u64>,
) -> anyhow::Result<Vec<StoredVariant>> {
    list(
        connection,
        "SELECT id, product_id, position, sku, option1, option2, option3, price, withdrawn_variants.variant_id IS NOT NULL
            AS is_withdrawn
        FROM variants
        LEFT JOIN withdrawn_variants ON withdrawn_variants.variant_id = variants.id
        WHERE product_id IN ",
        products,
        "",
    )
    .await
}

pub async fn pictures(
    connection: &mut MySqlConnection,
    products: Vec<u64>,
) -> anyhow::Result<Vec<StoredPicture>> {
    list(
        connection,
        "SELECT product_id, url, alt, variant_id FROM product_pictures WHERE product_id IN ",
        products,
        " ORDER BY product_id, position",
    )
    .await
}

/// A SKU, the handle of the product that has it, and the options of its variant.
pub type Owner = (String, String, String, String, String);

/// Who has these SKUs now.
pub async fn owners_of_skus(
    connection: &mut MySqlConnection,
    skus: Vec<String>,
) -> anyhow::Result<Vec<Owner>> {
    list(
        connection,
        "SELECT v.sku, p.handle, v.option1, v.option2, v.option3
        FROM variants v
        JOIN products p ON p.id = v.product_id
        WHERE v.sku IN ",
        skus,
        "",
    )
    .await
}

/// Begins a list of what this file had so far, kept by the server so that it takes none of our memory.
pub async fn begin_seen(connection: &mut MySqlConnection) -> anyhow::Result<()> {
    for statement in [
        "DROP TEMPORARY TABLE IF EXISTS import_seen",
        // kind: h a handle, s a SKU.
        "CREATE TEMPORARY TABLE import_seen (
            kind CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
            line BIGINT UNSIGNED NOT NULL,
            PRIMARY KEY (kind, name)
        ) ENGINE = InnoDB",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Those of `names` that the file had before, with their lines.
pub async fn seen(
    connection: &mut MySqlConnection,
    kind: Seen,
    names: Vec<String>,
) -> anyhow::Result<Vec<(String, u64)>> {
    let sql = match kind {
        Seen::Handle => "SELECT name, line FROM import_seen WHERE kind = 'h' AND name IN ",
        Seen::Sku => "SELECT name, line FROM import_seen WHERE kind = 's' AND name IN ",
    };
    list(connection, sql, names, "").await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Handle,
    Sku,
}

pub async fn add_seen(
    connection: &mut MySqlConnection,
    names: Vec<(Seen, String, u64)>,
) -> anyhow::Result<()> {
    command::insert(
        connection,
        "INSERT INTO import_seen (kind, name, line)",
        names,
        |mut row, (kind, name, line)| {
            let kind = match kind {
                Seen::Handle => "'h'",
                Seen::Sku => "'s'",
            };
            row.push(kind).push_bind(name).push_bind(line);
        },
    )
    .await?;
    Ok(())
}

/// Locks what sales may write of a product, and answers its version.
pub async fn lock_state(connection: &mut MySqlConnection, product: u64) -> anyhow::Result<u64> {
    let version = sqlx::query_scalar!(
        "SELECT version FROM product_state WHERE product_id = ? FOR UPDATE",
        product
    )
    .fetch_optional(connection)
    .await?;
    anyhow::ensure!(version.is_some(), "product {product} has no row in product_state");
    Ok(version.unwrap_or_default())
}
