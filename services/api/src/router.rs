//! Every route of the API, feature by feature.

use std::sync::Arc;

use axum::Router;
use axum::extract::MatchedPath;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use bytes::Bytes;
use http::Method;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use crate::conventions::Conventions;
use crate::error::Error;
use crate::middleware::{Surround, surround};
use crate::state::AppState;
use crate::{
    backoffice, browser, cart, catalog, checkout, coupons, identity, instance, openapi, orders, reviews,
};

/// The API's routes with what surrounds them. The operations port has a router of its own.
pub fn router(state: AppState) -> Router {
    let (routes, api) = features().split_for_parts();
    let document = openapi::complete(&api);
    let conventions = Arc::new(Conventions::of(&document));
    let surroundings = Arc::new(Surround::new(state.clone(), Arc::clone(&conventions)));
    let document = Bytes::from(openapi::text(&document));
    let cors = browser::cors(&state.config.cors_origins);
    let router = routes
        .route(openapi::PATH, get(async move || openapi::respond(document)))
        .method_not_allowed_fallback(async move |method: Method, route: MatchedPath| {
            conventions.other_method(&method, &route)
        })
        .fallback(async || Error::NotFound("path"))
        .layer(from_fn_with_state(surroundings, surround))
        .with_state(state);
    // Outermost, so that a page of a configured origin can read refusals too; no layer at all where there is none.
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// The OpenAPI document of all operations.
pub fn document() -> Value {
    openapi::complete(&features().into_openapi())
}

// Whole paths in the features and no nesting: a nested router rewrites every request's URI, which costs a cached read
// a tenth of its time.
fn features() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(catalog::routes())
        .merge(cart::routes())
        .merge(identity::routes())
        .merge(checkout::routes())
        .merge(orders::routes())
        .merge(reviews::routes())
        .merge(coupons::routes())
        .merge(backoffice::routes())
        .merge(instance::routes())
}
