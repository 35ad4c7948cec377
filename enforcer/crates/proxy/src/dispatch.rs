//! A classified connection, handed to who speaks its protocol.

use std::sync::Arc;

use enforcer_flow::{CHECK_NAME, Destination, Host, Protocol, Side};
use enforcer_gate::Flow;
use enforcer_http::{Agent, Pool, Proven, Version};
use enforcer_tls::{AcceptError, Prefixed, TlsError};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::classify::Class;
use crate::opaque;
use crate::proxy::Proxy;
use crate::socket::Socket;
use crate::trust_check;

/// A connection whose owner, destination and protocol are known.
pub(crate) struct Classified {
    pub(crate) stream: Socket,
    /// What was read of it already.
    pub(crate) bytes: Vec<u8>,
    pub(crate) class: Class,
    pub(crate) destination: Destination,
    /// Whether the destination is a name that the agent looked up here.
    pub(crate) named: bool,
    pub(crate) flow: Arc<Flow>,
}

/// Serves a connection to its end.
pub(crate) async fn dispatch(proxy: &Arc<Proxy>, pool: Arc<Pool>, classified: Classified) {
    let Classified {
        stream,
        bytes,
        class,
        destination,
        named,
        flow,
    } = classified;
    let proven = Proven {
        destination,
        binding: named,
    };
    match class {
        Class::Http1 => {
            let stream = Prefixed::new(bytes, stream);
            http(
                proxy,
                pool,
                stream,
                Version::Http1,
                Protocol::Http,
                proven,
                flow,
            )
            .await;
        }
        Class::Http2 => {
            let stream = Prefixed::new(bytes, stream);
            http(
                proxy,
                pool,
                stream,
                Version::Http2,
                Protocol::Http,
                proven,
                flow,
            )
            .await;
        }
        Class::Tls { name } => {
            let destination = match name {
                Some(host) => Destination {
                    host,
                    port: proven.destination.port,
                },
                None => proven.destination,
            };
            tls(proxy, pool, stream, bytes, destination, flow).await;
        }
        Class::Silent | Class::Unknown => {
            let protocol = Protocol::Tcp;
            let destination = proven.destination;
            opaque::forward(proxy, &pool, stream, bytes, protocol, &destination, flow).await;
        }
    }
}

/// Opens TLS as the destination, unless a rule lets it pass unopened.
async fn tls(
    proxy: &Arc<Proxy>,
    pool: Arc<Pool>,
    stream: Socket,
    bytes: Vec<u8>,
    destination: Destination,
    flow: Arc<Flow>,
) {
    let parts = &proxy.parts;
    if parts.gate.passes_unopened(&flow, &destination) {
        let protocol = Protocol::Tls;
        opaque::forward(proxy, &pool, stream, bytes, protocol, &destination, flow).await;
        return;
    }
    let config = match parts.leaves.server_config(&destination.host) {
        Ok(config) => config,
        Err(error) => {
            tracing::debug!(%error, flow.id = %flow.id(), dst.host = %destination.host, "no certificate could be made");
            flow.fault_with(Side::Own, no_certificate(&error), error.to_string());
            stream.reset();
            return;
        }
    };
    let handshake = enforcer_tls::accept(config, Prefixed::new(bytes, stream));
    let stream = match tokio::time::timeout(parts.limits.handshake_timeout, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, flow.id = %flow.id(), "a TLS handshake with an agent failed");
            // An observed program that will not have our certificate gets the real one the next time.
            parts.gate.spare(&flow, &destination.host);
            let detail = format!("{}: {error}", destination.host);
            flow.fault_with(error.side(), handshake_cause(&error), detail);
            if let AcceptError::Distrust(_) = error {
                let program = &flow.process().comm;
                parts
                    .distrust
                    .note(flow.workload().cgroup, &destination.host, program);
            }
            return;
        }
        Err(_) => {
            flow.fault(Side::Agent, "handshake_timeout");
            return;
        }
    };
    let session = stream.get_ref().1;
    // The name our own parser read chose the certificate; what rustls read must be the same.
    if session
        .server_name()
        .is_some_and(|name| !destination.host.matches(name))
    {
        flow.fault(Side::Agent, "server_name_mismatch");
        return;
    }
    if is_check(&destination.host) {
        trust_check::answer(stream).await;
        return;
    }
    let version = match session.alpn_protocol() {
        Some(b"h2") => Version::Http2,
        Some(_) | None => Version::Http1,
    };
    let proven = Proven {
        destination,
        binding: true,
    };
    http(proxy, pool, stream, version, Protocol::Https, proven, flow).await;
}

async fn http<IO>(
    proxy: &Arc<Proxy>,
    pool: Arc<Pool>,
    stream: IO,
    version: Version,
    protocol: Protocol,
    proven: Proven,
    flow: Arc<Flow>,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let parts = &proxy.parts;
    let agent = Agent {
        flow: Arc::clone(&flow),
        gate: Arc::clone(&parts.gate),
        pool,
        fingerprinter: Arc::clone(&parts.fingerprinter),
        protocol,
        proven,
        judging: Arc::clone(&parts.judging),
        limits: parts.limits.http,
        stopping: parts.stopping.clone(),
    };
    // Boxed: the future of a whole HTTP connection is large, and every task of a worker would carry its size.
    if let Err(error) = Box::pin(enforcer_http::serve(stream, version, agent)).await {
        tracing::debug!(%error, flow.id = %flow.id(), "an agent's connection broke");
        flow.fault(error.side, error.cause);
    }
}

/// Whether it is the name by which programs show that they believe us.
fn is_check(host: &Host) -> bool {
    host.name() == Some(CHECK_NAME)
}

fn no_certificate(error: &TlsError) -> &'static str {
    match error {
        TlsError::NotPermitted { .. } => "name_not_permitted",
        _ => "no_certificate",
    }
}

/// The stable word for the ledger. `ca_not_trusted` is the one that operators look for: the agent's program does not use
/// the trust that was placed, or pins a certificate.
fn handshake_cause(error: &AcceptError) -> &'static str {
    match error {
        AcceptError::Closed => "handshake_closed",
        AcceptError::Distrust(_) => "ca_not_trusted",
        AcceptError::Handshake(_) => "handshake_failed",
        AcceptError::Io(_) => "agent_gone",
        AcceptError::NoProtocol => "no_application_protocol",
    }
}
