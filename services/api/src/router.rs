//! Every route of the API, feature by feature.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::error::Error;
use crate::middleware::{Surround, surround};
use crate::state::AppState;
use crate::{cart, catalog, checkout, identity, instance, orders};

/// The API's routes with what surrounds them. The operations port has a router of its own.
pub fn router(state: AppState) -> Router {
    let surroundings = Arc::new(Surround::new(state.clone()));
    // Whole paths in the features and no nesting: a nested router rewrites every request's URI, which costs a cached
    // read a tenth of its time.
    Router::new()
        .merge(catalog::routes())
        .merge(cart::routes())
        .merge(identity::routes())
        .merge(checkout::routes())
        .merge(orders::routes())
        .merge(instance::routes())
        .fallback(async || Error::NotFound("path"))
        .layer(from_fn_with_state(surroundings, surround))
        .with_state(state)
}
