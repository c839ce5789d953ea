//! GET admin/coupons: all coupons by their codes. A page begins after the last code of the one before.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{View, store};
use crate::db::Deadline;
use crate::error::Result;
use crate::identity::Admin;
use crate::request::{Params, Private};
use crate::state::AppState;
use crate::types::page::{self, Page};

/// What the cursors of this list belong to.
const LIST: &str = "coupons";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CouponsQuery {
    /// Coupons a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

/// All coupons by their codes, page by page
#[utoipa::path(
    get,
    path = "/api/v1/admin/coupons",
    tag = "backoffice",
    security(("bearer" = [])),
    params(CouponsQuery),
    responses((status = 200, body = Page<View>, description = "A page of coupons")),
)]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    deadline: Deadline,
    Params(query): Params<CouponsQuery>,
) -> Result<Private<Page<View>>> {
    let limit = page::limit(query.limit)?;
    let after = match &query.cursor {
        Some(cursor) => unpack(page::decode(LIST, cursor)?),
        None => String::new(),
    };
    let currency = state.config.currency;
    // One more than asked for tells whether there is a further page.
    let items = state
        .db
        .read(deadline, move |connection| {
            Box::pin(async move { store::page(connection, &after, limit + 1, currency).await })
        })
        .await?;
    let page = Page::cut(items, limit, |last| page::encode(LIST, &pack(last.code.as_str())));
    Ok(Private(StatusCode::OK, page))
}

/// A code as the numbers of a cursor: its 32 bytes, filled up with 0.
fn pack(code: &str) -> [u64; 4] {
    let mut bytes = code.bytes().chain(std::iter::repeat(0));
    std::array::from_fn(|_| {
        let mut number = [0; 8];
        number.fill_with(|| bytes.next().unwrap_or_default());
        u64::from_be_bytes(number)
    })
}

fn unpack(numbers: [u64; 4]) -> String {
    let bytes = numbers.iter().flat_map(|number| number.to_be_bytes());
    // A cursor can be made up: what is no code's character ends it.
    bytes
        .take_while(|byte| byte.is_ascii_graphic())
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_holds_any_code() {
        for code in ["ABC", "A-1", &"Z".repeat(32), "12345678"] {
            assert_eq!(unpack(pack(code)), code);
        }
        assert_eq!(unpack([u64::MAX; 4]), "");
    }
}
