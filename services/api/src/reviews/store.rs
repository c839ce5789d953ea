//! The SQL of reviews and ratings.

use time::PrimitiveDateTime;
use uuid::Uuid;

use super::review::{Opinion, Review, author};
use crate::cache::feed;
use crate::db::{self, Connection};
use crate::error::{Error, Result};
use crate::types::id::{CustomerId, ProductId, ReviewId};

struct Row {
    id: Uuid,
    rating: i8,
    text: String,
    name: String,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
}

impl Row {
    fn read(self) -> Review {
        Review {
            id: ReviewId(self.id),
            rating: self.rating,
            text: self.text,
            author: author(&self.name),
            created_at: self.created_at.assume_utc(),
            updated_at: self.updated_at.assume_utc(),
        }
    }
}

/// A product's reviews, newest first, from the one before `before` on.
pub async fn page(
    connection: &mut Connection,
    product: ProductId,
    before: Uuid,
    limit: u32,
) -> Result<Vec<Review>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT
            reviews.id AS "id: Uuid",
            reviews.rating,
            reviews.text,
            customers.name,
            reviews.created_at,
            reviews.updated_at
        FROM reviews
        JOIN customers ON customers.id = reviews.customer_id
        WHERE reviews.product_id = ? AND reviews.id < ?
        ORDER BY reviews.id DESC
        LIMIT ?"#,
        product.0,
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// A customer's review of a product.
pub async fn of_customer(
    connection: &mut Connection,
    customer: CustomerId,
    product: ProductId,
) -> Result<Option<Review>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT
            reviews.id AS "id: Uuid",
            reviews.rating,
            reviews.text,
            customers.name,
            reviews.created_at,
            reviews.updated_at
        FROM reviews
        JOIN customers ON customers.id = reviews.customer_id
        WHERE reviews.product_id = ? AND reviews.customer_id = ?"#,
        product.0,
        customer.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Row::read))
}

pub async fn is_for_sale(connection: &mut Connection, product: ProductId) -> Result<bool> {
    let found = sqlx::query_scalar!(
        "SELECT id
        FROM products
        WHERE id = ? AND published = 1",
        product.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Whether a customer has a paid or shipped order of a product. A customer has few orders, a product many: the way goes
/// from the customer.
pub async fn bought(connection: &mut Connection, customer: CustomerId, product: ProductId) -> Result<bool> {
    let found = sqlx::query_scalar!(
        "SELECT STRAIGHT_JOIN order_lines.product_id
        FROM orders
        JOIN order_lines ON order_lines.order_id = orders.id
        WHERE orders.customer_id = ?
          AND orders.state IN ('paid', 'shipped')
          AND order_lines.product_id = ?
        LIMIT 1",
        customer.0,
        product.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Writes a new review. 409 `already_reviewed` when there is one of this customer: the unique key says so.
pub async fn insert(
    tx: &mut Connection,
    customer: CustomerId,
    product: ProductId,
    id: ReviewId,
    opinion: &Opinion,
) -> Result<()> {
    let done = sqlx::query!(
        "INSERT INTO reviews (id, product_id, customer_id, rating, text, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
        id.0,
        product.0,
        customer.0,
        opinion.rating,
        opinion.text,
    )
    .execute(tx)
    .await;
    match done {
        Ok(_) => Ok(()),
        Err(error) if db::is_duplicate(&error) => Err(Error::AlreadyReviewed),
        Err(error) => Err(error.into()),
    }
}

/// Locks a customer's review of a product, and answers its stars.
pub async fn lock(tx: &mut Connection, customer: CustomerId, product: ProductId) -> Result<Option<i8>> {
    Ok(sqlx::query_scalar!(
        "SELECT rating
        FROM reviews
        WHERE product_id = ? AND customer_id = ?
        FOR UPDATE",
        product.0,
        customer.0,
    )
    .fetch_optional(tx)
    .await?)
}

/// Changes a review that is locked.
pub async fn update(
    tx: &mut Connection,
    customer: CustomerId,
    product: ProductId,
    opinion: &Opinion,
) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE reviews
        SET rating = ?, text = ?, updated_at = UTC_TIMESTAMP(6)
        WHERE product_id = ? AND customer_id = ?",
        opinion.rating,
        opinion.text,
        product.0,
        customer.0,
    )
    .execute(tx)
    .await?;
    one(done.rows_affected())
}

/// Deletes a review that is locked.
pub async fn delete(tx: &mut Connection, customer: CustomerId, product: ProductId) -> Result<()> {
    let done = sqlx::query!(
        "DELETE FROM reviews
        WHERE product_id = ? AND customer_id = ?",
        product.0,
        customer.0,
    )
    .execute(tx)
    .await?;
    one(done.rows_affected())
}

fn one(rows: u64) -> Result<()> {
    if rows == 1 {
        Ok(())
    } else {
        Err(Error::Internal(format!("a locked review was {rows} rows")))
    }
}

/// Adds to a product's rating, gives the product a new version and says so in the change feed. Last before COMMIT: the
/// product's row is locked from here on. That lock also makes the first reviews of a product wait for each other, so that
/// only one finds no rating and inserts it; inserts that race would deadlock on the key.
pub async fn rate(tx: &mut Connection, product: ProductId, reviews: i32, stars: i64) -> Result<()> {
    let bumped = sqlx::query!(
        "UPDATE product_state
        SET version = LAST_INSERT_ID(version + 1)
        WHERE product_id = ?",
        product.0,
    )
    .execute(&mut *tx)
    .await?;
    if bumped.rows_affected() != 1 {
        return Err(Error::Internal(format!("product {product} has no state row")));
    }
    let added = sqlx::query!(
        "UPDATE product_ratings
        SET reviews = reviews + ?, stars = stars + ?
        WHERE product_id = ?",
        reviews,
        stars,
        product.0,
    )
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 0 {
        sqlx::query!(
            "INSERT INTO product_ratings (product_id, reviews, stars) VALUES (?, ?, ?)",
            product.0,
            reviews,
            stars,
        )
        .execute(&mut *tx)
        .await?;
    }
    feed::product_changed(&mut *tx, product, bumped.last_insert_id()).await
}
