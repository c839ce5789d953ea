//! The SQL of coupons as customers use them.

use uuid::Uuid;

use super::code::Code;
use super::coupon::{Coupon, Off};
use super::uses::Use;
use crate::db::{Connection, is_duplicate};
use crate::error::{Error, Result};
use crate::types::id::{CustomerId, OrderId};

/// The coupon with this code, if customers may know of it. The database's clock says whether it is valid: replicas'
/// clocks differ.
pub async fn find(connection: &mut Connection, code: &Code) -> Result<Option<Coupon>> {
    let row = sqlx::query!(
        r#"SELECT
            kind,
            value,
            minimum,
            max_per_customer,
            valid_until IS NOT NULL AND valid_until <= UTC_TIMESTAMP(6) AS "expired!: bool"
        FROM coupons
        WHERE code = ?
            AND active = 1
            AND (valid_from IS NULL OR valid_from <= UTC_TIMESTAMP(6))"#,
        code.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Coupon {
            code: code.clone(),
            off: off(&row.kind, row.value)?,
            minimum: row.minimum,
            max_per_customer: row.max_per_customer,
            expired: row.expired,
        })
    })
    .transpose()
}

/// Reads what the database holds.
pub fn off(kind: &str, value: i64) -> Result<Off> {
    match kind {
        "percent" => Ok(Off::Percent(value)),
        "amount" => Ok(Off::Amount(value)),
        _ => Err(Error::Internal(format!("a coupon's kind is {kind:?}"))),
    }
}

/// Uses left: of all, and of this customer.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    pub of_all: bool,
    pub of_customer: bool,
}

/// Whether there are uses left. Without a customer, as if for one who never used it.
pub async fn left(
    connection: &mut Connection,
    coupon: &Coupon,
    customer: Option<CustomerId>,
) -> Result<Left> {
    let row = sqlx::query!(
        r#"SELECT
            max_uses IS NULL OR coupon_counters.used < max_uses AS "of_all!: bool",
            COALESCE(coupon_customers.used, 0) AS "by_customer!: i64"
        FROM coupon_counters
        LEFT JOIN coupon_customers ON coupon_customers.code = coupon_counters.code
            AND coupon_customers.customer_id = ?
        WHERE coupon_counters.code = ?"#,
        customer.map(|customer| customer.0),
        coupon.code.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    let row = row.ok_or_else(|| Error::Internal(format!("coupon {} has no counter", coupon.code)))?;
    Ok(Left {
        of_all: row.of_all,
        of_customer: coupon.max_per_customer.is_none_or(|max| row.by_customer < max),
    })
}

/// Writes an order's use into the ledger.
pub async fn insert_use(
    tx: &mut Connection,
    order: OrderId,
    customer: CustomerId,
    wanted: &Use,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO coupon_uses (order_id, code, customer_id, discount, state, created_at)
        VALUES (?, ?, ?, ?, 'used', UTC_TIMESTAMP(6))",
        order.0,
        wanted.code.as_str(),
        customer.0,
        wanted.discount,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts one use more of a customer who has used the coupon before; false without a row or below the limit.
pub async fn count_customer(
    tx: &mut Connection,
    code: &Code,
    customer: CustomerId,
    limit: i64,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE coupon_customers
        SET used = used + 1
        WHERE code = ? AND customer_id = ? AND used < ?",
        code.as_str(),
        customer.0,
        limit,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How often a customer uses the coupon; None for one who never did.
pub async fn used_by(connection: &mut Connection, code: &Code, customer: CustomerId) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar!(
        "SELECT used
        FROM coupon_customers
        WHERE code = ? AND customer_id = ?",
        code.as_str(),
        customer.0,
    )
    .fetch_optional(connection)
    .await?)
}

/// Counts a customer's first use; false when the customer has a row.
pub async fn first_of_customer(tx: &mut Connection, code: &Code, customer: CustomerId) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO coupon_customers (code, customer_id, used)
        VALUES (?, ?, 1)",
        code.as_str(),
        customer.0,
    )
    .execute(tx)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Counts one use more; false when there is none left.
pub async fn count_use(tx: &mut Connection, code: &Code) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE coupon_counters
        SET used = used + 1
        WHERE code = ? AND (max_uses IS NULL OR used < max_uses)",
        code.as_str(),
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Marks an order's use as given back; false when it has none that lives.
pub async fn end_use(tx: &mut Connection, order: OrderId) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE coupon_uses
        SET state = 'given_back',
            given_back_at = UTC_TIMESTAMP(6)
        WHERE order_id = ? AND state = 'used'",
        order.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Which coupon an order used, and whose it was.
pub async fn use_of(connection: &mut Connection, order: OrderId) -> Result<(Code, CustomerId)> {
    let row = sqlx::query!(
        r#"SELECT code, customer_id AS "customer_id: Uuid"
        FROM coupon_uses
        WHERE order_id = ?"#,
        order.0,
    )
    .fetch_one(connection)
    .await?;
    let code = Code::parse(&row.code)
        .ok_or_else(|| Error::Internal(format!("a coupon's code in the database is {:?}", row.code)))?;
    Ok((code, CustomerId(row.customer_id)))
}

/// Counts one use of a customer less.
pub async fn uncount_customer(tx: &mut Connection, code: &Code, customer: CustomerId) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE coupon_customers
        SET used = used - 1
        WHERE code = ? AND customer_id = ? AND used > 0",
        code.as_str(),
        customer.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts one use less.
pub async fn uncount_use(tx: &mut Connection, code: &Code) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE coupon_counters
        SET used = used - 1
        WHERE code = ? AND used > 0",
        code.as_str(),
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
