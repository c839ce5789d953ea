//! A pooled connection as features see it: each statement that goes through it is counted and timed for the request
//! it belongs to, and named in the log when it is slow.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::mysql::{MySqlArguments, MySqlQueryResult, MySqlRow, MySqlStatement, MySqlTypeInfo};
use sqlx::pool::PoolConnection;
use sqlx::{Either, Error, Execute, Executor, MySql, MySqlConnection, SqlStr};

use crate::tally;

/// A statement that takes longer is named in the log.
const SLOW: Duration = Duration::from_millis(500);

/// What `Db::read` and `Db::transact` lend.
#[derive(Debug)]
pub struct Connection(PoolConnection<MySql>);

impl Connection {
    pub(super) fn new(pooled: PoolConnection<MySql>) -> Self {
        Self(pooled)
    }

    pub(super) fn pooled(&mut self) -> &mut PoolConnection<MySql> {
        &mut self.0
    }
}

/// For what commands and the API share; statements sent this way are not counted.
impl Deref for Connection {
    type Target = MySqlConnection;

    fn deref(&self) -> &MySqlConnection {
        &self.0
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut MySqlConnection {
        &mut self.0
    }
}

/// Counts a statement when it ends, however it ends: read to its last row, failed, or given up.
struct Timed {
    began: Instant,
    sql: Option<SqlStr>,
}

impl Timed {
    fn begin(sql: SqlStr) -> Self {
        Self {
            began: Instant::now(),
            sql: Some(sql),
        }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        tally::query(took);
        if took >= SLOW {
            let sql = self.sql.take();
            let statement = sql.as_ref().map_or("", |sql| sql.as_str());
            tracing::warn!(
                statement,
                millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "a slow query"
            );
        }
    }
}

/// A query taken apart: sqlx tells its text only to who consumes it.
struct Known {
    sql: SqlStr,
    arguments: Option<Result<Option<MySqlArguments>, BoxDynError>>,
    persistent: bool,
}

impl Known {
    fn of<'q>(mut query: impl Execute<'q, MySql>) -> Self {
        Self {
            arguments: Some(query.take_arguments()),
            persistent: query.persistent(),
            sql: query.sql(),
        }
    }
}

impl Execute<'_, MySql> for Known {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&MySqlStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<MySqlArguments>, BoxDynError> {
        self.arguments.take().unwrap_or(Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = MySql;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<MySqlQueryResult, MySqlRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, MySql>,
    {
        let query = Known::of(query);
        let timed = Timed::begin(query.sql.clone());
        let rows = (&mut *self.0).fetch_many(query);
        rows.map(move |row| {
            let _ = &timed;
            row
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<MySqlRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, MySql>,
    {
        let mut rows = self.fetch_many(query);
        async move {
            while let Some(step) = rows.next().await {
                if let Either::Right(row) = step? {
                    return Ok(Some(row));
                }
            }
            Ok(None)
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [MySqlTypeInfo],
    ) -> BoxFuture<'e, Result<MySqlStatement, Error>>
    where
        'c: 'e,
    {
        (&mut *self.0).prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<MySql>, Error>>
    where
        'c: 'e,
    {
        (&mut *self.0).describe(sql)
    }
}
