//! Coupons as the backoffice sees them: made, listed, looked up, and changed in what may change (their time, their
//! total limit, whether they are active). Every change names the revision it was made from and is written to the log.

pub mod create;
pub mod edit;
pub mod list;
pub mod show;
mod store;

use std::fmt;

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};
use utoipa::ToSchema;

use super::code::Code;
use crate::conventions::NotRevalidated;
use crate::error::{Error, Result};
use crate::request::{Private, etag};
use crate::types::money::Money;
use crate::types::text::Checks;

/// The largest limit of uses.
const MAX_LIMIT: i64 = 1_000_000_000;

/// A time, RFC 3339; in UTC in answers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime, examples("2026-06-01T00:00:00Z"))]
pub struct Time(#[serde(with = "time::serde::rfc3339")] OffsetDateTime);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Time {
    fn read(stored: PrimitiveDateTime) -> Self {
        Self(stored.assume_utc())
    }

    /// As MySQL holds it; None outside of the years that it knows.
    fn stored(self) -> Option<PrimitiveDateTime> {
        let utc = self.0.checked_to_offset(UtcOffset::UTC)?;
        (1000..=9999)
            .contains(&utc.year())
            .then(|| PrimitiveDateTime::new(utc.date(), utc.time()))
    }
}

/// Of a hundred
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = i64, minimum = 1, maximum = 100, examples(10))]
pub struct Percent(i64);

/// How much comes off: a percentage or an amount, one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", try_from = "Either")]
#[schema(as = CouponOff)]
pub enum OffView {
    /// Of the subtotal, rounded half up to minor units
    Percent(Percent),
    /// Never more than the subtotal
    Amount(Money),
}

/// What a client may write in its place: serde_json takes two keys of an enum for broken JSON, and names no field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Either {
    percent: Option<Percent>,
    amount: Option<Money>,
}

impl TryFrom<Either> for OffView {
    type Error = &'static str;

    fn try_from(given: Either) -> Result<Self, Self::Error> {
        match (given.percent, given.amount) {
            (Some(percent), None) => Ok(Self::Percent(percent)),
            (None, Some(amount)) => Ok(Self::Amount(amount)),
            _ => Err("must have either percent or amount"),
        }
    }
}

/// A coupon as the backoffice sees it
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Coupon)]
pub struct View {
    pub code: Code,
    pub off: OffView,
    /// The smallest subtotal that it is for
    pub minimum: Money,
    /// From when on it is valid; null: always was
    pub valid_from: Option<Time>,
    /// The first moment at which it is not valid any more; null: none
    pub valid_until: Option<Time>,
    /// Uses in all; null: without limit
    #[schema(examples(1000))]
    pub max_uses: Option<i64>,
    /// Uses of one customer; null: without limit
    #[schema(examples(1))]
    pub max_uses_per_customer: Option<i64>,
    /// Whether it can be used, in its time
    pub active: bool,
    /// Uses of orders that did not fail and were not cancelled; not part of what the revision counts
    #[schema(examples(17))]
    pub used: i64,
    /// Grows with each change by an admin; its ETag is what If-Match takes
    #[schema(examples(1))]
    pub revision: u64,
    pub created_at: Time,
    pub updated_at: Time,
}

/// One coupon with its ETag.
fn answer(status: StatusCode, coupon: View) -> Response {
    let tag = etag(coupon.revision);
    let mut response = Private(status, coupon).into_response();
    response.headers_mut().insert(header::ETAG, tag);
    // `used` grows without a revision.
    response.extensions_mut().insert(NotRevalidated);
    response
}

/// The code in a path. What cannot be a code is no coupon's.
fn code_in_path(text: &str) -> Result<Code> {
    Code::parse(text).ok_or(Error::NotFound("coupon"))
}

/// A limit of uses: none, or 1 and more.
fn check_limit(checks: &mut Checks, field: &str, limit: Option<i64>) {
    if limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
        checks.fail(field, format!("must be from 1 to {MAX_LIMIT}, or null"));
    }
}

/// The time in which a coupon is valid, as MySQL holds it.
type Window = (Option<PrimitiveDateTime>, Option<PrimitiveDateTime>);

fn check_window(checks: &mut Checks, from: Option<Time>, until: Option<Time>) -> Window {
    let mut read = |field, time: Option<Time>| {
        let stored = time.and_then(Time::stored);
        if time.is_some() && stored.is_none() {
            checks.fail(field, "must lie in the years 1000 to 9999");
        }
        stored
    };
    let (from, until) = (read("valid_from", from), read("valid_until", until));
    if from.zip(until).is_some_and(|(from, until)| until <= from) {
        checks.fail("valid_until", "must be after valid_from");
    }
    (from, until)
}
