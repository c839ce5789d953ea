//! A read through the caches, as most handlers of public lists make it.

use axum::response::Response;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::respond::{respond, share};
use crate::cache::{Hit, Key, Load, Loaded};
use crate::db::{Connection, Deadline};
use crate::error::{Error, Result};
use crate::state::AppState;

/// Answers what the caches have for `key`, or what `find` reads from MySQL. None is 404: there is no such `what`.
///
/// # Errors
/// When no layer can say.
pub async fn answer<T: Serialize>(
    state: &AppState,
    deadline: Deadline,
    key: Key,
    what: &'static str,
    find: impl for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<Option<T>>> + Clone + Send + Sync + 'static,
) -> Result<Response> {
    let hit = hit(state, deadline, key, what, find).await?;
    Ok(share(state, &hit, respond(&hit, what)))
}

/// The same, for what is not answered as the JSON that the caches have.
///
/// # Errors
/// When no layer can say.
pub async fn hit<T: Serialize>(
    state: &AppState,
    deadline: Deadline,
    key: Key,
    what: &'static str,
    find: impl for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<Option<T>>> + Clone + Send + Sync + 'static,
) -> Result<Hit> {
    let load = || -> Load {
        let db = state.db.clone();
        Box::new(move |deadline| {
            let db = db.clone();
            let find = find.clone();
            Box::pin(async move {
                let found = db.read(deadline, move |connection| find(connection)).await?;
                let body = found.as_ref().map(serde_json::to_vec).transpose();
                let body =
                    body.map_err(|error| Error::Internal(format!("a {what} cannot be written: {error}")))?;
                Ok(Loaded {
                    body: body.map(Into::into),
                    version: 0,
                })
            })
        })
    };
    state.cache.get(state.redis.as_ref(), key, deadline, load).await
}
