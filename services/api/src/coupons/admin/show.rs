//! GET admin/coupons/{code}: one coupon, with the ETag of its revision.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::{View, answer, code_in_path, store};
use crate::coupons::code::Code;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::identity::Admin;
use crate::request::Segment;
use crate::state::AppState;

/// One coupon
#[utoipa::path(
    get,
    path = "/api/v1/admin/coupons/{code}",
    tag = "backoffice",
    security(("bearer" = [])),
    params(("code" = Code, Path)),
    responses(
        (status = 200, body = View, description = "The coupon",
            headers(("ETag" = String, description = "For If-Match"))),
        (status = 404, description = "not_found"),
    ),
)]
pub async fn show(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Segment(code): Segment,
) -> Result<Response> {
    let code = code_in_path(&code)?;
    let currency = state.config.currency;
    let coupon = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::find(connection, &code, currency).await })
        })
        .await?
        .ok_or(Error::NotFound("coupon"))?;
    Ok(answer(StatusCode::OK, coupon))
}
