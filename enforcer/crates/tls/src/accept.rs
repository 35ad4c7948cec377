//! The agent's end: a handshake with our leaf, and what its failure says.

use std::io;
use std::sync::Arc;

use enforcer_flow::Side;
use rustls::{AlertDescription, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::alert;

/// Why an agent's handshake with us failed.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The agent went away without a word. Programs that pin a certificate often do so on seeing ours.
    #[error("the agent closed the connection during the handshake")]
    Closed,
    /// The agent does not accept our certificate, and said so: most likely it was never told to trust our CA.
    #[error("the agent does not accept a certificate of the local CA (alert {})", alert::name(*.0))]
    Distrust(AlertDescription),
    /// The agent's handshake is wrong, or has nothing in common with ours.
    #[error("the agent's handshake failed")]
    Handshake(#[source] rustls::Error),
    /// The connection broke.
    #[error("the connection to the agent broke")]
    Io(#[source] io::Error),
    /// The agent speaks neither HTTP/2 nor HTTP/1.1 inside TLS.
    #[error("the agent offers no application protocol that is opened here")]
    NoProtocol,
}

/// Shakes hands with an agent as the server of `config`. There is no deadline in here: the caller sets one.
///
/// # Errors
/// When the handshake does not come to an end.
pub async fn accept<IO>(config: Arc<ServerConfig>, io: IO) -> Result<TlsStream<IO>, AcceptError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let accepting = TlsAcceptor::from(config).accept(io);
    accepting.await.map_err(AcceptError::from_io)
}

// === impl AcceptError ===

impl AcceptError {
    /// Whose end the fault lies at.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Self::Closed
            | Self::Distrust(_)
            | Self::Handshake(_)
            | Self::Io(_)
            | Self::NoProtocol => Side::Agent,
        }
    }

    fn from_io(error: io::Error) -> Self {
        match error.downcast::<rustls::Error>() {
            Ok(rustls::Error::AlertReceived(alert)) if is_distrust(alert) => Self::Distrust(alert),
            Ok(rustls::Error::NoApplicationProtocol) => Self::NoProtocol,
            Ok(error) => Self::Handshake(error),
            Err(error) if is_closed(&error) => Self::Closed,
            Err(error) => Self::Io(error),
        }
    }
}

/// The alerts of RFC 8446 section 6.2 that speak about our certificate. Libraries differ in which one they choose.
fn is_distrust(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
}

pub(crate) fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
    )
}
