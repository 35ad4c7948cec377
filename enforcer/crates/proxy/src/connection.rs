//! One accepted connection: attributed, admitted, entered into the ledger, classified, handed on.

use std::net::TcpStream as StdTcpStream;
use std::sync::Arc;
use std::time::Duration;

use enforcer_audit::{Entry, FlowFacts, FlowRefused};
use enforcer_dns::{Asker, Names};
use enforcer_flow::{
    ClientAddr, Destination, FlowId, Host, NetnsCookie, OriginalDst, Process, Protocol, Side,
    Stance, Workload,
};
use enforcer_gate::{Flow, Gate, Held};
use enforcer_http::Pool;
use enforcer_kernel::Origin;
use enforcer_policy::Question;
use tokio::net::TcpStream;

use crate::attribute::Unattributed;
use crate::classify::{Class, Patience, classify};
use crate::dispatch::{Classified, dispatch};
use crate::proxy::Proxy;
use crate::socket::Socket;

/// How long a silent agent is waited for where a rule would allow a protocol whose server speaks first.
const SERVER_FIRST_DELAY: Duration = Duration::from_millis(300);
/// How often connections for lookups look whether their label holds.
const LABEL_CHECK: Duration = Duration::from_millis(500);
/// The port of DNS (RFC 1035, section 4.2).
const DNS_PORT: u16 = 53;

/// A socket, and where it was accepted.
pub(crate) struct Accepted {
    pub(crate) stream: StdTcpStream,
    pub(crate) client: ClientAddr,
    pub(crate) netns: NetnsCookie,
    /// The listener's own address, to tell a loop.
    pub(crate) listener: OriginalDst,
}

/// A socket whose owner and destination are known, and which holds its place among the open flows.
struct Attributed {
    stream: TcpStream,
    client: ClientAddr,
    workload: Arc<Workload>,
    dst: OriginalDst,
    process: Process,
    admitted: Held,
}

/// Runs one connection to its end.
pub(crate) async fn run(proxy: Arc<Proxy>, pool: Arc<Pool>, accepted: Accepted) {
    let Some(attributed) = attribute(&proxy, accepted) else {
        return;
    };
    let Attributed {
        stream,
        client,
        workload,
        dst,
        process,
        admitted,
    } = attributed;
    if dst.addr().port() == DNS_PORT {
        let asker = Asker { workload, process };
        let serving = enforcer_dns::serve_tcp(stream, Some(&asker), &proxy.parts.resolver);
        // A lookup takes no time and leaves nothing undone: it may be cut off when the daemon stops, or its label changes.
        tokio::select! {
            _ = proxy.unless_stopping(serving) => {}
            () = outdated(&proxy, &asker.workload) => {}
        }
        drop(admitted);
        return;
    }
    let gate = Arc::clone(&proxy.parts.gate);
    let flow = Flow::open(gate, workload, process, client, dst);
    // Relabelled or released between its attribution and its opening: nobody else would end it.
    if !proxy.parts.attribution.is_current(flow.workload()) {
        flow.end("relabelled");
    }
    let socket = Socket::new(stream, Arc::clone(&flow));
    tokio::select! {
        biased;
        () = flow.ended() => {}
        () = serve(&proxy, pool, socket, Arc::clone(&flow)) => flow.finish(),
    }
    drop(admitted);
}

/// Returns once a workload is not what it was when a connection came, or some moments later: lookups are no flows, and nobody
/// else ends them.
async fn outdated(proxy: &Proxy, workload: &Arc<Workload>) {
    while proxy.parts.attribution.is_current(workload) {
        tokio::time::sleep(LABEL_CHECK).await;
    }
}

/// Looks up who it is and where it meant to go. What cannot be attributed is recorded and reset.
fn attribute(proxy: &Proxy, accepted: Accepted) -> Option<Attributed> {
    let Accepted {
        stream,
        client,
        netns,
        listener,
    } = accepted;
    let parts = &proxy.parts;
    let (origin, workload) = match parts.attribution.take(netns, client, listener) {
        Ok(found) => found,
        Err(unattributed) => {
            let (origin, workload) = unattributed.known();
            refuse(&parts.gate, client, origin, workload, unattributed.cause());
            reset(&stream);
            return None;
        }
    };
    let Some(admitted) = parts.flows.admit(workload.cgroup) else {
        refuse(
            &parts.gate,
            client,
            Some(&origin),
            Some(&workload),
            "too_many_flows",
        );
        reset(&stream);
        return None;
    };
    let Origin {
        dst, process, at, ..
    } = origin;
    let process = proxy.identify(process, at);
    match TcpStream::from_std(stream) {
        Ok(stream) => Some(Attributed {
            stream,
            client,
            workload,
            dst,
            process,
            admitted,
        }),
        Err(error) => {
            tracing::error!(%error, "an accepted socket could not be registered");
            None
        }
    }
}

async fn serve(proxy: &Arc<Proxy>, pool: Arc<Pool>, mut stream: Socket, flow: Arc<Flow>) {
    let Some((destination, named)) = destination(proxy, &flow) else {
        flow.fault(Side::Agent, "stale_name");
        stream.reset();
        return;
    };
    let patience = patience(proxy, &flow, &destination);
    let mut bytes = Vec::new();
    let classifying = classify(&mut stream, &mut bytes, patience);
    let class = match proxy.unless_stopping(classifying).await {
        Some(Ok(class)) => class,
        // Observed, what is not understood is passed on as it is.
        Some(Err(unclassified))
            if flow.workload().stance == Stance::Observe && unclassified.could_go_on() =>
        {
            Class::Unknown
        }
        None => {
            flow.fault(Side::Own, "stopped");
            stream.reset();
            return;
        }
        Some(Err(unclassified)) => {
            tracing::debug!(%unclassified, flow.id = %flow.id(), "a connection was not understood");
            if let Some(cause) = unclassified.cause() {
                flow.fault(Side::Agent, cause);
            }
            stream.reset();
            return;
        }
    };
    let classified = Classified {
        stream,
        bytes,
        class,
        destination,
        named,
        flow,
    };
    dispatch(proxy, pool, classified).await;
}

/// Turns away a connection that no worker takes.
pub(crate) fn turn_away(gate: &Gate, accepted: &Accepted, cause: &'static str) {
    refuse(gate, accepted.client, None, None, cause);
    reset(&accepted.stream);
}

/// Where the agent meant to go: the name whose synthetic address it dialled, or an address literal. A synthetic address
/// that stands for nothing any more is nowhere.
fn destination(proxy: &Proxy, flow: &Flow) -> Option<(Destination, bool)> {
    let original = flow.original();
    let names = &proxy.parts.names;
    let name = names.name_of(flow.workload().cgroup, original.ip());
    // A real address, as observed workloads are told them, may be that of other names too.
    let named = name.is_some() && Names::is_synthetic(original.ip());
    let host = match name {
        Some(name) => name,
        None if Names::is_synthetic(original.ip()) => return None,
        None => Host::from_ip(original.ip()),
    };
    let port = original.port();
    Some((Destination { host, port }, named))
}

fn patience(proxy: &Proxy, flow: &Flow, destination: &Destination) -> Patience {
    let limits = proxy.parts.limits;
    let question = Question::new(
        flow.workload(),
        Protocol::Tcp,
        &destination.host,
        destination.port,
    );
    // Observed, whatever speaks first is let through, so it must not wait as long as what is refused.
    let server_first = flow.workload().stance == Stance::Observe
        || proxy.parts.gate.policy().evaluate(&question).is_allow();
    Patience {
        first_byte: if server_first {
            SERVER_FIRST_DELAY.min(limits.first_byte_timeout)
        } else {
            limits.first_byte_timeout
        },
        message: limits.first_byte_timeout,
    }
}

fn refuse(
    gate: &Gate,
    client: ClientAddr,
    origin: Option<&Origin>,
    workload: Option<&Arc<Workload>>,
    cause: &'static str,
) {
    gate.ledger().defer(&Entry::FlowRefused(FlowRefused {
        facts: &FlowFacts {
            flow: FlowId::new(),
            workload: workload.map(|workload| &**workload),
            process: origin.map(|origin| &origin.process),
            client,
            original_dst: origin.map(|origin| origin.dst),
        },
        cause,
        detail: None,
    }));
}

/// Ends a socket with a reset when it is dropped: the agent learns at once, and nothing lingers.
pub(crate) fn reset<'a>(stream: impl Into<socket2::SockRef<'a>>) {
    // A socket that is already gone cannot be reset, and need not be.
    let _ = stream.into().set_linger(Some(Duration::ZERO));
}

impl Unattributed {
    fn known(&self) -> (Option<&Origin>, Option<&Arc<Workload>>) {
        match self {
            Self::Loop(origin, workload) | Self::Quarantined(origin, workload) => {
                (Some(&**origin), Some(workload))
            }
            Self::NoOrigin => (None, None),
            Self::NoWorkload(origin) => (Some(&**origin), None),
        }
    }
}
