//! The contract: OpenAPI 3.1, made from the handlers' own annotations and types, served at `/api/openapi.json`.
//!
//! An annotation lists what is special to its operation. What every operation can answer is added here, so that it is
//! said once. A response of 400 and above is described by the problem codes it can carry, parted by commas.

use axum::response::{IntoResponse as _, Response};
use http::header;
use utoipa::openapi::OpenApi;
use utoipa::openapi::info::InfoBuilder;

/// The document for the operations that the router collected.
pub fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Trestle")
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    api
}

/// The document as it is served: bytes, written once.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn bytes(api: &OpenApi) -> serde_json::Result<bytes::Bytes> {
    serde_json::to_vec_pretty(api).map(Into::into)
}

/// GET /api/openapi.json.
pub fn respond(document: bytes::Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}
