//! Pages by cursor. A cursor is opaque to clients: it carries the position and a digest of the query that
//! made it, so that it cannot be used with another one.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

pub const DEFAULT_LIMIT: u32 = 20;
pub const MAX_LIMIT: u32 = 100;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Given to the next request; none on the last page
    #[schema(examples("q83vASNFZ4kAAAAAAAAHzwAAAAAAAAAR"))]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that has no further page.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }

    /// Cuts what was found, one more than `limit` when there is a further page; `cursor` names the last item that stays.
    pub fn cut<C: Into<Option<String>>>(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> C) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).and_then(|last| cursor(last).into());
        Self { items, next_cursor }
    }
}

/// Reads `limit`.
///
/// # Errors
/// 400 outside of 1 to 100.
pub fn limit(given: Option<u32>) -> Result<u32, Error> {
    match given {
        None => Ok(DEFAULT_LIMIT),
        Some(n @ 1..=MAX_LIMIT) => Ok(n),
        Some(_) => Err(Error::query("limit", "must be from 1 to 100")),
    }
}

fn digest_of(query: &str) -> [u8; 8] {
    let full = digest::digest(&digest::SHA256, query.as_bytes());
    let mut short = [0; 8];
    short.copy_from_slice(&full.as_ref()[..8]);
    short
}

/// Makes a cursor from the canonical text of the query it belongs to and the numbers that say where it stands.
pub fn encode(query: &str, position: &[u64]) -> String {
    let mut bytes = digest_of(query).to_vec();
    for number in position {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A cursor that stands at a UUID.
pub fn encode_uuid(query: &str, id: Uuid) -> String {
    let (high, low) = id.as_u64_pair();
    encode(query, &[high, low])
}

/// Reads a cursor that `encode_uuid` made for the same query.
///
/// # Errors
/// As `decode`.
pub fn decode_uuid(query: &str, cursor: &str) -> Result<Uuid, Error> {
    let [high, low] = decode(query, cursor)?;
    Ok(Uuid::from_u64_pair(high, low))
}

/// Reads a cursor that `encode` made for the same query.
///
/// # Errors
/// 400 when it is spoilt or belongs to another query.
pub fn decode<const N: usize>(query: &str, cursor: &str) -> Result<[u64; N], Error> {
    let spoilt = || Error::query("cursor", "is not one that this list gave");
    // A cursor is at most 8 + 8 N bytes; longer text is not decoded at all.
    if cursor.len() > 64 {
        return Err(spoilt());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| spoilt())?;
    if bytes.len() != 8 + 8 * N {
        return Err(spoilt());
    }
    let (digest, position) = bytes.split_at(8);
    if digest != digest_of(query) {
        return Err(Error::query("cursor", "belongs to another query"));
    }
    let mut numbers = [0; N];
    for (number, chunk) in numbers.iter_mut().zip(position.chunks_exact(8)) {
        *number = u64::from_be_bytes(chunk.try_into().map_err(|_| spoilt())?);
    }
    Ok(numbers)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_and_only_for_its_own_query() {
        let cursor = encode("sort=newest", &[7, u64::MAX]);
        assert_eq!(decode::<2>("sort=newest", &cursor).unwrap(), [7, u64::MAX]);
        assert!(decode::<2>("sort=price_asc", &cursor).is_err());
        assert!(decode::<1>("sort=newest", &cursor).is_err());
        assert!(decode::<2>("sort=newest", &cursor[1..]).is_err());
        assert!(decode::<2>("sort=newest", "!!").is_err());
        assert!(decode::<2>("sort=newest", &"A".repeat(10_000)).is_err());
    }
}
