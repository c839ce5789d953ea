//! The SQL of the backoffice's list of products.

use sqlx::{FromRow, MySql, QueryBuilder};
use time::PrimitiveDateTime;

use crate::backoffice::products::list::{Filter, Summary};
use crate::catalog::product::Category;
use crate::catalog::search::Search;
use crate::db::Connection;
use crate::error::Result;
use crate::types::id::ProductId;
use crate::types::money::{Currency, Money};

#[derive(FromRow)]
struct SummaryRow {
    id: u64,
    handle: String,
    title: String,
    category_handle: String,
    category_name: String,
    price_min: i64,
    published: bool,
    in_stock: bool,
    updated_at: PrimitiveDateTime,
}

/// One page, newest first, from the product before `before` on.
pub async fn page(
    connection: &mut Connection,
    filter: &Filter,
    before: u64,
    limit: u32,
    currency: Currency,
) -> Result<Vec<Summary>> {
    let mut sql = QueryBuilder::<MySql>::new(
        "SELECT
            products.id,
            products.handle,
            products.title,
            categories.handle AS category_handle,
            categories.name AS category_name,
            products.price_min,
            products.published <> 0 AS published,
            product_state.in_stock <> 0 AS in_stock,
            products.updated_at
        FROM products
        JOIN categories ON categories.id = products.category_id
        JOIN product_state ON product_state.product_id = products.id
        WHERE products.id < ",
    );
    sql.push_bind(before);
    if let Some(published) = filter.published {
        sql.push(" AND products.published = ")
            .push_bind(i8::from(published));
    }
    if let Some(q) = &filter.q {
        matching(&mut sql, q);
    }
    sql.push(" ORDER BY products.id DESC LIMIT ").push_bind(limit);
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
            published: row.published,
            in_stock: row.in_stock,
            updated_at: row.updated_at.assume_utc(),
        })
        .collect())
}

/// Products that a search finds. Each part has an index of its own and is bounded.
fn matching(sql: &mut QueryBuilder<MySql>, q: &str) {
    let beginning = format!(
        "{}%",
        q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
    );
    sql.push(" AND products.id IN (SELECT id FROM (")
        .push("(SELECT id FROM products WHERE title LIKE ")
        .push_bind(beginning.clone())
        .push(" LIMIT 1000) UNION (SELECT id FROM products WHERE handle LIKE ")
        .push_bind(beginning.to_lowercase())
        .push(" LIMIT 1000) UNION (SELECT product_id FROM variants WHERE sku LIKE ")
        .push_bind(beginning)
        .push(" LIMIT 1000)");
    let words = Search::new(q).expression;
    if !words.is_empty() {
        sql.push(" UNION (SELECT id FROM products WHERE MATCH (title, search_text, vendor, tags) AGAINST (")
            .push_bind(words)
            .push(" IN BOOLEAN MODE) LIMIT 1000)");
    }
    sql.push(") AS found)");
}
