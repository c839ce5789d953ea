//! The SQL of orders as the backoffice looks for them.

use sqlx::{FromRow, MySql, QueryBuilder};
use time::PrimitiveDateTime;
use uuid::Uuid;

use super::Summary;
use super::list::{Before, Filter};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::orders::state::State;
use crate::types::id::{CustomerId, OrderId};
use crate::types::money::Money;

const SUMMARY: &str = "
        orders.id,
        orders.state,
        orders.customer_id,
        customers.email,
        orders.currency,
        orders.total,
        orders.created_at
    FROM orders
    JOIN customers ON customers.id = orders.customer_id
    WHERE 1 = 1";

#[derive(FromRow)]
struct SummaryRow {
    id: Uuid,
    state: String,
    customer_id: Uuid,
    email: String,
    currency: String,
    total: i64,
    created_at: PrimitiveDateTime,
}

impl SummaryRow {
    fn read(self) -> Result<Summary> {
        let currency = self.currency.parse().map_err(Error::Internal)?;
        Ok(Summary {
            id: OrderId(self.id),
            state: State::read(&self.state)?,
            customer_id: CustomerId(self.customer_id),
            customer_email: self.email,
            total: Money::new(self.total, currency),
            created_at: self.created_at.assume_utc(),
        })
    }
}

/// One page, newest first.
pub async fn page(
    connection: &mut Connection,
    filter: &Filter,
    before: Option<Before>,
    limit: u32,
) -> Result<Vec<Summary>> {
    // Orders first, in the order of their index. Only one customer's are found and sorted sooner.
    let mut sql = QueryBuilder::<MySql>::new(if filter.email.is_some() {
        "SELECT"
    } else {
        "SELECT STRAIGHT_JOIN"
    });
    sql.push(SUMMARY);
    if let Some(id) = filter.id {
        sql.push(" AND orders.id = ").push_bind(id);
    }
    if let Some(state) = filter.state {
        sql.push(" AND orders.state = ").push_bind(state.as_str());
        // Pending orders are few and due: their index finds them.
        if state == State::Pending {
            sql.push(" AND orders.settle_by IS NOT NULL");
        }
    }
    if let Some(email) = &filter.email {
        sql.push(" AND orders.customer_id = (SELECT id FROM customers WHERE email = ")
            .push_bind(email.clone())
            .push(")");
    }
    if let Some(from) = filter.from {
        sql.push(" AND orders.created_at >= ").push_bind(from);
    }
    if let Some(until) = filter.until {
        sql.push(" AND orders.created_at < ").push_bind(until);
    }
    if let Some(Before { created_at, id }) = before {
        // The first half alone lets the index find the place.
        sql.push(" AND orders.created_at <= ")
            .push_bind(created_at)
            .push(" AND (orders.created_at < ")
            .push_bind(created_at)
            .push(" OR orders.id < ")
            .push_bind(id)
            .push(")");
    }
    sql.push(" ORDER BY orders.created_at DESC, orders.id DESC LIMIT ")
        .push_bind(limit);
    let rows: Vec<SummaryRow> = sql.build_query_as().fetch_all(connection).await?;
    rows.into_iter().map(SummaryRow::read).collect()
}

/// The last orders of a customer, newest first.
pub async fn latest(connection: &mut Connection, customer: CustomerId, limit: u32) -> Result<Vec<Summary>> {
    let mut sql = QueryBuilder::<MySql>::new("SELECT");
    sql.push(SUMMARY);
    sql.push(" AND orders.customer_id = ").push_bind(customer.0);
    sql.push(" ORDER BY orders.id DESC LIMIT ").push_bind(limit);
    let rows: Vec<SummaryRow> = sql.build_query_as().fetch_all(connection).await?;
    rows.into_iter().map(SummaryRow::read).collect()
}

/// Whose an order is.
pub async fn owner(connection: &mut Connection, order: OrderId) -> Result<(CustomerId, String)> {
    let row = sqlx::query!(
        r#"SELECT
            customers.id AS "id: Uuid",
            customers.email
        FROM orders
        JOIN customers ON customers.id = orders.customer_id
        WHERE orders.id = ?"#,
        order.0,
    )
    .fetch_optional(connection)
    .await?;
    let row = row.ok_or(Error::NotFound("order"))?;
    Ok((CustomerId(row.id), row.email))
}
