//! What both cache layers hold: the finished bytes of an answer, with what orders and dates them.

use bytes::Bytes;
use http::HeaderValue;

use super::Key;
use super::key::ABSENT_BOUND_MS;
use crate::request::{ETAG_LENGTH, etag_of};

/// Length of the head in Redis: version and time of the read, 16 hexadecimal digits each. Fixed and in
/// hexadecimal, so that Redis compares two heads as text.
pub const HEAD: usize = 32;
/// Stands before the body: `+` there is one, `-` the thing is known not to exist.
const PRESENT: u8 = b'+';
const ABSENT: u8 = b'-';
/// The ETag stands between: a hash of the body for each read from Redis was 2 % of its cost.
const ETAG: std::ops::Range<usize> = HEAD + 1..HEAD + 1 + ETAG_LENGTH;

/// A cached answer, or the knowledge that there is nothing.
#[derive(Debug)]
pub struct Entry {
    /// The JSON bytes; None when the thing does not exist.
    pub body: Option<Bytes>,
    pub etag: HeaderValue,
    /// Grows with each change of the thing; 0 where only age counts.
    pub version: u64,
    /// When MySQL was read, in milliseconds since 1970: age counts from here through both layers.
    pub read_at: u64,
}

impl Entry {
    pub fn new(body: Option<Bytes>, version: u64, read_at: u64) -> Self {
        let bytes = body.as_deref().unwrap_or_default();
        let etag = etag_of(bytes);
        Self {
            body,
            etag,
            version,
            read_at,
        }
    }

    /// What orders two states of the same thing.
    pub fn order(&self) -> (u64, u64) {
        (self.version, self.read_at)
    }

    /// How old this may be, in milliseconds: absence is kept briefly, so that a guessed address costs little and what
    /// comes to be is seen soon.
    pub fn bound_ms(&self, key: &Key) -> u64 {
        if self.body.is_some() {
            key.bound_ms()
        } else {
            key.bound_ms().min(ABSENT_BOUND_MS)
        }
    }

    /// Milliseconds since MySQL was read. A time in the future (another replica's clock, or ours before it was set back)
    /// says nothing: beyond a second, which clocks may differ by, such an entry is past every bound.
    pub fn age_ms(&self, now: u64) -> u64 {
        if self.read_at > now + 1_000 {
            return u64::MAX;
        }
        now.saturating_sub(self.read_at)
    }

    /// Bytes this takes in memory, the map's own share included.
    pub fn weight(&self) -> u64 {
        self.body.as_ref().map_or(0, Bytes::len) as u64 + 160
    }

    pub fn to_redis(&self) -> Vec<u8> {
        let body = self.body.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(ETAG.end + body.len());
        bytes.extend_from_slice(format!("{:016x}{:016x}", self.version, self.read_at).as_bytes());
        bytes.push(if self.body.is_some() { PRESENT } else { ABSENT });
        bytes.extend_from_slice(self.etag.as_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    /// Reads what `to_redis` wrote; None for anything else, which counts as a miss.
    pub fn from_redis(bytes: &Bytes) -> Option<Self> {
        let head = str::from_utf8(bytes.get(..HEAD)?).ok()?;
        let version = u64::from_str_radix(&head[..16], 16).ok()?;
        let read_at = u64::from_str_radix(&head[16..], 16).ok()?;
        let etag = HeaderValue::from_maybe_shared(bytes.get(ETAG).map(|_| bytes.slice(ETAG))?).ok()?;
        let body = match *bytes.get(HEAD)? {
            PRESENT => Some(bytes.slice(ETAG.end..)),
            ABSENT => None,
            _ => return None,
        };
        let quoted = etag.as_bytes();
        if !(quoted.starts_with(b"\"") && quoted.ends_with(b"\"")) {
            return None;
        }
        Some(Self {
            body,
            etag,
            version,
            read_at,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_redis_and_spoilt_bytes_are_a_miss() {
        let entry = Entry::new(Some(Bytes::from_static(b"{}")), 7, 1_700_000_000_000);
        let whole = entry.to_redis();
        let back = Entry::from_redis(&whole.clone().into()).unwrap();
        assert_eq!(
            (back.body, back.etag, back.version, back.read_at),
            (entry.body, entry.etag, 7, 1_700_000_000_000)
        );
        assert!(
            Entry::from_redis(&Entry::new(None, 1, 2).to_redis().into())
                .unwrap()
                .body
                .is_none()
        );
        let mut spoilt = vec![b"".to_vec(), b"zz".to_vec(), vec![0xff; 80], vec![b'0'; 80]];
        spoilt.extend((0..ETAG.end).map(|length| whole[..length].to_vec()));
        spoilt.extend([HEAD, ETAG.start, ETAG.end - 1].map(|place| {
            let mut bytes = whole.clone();
            bytes[place] = b'\n';
            bytes
        }));
        for spoilt in spoilt {
            let said = format!("{:?}", String::from_utf8_lossy(&spoilt));
            assert!(Entry::from_redis(&spoilt.into()).is_none(), "{said}");
        }
    }

    #[test]
    fn heads_compare_as_text_like_the_numbers_do() {
        let head = |version, read_at| Entry::new(None, version, read_at).to_redis()[..HEAD].to_vec();
        assert!(head(9, u64::MAX) < head(10, 0));
        assert!(head(10, 99) < head(10, 100));
    }
}
