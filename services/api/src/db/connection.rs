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

use crate::metrics::METRICS;
use crate::tally::{self, Tally};

/// What `Db::read` and `Db::transact` lend.
#[derive(Debug)]
pub struct Connection {
    pooled: PoolConnection<MySql>,
    /// A statement that takes as long is named in the log.
    slow: Duration,
}

impl Connection {
    pub(super) fn new(pooled: PoolConnection<MySql>, slow: Duration) -> Self {
        Self { pooled, slow }
    }

    pub(super) fn pooled(&mut self) -> &mut PoolConnection<MySql> {
        &mut self.pooled
    }
}

/// For what commands and the API share; statements sent this way are not counted.
impl Deref for Connection {
    type Target = MySqlConnection;

    fn deref(&self) -> &MySqlConnection {
        &self.pooled
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut MySqlConnection {
        &mut self.pooled
    }
}

/// Counts a statement when it ends, however it ends: read to its last row, failed, or given up.
struct Timed {
    began: Instant,
    sql: SqlStr,
    slow: Duration,
}

impl Drop for Timed {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        tally::query(took);
        if took >= self.slow {
            METRICS.db.slow_statements.inc();
            log_slow(self.sql.as_str(), took);
        }
    }
}

/// Its text only: values are bound, and never logged.
fn log_slow(statement: &str, took: Duration) {
    let request = tally::current();
    let request = request.as_deref();
    tracing::warn!(
        statement,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        request_id = request.map(Tally::request_id),
        trace_id = request.map(|request| tracing::field::display(request.trace.id)),
        "a slow query"
    );
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
        let timed = Timed {
            began: Instant::now(),
            sql: query.sql.clone(),
            slow: self.slow,
        };
        let rows = (&mut *self.pooled).fetch_many(query);
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
        (&mut *self.pooled).prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<MySql>, Error>>
    where
        'c: 'e,
    {
        (&mut *self.pooled).describe(sql)
    }
}
