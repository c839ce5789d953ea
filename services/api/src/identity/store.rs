//! The SQL of customers; sessions and addresses have files of their own.

pub mod address;
pub mod session;

use time::PrimitiveDateTime;
use uuid::Uuid;

use super::customer::Role;
use super::me::Profile;
use super::register::NewCustomer;
use crate::db;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::CustomerId;

struct CustomerRow {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: PrimitiveDateTime,
    password_hash: Option<String>,
}

impl CustomerRow {
    fn into_profile(self) -> Result<Profile> {
        Ok(Profile {
            id: CustomerId(self.id),
            role: Role::parse(&self.role)?,
            email: self.email,
            name: self.name,
            created_at: self.created_at.assume_utc(),
        })
    }
}

/// The customer with this normalised e-mail address, and the hash of their password, if they can log in.
pub async fn account(connection: &mut Connection, email: &str) -> Result<Option<(Profile, Option<String>)>> {
    let row = sqlx::query_as!(
        CustomerRow,
        r#"SELECT
            id AS "id: Uuid",
            email,
            name,
            role,
            created_at,
            password_hash
        FROM customers
        WHERE email = ?"#,
        email,
    )
    .fetch_optional(connection)
    .await?;
    let Some(mut row) = row else { return Ok(None) };
    let password_hash = row.password_hash.take();
    Ok(Some((row.into_profile()?, password_hash)))
}

pub async fn profile(connection: &mut Connection, customer: CustomerId) -> Result<Option<Profile>> {
    let row = sqlx::query_as!(
        CustomerRow,
        r#"SELECT
            id AS "id: Uuid",
            email,
            name,
            role,
            created_at,
            NULL AS "password_hash: String"
        FROM customers
        WHERE id = ?"#,
        customer.0,
    )
    .fetch_optional(connection)
    .await?;
    row.map(CustomerRow::into_profile).transpose()
}

pub async fn role(connection: &mut Connection, customer: CustomerId) -> Result<Role> {
    let role = sqlx::query_scalar!("SELECT role FROM customers WHERE id = ?", customer.0)
        .fetch_one(connection)
        .await?;
    Role::parse(&role)
}

/// # Errors
/// `EmailTaken` when somebody has this address.
pub async fn insert_customer(tx: &mut Connection, new: &NewCustomer) -> Result<()> {
    let inserted = sqlx::query!(
        "INSERT INTO customers (id, email, name, password_hash, role, created_at)
        VALUES (?, ?, ?, ?, 'customer', UTC_TIMESTAMP(6))",
        new.id.0,
        new.email,
        new.name,
        new.password_hash,
    )
    .execute(tx)
    .await;
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if db::is_duplicate(&error) => Err(Error::EmailTaken),
        Err(error) => Err(error.into()),
    }
}

/// Whether the customer is there.
pub async fn rename(tx: &mut Connection, customer: CustomerId, name: &str) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE customers
        SET name = ?
        WHERE id = ?",
        name,
        customer.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the customer is there; locked until the transaction ends.
pub async fn lock_customer(tx: &mut Connection, customer: CustomerId) -> Result<bool> {
    let row = sqlx::query!(
        r#"SELECT id AS "id: Uuid"
        FROM customers
        WHERE id = ?
        FOR UPDATE"#,
        customer.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.is_some())
}

/// The hash of the customer's password, which stays as it is until the transaction ends.
pub async fn hold_password(tx: &mut Connection, customer: CustomerId) -> Result<Option<String>> {
    let hash = sqlx::query_scalar!(
        "SELECT password_hash
        FROM customers
        WHERE id = ?
        LOCK IN SHARE MODE",
        customer.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(hash.flatten())
}

/// Puts `new` in the place of `old`, unless another change was there first.
pub async fn change_password(
    tx: &mut Connection,
    customer: CustomerId,
    old: &str,
    new: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE customers
        SET password_hash = ?
        WHERE id = ?
            AND password_hash = ?",
        new,
        customer.0,
        old,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The customer's e-mail address, name and password hash.
pub async fn credentials(
    connection: &mut Connection,
    customer: CustomerId,
) -> Result<Option<(Profile, Option<String>)>> {
    let row = sqlx::query_as!(
        CustomerRow,
        r#"SELECT
            id AS "id: Uuid",
            email,
            name,
            role,
            created_at,
            password_hash
        FROM customers
        WHERE id = ?"#,
        customer.0,
    )
    .fetch_optional(connection)
    .await?;
    let Some(mut row) = row else { return Ok(None) };
    let password_hash = row.password_hash.take();
    Ok(Some((row.into_profile()?, password_hash)))
}
