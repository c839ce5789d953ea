//! What hyper itself refuses: a request that is no HTTP (400), an address or headers beyond all measure (414, 431). Its answers
//! have no body. They are replaced on their way out by the shop's own: problem+json with a request id.

use std::fmt::Write as _;

use http::StatusCode;

use super::HEADERS;
use crate::error::problem;
use crate::middleware::random_id;

/// Makes the answers.
pub struct Refusals {
    replica: String,
}

/// An answer of hyper's own, found in what it writes.
#[derive(Debug, PartialEq, Eq)]
pub struct Bare {
    /// Where it begins.
    pub at: usize,
    pub status: StatusCode,
}

impl Bare {
    /// It has no body, so it ends what is written; and every answer of a handler names the replica.
    pub fn find(written: &[u8]) -> Option<Self> {
        let head = written.strip_suffix(b"\r\n\r\n")?;
        let start = b"HTTP/1.";
        let at = head.windows(start.len()).rposition(|window| window == start)?;
        let head = head.get(at..)?;
        let status = StatusCode::from_bytes(head.get(9..12)?).ok()?;
        let of_hyper = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        );
        let name = b"trestle-replica:";
        let of_a_handler = head.windows(name.len()).any(|window| window == name);
        (of_hyper && !of_a_handler).then_some(Self { at, status })
    }
}

impl Refusals {
    pub fn of(replica: &str) -> Self {
        Self {
            replica: replica.to_owned(),
        }
    }

    /// The whole answer, head and body.
    pub fn answer(&self, status: StatusCode) -> Vec<u8> {
        let detail = match status {
            StatusCode::URI_TOO_LONG => "the address is too long: it may have 8 KiB",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                "the headers are too large: one may have 8 KiB, all of them 32 KiB"
            }
            _ => "the request is not valid HTTP",
        };
        let id = random_id();
        tracing::info!(
            status = status.as_u16(),
            request_id = id,
            replica = self.replica,
            "not a request"
        );
        let mut body = problem(status, "invalid_request", detail);
        body.insert("request_id".into(), id.as_str().into());
        let body = serde_json::Value::Object(body).to_string();
        let mut head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\
            cache-control: no-store\r\ntrestle-replica: {}\r\nx-request-id: {id}\r\n",
            body.len(),
            self.replica
        );
        for (name, value) in HEADERS {
            // Writing to a String cannot fail.
            write!(head, "{name}: {value}\r\n").ok();
        }
        (head + "\r\n" + &body).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_of_hypers_own_is_replaced() {
        let bare =
            "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let not_modified = "HTTP/1.1 304 Not Modified\r\ntrestle-replica: api-1\r\n\r\n";
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        assert_eq!(Bare::find(bare.as_bytes()), Some(Bare { at: 0, status }));
        let both = format!("{not_modified}{bare}");
        let at = not_modified.len();
        assert_eq!(Bare::find(both.as_bytes()), Some(Bare { at, status }));
        for other in [
            not_modified,
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ntrestle-replica: api-1\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n{}",
            "\r\n\r\n",
            "",
        ] {
            assert_eq!(Bare::find(other.as_bytes()), None, "{other}");
        }
    }
}
