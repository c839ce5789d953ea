//! The SQL of customers, sessions and refresh tokens; addresses have a file of their own.

pub mod address;

use time::PrimitiveDateTime;
use uuid::Uuid;

use super::customer::Role;
use super::me::Profile;
use super::register::NewCustomer;
use crate::db;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::types::id::{CustomerId, SessionId};

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

pub async fn insert_session(
    tx: &mut Connection,
    session: SessionId,
    customer: CustomerId,
    lifetime_seconds: u64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO sessions (id, customer_id, created_at, expires_at)
        VALUES (?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? SECOND)",
        session.0,
        customer.0,
        lifetime_seconds,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A session that has neither ended nor expired.
pub struct LiveSession {
    pub customer: CustomerId,
    pub left_seconds: u64,
}

pub async fn lock_live_session(tx: &mut Connection, session: SessionId) -> Result<Option<LiveSession>> {
    let row = sqlx::query!(
        r#"SELECT
            customer_id AS "customer_id: Uuid",
            TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at) AS "left_seconds!: i64"
        FROM sessions
        WHERE id = ?
            AND revoked_at IS NULL
            AND expires_at > UTC_TIMESTAMP(6)
        FOR UPDATE"#,
        session.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| LiveSession {
        customer: CustomerId(row.customer_id),
        left_seconds: u64::try_from(row.left_seconds).unwrap_or_default(),
    }))
}

/// Whether the session was live until now.
pub async fn revoke(tx: &mut Connection, session: SessionId) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE sessions
        SET revoked_at = UTC_TIMESTAMP(6)
        WHERE id = ?
            AND revoked_at IS NULL",
        session.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn insert_refresh_token(tx: &mut Connection, hash: &[u8], session: SessionId) -> Result<()> {
    sqlx::query!(
        "INSERT INTO refresh_tokens (token_hash, session_id, created_at)
        VALUES (?, ?, UTC_TIMESTAMP(6))",
        hash,
        session.0,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub struct StoredToken {
    pub session: SessionId,
    pub is_rotated: bool,
    /// Rotated longer ago than the grace.
    pub is_past_grace: bool,
}

pub async fn lock_refresh_token(
    tx: &mut Connection,
    hash: &[u8],
    grace_seconds: u32,
) -> Result<Option<StoredToken>> {
    let row = sqlx::query!(
        r#"SELECT
            session_id AS "session_id: Uuid",
            rotated_at IS NOT NULL AS "is_rotated!: i64",
            COALESCE(rotated_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND, 0) AS "is_past_grace!: i64"
        FROM refresh_tokens
        WHERE token_hash = ?
        FOR UPDATE"#,
        grace_seconds,
        hash,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| StoredToken {
        session: SessionId(row.session_id),
        is_rotated: row.is_rotated != 0,
        is_past_grace: row.is_past_grace != 0,
    }))
}

pub async fn mark_rotated(tx: &mut Connection, hash: &[u8]) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE refresh_tokens
        SET rotated_at = UTC_TIMESTAMP(6)
        WHERE token_hash = ?
            AND rotated_at IS NULL",
        hash,
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::Internal(
            "a locked refresh token was rotated by another".into(),
        ))
    }
}
