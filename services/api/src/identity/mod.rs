use crate::state::AppState;
use crate::types::id::CustomerId;
use axum::Router;
use axum::extract::FromRequestParts;
use http::request::Parts;

pub struct Customer {
    pub id: CustomerId,
}
pub struct MaybeCustomer(pub Option<Customer>);
impl FromRequestParts<AppState> for MaybeCustomer {
    type Rejection = crate::error::Error;
    async fn from_request_parts(_: &mut Parts, _: &AppState) -> Result<Self, Self::Rejection> {
        Ok(Self(None))
    }
}
pub fn routes() -> Router<AppState> {
    Router::new()
}
