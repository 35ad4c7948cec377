//! One agent connection, from its first request to its end.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use enforcer_audit::Fingerprinter;
use enforcer_flow::{Destination, Host, Protocol, Side};
use enforcer_gate::{Flow, Gate};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::Judging;
use crate::credentials::Credentials;
use crate::exchange;
use crate::pool::Pool;
pub use crate::request::Proven;

/// Flow-control windows: what an agent may send ahead of an upstream that reads slowly.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Response bytes buffered for one stream whose agent reads slowly.
const SEND_BUFFER: usize = 128 * 1024;
/// How long a connection that a rule has ended may take to send the refusal.
const FAREWELL: Duration = Duration::from_secs(1);
/// The largest read buffer of an HTTP/1.1 connection.
const READ_BUFFER: usize = 256 * 1024;

/// Bounds on what one agent connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest head of a request, in bytes.
    pub header_bytes: usize,
    /// How long a request's head may take, idle time between requests included.
    pub header_timeout: Duration,
    /// Streams that one HTTP/2 connection may have open at once (RFC 9113, section 6.5.2).
    pub streams: u32,
    /// How long a body may stand still, in either direction.
    pub idle_timeout: Duration,
    /// How long the upstream may take to begin its answer.
    pub response_timeout: Duration,
}

/// Which version of HTTP the agent speaks, as ALPN or its first bytes said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Everything an exchange on this connection depends on.
pub struct Agent {
    /// The connection, as the ledger knows it.
    pub flow: Arc<Flow>,
    /// The door.
    pub gate: Arc<Gate>,
    /// This worker's upstream connections.
    pub pool: Arc<Pool>,
    /// Makes credentials recognisable without keeping them.
    pub fingerprinter: Arc<Fingerprinter>,
    /// `Http` or `Https`.
    pub protocol: Protocol,
    /// What is already known of the destination.
    pub proven: Proven,
    /// What judging bodies takes.
    pub judging: Arc<Judging>,
    /// Bounds.
    pub limits: Limits,
    /// Turns true when the daemon stops: requests under way may finish, no new ones are taken.
    pub stopping: watch::Receiver<bool>,
}

/// A connection broke. Whose fault it is, and the stable word for the ledger.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct ServeError {
    /// Whose end.
    pub side: Side,
    /// The stable word.
    pub cause: &'static str,
    #[source]
    source: hyper::Error,
}

/// A connection and what its exchanges share.
pub(crate) struct Connection {
    pub(crate) agent: Agent,
    pub(crate) credentials: Credentials,
    /// Whether the host it goes to has paths that are secrets.
    pub(crate) is_special: bool,
    /// Whether a rule ended it.
    terminated: AtomicBool,
}

/// Serves an agent's connection to its end.
///
/// # Errors
/// When what came was not HTTP, was too large or too slow, or the connection broke. Broken exchanges have written their
/// own endings by then.
pub async fn serve<IO>(io: IO, version: Version, agent: Agent) -> Result<(), ServeError>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = agent.limits;
    let mut stopping = agent.stopping.clone();
    let connection = Arc::new(Connection::new(agent));
    let serving = Arc::clone(&connection);
    let answer = move |request: Request<Incoming>| {
        let connection = Arc::clone(&serving);
        async move { Ok::<_, Infallible>(exchange::handle(&connection, request).await) }
    };
    let io = TokioIo::new(io);
    let ended = match version {
        Version::Http1 => {
            let served = http1(limits)
                .serve_connection(io, service_fn(answer))
                .with_upgrades();
            drive(pin!(served), &connection, &mut stopping, |it| {
                it.graceful_shutdown();
            })
            .await
        }
        Version::Http2 => {
            // Boxed: hyper moves what answers a stream several times before it is first polled.
            let answer = service_fn(move |request| Box::pin(answer(request)));
            let served = http2(limits).serve_connection(io, answer);
            drive(pin!(served), &connection, &mut stopping, |it| {
                it.graceful_shutdown();
            })
            .await
        }
    };
    ended.or_else(ServeError::judge)
}

/// Polls a connection to its end and tells it once when the daemon stops, or a rule ends it.
async fn drive<C>(
    mut served: Pin<&mut C>,
    connection: &Connection,
    stopping: &mut watch::Receiver<bool>,
    finish: impl FnOnce(Pin<&mut C>),
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    tokio::select! {
        biased;
        ended = until_terminated(served.as_mut(), connection) => {
            if let Some(ended) = ended {
                return ended;
            }
        }
        _ = stopping.wait_for(|stop| *stop) => {}
    }
    finish(served.as_mut());
    match tokio::time::timeout(connection.farewell(), served).await {
        Ok(ended) => ended,
        // What is still under way ends with the connection, and says so in the ledger.
        Err(_) => Ok(()),
    }
}

/// Polls a connection to its end; none when a rule has ended it. The answer that says so is being sent by then.
async fn until_terminated<C>(
    mut served: Pin<&mut C>,
    connection: &Connection,
) -> Option<hyper::Result<()>>
where
    C: Future<Output = hyper::Result<()>>,
{
    std::future::poll_fn(|cx: &mut Context<'_>| match served.as_mut().poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if connection.terminated.load(Relaxed) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

fn http1(limits: Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_header_size(limits.header_bytes)
        .max_buf_size(READ_BUFFER.max(limits.header_bytes))
        .auto_date_header(false);
    builder
}

fn http2(limits: Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    // No pings: both ends are on this machine, where an agent that is gone has closed its sockets, and looking after pings
    // costs a clock reading and a lock for every frame.
    builder
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .auto_date_header(false);
    builder
}

// === impl Connection ===

impl Connection {
    fn new(agent: Agent) -> Self {
        let is_special = is_special(&agent.judging, &agent.proven.destination.host);
        Self {
            agent,
            credentials: Credentials::default(),
            is_special,
            terminated: AtomicBool::new(false),
        }
    }

    /// Whether paths at this destination are secrets, some of which we fill in.
    pub(crate) fn hides(&self, destination: &Destination) -> bool {
        self.is_special
            || (!self.agent.proven.binding
                && matches!(destination.host, Host::Name(_))
                && is_special(&self.agent.judging, &destination.host))
    }

    /// Ends the connection once what was said so far is sent.
    pub(crate) fn terminate(&self) {
        self.agent.flow.fault(Side::Agent, "terminated");
        self.terminated.store(true, Relaxed);
    }

    /// How long a connection that is to end may go on.
    fn farewell(&self) -> Duration {
        if self.terminated.load(Relaxed) {
            FAREWELL
        } else {
            // Whoever stops the daemon counts the time.
            Duration::MAX
        }
    }
}

fn is_special(judging: &Judging, host: &Host) -> bool {
    host.name().is_some_and(enforcer_credentials::hides_paths) || judging.hooks.has(host)
}

// === impl ServeError ===

impl ServeError {
    /// Sorts what hyper reports: endings that are no faults become `Ok`.
    fn judge(source: hyper::Error) -> Result<(), Self> {
        let cause = if source.is_parse_too_large() {
            "header_too_large"
        } else if source.is_parse() {
            "malformed_http"
        } else if source.is_timeout() {
            "header_timeout"
        } else if source.is_incomplete_message() {
            "agent_gone"
        } else if is_departure(&source) {
            // What it left unfinished has written its own ending.
            return Ok(());
        } else if source.is_user() {
            // The body of an answer failed; its exchange has written why.
            return Ok(());
        } else {
            "agent_connection_failed"
        };
        Err(Self {
            side: Side::Agent,
            cause,
            source,
        })
    }
}

/// Whether the agent has closed its end: what we say then meets a socket that nobody reads.
fn is_departure(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| {
        let http2 = source
            .downcast_ref::<h2::Error>()
            .and_then(h2::Error::get_io);
        http2.or_else(|| source.downcast_ref::<io::Error>())
    });
    let kind = io.map(io::Error::kind);
    matches!(
        kind,
        Some(
            ErrorKind::BrokenPipe
                | ErrorKind::ConnectionReset
                | ErrorKind::NotConnected
                | ErrorKind::UnexpectedEof
        )
    )
}
