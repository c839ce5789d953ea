//! Every route of the API, feature by feature.

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::error::Error;
use crate::middleware::{Surround, surround};
use crate::state::AppState;
use crate::{cart, catalog, checkout, identity, instance, orders};

/// The API's routes with what surrounds them. The operations port has a router of its own.
pub fn router(state: AppState) -> Router {
    let api = Router::new()
        .merge(catalog::routes())
        .merge(cart::routes())
        .merge(identity::routes())
        .merge(checkout::routes())
        .merge(orders::routes())
        .merge(instance::routes());
    let surroundings = Surround::new(state.clone());
    Router::new()
        .nest("/api/v1", api)
        .fallback(async || Error::NotFound("path"))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(surroundings, surround))
        .with_state(state)
}

/// A handler that panicked answers 500; the process goes on.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    axum::response::IntoResponse::into_response(Error::Internal(format!("panicked: {text}")))
}
