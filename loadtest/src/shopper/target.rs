//! Where the shop is, and how a connection to it is made.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use http::{HeaderValue, Uri};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A shop by its URL. Names are resolved once, before the load: a resolver is not what is measured.
pub struct Target {
    /// As it was given, without a final slash.
    pub url: String,
    /// The Host header.
    pub host: HeaderValue,
    addresses: Vec<SocketAddr>,
    tls: Option<Tls>,
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Target {
    /// Reads a URL and resolves its name. `authority` is a PEM file of a private authority to trust, for https.
    ///
    /// # Errors
    /// When the URL is none, its name is unknown, or the file holds no certificate.
    pub async fn resolve(url: &str, authority: Option<&Path>) -> Result<Self> {
        let url = url.trim_end_matches('/');
        let uri: Uri = url
            .parse()
            .with_context(|| format!("--url {url:?} is not a URL"))?;
        let Some(name) = uri.host() else {
            bail!("--url {url:?} names no host (http://HOST[:PORT])");
        };
        if !matches!(uri.path(), "" | "/") {
            bail!("--url {url:?} has a path: name the shop's root");
        }
        let default_port = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => bail!("--url {url:?} must begin with http:// or https://"),
        };
        let port = uri.port_u16().unwrap_or(default_port);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((bare, port))
            .await
            .with_context(|| format!("--url: looking up {name}"))?
            .collect();
        if addresses.is_empty() {
            bail!("--url: {name} has no address");
        }
        let tls = (default_port == 443)
            .then(|| Tls::new(bare, authority))
            .transpose()?;
        let host = uri.authority().map_or(name, http::uri::Authority::as_str);
        Ok(Self {
            host: HeaderValue::from_str(host).context("--url: the host")?,
            url: url.to_owned(),
            addresses,
            tls,
        })
    }

    /// How many addresses the shop's name has: connections are spread over them in turn.
    pub fn addresses(&self) -> usize {
        self.addresses.len()
    }

    /// A TCP connection to the address whose turn it is.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(&self, turn: usize) -> std::io::Result<TcpStream> {
        let address = self.addresses[turn % self.addresses.len()];
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The TLS session on it, where the shop speaks https.
    pub(super) async fn secure(
        &self,
        stream: TcpStream,
    ) -> Option<std::io::Result<tokio_rustls::client::TlsStream<TcpStream>>> {
        match &self.tls {
            Some(tls) => Some(tls.connector.connect(tls.name.clone(), stream).await),
            None => None,
        }
    }

    pub(super) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }
}

impl Tls {
    fn new(name: &str, authority: Option<&Path>) -> Result<Self> {
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("TLS")?;
        let config = if let Some(file) = authority {
            let mut roots = RootCertStore::empty();
            let certificates = CertificateDer::pem_file_iter(file)
                .with_context(|| format!("--authority: reading {}", file.display()))?;
            for certificate in certificates {
                let certificate = certificate.with_context(|| format!("--authority {}", file.display()))?;
                roots.add(certificate).context("--authority")?;
            }
            if roots.is_empty() {
                bail!("--authority: {} holds no certificate", file.display());
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        } else {
            builder
                .with_platform_verifier()
                .context("the system's certificates")?
                .with_no_client_auth()
        };
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name: ServerName::try_from(name.to_owned()).with_context(|| format!("--url: {name:?}"))?,
        })
    }
}
