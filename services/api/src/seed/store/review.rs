//! Writes reviews beside a shop that may be open: what they change of a product is a new version of it, and the change
//! feed says so. The locks come in the order of `crate::reviews`: reviews, state of the products by id, ratings, changes.

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use crate::command::insert;
use crate::seed::review::Review;

/// Reviews of a statement; one by a customer who reviewed the product before is left out. Answers the rows written.
pub async fn write(tx: &mut MySqlConnection, reviews: &[Review]) -> anyhow::Result<u64> {
    let mut written = insert(
        tx,
        "INSERT IGNORE INTO reviews (id, product_id, customer_id, rating, text, created_at, updated_at)",
        reviews,
        |mut row, review| {
            row.push_bind(review.id)
                .push_bind(review.product_id)
                .push_bind(review.customer_id)
                .push_bind(review.rating)
                .push_bind(&review.text)
                .push_bind(review.created_at)
                .push_bind(review.created_at);
        },
    )
    .await?;
    if written == 0 {
        return Ok(0);
    }
    let mut query = QueryBuilder::<MySql>::new("SELECT DISTINCT product_id FROM reviews WHERE id IN ");
    ids(&mut query, reviews).push(" ORDER BY product_id");
    let products: Vec<u64> = query
        .build_query_scalar()
        .persistent(false)
        .fetch_all(&mut *tx)
        .await?;
    written += on_products(
        tx,
        "UPDATE product_state SET version = version + 1 WHERE product_id IN ",
        &products,
    )
    .await?;
    written += rate(tx, reviews).await?;
    written += on_products(
        tx,
        "INSERT INTO changes (kind, id_key, version, created_at)
        SELECT 'product', product_id, version, UTC_TIMESTAMP(6)
        FROM product_state
        WHERE product_id IN ",
        &products,
    )
    .await?;
    Ok(written)
}

/// Adds to the ratings what these reviews say, as far as they were written.
async fn rate(tx: &mut MySqlConnection, reviews: &[Review]) -> anyhow::Result<u64> {
    let mut query = QueryBuilder::<MySql>::new(
        "INSERT IGNORE INTO product_ratings (product_id, reviews, stars)
        SELECT DISTINCT product_id, 0, 0
        FROM reviews
        WHERE id IN ",
    );
    ids(&mut query, reviews);
    query.build().persistent(false).execute(&mut *tx).await?;
    let mut query = QueryBuilder::<MySql>::new(
        "UPDATE product_ratings
        JOIN (
            SELECT product_id, COUNT(*) AS reviews, SUM(rating) AS stars
            FROM reviews
            WHERE id IN ",
    );
    ids(&mut query, reviews).push(
        "
            GROUP BY product_id
        ) AS added ON added.product_id = product_ratings.product_id
        SET product_ratings.reviews = product_ratings.reviews + added.reviews,
            product_ratings.stars = product_ratings.stars + added.stars",
    );
    let done = query.build().persistent(false).execute(tx).await?;
    Ok(done.rows_affected())
}

async fn on_products(tx: &mut MySqlConnection, sql: &'static str, products: &[u64]) -> anyhow::Result<u64> {
    let mut query = QueryBuilder::<MySql>::new(sql);
    query.push("(");
    let mut list = query.separated(", ");
    for product in products {
        list.push_bind(*product);
    }
    query.push(")");
    let done = query.build().persistent(false).execute(tx).await?;
    Ok(done.rows_affected())
}

fn ids<'q>(query: &'q mut QueryBuilder<MySql>, reviews: &[Review]) -> &'q mut QueryBuilder<MySql> {
    query.push("(");
    let mut list = query.separated(", ");
    for review in reviews {
        list.push_bind(review.id);
    }
    query.push(")")
}
