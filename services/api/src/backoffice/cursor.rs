//! Pages of the backoffice's lists: one row more than asked for tells whether there is a further page.

use uuid::Uuid;

use crate::error::Result;
use crate::types::page::{self, Page};

/// Cuts what was found to `limit`, and lets `place` name the last item that stays when there are more.
pub fn page<T>(mut items: Vec<T>, limit: u32, place: impl FnOnce(&T) -> String) -> Page<T> {
    let limit = limit as usize;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(place);
    Page { items, next_cursor }
}

/// A cursor that stands at a UUID.
pub fn at(query: &str, id: Uuid) -> String {
    let (high, low) = id.as_u64_pair();
    page::encode(query, &[high, low])
}

/// # Errors
/// 400 when `at` did not make it for the same query.
pub fn read(query: &str, cursor: &str) -> Result<Uuid> {
    let [high, low] = page::decode(query, cursor)?;
    Ok(Uuid::from_u64_pair(high, low))
}
