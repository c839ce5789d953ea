//! The catalogue's SQL.

use sqlx::{FromRow, MySql, QueryBuilder};
use time::PrimitiveDateTime;
use time::format_description::well_known::Rfc3339;

use super::list::{After, ListQuery, SEARCH_LIMIT, Sort, Summary};
use super::product::{Category, FEW_LEFT, Picture, Product, Variant};
use super::search::Search;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::{ProductId, VariantId};
use crate::types::money::{Currency, Money};

/// What is known of a product id.
pub struct Found {
    pub version: u64,
    /// None when it is not published.
    pub product: Option<Product>,
}

/// Reads a product. Its version is read first, so that the bytes may be newer than the version says, never older.
pub async fn product(
    connection: &mut Connection,
    id: ProductId,
    currency: Currency,
) -> Result<Option<Found>> {
    let row = sqlx::query!(
        r#"SELECT
            products.handle,
            products.title,
            products.description,
            products.vendor,
            products.option1_name,
            products.option2_name,
            products.option3_name,
            products.published AS "published: bool",
            products.created_at AS "created_at: PrimitiveDateTime",
            categories.handle AS category_handle,
            categories.name AS category_name,
            product_state.version
        FROM products
        JOIN categories ON categories.id = products.category_id
        JOIN product_state ON product_state.product_id = products.id
        WHERE products.id = ?"#,
        id.0,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if !row.published {
        return Ok(Some(Found {
            version: row.version,
            product: None,
        }));
    }
    let mut options = vec![row.option1_name, row.option2_name, row.option3_name];
    options.retain(|name| !name.is_empty());
    let variants = variants(&mut *connection, id, options.len(), currency).await?;
    let pictures = pictures(connection, id).await?;
    let price = variants
        .iter()
        .map(|variant| variant.price.amount)
        .min()
        .unwrap_or_default();
    let created_at = row.created_at.assume_utc().format(&Rfc3339);
    let product = Product {
        id,
        handle: row.handle,
        title: row.title,
        description: row.description,
        vendor: row.vendor,
        category: Category {
            handle: row.category_handle,
            name: row.category_name,
        },
        price: Money::new(price, currency),
        in_stock: variants.iter().any(|variant| variant.in_stock),
        options,
        variants,
        pictures,
        version: row.version,
        created_at: created_at
            .map_err(|error| Error::Internal(format!("a time cannot be written: {error}")))?,
    };
    Ok(Some(Found {
        version: row.version,
        product: Some(product),
    }))
}

async fn variants(
    connection: &mut Connection,
    id: ProductId,
    options: usize,
    currency: Currency,
) -> Result<Vec<Variant>> {
    let rows = sqlx::query!(
        r#"SELECT
            variants.id,
            variants.sku,
            variants.option1,
            variants.option2,
            variants.option3,
            variants.price,
            stock.on_hand
        FROM variants
        JOIN stock ON stock.variant_id = variants.id
        WHERE variants.product_id = ?
        ORDER BY variants.position, variants.id"#,
        id.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Variant {
            id: VariantId(row.id),
            sku: row.sku,
            options: [row.option1, row.option2, row.option3]
                .into_iter()
                .take(options)
                .collect(),
            price: Money::new(row.price, currency),
            in_stock: row.on_hand > 0,
            left: (row.on_hand <= FEW_LEFT).then_some(row.on_hand),
        })
        .collect())
}

async fn pictures(connection: &mut Connection, id: ProductId) -> Result<Vec<Picture>> {
    let rows = sqlx::query!(
        "SELECT url, alt, variant_id
         FROM product_pictures
         WHERE product_id = ?
         ORDER BY position",
        id.0,
    )
    .fetch_all(connection)
    .await?;
    let picture = |url, alt, variant: Option<u64>| Picture {
        url,
        alt,
        variant_id: variant.map(VariantId),
    };
    Ok(rows
        .into_iter()
        .map(|row| picture(row.url, row.alt, row.variant_id))
        .collect())
}

pub async fn categories(connection: &mut Connection) -> Result<Vec<Category>> {
    Ok(sqlx::query_as!(
        Category,
        "SELECT handle, name FROM categories ORDER BY name, id LIMIT 1000"
    )
    .fetch_all(connection)
    .await?)
}

#[derive(FromRow)]
struct SummaryRow {
    id: u64,
    handle: String,
    title: String,
    price_min: i64,
    in_stock: bool,
    category_handle: String,
    category_name: String,
    picture: Option<String>,
}

/// Reads one page, and one row more when there is a next page. Built at run time, because each filter is optional;
/// tests run every combination.
pub async fn list(
    connection: &mut Connection,
    query: &ListQuery,
    currency: Currency,
) -> Result<Vec<Summary>> {
    if query.search.as_ref().is_some_and(Search::is_empty) {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::<MySql>::new(
        "SELECT
            products.id,
            products.handle,
            products.title,
            products.price_min,
            product_state.in_stock <> 0 AS in_stock,
            categories.handle AS category_handle,
            categories.name AS category_name,
            (SELECT url FROM product_pictures
             WHERE product_pictures.product_id = products.id
             ORDER BY position LIMIT 1) AS picture
        FROM products
        JOIN categories ON categories.id = products.category_id
        JOIN product_state ON product_state.product_id = products.id
        WHERE products.published = 1",
    );
    filter(&mut sql, query);
    order(&mut sql, query);
    let rows: Vec<SummaryRow> = sql.build_query_as().fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|row| Summary {
            id: ProductId(row.id),
            handle: row.handle,
            title: row.title,
            category: Category {
                handle: row.category_handle,
                name: row.category_name,
            },
            price: Money::new(row.price_min, currency),
            in_stock: row.in_stock,
            picture: row.picture,
        })
        .collect())
}

fn filter(sql: &mut QueryBuilder<MySql>, query: &ListQuery) {
    if let Some(category) = &query.category {
        sql.push(" AND products.category_id = (SELECT id FROM categories WHERE handle = ")
            .push_bind(category.clone())
            .push(")");
    }
    if let Some(min) = query.min_price {
        sql.push(" AND products.price_min >= ").push_bind(min);
    }
    if let Some(max) = query.max_price {
        sql.push(" AND products.price_min <= ").push_bind(max);
    }
    if query.in_stock {
        sql.push(" AND product_state.in_stock = 1");
    }
    let Some(search) = &query.search else { return };
    if !search.expression.is_empty() {
        relevance(sql.push(" AND "), search);
    }
    for word in &search.beginnings {
        // Words are letters and digits alone, so nothing in them is a wildcard. Each part is bounded and has an
        // index of its own.
        let beginning = format!("{word}%");
        sql.push(" AND products.id IN (SELECT id FROM (");
        sql.push("(SELECT id FROM products WHERE title LIKE ")
            .push_bind(beginning.clone())
            .push(" LIMIT 1000)");
        sql.push(" UNION (SELECT product_id FROM variants WHERE sku LIKE ")
            .push_bind(beginning.to_uppercase())
            .push(" LIMIT 1000)");
        sql.push(" UNION (SELECT products.id FROM products JOIN categories ON categories.id = products.category_id WHERE categories.name LIKE ");
        sql.push_bind(beginning).push(" LIMIT 1000)) AS beginnings)");
    }
}

/// The full-text expression, which both filters and orders.
fn relevance<'q>(sql: &'q mut QueryBuilder<MySql>, search: &Search) -> &'q mut QueryBuilder<MySql> {
    sql.push("MATCH (products.title, products.search_text, products.vendor, products.tags) AGAINST (")
        .push_bind(search.expression.clone())
        .push(" IN BOOLEAN MODE)")
}

fn order(sql: &mut QueryBuilder<MySql>, query: &ListQuery) {
    let limit = u64::from(query.limit) + 1;
    if let Some(search) = &query.search {
        let start = if let After::Position(position) = query.after {
            position
        } else {
            0
        };
        sql.push(" ORDER BY ");
        if !search.expression.is_empty() {
            relevance(sql, search).push(" DESC, ");
        }
        sql.push("products.id DESC LIMIT ")
            .push_bind(limit.min(SEARCH_LIMIT.saturating_sub(start)));
        sql.push(" OFFSET ").push_bind(start);
        return;
    }
    if let After::Product { price, id } = query.after {
        match query.sort {
            Sort::Newest => {
                sql.push(" AND products.id < ").push_bind(id);
            }
            Sort::PriceAsc => after_price(sql, '>', price, id),
            Sort::PriceDesc => after_price(sql, '<', price, id),
        }
    }
    sql.push(match query.sort {
        Sort::Newest => " ORDER BY products.id DESC",
        Sort::PriceAsc => " ORDER BY products.price_min, products.id",
        Sort::PriceDesc => " ORDER BY products.price_min DESC, products.id DESC",
    });
    sql.push(" LIMIT ").push_bind(limit);
}

/// The products after a place in the order by price and id. The first half alone lets the index find the place.
fn after_price(sql: &mut QueryBuilder<MySql>, beyond: char, price: i64, id: u64) {
    sql.push(format!(" AND products.price_min {beyond}= "))
        .push_bind(price);
    sql.push(format!(" AND (products.price_min {beyond} "))
        .push_bind(price);
    sql.push(format!(" OR products.id {beyond} "))
        .push_bind(id)
        .push(")");
}
