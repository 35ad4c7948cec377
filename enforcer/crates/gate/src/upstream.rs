//! Connections to the far side. Nothing here opens a socket without a [`Permit`].

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use enforcer_audit::{AddressObserved, Entry};
use enforcer_flow::{Destination, Host, Side, Stance};
use enforcer_policy::{Question, Verdict};
use enforcer_tls::{Alpn, ConnectError, Connector};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::net::TcpStream;

use crate::gate::Gate;
use crate::resolve::Resolve;
use crate::{Far, Flow, Held, Permit, Quota};

/// How long a first attempt is left alone before the next address is tried beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The word for an address that no rule names.
const FORBIDDEN_ADDRESS: &str = "forbidden_address";

/// What dialling depends on.
#[derive(Debug)]
pub struct UpstreamConfig {
    /// Where a destination is really dialled, like curl's `--connect-to`. The name that is verified stays the same.
    pub connect_to: HashMap<Destination, SocketAddr>,
    /// The most a connection may take, TLS handshake included.
    pub connect_timeout: Duration,
    /// Places for open connections, used and unused, of all workers.
    pub places: Arc<Quota>,
}

/// One worker's way to the far side.
pub struct Upstream {
    gate: Arc<Gate>,
    config: Arc<UpstreamConfig>,
    connector: Arc<Connector>,
    resolve: Resolve,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Every address of the name is one that no rule names: loopback, link-local, private and the like.
    #[error("the name resolves to an address that no rule names: {0}")]
    ForbiddenAddress(IpAddr),
    /// The connection was refused or broke.
    #[error("connecting failed: {0}")]
    Io(#[from] io::Error),
    /// As many connections are open as may be.
    #[error("too many upstream connections are open")]
    TooMany,
    /// It took too long.
    #[error("no connection within {0:?}")]
    Timeout(Duration),
    /// TLS failed, the certificate's verification included.
    #[error(transparent)]
    Tls(#[from] ConnectError),
    /// The name has no address.
    #[error("the name does not resolve")]
    Unresolved,
}

// === impl Upstream ===

impl Upstream {
    /// Makes one for the current runtime.
    #[must_use]
    pub fn new(gate: Arc<Gate>, config: Arc<UpstreamConfig>, connector: Arc<Connector>) -> Self {
        Self {
            gate,
            config,
            connector,
            resolve: Resolve::from_system(),
        }
    }

    /// Opens a TCP connection to where the permit says.
    ///
    /// # Errors
    /// When the name has no address that may be used, or none answers in time.
    pub async fn dial(&self, flow: &Flow, permit: &Permit) -> Result<(Far, SocketAddr), DialError> {
        let place = self.place(permit)?;
        let limit = self.config.connect_timeout;
        let (stream, addr) = tokio::time::timeout(limit, self.connect(flow, permit))
            .await
            .map_err(|_| DialError::Timeout(limit))??;
        Ok((Far::plain(stream, place), addr))
    }

    /// Opens a TCP connection to where the permit says, and TLS inside it, verified for the permit's name.
    ///
    /// # Errors
    /// As [`Upstream::dial`], and when the far side's certificate does not verify.
    pub async fn dial_tls(
        &self,
        flow: &Flow,
        permit: &Permit,
        alpn: Alpn,
    ) -> Result<(Far, SocketAddr), DialError> {
        let place = self.place(permit)?;
        let limit = self.config.connect_timeout;
        let open = async {
            let (stream, addr) = self.connect(flow, permit).await?;
            let host = &permit.destination().host;
            let stream = self.connector.connect(host, alpn, stream).await?;
            Ok((Far::tls(stream, place), addr))
        };
        tokio::time::timeout(limit, open)
            .await
            .map_err(|_| DialError::Timeout(limit))?
    }

    fn place(&self, permit: &Permit) -> Result<Held, DialError> {
        let place = self.config.places.admit(permit.workload());
        place.ok_or(DialError::TooMany)
    }

    async fn connect(
        &self,
        flow: &Flow,
        permit: &Permit,
    ) -> Result<(TcpStream, SocketAddr), DialError> {
        let destination = permit.destination();
        if let Some(addr) = self.config.connect_to.get(destination) {
            return Ok((open(*addr).await?, *addr));
        }
        let found = self.resolve.addresses(&destination.host).await?;
        let allowed: Vec<SocketAddr> = found
            .iter()
            .filter(|addr| self.may_use(**addr, flow, permit))
            .map(|addr| SocketAddr::new(*addr, destination.port))
            .collect();
        match (allowed.is_empty(), found.first()) {
            (true, Some(addr)) => Err(DialError::ForbiddenAddress(*addr)),
            (true, None) => Err(DialError::Unresolved),
            (false, _) => race(&allowed).await,
        }
    }

    /// A name may lead to a public address; to any other only where a rule names that address itself. Without this a
    /// name under somebody else's control would reach the host's loopback or the cloud's metadata service.
    fn may_use(&self, addr: IpAddr, flow: &Flow, permit: &Permit) -> bool {
        let destination = permit.destination();
        if matches!(destination.host, Host::Ip(_)) || is_public(addr) {
            return true;
        }
        let host = Host::from_ip(addr);
        let question = Question::new(flow.workload(), permit.protocol(), &host, destination.port);
        if self.gate.policy().evaluate(&question).verdict == Verdict::Allow {
            return true;
        }
        match flow.workload().stance {
            Stance::Enforce | Stance::Quarantine => false,
            Stance::Observe => self.observe(addr, flow, destination),
        }
    }

    /// Records an address that would have been refused. It may be used once the line is in the kernel's hands.
    fn observe(&self, address: IpAddr, flow: &Flow, destination: &Destination) -> bool {
        let entry = Entry::AddressObserved(AddressObserved {
            flow: flow.id(),
            workload: flow.workload(),
            host: &destination.host,
            port: destination.port,
            address,
            cause: FORBIDDEN_ADDRESS,
        });
        self.gate.ledger().append(&entry).is_ok()
    }
}

// === impl DialError ===

impl DialError {
    /// Whose end the fault lies at.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Self::TooMany => Side::Own,
            Self::ForbiddenAddress(_)
            | Self::Io(_)
            | Self::Timeout(_)
            | Self::Tls(_)
            | Self::Unresolved => Side::Upstream,
        }
    }

    /// The stable word for the ledger.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::ForbiddenAddress(_) => FORBIDDEN_ADDRESS,
            Self::Io(_) => "connect_failed",
            Self::Timeout(_) => "connect_timeout",
            Self::TooMany => "too_many_connections",
            Self::Tls(error) => tls_cause(error),
            Self::Unresolved => "unresolved",
        }
    }
}

fn tls_cause(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::Alert(_) => "tls_alert",
        ConnectError::Certificate(_) => "certificate_invalid",
        ConnectError::Closed => "tls_closed",
        ConnectError::Expired => "certificate_expired",
        ConnectError::Handshake(_) => "tls_handshake_failed",
        ConnectError::Io(_) => "connection_failed",
        ConnectError::Name(_) => "tls_name_impossible",
        ConnectError::NoProtocol => "no_application_protocol",
        ConnectError::NotYetValid => "certificate_not_yet_valid",
        ConnectError::Untrusted => "certificate_untrusted",
        ConnectError::WrongName { .. } => "certificate_wrong_name",
    }
}

/// Tries the addresses in turn, each after a short delay or as soon as the one before has failed; the first to answer
/// wins and the others are dropped (RFC 8305).
async fn race(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), DialError> {
    let mut waiting = addresses.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let attempt = |addr: SocketAddr| async move { (open(addr).await, addr) };
    attempts.extend(waiting.next().map(attempt));
    let mut last = DialError::Unresolved;
    loop {
        let pause = tokio::time::sleep(ATTEMPT_DELAY);
        tokio::select! {
            ended = attempts.next() => match ended {
                Some((Ok(stream), addr)) => return Ok((stream, addr)),
                Some((Err(error), _)) => {
                    last = error.into();
                    attempts.extend(waiting.next().map(attempt));
                }
                None => return Err(last),
            },
            () = pause, if waiting.len() > 0 => attempts.extend(waiting.next().map(attempt)),
        }
    }
}

async fn open(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

/// Whether an address belongs to the public internet: not one of the special-purpose ranges of the IANA registries
/// (RFC 6890 and its successors), nor our own synthetic ones.
fn is_public(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        IpAddr::V4(addr) => {
            let [a, b, c, _] = addr.octets();
            !(a == 0
                || a == 10
                || a == 127
                || (a == 100 && (64..128).contains(&b))
                || (a == 169 && b == 254)
                || (a == 172 && (16..32).contains(&b))
                || (a == 192 && b == 168)
                || (a == 192 && b == 0 && (c == 0 || c == 2))
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (b == 18 || b == 19))
                || (a == 198 && b == 51 && c == 100)
                || (a == 203 && b == 0 && c == 113)
                || a >= 224)
        }
        // 2000::/3 is what is allocated, less documentation, Teredo and 6to4, which carry IPv4 addresses inside.
        IpAddr::V6(addr) => {
            let [first, second, ..] = addr.segments();
            (0x2000..0x4000).contains(&first)
                && !(first == 0x2001 && (second == 0xdb8 || second < 0x200))
                && first != 0x2002
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_purpose_addresses_are_not_public() {
        let table = [
            ("93.184.215.14", true),
            ("2606:4700::6810:85e5", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("169.254.169.254", false),
            ("172.31.0.1", false),
            ("172.32.0.1", true),
            ("100.64.0.1", false),
            ("198.18.0.1", false),
            ("192.168.1.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("0.0.0.0", false),
            ("::1", false),
            ("::", false),
            ("::ffff:169.254.169.254", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("2002:a9fe:a9fe::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2001:db8::1", false),
            ("2001:4860:4860::8888", true),
        ];
        for (text, public) in table {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }
}
