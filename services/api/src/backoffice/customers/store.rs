//! The SQL of customers as they are looked up.

use sqlx::{FromRow, MySql, QueryBuilder};
use time::PrimitiveDateTime;
use uuid::Uuid;

use super::Found;
use crate::db::Connection;
use crate::error::Result;
use crate::identity::Role;
use crate::types::id::CustomerId;

const CUSTOMER: &str = "SELECT id, email, name, role, created_at FROM customers WHERE ";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: PrimitiveDateTime,
}

impl Row {
    fn read(self) -> Result<Found> {
        Ok(Found {
            id: CustomerId(self.id),
            role: Role::parse(&self.role)?,
            email: self.email,
            name: self.name,
            created_at: self.created_at.assume_utc(),
        })
    }
}

/// One page in the order of addresses, which their index has, after the customer `after`.
pub async fn page(
    connection: &mut Connection,
    beginning: &str,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Found>> {
    let pattern = beginning
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let mut sql = QueryBuilder::<MySql>::new(CUSTOMER);
    sql.push("email LIKE ").push_bind(format!("{pattern}%"));
    if let Some(after) = after {
        sql.push(" AND email > (SELECT email FROM customers WHERE id = ")
            .push_bind(after)
            .push(")");
    }
    sql.push(" ORDER BY email LIMIT ").push_bind(limit);
    let rows: Vec<Row> = sql.build_query_as().fetch_all(connection).await?;
    rows.into_iter().map(Row::read).collect()
}

pub async fn find(connection: &mut Connection, id: CustomerId) -> Result<Option<Found>> {
    let mut sql = QueryBuilder::<MySql>::new(CUSTOMER);
    sql.push("id = ").push_bind(id.0);
    let row: Option<Row> = sql.build_query_as().fetch_optional(connection).await?;
    row.map(Row::read).transpose()
}

/// How many orders a customer placed.
pub async fn orders(connection: &mut Connection, customer: CustomerId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"SELECT COUNT(*) AS "orders!: i64" FROM orders WHERE customer_id = ?"#,
        customer.0
    )
    .fetch_one(connection)
    .await?)
}
