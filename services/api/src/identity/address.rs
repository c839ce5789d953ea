//! A customer's addresses. Every statement names the customer: another's address is not there.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::customer::Customer;
use super::sessions::gone;
use super::store;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::{Json, Private, Segment};
use crate::state::AppState;
use crate::types::id::AddressId;
use crate::types::page::Page;
use crate::types::text::Checks;

/// Addresses that a customer can keep.
const MAX_ADDRESSES: i64 = 20;

/// What a client says of an address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressForm {
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: String,
    #[schema(min_length = 1, max_length = 200, example = "12 St James's Square")]
    line1: String,
    #[schema(max_length = 200)]
    line2: Option<String>,
    #[schema(min_length = 1, max_length = 100, example = "London")]
    city: String,
    #[schema(max_length = 100)]
    region: Option<String>,
    #[schema(min_length = 1, max_length = 20, example = "SW1Y 4JH")]
    postal_code: String,
    /// ISO 3166, two letters
    #[schema(pattern = "^[A-Z]{2}$", example = "GB")]
    country: String,
    #[schema(max_length = 32)]
    phone: Option<String>,
}

/// An address, checked. What it does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Address {
    pub id: AddressId,
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    pub country: String,
    pub phone: String,
}

impl AddressForm {
    fn check(&self, id: AddressId) -> Result<Address> {
        let mut checks = Checks::default();
        let address = Address {
            id,
            name: checks.required("name", &self.name, 100),
            line1: checks.required("line1", &self.line1, 200),
            line2: checks.optional("line2", self.line2.as_deref().unwrap_or_default(), 200),
            city: checks.required("city", &self.city, 100),
            region: checks.optional("region", self.region.as_deref().unwrap_or_default(), 100),
            postal_code: checks.required("postal_code", &self.postal_code, 20),
            country: self.country.trim().to_owned(),
            phone: checks.optional("phone", self.phone.as_deref().unwrap_or_default(), 32),
        };
        let is_code = address.country.len() == 2 && address.country.bytes().all(|b| b.is_ascii_uppercase());
        if !is_code {
            checks.fail("country", "must be an ISO 3166 code of two letters A-Z");
        }
        checks.done().map(|()| address)
    }
}

/// The customer's addresses, oldest first
#[utoipa::path(
    get,
    path = "/api/v1/customers/me/addresses",
    tag = "identity",
    responses((status = 200, body = Page<Address>)),
    security(("bearer" = [])),
)]
pub async fn list(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
) -> Result<Private<Page<Address>>> {
    let items = state
        .db
        .read(deadline, move |connection| {
            Box::pin(store::address::list(connection, customer.id))
        })
        .await?;
    // At most 20: one page holds them all.
    let next_cursor = None;
    Ok(Private(StatusCode::OK, Page { items, next_cursor }))
}

/// Add an address; 20 are kept at most
#[utoipa::path(
    post,
    path = "/api/v1/customers/me/addresses",
    tag = "identity",
    request_body = AddressForm,
    responses((status = 201, body = Address)),
    security(("bearer" = [])),
)]
pub async fn create(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    Json(form): Json<AddressForm>,
) -> Result<Private<Address>> {
    let address = form.check(AddressId::generate())?;
    let answer = address.clone();
    state
        .db
        .transact(deadline, move |tx| {
            let address = address.clone();
            Box::pin(async move {
                // The customer's row is the lock under which addresses are counted and added.
                if !store::lock_customer(tx, customer.id).await? {
                    return Err(Error::Unauthenticated);
                }
                if store::address::count(tx, customer.id).await? >= MAX_ADDRESSES {
                    return Err(Error::field(
                        "addresses",
                        format!("at most {MAX_ADDRESSES} are kept: remove one first"),
                    ));
                }
                store::address::insert(tx, customer.id, &address).await
            })
        })
        .await?;
    Ok(Private(StatusCode::CREATED, answer))
}

/// One address
#[utoipa::path(
    get,
    path = "/api/v1/customers/me/addresses/{id}",
    tag = "identity",
    params(("id" = AddressId, Path)),
    responses((status = 200, body = Address), (status = 404, description = "not_found")),
    security(("bearer" = [])),
)]
pub async fn show(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    Segment(id): Segment,
) -> Result<Private<Address>> {
    let id = AddressId::parse(&id)?;
    let found = state
        .db
        .read(deadline, move |connection| {
            Box::pin(store::address::find(connection, customer.id, id))
        })
        .await?;
    let address = found.ok_or(Error::NotFound("address"))?;
    Ok(Private(StatusCode::OK, address))
}

/// Replace an address; orders keep the one they were placed with
#[utoipa::path(
    put,
    path = "/api/v1/customers/me/addresses/{id}",
    tag = "identity",
    params(("id" = AddressId, Path)),
    request_body = AddressForm,
    responses((status = 200, body = Address), (status = 404, description = "not_found")),
    security(("bearer" = [])),
)]
pub async fn replace(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    Segment(id): Segment,
    Json(form): Json<AddressForm>,
) -> Result<Private<Address>> {
    let address = form.check(AddressId::parse(&id)?)?;
    let answer = address.clone();
    let found = state
        .db
        .transact(deadline, move |tx| {
            let address = address.clone();
            Box::pin(async move { store::address::update(tx, customer.id, &address).await })
        })
        .await?;
    if found {
        Ok(Private(StatusCode::OK, answer))
    } else {
        Err(Error::NotFound("address"))
    }
}

/// Remove an address
#[utoipa::path(
    delete,
    path = "/api/v1/customers/me/addresses/{id}",
    tag = "identity",
    params(("id" = AddressId, Path)),
    responses((status = 204), (status = 404, description = "not_found")),
    security(("bearer" = [])),
)]
pub async fn remove(
    State(state): State<AppState>,
    deadline: Deadline,
    customer: Customer,
    Segment(id): Segment,
) -> Result<Response> {
    let id = AddressId::parse(&id)?;
    let found = state
        .db
        .transact(deadline, move |tx| {
            Box::pin(store::address::delete(tx, customer.id, id))
        })
        .await?;
    if found {
        Ok(gone())
    } else {
        Err(Error::NotFound("address"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(change: &Value) -> Result<Address> {
        let mut form = json!({
            "name": " Ann ", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US",
        });
        for (field, value) in change.as_object().unwrap() {
            form[field] = value.clone();
        }
        let form: AddressForm = serde_json::from_value(form).unwrap();
        form.check(AddressId::generate())
    }

    #[test]
    fn an_address_is_trimmed_and_what_it_lacks_is_empty() {
        let address = check(&json!({"line2": null, "phone": " 1 "})).unwrap();
        assert_eq!((address.name.as_str(), address.phone.as_str()), ("Ann", "1"));
        assert_eq!((address.line2.as_str(), address.region.as_str()), ("", ""));
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let Err(Error::Validation(errors)) = check(&json!({
            "name": " ", "line1": "x".repeat(201), "region": "a\u{0}b", "postal_code": "", "country": "usa",
        })) else {
            unreachable!("the address is not valid");
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "line1", "region", "postal_code", "country"]);
        for country in ["", "U", "us", "U1", "ÜS", "USA"] {
            assert!(check(&json!({"country": country})).is_err(), "{country}");
        }
    }
}
