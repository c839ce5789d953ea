//! The SQL of coupons as the backoffice makes and changes them.

use time::PrimitiveDateTime;

use super::create::New;
use super::{OffView, Percent, Time, View, Window};
use crate::coupons::code::Code;
use crate::coupons::coupon::Off;
use crate::coupons::store::off;
use crate::db::{Connection, is_duplicate};
use crate::error::{Error, Result};
use crate::types::money::{Currency, Money};

struct Row {
    code: String,
    kind: String,
    value: i64,
    minimum: i64,
    max_per_customer: Option<i64>,
    valid_from: Option<PrimitiveDateTime>,
    valid_until: Option<PrimitiveDateTime>,
    active: bool,
    revision: u64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
    used: i64,
    max_uses: Option<i64>,
}

impl Row {
    fn read(self, currency: Currency) -> Result<View> {
        let code = Code::parse(&self.code)
            .ok_or_else(|| Error::Internal(format!("a coupon's code in the database is {:?}", self.code)))?;
        let off = match off(&self.kind, self.value)? {
            Off::Percent(percent) => OffView::Percent(Percent(percent)),
            Off::Amount(amount) => OffView::Amount(Money::new(amount, currency)),
        };
        Ok(View {
            code,
            off,
            minimum: Money::new(self.minimum, currency),
            valid_from: self.valid_from.map(Time::read),
            valid_until: self.valid_until.map(Time::read),
            max_uses: self.max_uses,
            max_uses_per_customer: self.max_per_customer,
            active: self.active,
            used: self.used,
            revision: self.revision,
            created_at: Time::read(self.created_at),
            updated_at: Time::read(self.updated_at),
        })
    }
}

/// Writes a coupon and its counter; false when the code is taken.
pub async fn insert(tx: &mut Connection, new: &New) -> Result<bool> {
    let (kind, value) = match new.off {
        Off::Percent(percent) => ("percent", percent),
        Off::Amount(amount) => ("amount", amount),
    };
    let done = sqlx::query!(
        "INSERT INTO coupons (
            code, kind, value, minimum, max_per_customer, valid_from, valid_until, active,
            revision, created_at, updated_at
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
        new.code.as_str(),
        kind,
        value,
        new.minimum,
        new.max_per_customer,
        new.window.0,
        new.window.1,
        new.active,
    )
    .execute(&mut *tx)
    .await;
    match done {
        Ok(_) => {}
        Err(error) if is_duplicate(&error) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    sqlx::query!(
        "INSERT INTO coupon_counters (code, used, max_uses)
        VALUES (?, 0, ?)",
        new.code.as_str(),
        new.max_uses,
    )
    .execute(tx)
    .await?;
    Ok(true)
}

pub async fn find(connection: &mut Connection, code: &Code, currency: Currency) -> Result<Option<View>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT
            coupons.code,
            kind,
            value,
            minimum,
            max_per_customer,
            valid_from,
            valid_until,
            active AS "active: bool",
            revision,
            created_at,
            updated_at,
            used,
            max_uses
        FROM coupons
        JOIN coupon_counters ON coupon_counters.code = coupons.code
        WHERE coupons.code = ?"#,
        code.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.read(currency)).transpose()
}

/// Coupons by their codes, from the one after `after` on.
pub async fn page(
    connection: &mut Connection,
    after: &str,
    limit: u32,
    currency: Currency,
) -> Result<Vec<View>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT
            coupons.code,
            kind,
            value,
            minimum,
            max_per_customer,
            valid_from,
            valid_until,
            active AS "active: bool",
            revision,
            created_at,
            updated_at,
            used,
            max_uses
        FROM coupons
        JOIN coupon_counters ON coupon_counters.code = coupons.code
        WHERE coupons.code > ?
        ORDER BY coupons.code
        LIMIT ?"#,
        after,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| row.read(currency)).collect()
}

/// A coupon's revision; the row is locked until the transaction ends.
pub async fn lock_revision(tx: &mut Connection, code: &Code) -> Result<Option<u64>> {
    let revision = sqlx::query_scalar!(
        "SELECT revision
        FROM coupons
        WHERE code = ?
        FOR UPDATE",
        code.as_str(),
    )
    .fetch_optional(tx)
    .await?;
    Ok(revision)
}

/// Changes a coupon and counts its revision up.
pub async fn update(tx: &mut Connection, code: &Code, active: bool, window: Window) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE coupons
        SET active = ?,
            valid_from = ?,
            valid_until = ?,
            revision = revision + 1,
            updated_at = UTC_TIMESTAMP(6)
        WHERE code = ?",
        active,
        window.0,
        window.1,
        code.as_str(),
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::Internal(format!("the locked coupon {code} is gone")))
    }
}

/// Changes the total limit; false when there are more uses than that.
pub async fn set_limit(tx: &mut Connection, code: &Code, limit: Option<i64>) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE coupon_counters
        SET max_uses = ?
        WHERE code = ? AND used <= COALESCE(?, used)",
        limit,
        code.as_str(),
        limit,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
