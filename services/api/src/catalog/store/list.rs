//! The SQL of lists of products.

use std::collections::HashMap;

use sqlx::{FromRow, MySql, QueryBuilder};

use crate::catalog::list::{After, ListQuery, SEARCH_LIMIT, Sort, Summary};
use crate::catalog::product::Category;
use crate::catalog::rating::Rating;
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
    price_min: i64,
    in_stock: bool,
    average: Option<i8>,
    reviews: Option<i32>,
    category_handle: String,
    category_name: String,
    picture: Option<String>,
}

/// What every list of products begins with.
const SUMMARIES: &str = "SELECT
        products.id,
        products.handle,
        products.title,
        products.price_min,
        product_state.in_stock <> 0 AS in_stock,
        product_ratings.average,
        product_ratings.reviews,
        categories.handle AS category_handle,
        categories.name AS category_name,
        (SELECT url FROM product_pictures
         WHERE product_pictures.product_id = products.id
         ORDER BY position LIMIT 1) AS picture
    FROM products
    JOIN categories ON categories.id = products.category_id
    JOIN product_state ON product_state.product_id = products.id
    LEFT JOIN product_ratings ON product_ratings.product_id = products.id
    WHERE products.published = 1";

impl SummaryRow {
    fn read(self, currency: Currency) -> Summary {
        Summary {
            id: ProductId(self.id),
            handle: self.handle,
            title: self.title,
            category: Category {
                handle: self.category_handle,
                name: self.category_name,
            },
            price: Money::new(self.price_min, currency),
            in_stock: self.in_stock,
            rating: Rating::new(self.average, self.reviews),
            picture: self.picture,
        }
    }
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
    let mut sql = QueryBuilder::<MySql>::new(SUMMARIES);
    filter(&mut sql, query);
    order(&mut sql, query);
    let rows: Vec<SummaryRow> = sql.build_query_as().fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| row.read(currency)).collect())
}

/// The products with these ids, in this order; without those that were withdrawn meanwhile.
pub async fn summaries(connection: &mut Connection, ids: &[u64], currency: Currency) -> Result<Vec<Summary>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::<MySql>::new(SUMMARIES);
    sql.push(" AND products.id IN (");
    let mut list = sql.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    sql.push(")");
    // Each number of ids is another statement, not worth keeping.
    let query = sql.build_query_as().persistent(false);
    let rows: Vec<SummaryRow> = query.fetch_all(connection).await?;
    let mut found: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids
        .iter()
        .filter_map(|id| found.remove(id))
        .map(|row| row.read(currency))
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
    if let Some(stars) = query.min_rating {
        // By what is shown, in tenths: 3.95 is shown as 4.0, and counts as 4.
        sql.push(" AND product_ratings.average >= ")
            .push_bind(i16::from(stars) * 10);
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
