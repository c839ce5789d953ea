//! EC2's instance metadata service, version 2: a token, then the instance's identity. It is asked once, in the background
//! and for a second at most; where there is none (a laptop, another cloud, a container that it does not reach) nothing
//! follows from that.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::host::{Host, Kind};

/// For all of it together.
const LIMIT: Duration = Duration::from_secs(1);
/// The identity has less than 1 KiB.
const LONGEST_ANSWER: usize = 16 * 1024;
const LONGEST_VALUE: usize = 64;

static TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
static TOKEN_TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");

/// Where the service is; None when it is not to be asked.
#[derive(Debug, Clone)]
pub struct Service(Option<Authority>);

impl FromStr for Service {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let uri = text.parse::<Uri>().ok();
        let uri =
            uri.filter(|uri| uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none());
        let authority = uri.and_then(|uri| uri.authority().cloned());
        authority
            .map(|authority| Self(Some(authority)))
            .ok_or_else(|| "must be http://HOST[:PORT], or off".to_owned())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    instance_id: String,
    instance_type: String,
    availability_zone: String,
}

impl Service {
    /// The machine that this process runs on; None when nobody says.
    pub async fn ask(&self) -> Option<Host> {
        let authority = self.0.as_ref()?;
        tokio::time::timeout(LIMIT, identity(authority)).await.ok()?
    }
}

async fn identity(authority: &Authority) -> Option<Host> {
    let ttl = (TOKEN_TTL.clone(), HeaderValue::from_static("60"));
    let token = send(authority, Method::PUT, "/latest/api/token", ttl).await?;
    let mut token = HeaderValue::from_maybe_shared(token).ok()?;
    token.set_sensitive(true);
    let path = "/latest/dynamic/instance-identity/document";
    let document = send(authority, Method::GET, path, (TOKEN.clone(), token)).await?;
    let identity: Identity = serde_json::from_slice(&document).ok()?;
    Some(Host {
        kind: Kind::Ec2,
        id: plain(identity.instance_id)?,
        r#type: plain(identity.instance_type),
        zone: plain(identity.availability_zone),
    })
}

/// One request on a connection of its own; None unless it is answered 200.
async fn send(
    authority: &Authority,
    method: Method,
    path: &str,
    header: (HeaderName, HeaderValue),
) -> Option<Bytes> {
    let port = authority.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((authority.host(), port)).await.ok()?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.ok()?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, authority.as_str())
        .header(header.0, header.1)
        .body(Empty::<Bytes>::new())
        .ok()?;
    let answer = async {
        let response = sender.send_request(request).await.ok()?;
        if response.status() != http::StatusCode::OK {
            return None;
        }
        let body = Limited::new(response.into_body(), LONGEST_ANSWER);
        body.collect().await.ok().map(|body| body.to_bytes())
    };
    // The connection is driven beside the request and ends with it.
    tokio::select! {
        answer = answer => answer,
        Err(_) = connection => None,
    }
}

/// A value that can be shown: it goes to everybody who asks.
fn plain(text: String) -> Option<String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_plain = !text.is_empty() && text.len() <= LONGEST_VALUE && text.bytes().all(good);
    is_plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_tls_or_off() {
        for good in ["http://169.254.169.254", "http://127.0.0.1:1338/", "off"] {
            assert!(good.parse::<Service>().is_ok(), "{good}");
        }
        for wrong in [
            "",
            "on",
            "https://169.254.169.254",
            "169.254.169.254",
            "http://host/latest",
        ] {
            assert!(wrong.parse::<Service>().is_err(), "{wrong}");
        }
    }
}
