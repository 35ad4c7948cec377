//! The upstream's end: the real name is verified against the roots, always.
//!
//! There is no switch that weakens this; who must reach a server with a private certificate adds its root.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use enforcer_flow::{Host, Side};
use rustls::client::Resumption;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::{DnsName, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{TlsError, accept, alert, provider, roots};

/// Servers whose sessions are remembered, per set of protocols.
const SESSIONS: usize = 256;

/// What to offer inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alpn {
    /// HTTP/2, or else HTTP/1.1: the server chooses.
    Either,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only.
    Http2,
    /// Nothing: the extension is not sent.
    None,
}

/// Opens TLS towards upstreams. Cheap to clone and to share; sessions are resumed.
#[derive(Clone, Debug)]
pub struct Connector {
    either: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    none: Arc<ClientConfig>,
}

/// Why a handshake with an upstream failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The upstream refused with an alert.
    #[error("the upstream ended the handshake (alert {})", alert::name(*.0))]
    Alert(AlertDescription),
    /// The upstream's certificate cannot be relied on for another reason than those below.
    #[error("the upstream's certificate is not valid")]
    Certificate(#[source] rustls::Error),
    /// The upstream closed the connection during the handshake.
    #[error("the upstream closed the connection during the handshake")]
    Closed,
    /// The upstream's certificate is past its time.
    #[error("the upstream's certificate has expired")]
    Expired,
    /// The upstream's handshake is wrong, or has nothing in common with ours.
    #[error("the handshake with the upstream failed")]
    Handshake(#[source] rustls::Error),
    /// The connection broke.
    #[error("the connection to the upstream broke")]
    Io(#[source] io::Error),
    /// The host cannot be named in TLS.
    #[error("`{0}` cannot be named in a TLS handshake")]
    Name(Host),
    /// The upstream speaks none of the application protocols offered.
    #[error("the upstream speaks none of the application protocols offered")]
    NoProtocol,
    /// The upstream's certificate is not valid yet.
    #[error("the upstream's certificate is not valid yet")]
    NotYetValid,
    /// No root that we trust stands behind the upstream's certificate.
    #[error("no trusted root stands behind the upstream's certificate")]
    Untrusted,
    /// The certificate is for other names.
    #[error("the upstream's certificate is not for the name asked for")]
    WrongName {
        /// The names it is for, as the library shows them.
        presented: Vec<String>,
    },
}

// === impl Alpn ===

impl Alpn {
    /// The protocol names to send.
    fn names(self) -> Vec<Vec<u8>> {
        match self {
            Self::Either => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::Http2 => vec![b"h2".to_vec()],
            Self::None => Vec::new(),
        }
    }
}

// === impl Connector ===

impl Connector {
    /// Trusts the public roots of this host and those in `extra_roots` (PEM files, each with one certificate or more).
    ///
    /// # Errors
    /// When an extra file cannot be read or holds anything but roots: a connector that silently trusts less than was
    /// configured would only fail later and elsewhere.
    pub fn new(extra_roots: &[PathBuf]) -> Result<Self, TlsError> {
        Self::with_roots(roots::trusted(extra_roots)?)
    }

    fn with_roots(roots: RootCertStore) -> Result<Self, TlsError> {
        let base = ClientConfig::builder_with_provider(provider::upstream_side())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let offering = |alpn: Alpn| {
            let mut config = base.clone();
            config.alpn_protocols = alpn.names();
            // A clone shares its session memory; a session must not resume under another protocol.
            config.resumption = Resumption::in_memory_sessions(SESSIONS);
            Arc::new(config)
        };
        Ok(Self {
            either: offering(Alpn::Either),
            http1: offering(Alpn::Http1),
            http2: offering(Alpn::Http2),
            none: offering(Alpn::None),
        })
    }

    /// Shakes hands with the server at the far end of `io`, which must prove to be `host`. There is no deadline in here: the
    /// caller sets one.
    ///
    /// # Errors
    /// When the handshake does not come to an end, or the certificate is not the one of `host`.
    pub async fn connect<IO>(
        &self,
        host: &Host,
        alpn: Alpn,
        io: IO,
    ) -> Result<TlsStream<IO>, ConnectError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = server_name(host)?;
        let connecting = TlsConnector::from(Arc::clone(self.config(alpn))).connect(name, io);
        connecting.await.map_err(ConnectError::from_io)
    }

    fn config(&self, alpn: Alpn) -> &Arc<ClientConfig> {
        match alpn {
            Alpn::Either => &self.either,
            Alpn::Http1 => &self.http1,
            Alpn::Http2 => &self.http2,
            Alpn::None => &self.none,
        }
    }
}

// === impl ConnectError ===

impl ConnectError {
    /// Whose end the fault lies at.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Self::Name(_) => Side::Agent,
            Self::Alert(_)
            | Self::Certificate(_)
            | Self::Closed
            | Self::Expired
            | Self::Handshake(_)
            | Self::Io(_)
            | Self::NoProtocol
            | Self::NotYetValid
            | Self::Untrusted
            | Self::WrongName { .. } => Side::Upstream,
        }
    }

    fn from_io(error: io::Error) -> Self {
        match error.downcast::<rustls::Error>() {
            Ok(error) => Self::from_tls(error),
            Err(error) if accept::is_closed(&error) => Self::Closed,
            Err(error) => Self::Io(error),
        }
    }

    fn from_tls(error: rustls::Error) -> Self {
        match error {
            rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                Self::NoProtocol
            }
            rustls::Error::AlertReceived(alert) => Self::Alert(alert),
            rustls::Error::InvalidCertificate(reason) => Self::from_certificate(reason),
            other => Self::Handshake(other),
        }
    }

    fn from_certificate(reason: CertificateError) -> Self {
        match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidForName => Self::WrongName {
                presented: Vec::new(),
            },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongName { presented }
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            // The second is somebody who merely calls himself like a root.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Untrusted,
            other => Self::Certificate(rustls::Error::InvalidCertificate(other)),
        }
    }
}

fn server_name(host: &Host) -> Result<ServerName<'static>, ConnectError> {
    match host {
        Host::Ip(addr) => Ok(ServerName::IpAddress((*addr).into())),
        Host::Name(name) => match DnsName::try_from(name.to_string()) {
            Ok(name) => Ok(ServerName::DnsName(name)),
            Err(_) => Err(ConnectError::Name(host.clone())),
        },
    }
}
