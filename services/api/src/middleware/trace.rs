//! W3C Trace Context: which trace a request belongs to, from the caller's `traceparent` or made here.

use std::fmt;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace, and this replica's own span of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub id: TraceId,
    pub span: SpanId,
    /// Whether the caller records this trace.
    pub sampled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(u128);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId(u64);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Trace {
    /// The caller's trace with a new span, or a new trace when the caller names none that is valid.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(&TRACEPARENT).iter();
        // Two of them say nothing.
        let caller = match (given.next(), given.next()) {
            (Some(one), None) => parse(one),
            _ => None,
        };
        let (id, sampled) = caller.unwrap_or_else(|| (TraceId(rand::random_range(1..=u128::MAX)), false));
        Self {
            id,
            span: SpanId(rand::random_range(1..=u64::MAX)),
            sampled,
        }
    }
}

/// `00-<32 hex digits>-<16>-<2>`. A later version may say more behind another dash; ff is none.
fn parse(value: &HeaderValue) -> Option<(TraceId, bool)> {
    let text = value.as_bytes();
    let (version, rest) = text.split_at_checked(2)?;
    let version = hex(version)?;
    let (head, tail) = rest.split_at_checked(53)?;
    let whole = match version {
        0 => tail.is_empty(),
        0xff => false,
        _ => tail.is_empty() || tail.starts_with(b"-"),
    };
    let dashes = [0, 33, 50].iter().all(|at| head.get(*at) == Some(&b'-'));
    if !whole || !dashes {
        return None;
    }
    let trace = hex(head.get(1..33)?)?;
    let parent = hex(head.get(34..50)?)?;
    let flags = hex(head.get(51..53)?)?;
    (trace != 0 && parent != 0).then_some((TraceId(trace), flags & 1 == 1))
}

/// Lower case only, as the specification wants it.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn of(values: &[&str]) -> Trace {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&TRACEPARENT, value.parse().unwrap());
        }
        Trace::of(&headers)
    }

    #[test]
    fn a_valid_traceparent_is_continued_with_a_span_of_our_own() {
        let given = format!("00-{TRACE}-b7ad6b7169203331-01");
        let trace = of(&[&given]);
        assert_eq!(trace.id.to_string(), TRACE);
        assert!(trace.sampled);
        assert_ne!(trace.span.to_string(), "b7ad6b7169203331");
        assert_ne!(trace.span, of(&[&given]).span);
        assert!(!of(&[&format!("00-{TRACE}-b7ad6b7169203331-00")]).sampled);
    }

    #[test]
    fn later_versions_are_read_as_far_as_they_are_known() {
        for given in [
            format!("cc-{TRACE}-b7ad6b7169203331-01"),
            format!("cc-{TRACE}-b7ad6b7169203331-01-what-comes-later"),
        ] {
            assert_eq!(of(&[&given]).id.to_string(), TRACE, "{given}");
        }
    }

    #[test]
    fn anything_else_begins_a_new_trace() {
        let good = format!("00-{TRACE}-b7ad6b7169203331-01");
        let bad = [
            String::new(),
            "00".into(),
            format!("ff-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{TRACE}-b7ad6b7169203331-01-more"),
            format!("cc-{TRACE}-b7ad6b7169203331-01more"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{TRACE}-0000000000000000-01"),
            good.to_uppercase(),
            good.replace('-', "_"),
            good[..54].to_owned(),
        ];
        for given in bad {
            let trace = of(&[&given]);
            assert_ne!(trace.id.to_string(), TRACE, "{given}");
            assert_ne!(trace.id.0, 0);
        }
        assert_ne!(of(&[&good, &good]).id.to_string(), TRACE, "two of them");
    }
}
