//! POST admin/coupons: a new coupon.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{OffView, Percent, Time, View, Window, answer, check_limit, check_window, store};
use crate::backoffice::log::{self, Actor, Subject};
use crate::coupons::code::{Code, RULE};
use crate::coupons::coupon::Off;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::Json;
use crate::state::AppState;
use crate::types::money::{Currency, MAX_AMOUNT, Money};
use crate::types::text::Checks;

/// A coupon that is to be made
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCoupon, example = json!({
    "code": "WELCOME-10", "off": {"percent": 10}, "minimum": {"amount": 2000, "currency": "USD"},
    "valid_until": "2027-01-01T00:00:00Z", "max_uses": 1000, "max_uses_per_customer": 1,
}))]
pub struct Form {
    /// Lower case is read as upper case
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9-]{3,32}$")]
    code: String,
    off: OffView,
    /// The smallest subtotal that it is for
    minimum: Option<Money>,
    /// From when on it is valid
    valid_from: Option<Time>,
    /// The first moment at which it is not valid any more
    valid_until: Option<Time>,
    /// Uses in all
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    max_uses: Option<i64>,
    /// Uses of one customer
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    max_uses_per_customer: Option<i64>,
    /// Whether it can be used at once
    #[schema(default = true)]
    active: Option<bool>,
}

/// A checked form.
#[derive(Debug, Clone)]
pub struct New {
    pub code: Code,
    pub off: Off,
    pub minimum: i64,
    pub window: Window,
    pub max_uses: Option<i64>,
    pub max_per_customer: Option<i64>,
    pub active: bool,
}

impl Form {
    fn check(&self, currency: Currency) -> Result<New> {
        let mut checks = Checks::default();
        let code = Code::parse(&self.code);
        if code.is_none() {
            checks.fail("code", RULE);
        }
        let off = match self.off {
            OffView::Percent(Percent(percent)) => {
                if !(1..=100).contains(&percent) {
                    checks.fail("off.percent", "must be from 1 to 100");
                }
                Off::Percent(percent)
            }
            OffView::Amount(money) => Off::Amount(amount(&mut checks, "off.amount", money, 1, currency)),
        };
        let minimum = self
            .minimum
            .map_or(0, |money| amount(&mut checks, "minimum", money, 0, currency));
        let window = check_window(&mut checks, self.valid_from, self.valid_until);
        check_limit(&mut checks, "max_uses", self.max_uses);
        check_limit(&mut checks, "max_uses_per_customer", self.max_uses_per_customer);
        checks.done()?;
        Ok(New {
            code: code.ok_or_else(|| Error::Internal("a check of the request was lost".into()))?,
            off,
            minimum,
            window,
            max_uses: self.max_uses,
            max_per_customer: self.max_uses_per_customer,
            active: self.active.unwrap_or(true),
        })
    }
}

/// An amount in the shop's currency, `least` at least.
fn amount(checks: &mut Checks, field: &str, money: Money, least: i64, currency: Currency) -> i64 {
    if money.currency != currency {
        checks.fail(format!("{field}.currency"), format!("must be {currency}"));
    }
    if !(least..=MAX_AMOUNT).contains(&money.amount) {
        checks.fail(
            format!("{field}.amount"),
            format!("must be from {least} to {MAX_AMOUNT}"),
        );
    }
    money.amount
}

/// Make a coupon
///
/// What it gives, its minimum and its limit for one customer never change: make another coupon for that.
#[utoipa::path(
    post,
    path = "/api/v1/admin/coupons",
    tag = "backoffice",
    security(("bearer" = [])),
    request_body = Form,
    responses(
        (status = 201, body = View, description = "The coupon",
            headers(("ETag" = String, description = "For If-Match"), ("Location" = String, description = "Where it is"))),
        (status = 409, description = "coupon_exists"),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    actor: Actor,
    deadline: Deadline,
    Json(form): Json<Form>,
) -> Result<Response> {
    let currency = state.config.currency;
    let new = form.check(currency)?;
    let location = format!("/api/v1/admin/coupons/{}", new.code);
    let coupon = state
        .db
        .transact(deadline, move |tx| {
            let (new, actor) = (new.clone(), actor.clone());
            Box::pin(async move {
                if !store::insert(tx, &new).await? {
                    return Err(Error::CouponExists);
                }
                let subject = Subject::new("coupon", &new.code);
                log::record(&mut *tx, &actor, "coupon.create", &subject, &said(&new)).await?;
                store::find(tx, &new.code, currency)
                    .await?
                    .ok_or_else(|| Error::Internal("a new coupon is not there".into()))
            })
        })
        .await?;
    let mut response = answer(StatusCode::CREATED, coupon);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// What the log says of a new coupon.
fn said(new: &New) -> String {
    let off = match new.off {
        Off::Percent(percent) => format!("{percent} %"),
        Off::Amount(amount) => amount.to_string(),
    };
    let limit = |limit: Option<i64>| limit.map_or("no limit".to_owned(), |limit| limit.to_string());
    format!(
        "off {off}, minimum {}, uses {}, for one customer {}, active {}",
        new.minimum,
        limit(new.max_uses),
        limit(new.max_per_customer),
        new.active
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(change: &Value) -> Result<New> {
        let mut form = json!({"code": "spring-5", "off": {"percent": 5}});
        for (field, value) in change.as_object().unwrap() {
            form[field] = value.clone();
        }
        let form: Form = serde_json::from_value(form).unwrap();
        form.check("USD".parse().unwrap())
    }

    #[test]
    fn a_coupon_is_active_without_limits_unless_said_otherwise() {
        let new = check(&json!({})).unwrap();
        assert_eq!((new.code.as_str(), new.off), ("SPRING-5", Off::Percent(5)));
        assert_eq!((new.minimum, new.window, new.active), (0, (None, None), true));
        assert_eq!((new.max_uses, new.max_per_customer), (None, None));
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let eur = json!({"amount": -1, "currency": "EUR"});
        let Err(Error::Validation(errors)) = check(&json!({
            "code": "A B", "off": {"amount": {"amount": 0, "currency": "USD"}}, "minimum": eur,
            "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2026-01-01T01:00:00+01:00",
            "max_uses": 0, "max_uses_per_customer": MAX_AMOUNT,
        })) else {
            unreachable!("the coupon is not valid");
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "code",
                "off.amount.amount",
                "minimum.currency",
                "minimum.amount",
                "valid_until",
                "max_uses",
                "max_uses_per_customer"
            ]
        );
        for percent in [-1, 0, 101, i64::MAX] {
            assert!(check(&json!({"off": {"percent": percent}})).is_err(), "{percent}");
        }
        assert!(check(&json!({"valid_from": "0999-12-31T23:59:59Z"})).is_err());
        assert!(check(&json!({"valid_until": "9999-12-31T23:59:59-01:00"})).is_err());
    }
}
