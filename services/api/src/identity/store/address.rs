//! The SQL of addresses. Every statement names the customer (invariant 7).

use uuid::Uuid;

use crate::db::Connection;
use crate::error::Result;
use crate::identity::address::Address;
use crate::types::id::{AddressId, CustomerId};

struct AddressRow {
    id: Uuid,
    name: String,
    line1: String,
    line2: String,
    city: String,
    region: String,
    postal_code: String,
    country: String,
    phone: String,
}

impl From<AddressRow> for Address {
    fn from(row: AddressRow) -> Self {
        Self {
            id: AddressId(row.id),
            name: row.name,
            line1: row.line1,
            line2: row.line2,
            city: row.city,
            region: row.region,
            postal_code: row.postal_code,
            country: row.country,
            phone: row.phone,
        }
    }
}

/// A customer's addresses, oldest first.
pub async fn list(connection: &mut Connection, customer: CustomerId) -> Result<Vec<Address>> {
    let rows = sqlx::query_as!(
        AddressRow,
        r#"SELECT
            id AS "id: Uuid",
            name,
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
            phone
        FROM addresses
        WHERE customer_id = ?
        ORDER BY id"#,
        customer.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Address::from).collect())
}

pub async fn find(
    connection: &mut Connection,
    customer: CustomerId,
    address: AddressId,
) -> Result<Option<Address>> {
    let row = sqlx::query_as!(
        AddressRow,
        r#"SELECT
            id AS "id: Uuid",
            name,
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
            phone
        FROM addresses
        WHERE id = ?
            AND customer_id = ?"#,
        address.0,
        customer.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Address::from))
}

pub async fn count(tx: &mut Connection, customer: CustomerId) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"SELECT COUNT(*) AS "count!: i64"
        FROM addresses
        WHERE customer_id = ?"#,
        customer.0,
    )
    .fetch_one(tx)
    .await?;
    Ok(count)
}

pub async fn insert(tx: &mut Connection, customer: CustomerId, address: &Address) -> Result<()> {
    sqlx::query!(
        "INSERT INTO addresses (
            id, customer_id, name, line1, line2, city, region, postal_code, country, phone, created_at
        )
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6))",
        address.id.0,
        customer.0,
        address.name,
        address.line1,
        address.line2,
        address.city,
        address.region,
        address.postal_code,
        address.country,
        address.phone,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether the customer has this address.
pub async fn update(tx: &mut Connection, customer: CustomerId, address: &Address) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE addresses
        SET name = ?,
            line1 = ?,
            line2 = ?,
            city = ?,
            region = ?,
            postal_code = ?,
            country = ?,
            phone = ?
        WHERE id = ?
            AND customer_id = ?",
        address.name,
        address.line1,
        address.line2,
        address.city,
        address.region,
        address.postal_code,
        address.country,
        address.phone,
        address.id.0,
        customer.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the customer had this address.
pub async fn delete(tx: &mut Connection, customer: CustomerId, address: AddressId) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM addresses
        WHERE id = ?
            AND customer_id = ?",
        address.0,
        customer.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
