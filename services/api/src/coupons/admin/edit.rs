//! PATCH admin/coupons/{code}: when a coupon is valid, how often it can be used, whether it is active.

use std::fmt;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{Time, View, answer, check_limit, check_window, code_in_path, store};
use crate::backoffice::log::{self, Actor, Subject};
use crate::coupons::code::Code;
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::request::{IfMatch, Json, Segment};
use crate::state::AppState;
use crate::types::money::Currency;
use crate::types::text::Checks;

/// What is to change of a coupon: what is not named stays, null takes a limit away
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CouponChange, example = json!({"active": false, "valid_until": null}))]
pub struct Change {
    active: Option<bool>,
    /// From when on it is valid
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    valid_from: Field<Time>,
    /// The first moment at which it is not valid any more
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    valid_until: Field<Time>,
    /// Uses in all; not fewer than there are
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000_000)]
    max_uses: Field<i64>,
}

/// A field that can be null, which is not the same as one that is not there.
#[derive(Debug, Clone, Copy, Default)]
enum Field<T> {
    #[default]
    Stays,
    Becomes(Option<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(field: D) -> Result<Self, D::Error> {
        Option::deserialize(field).map(Self::Becomes)
    }
}

impl<T> Field<T> {
    fn or(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Stays => old,
            Self::Becomes(new) => new,
        }
    }
}

/// Change a coupon
///
/// Only when it is valid, how often it can be used in all and whether it is active; orders that used it keep it.
#[utoipa::path(
    patch,
    path = "/api/v1/admin/coupons/{code}",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("code" = Code, Path), ("If-Match" = String, Header, description = "The ETag of what was read")),
    request_body = Change,
    responses(
        (status = 200, body = View, description = "The coupon as it is now",
            headers(("ETag" = String, description = "For If-Match"))),
        (status = 404, description = "not_found"),
        (status = 412, description = "precondition_failed"),
        (status = 428, description = "precondition_required"),
    ),
)]
pub async fn edit(
    State(state): State<AppState>,
    actor: Actor,
    deadline: Deadline,
    Segment(code): Segment,
    IfMatch(revision): IfMatch,
    Json(change): Json<Change>,
) -> Result<Response> {
    let code = code_in_path(&code)?;
    let currency = state.config.currency;
    let coupon = state
        .db
        .transact(deadline, move |tx| {
            let (code, actor) = (code.clone(), actor.clone());
            Box::pin(async move {
                let coupon = write(tx, &code, revision, change, currency).await?;
                let subject = Subject::new("coupon", &code);
                log::record(&mut *tx, &actor, "coupon.edit", &subject, &said(change)).await?;
                Ok(coupon)
            })
        })
        .await?;
    Ok(answer(StatusCode::OK, coupon))
}

async fn write(
    tx: &mut Connection,
    code: &Code,
    revision: u64,
    change: Change,
    currency: Currency,
) -> Result<View> {
    let now = store::lock_revision(tx, code)
        .await?
        .ok_or(Error::NotFound("coupon"))?;
    if now != revision {
        return Err(Error::PreconditionFailed);
    }
    let gone = || Error::Internal(format!("the locked coupon {code} is gone"));
    let old = store::find(tx, code, currency).await?.ok_or_else(gone)?;
    let mut checks = Checks::default();
    let window = check_window(
        &mut checks,
        change.valid_from.or(old.valid_from),
        change.valid_until.or(old.valid_until),
    );
    check_limit(&mut checks, "max_uses", change.max_uses.or(old.max_uses));
    checks.done()?;
    store::update(tx, code, change.active.unwrap_or(old.active), window).await?;
    if let Field::Becomes(limit) = change.max_uses
        && !store::set_limit(tx, code, limit).await?
    {
        return Err(Error::field(
            "max_uses",
            "must not be fewer than the uses there are",
        ));
    }
    store::find(tx, code, currency).await?.ok_or_else(gone)
}

/// What the log says: the fields that were named.
fn said(change: Change) -> String {
    fn value<T: fmt::Display>(name: &str, field: Field<T>) -> Option<String> {
        match field {
            Field::Stays => None,
            Field::Becomes(None) => Some(format!("{name} none")),
            Field::Becomes(Some(value)) => Some(format!("{name} {value}")),
        }
    }
    let parts = [
        change.active.map(|active| format!("active {active}")),
        value("valid from", change.valid_from),
        value("valid until", change.valid_until),
        value("uses at most", change.max_uses),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
