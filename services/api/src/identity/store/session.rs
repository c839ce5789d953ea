//! The SQL of sessions and refresh tokens.

use sqlx::{MySql, QueryBuilder};
use time::PrimitiveDateTime;
use uuid::Uuid;

use crate::db::Connection;
use crate::error::{Error, Result};
use crate::identity::session::NewSession;
use crate::identity::sessions::Session;
use crate::types::id::{CustomerId, SessionId};

/// Rows of one INSERT or UPDATE.
const CHUNK: usize = 500;

pub async fn insert(
    tx: &mut Connection,
    new: &NewSession,
    customer: CustomerId,
    lifetime_seconds: u64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO sessions (id, customer_id, created_at, expires_at)
        VALUES (?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? SECOND)",
        new.id.0,
        customer.0,
        lifetime_seconds,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO session_details (session_id, user_agent)
        VALUES (?, ?)",
        new.id.0,
        new.user_agent,
    )
    .execute(tx)
    .await?;
    Ok(())
}

struct SessionRow {
    id: Uuid,
    created_at: PrimitiveDateTime,
    expires_at: PrimitiveDateTime,
    user_agent: String,
}

/// Live sessions of a customer made before `before`, newest first: ids sort by the time they were made.
pub async fn page(
    connection: &mut Connection,
    customer: CustomerId,
    before: Uuid,
    limit: u32,
    current: SessionId,
) -> Result<Vec<Session>> {
    let rows = sqlx::query_as!(
        SessionRow,
        r#"SELECT
            s.id AS "id: Uuid",
            s.created_at,
            s.expires_at,
            COALESCE(d.user_agent, '') AS "user_agent!: String"
        FROM sessions s
        LEFT JOIN session_details d ON d.session_id = s.id
        WHERE s.customer_id = ?
            AND s.id < ?
            AND s.revoked_at IS NULL
            AND s.expires_at > UTC_TIMESTAMP(6)
        ORDER BY s.id DESC
        LIMIT ?"#,
        customer.0,
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    let session = |row: SessionRow| Session {
        id: SessionId(row.id),
        current: row.id == current.0,
        user_agent: row.user_agent,
        created_at: row.created_at.assume_utc(),
        expires_at: row.expires_at.assume_utc(),
    };
    Ok(rows.into_iter().map(session).collect())
}

/// Ends a live session of this customer; whether there was one.
pub async fn revoke_own(tx: &mut Connection, customer: CustomerId, session: SessionId) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE sessions
        SET revoked_at = UTC_TIMESTAMP(6)
        WHERE id = ?
            AND customer_id = ?
            AND revoked_at IS NULL
            AND expires_at > UTC_TIMESTAMP(6)",
        session.0,
        customer.0,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all live sessions of the customer but one; answers which.
pub async fn revoke_others(
    tx: &mut Connection,
    customer: CustomerId,
    kept: SessionId,
) -> Result<Vec<SessionId>> {
    let ids = sqlx::query_scalar!(
        r#"SELECT id AS "id: Uuid"
        FROM sessions
        WHERE customer_id = ?
            AND id <> ?
            AND revoked_at IS NULL
            AND expires_at > UTC_TIMESTAMP(6)
        ORDER BY id
        FOR UPDATE"#,
        customer.0,
        kept.0,
    )
    .fetch_all(&mut *tx)
    .await?;
    for chunk in ids.chunks(CHUNK) {
        let mut sql = QueryBuilder::<MySql>::new(
            "UPDATE sessions SET revoked_at = UTC_TIMESTAMP(6) WHERE revoked_at IS NULL AND id IN (",
        );
        let mut list = sql.separated(", ");
        for id in chunk {
            list.push_bind(*id);
        }
        sql.push(")");
        let done = sql.build().execute(&mut *tx).await?;
        if done.rows_affected() != chunk.len() as u64 {
            return Err(Error::Internal("a locked session was ended by another".into()));
        }
    }
    Ok(ids.into_iter().map(SessionId).collect())
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
