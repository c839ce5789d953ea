//! The cart. MySQL holds it; Redis holds its lines and version for reading (invariant 4: an acknowledged change
//! survives the loss of Redis and of any replica).
//!
//! A cart belongs to a customer or to whoever holds its signed cookie. The cookie carries the version last
//! acknowledged: lines from Redis that are older are not used. A cart reserves no stock.

pub mod cached;
pub mod cookie;
mod edit;
pub mod merge;
mod owner;
mod store;
mod view;

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::header;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::edit::Edit;
use self::owner::Owner;
use self::view::Cart;
use crate::coupons::{Code, code};
use crate::db::Deadline;
use crate::db::deadline::WRITE;
use crate::error::{Error, Result};
use crate::request::{Json, Params, Segment};
use crate::state::AppState;
use crate::types::id::VariantId;

/// Lines that a cart holds at most.
pub const MAX_LINES: usize = 50;
/// Of a write's deadline, what is kept for reading the products of the cart's lines.
const SHOW: Duration = Duration::from_secs(1);
/// Pieces that one line holds at most.
pub const MAX_QUANTITY: i32 = 99;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(show, clear))
        .routes(routes!(set_item, remove_item))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CartQuery {
    /// The code of a coupon: the answer says what it would do. It takes no use
    #[param(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9-]{3,32}$")]
    coupon: Option<String>,
}

/// The cart
///
/// Of the customer, or of whoever holds the cart cookie. Who has none has an empty one. With a coupon the answer says what
/// an order would cost with it, or why it does not apply.
#[utoipa::path(
    get,
    path = "/api/v1/cart",
    tag = "cart",
    params(CartQuery),
    security((), ("bearer" = [])),
    responses((status = 200, body = Cart, description = "The cart")),
)]
async fn show(
    State(state): State<AppState>,
    deadline: Deadline,
    owner: Owner,
    Params(query): Params<CartQuery>,
) -> Result<Response> {
    let code = query.coupon.as_deref().map(Code::parse);
    if code == Some(None) {
        return Err(Error::query("coupon", code::RULE));
    }
    let cart = cached::read(&state, deadline, &owner).await?;
    let wish = code.flatten().map(|code| view::Wish {
        code,
        customer: owner.customer(),
    });
    view::answer(&state, deadline, &cart, wish).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetItem {
    /// Pieces in all, not pieces more: a repeat changes nothing
    #[schema(minimum = 1, maximum = 99, examples(2))]
    quantity: i32,
}

/// Set how many pieces of a variant are in the cart
///
/// Makes the line, and the cart, when there is none. A cart reserves no stock. The answer brings the cart's cookie.
#[utoipa::path(
    put,
    path = "/api/v1/cart/items/{variant_id}",
    tag = "cart",
    security((), ("bearer" = [])),
    params(("variant_id" = VariantId, Path, description = "A variant of a product")),
    request_body = SetItem,
    responses(
        (status = 200, body = Cart, description = "The cart as it is now"),
        (status = 404, description = "not_found"),
        (status = 422, description = "cart_full"),
    ),
)]
async fn set_item(
    State(state): State<AppState>,
    deadline: Deadline,
    owner: Owner,
    Segment(variant): Segment,
    Json(body): Json<SetItem>,
) -> Result<Response> {
    let variant = VariantId::parse(&variant)?;
    if !(1..=MAX_QUANTITY).contains(&body.quantity) {
        return Err(Error::field(
            "quantity",
            format!("must be from 1 to {MAX_QUANTITY}"),
        ));
    }
    changed(
        &state,
        deadline,
        owner,
        Edit::Set {
            variant,
            quantity: body.quantity,
        },
    )
    .await
}

/// Take a variant out of the cart
///
/// Taking out what is not there changes nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/cart/items/{variant_id}",
    tag = "cart",
    security((), ("bearer" = [])),
    params(("variant_id" = VariantId, Path, description = "A variant of a product")),
    responses((status = 200, body = Cart, description = "The cart as it is now")),
)]
async fn remove_item(
    State(state): State<AppState>,
    deadline: Deadline,
    owner: Owner,
    Segment(variant): Segment,
) -> Result<Response> {
    let variant = VariantId::parse(&variant)?;
    changed(&state, deadline, owner, Edit::Remove { variant }).await
}

/// Empty the cart
#[utoipa::path(
    delete,
    path = "/api/v1/cart",
    tag = "cart",
    security((), ("bearer" = [])),
    responses((status = 200, body = Cart, description = "The cart as it is now")),
)]
async fn clear(State(state): State<AppState>, deadline: Deadline, owner: Owner) -> Result<Response> {
    changed(&state, deadline, owner, Edit::Clear).await
}

/// Makes the change, tells Redis, and answers the cart with a cookie for its new version.
async fn changed(state: &AppState, deadline: Deadline, owner: Owner, edit: Edit) -> Result<Response> {
    // What is left of the deadline is for showing the cart.
    let change_by = deadline.within(WRITE.saturating_sub(SHOW));
    let Some(cart) = edit::apply(state, change_by, &owner, edit).await? else {
        return view::answer(state, deadline, &cached::Cart::empty(), None).await;
    };
    cached::store(state, &cart).await;
    let cookie = cookie::CartCookie {
        id: cart.id,
        version: cart.version,
        customer: owner.customer(),
    };
    let mut response = view::answer(state, deadline, &cart, None).await?;
    response
        .headers_mut()
        .append(header::SET_COOKIE, cookie::set(state, &cookie));
    Ok(response)
}
