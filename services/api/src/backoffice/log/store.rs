//! The SQL of the audit log.

use sqlx::{FromRow, MySql, MySqlExecutor, QueryBuilder};
use time::PrimitiveDateTime;
use uuid::Uuid;

use super::list::{Entry, Filter, Of};
use super::{Actor, Subject};
use crate::db::Connection;
use crate::error::Result;
use crate::types::id::CustomerId;

pub async fn insert(
    tx: impl MySqlExecutor<'_>,
    by: &Actor,
    action: &str,
    subject: &Subject,
    detail: &str,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO admin_log (at, admin_id, action, subject_kind, subject_id, detail, request_id)
        VALUES (UTC_TIMESTAMP(6), ?, ?, ?, ?, ?, ?)",
        by.admin.map(|admin| admin.0),
        action,
        subject.kind,
        subject.id,
        detail,
        by.request_id,
    )
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    id: u64,
    at: PrimitiveDateTime,
    admin_id: Option<Uuid>,
    admin_email: Option<String>,
    action: String,
    subject_kind: String,
    subject_id: String,
    detail: String,
    request_id: String,
}

/// One page, newest first, from the entry before `before` on.
pub async fn page(
    connection: &mut Connection,
    filter: &Filter,
    before: u64,
    limit: u32,
) -> Result<Vec<Entry>> {
    let mut sql = QueryBuilder::<MySql>::new(
        "SELECT
            admin_log.id,
            admin_log.at,
            admin_log.admin_id,
            customers.email AS admin_email,
            admin_log.action,
            admin_log.subject_kind,
            admin_log.subject_id,
            admin_log.detail,
            admin_log.request_id
        FROM admin_log
        LEFT JOIN customers ON customers.id = admin_log.admin_id
        WHERE admin_log.id < ",
    );
    sql.push_bind(before);
    if let Some(admin) = filter.admin {
        sql.push(" AND admin_log.admin_id = ").push_bind(admin.0);
    }
    if let Some(kind) = &filter.subject_kind {
        sql.push(" AND admin_log.subject_kind = ").push_bind(kind.clone());
    }
    if let Some(id) = &filter.subject_id {
        sql.push(" AND admin_log.subject_id = ").push_bind(id.clone());
    }
    sql.push(" ORDER BY admin_log.id DESC LIMIT ").push_bind(limit);
    let rows: Vec<Row> = sql.build_query_as().fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|row| Entry {
            id: row.id,
            at: row.at.assume_utc(),
            admin_id: row.admin_id.map(CustomerId),
            admin_email: row.admin_email,
            action: row.action,
            subject: Of {
                kind: row.subject_kind,
                id: row.subject_id,
            },
            detail: row.detail,
            request_id: Some(row.request_id).filter(|id| !id.is_empty()),
        })
        .collect())
}
