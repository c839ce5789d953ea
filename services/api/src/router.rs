//! Every route of the API, feature by feature.

use std::sync::Arc;

use axum::Router;
use axum::extract::MatchedPath;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
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

/// The API's routes, collected once for all runtimes.
#[derive(Clone)]
pub struct Routes {
    features: Router<AppState>,
    conventions: Arc<Conventions>,
}

impl Routes {
    pub fn collect() -> Self {
        let (features, api) = features().split_for_parts();
        Self {
            features: features.route(openapi::PATH, get(openapi::respond)),
            conventions: Arc::new(Conventions::of(&openapi::with_own_path(api))),
        }
    }

    /// For one runtime, with what surrounds every request. The operations port has a router of its own.
    pub fn serving(self, state: AppState) -> Router {
        let conventions = self.conventions;
        let surroundings = Arc::new(Surround::new(state.clone(), Arc::clone(&conventions)));
        let origins = state.config.cors_origins.clone();
        let router = self
            .features
            .method_not_allowed_fallback(async move |method: Method, route: MatchedPath| {
                conventions.other_method(&method, &route)
            })
            .fallback(async || Error::NotFound("path"))
            .layer(from_fn_with_state(surroundings, surround))
            .with_state(state);
        // Outermost, so that a page of a configured origin can read refusals too.
        browser::open_to(&origins, router)
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
