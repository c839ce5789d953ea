//! GET sales: what was sold in a range of days, by day or by category. Paid and shipped orders count; those that were
//! cancelled or failed do not. The numbers are those of the orders now: an order cancelled later leaves its day.

mod store;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::PrimitiveDateTime;
use time::Time;
use utoipa::{IntoParams, ToSchema};

use super::when;
use crate::catalog::product::Category;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Admin;
use crate::request::{Params, Private};
use crate::state::AppState;
use crate::types::money::Money;

const MOST_DAYS: i64 = 366;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SalesQuery {
    /// The first day, in UTC
    #[param(format = Date, example = "2026-03-01")]
    from: String,
    /// The last day, in UTC; at most 366 days in all
    #[param(format = Date, example = "2026-03-31")]
    until: String,
    #[param(inline)]
    by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SalesBy)]
pub enum By {
    Day,
    Category,
}

/// What was sold in a range of days
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "from": "2026-03-01", "until": "2026-03-02", "by": "day",
    "items": [{"day": "2026-03-01", "category": null, "orders": 2, "units": 3, "revenue": {"amount": 3750, "currency": "USD"}}],
    "total": {"orders": 2, "units": 3, "revenue": {"amount": 3750, "currency": "USD"}},
}))]
pub struct Sales {
    from: String,
    until: String,
    by: By,
    /// Days or categories in which something was sold
    items: Vec<Line>,
    total: Sum,
}

/// A day, or a category: an order with products of two categories counts in both
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SalesLine)]
pub struct Line {
    #[schema(format = Date)]
    pub day: Option<String>,
    pub category: Option<Category>,
    #[serde(flatten)]
    pub sum: Sum,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SalesSum)]
pub struct Sum {
    pub orders: i64,
    pub units: i64,
    /// What was paid, discounts taken off
    pub revenue: Money,
}

/// The moments between which orders count: from the first to before the second.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub from: PrimitiveDateTime,
    pub before: PrimitiveDateTime,
}

impl SalesQuery {
    fn range(&self) -> Result<Range> {
        let first = when::day("from", &self.from)?;
        let last = when::day("until", &self.until)?;
        let end = last.next_day().ok_or(Error::query("until", "is too late"))?;
        let days = (end - first).whole_days();
        if days < 1 {
            return Err(Error::query("until", "must not be before from"));
        }
        if days > MOST_DAYS {
            return Err(Error::query("until", "must be less than 366 days after from"));
        }
        Ok(Range {
            from: PrimitiveDateTime::new(first, Time::MIDNIGHT),
            before: PrimitiveDateTime::new(end, Time::MIDNIGHT),
        })
    }
}

/// What was sold, by day or by category: paid and shipped orders
#[utoipa::path(
    get,
    path = "/api/v1/admin/sales",
    tag = "backoffice",
    security(("bearer" = [])),
    params(SalesQuery),
    responses((status = 200, body = Sales)),
)]
pub async fn sales(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Params(query): Params<SalesQuery>,
) -> Result<Private<Sales>> {
    let range = query.range()?;
    let currency = state.config.currency;
    let by = query.by;
    let (items, total) = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move {
                let items = match by {
                    By::Day => store::by_day(connection, range, currency).await?,
                    By::Category => store::by_category(connection, range, currency).await?,
                };
                Ok((items, store::total(connection, range, currency).await?))
            })
        })
        .await?;
    let sales = Sales {
        from: query.from,
        until: query.until,
        by,
        items,
        total,
    };
    Ok(Private(StatusCode::OK, sales))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_1_to_366_days() {
        let range = |from: &str, until: &str| {
            SalesQuery {
                from: from.to_owned(),
                until: until.to_owned(),
                by: By::Day,
            }
            .range()
            .is_ok()
        };
        assert!(range("2026-03-01", "2026-03-01"));
        assert!(range("2028-01-01", "2028-12-31"));
        assert!(!range("2028-01-01", "2029-01-01"));
        assert!(!range("2026-03-02", "2026-03-01"));
    }
}
