//! Empties the second layer of what Trestle cached, on an operator's word.
//!
//! Only cached answers and carts go: their names begin with `trestle:` and the format's number. Nothing becomes wrong by
//! it, because floors and what was given before live in the replicas' memory, and MySQL has the carts.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::time::timeout;

/// Names of cached values; the digit keeps what others write under `trestle:` out.
const NAMES: &str = "trestle:[0-9]*";
/// Names looked at in one call: a few milliseconds of Redis's time.
const BATCH: u32 = 1000;
const CALL: Duration = Duration::from_secs(1);
/// Less than `ops::server::ANSWER_WITHIN`, so that the answer says what came of it.
const ALL: Duration = Duration::from_secs(8);

/// Deletes the cached values, batch by batch, on a link of its own: it works while the layer is switched off, and delays
/// no request. Answers how many there were.
///
/// # Errors
/// When Redis does not answer or refuses; then some may be left.
pub async fn flush(client: &Client) -> Result<u64, String> {
    match timeout(ALL, delete_all(client)).await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("it took too long".to_owned()),
    }
}

async fn delete_all(client: &Client) -> RedisResult<u64> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CALL))
        .set_response_timeout(Some(CALL));
    let mut link = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    let (mut cursor, mut deleted) = (0_u64, 0);
    loop {
        let names: Vec<String>;
        (cursor, names) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(NAMES)
            .arg("COUNT")
            .arg(BATCH)
            .query_async(&mut link)
            .await?;
        deleted += delete(&mut link, &names).await?;
        if cursor == 0 {
            return Ok(deleted);
        }
    }
}

/// UNLINK and not DEL: the memory is freed beside Redis's own thread.
async fn delete(link: &mut MultiplexedConnection, names: &[String]) -> RedisResult<u64> {
    if names.is_empty() {
        return Ok(0);
    }
    redis::cmd("UNLINK").arg(names).query_async(link).await
}
