//! One worker's connections to the far side.
//!
//! HTTP/1.1 connections are kept as (sender, connection) pairs. A pair belongs to the exchange that uses it, which polls
//! the connection itself; between exchanges nobody polls it, and its state is looked at when it is taken out again.
//! HTTP/2 connections are shared and driven by a task of their own; they are used only where HTTP/1.1 will not do.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use enforcer_flow::{CgroupId, Destination, Protocol};
use enforcer_gate::{DialError, Far, Flow, Permit, Upstream};
use enforcer_tls::{Alpn, ConnectError};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use crate::RequestBody;

mod lease;

pub(crate) use lease::Lease;
use lease::Wire;

/// Read buffer of an upstream connection; the most one TLS record carries, times four.
const READ_BUFFER: usize = 64 * 1024;
/// The largest response head taken from an upstream.
const MAX_HEAD: usize = 256 * 1024;

/// How many destinations are remembered to refuse HTTP/1.1.
const MAX_HTTP2_ONLY: usize = 1024;

/// How many connections are kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Idle connections kept for one destination and workload.
    pub max_idle_per_host: usize,
    /// Idle connections kept in all.
    pub max_idle: usize,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
}

/// A worker's pool. Connections are never shared between workloads: what an upstream remembers about a connection
/// stays with the workload that made it.
pub struct Pool {
    upstream: Upstream,
    config: PoolConfig,
    shelves: Mutex<Shelves>,
}

/// What an exchange needs of the far side's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Anything; HTTP/1.1 is preferred because a pair in the exchange's own task is cheaper than a shared connection.
    Any,
    /// HTTP/2: gRPC.
    Http2,
}

/// A connection that leaves HTTP behind; never pooled.
pub(crate) struct Departing {
    pub(crate) sender: http1::SendRequest<RequestBody>,
    pub(crate) connection: H1Connection,
    pub(crate) upstream: SocketAddr,
}

type H1Connection = http1::Connection<TokioIo<Far>, RequestBody>;
type H2Sender = http2::SendRequest<RequestBody>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    workload: CgroupId,
    destination: Destination,
    tls: bool,
}

struct Idle {
    sender: http1::SendRequest<RequestBody>,
    connection: Box<H1Connection>,
    upstream: SocketAddr,
    since: Instant,
}

#[derive(Default)]
struct Shelves {
    idle: HashMap<Key, Vec<Idle>>,
    idle_count: usize,
    shared: HashMap<Key, (H2Sender, SocketAddr)>,
    /// Destinations that refused to speak HTTP/1.1.
    http2_only: HashSet<Key>,
}

// === impl Pool ===

impl Pool {
    /// An empty pool over `upstream`, for one worker.
    #[must_use]
    pub fn new(upstream: Upstream, config: PoolConfig) -> Arc<Self> {
        Arc::new(Self {
            upstream,
            config,
            shelves: Mutex::default(),
        })
    }

    /// A new connection for what does not speak HTTP.
    ///
    /// # Errors
    /// As [`Upstream::dial`].
    pub async fn dial(&self, flow: &Flow, permit: &Permit) -> Result<(Far, SocketAddr), DialError> {
        match self.upstream.dial(flow, permit).await {
            Err(DialError::TooMany) => {
                self.clear(permit.workload());
                self.upstream.dial(flow, permit).await
            }
            other => other,
        }
    }

    /// Drops connections that have been idle too long or were closed by the far side. Called from time to time.
    pub fn sweep(&self) {
        let mut shelves = self.shelves();
        let now = Instant::now();
        let mut kept = 0;
        shelves.idle.retain(|_, shelf| {
            shelf.retain_mut(|idle| {
                now.duration_since(idle.since) < self.config.idle_timeout && idle.is_alive()
            });
            kept += shelf.len();
            !shelf.is_empty()
        });
        shelves.idle_count = kept;
        shelves.shared.retain(|_, (sender, _)| !sender.is_closed());
    }

    /// A connection to where the permit says: one that waits in the pool, or a new one.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        flow: &Flow,
        permit: &Permit,
        need: Need,
    ) -> Result<Lease, DialError> {
        let key = Key::of(permit);
        let http2 = need == Need::Http2 || self.shelves().http2_only.contains(&key);
        if http2 && key.tls {
            // Boxed, here and below: dialling is rare, and every exchange would carry the size of its future.
            return Box::pin(self.lease_http2(flow, permit, key)).await;
        }
        if let Some(lease) = self.take_idle(&key) {
            return Ok(lease);
        }
        match Box::pin(self.lease_http1(flow, permit, key.clone())).await {
            Err(DialError::Tls(ConnectError::NoProtocol)) => {
                self.shelves().remember_http2_only(&key);
                Box::pin(self.lease_http2(flow, permit, key)).await
            }
            other => other,
        }
    }

    /// A new HTTP/1.1 connection that will leave HTTP behind.
    pub(crate) async fn depart(
        &self,
        flow: &Flow,
        permit: &Permit,
    ) -> Result<Departing, DialError> {
        let (far, upstream) = self.open(flow, permit, Alpn::Http1).await?;
        let (sender, connection) = handshake(far).await?;
        Ok(Departing {
            sender,
            connection,
            upstream,
        })
    }

    /// Gives up a workload's idle connections: it wants their places.
    fn clear(&self, workload: CgroupId) {
        let mut shelves = self.shelves();
        let mut given_up = 0;
        shelves.idle.retain(|key, shelf| {
            let keep = key.workload != workload;
            given_up += if keep { 0 } else { shelf.len() };
            keep
        });
        shelves.idle_count -= given_up;
        // Streams under way hold on to their connection; one without any ends when the last sender is gone.
        shelves.shared.retain(|key, _| key.workload != workload);
    }

    fn take_idle(self: &Arc<Self>, key: &Key) -> Option<Lease> {
        let mut shelves = self.shelves();
        loop {
            let shelf = shelves.idle.get_mut(key)?;
            let mut idle = shelf.pop()?;
            shelves.idle_count -= 1;
            if idle.is_alive() {
                let Idle {
                    sender,
                    connection,
                    upstream,
                    since: _,
                } = idle;
                return Some(Lease {
                    wire: Wire::Http1 {
                        sender,
                        connection,
                        over: false,
                    },
                    upstream,
                    home: Arc::clone(self),
                    key: key.clone(),
                    reused: true,
                });
            }
        }
    }

    async fn lease_http1(
        self: &Arc<Self>,
        flow: &Flow,
        permit: &Permit,
        key: Key,
    ) -> Result<Lease, DialError> {
        let (far, upstream) = self.open(flow, permit, Alpn::Http1).await?;
        let (sender, connection) = handshake(far).await?;
        Ok(Lease {
            wire: Wire::Http1 {
                sender,
                connection: Box::new(connection),
                over: false,
            },
            upstream,
            home: Arc::clone(self),
            key,
            reused: false,
        })
    }

    async fn lease_http2(
        self: &Arc<Self>,
        flow: &Flow,
        permit: &Permit,
        key: Key,
    ) -> Result<Lease, DialError> {
        let waiting = self.shelves().shared.get(&key).cloned();
        let reused = waiting
            .as_ref()
            .is_some_and(|(sender, _)| !sender.is_closed());
        let (sender, upstream) = match waiting {
            Some(shared) if reused => shared,
            Some(_) | None => {
                let (far, upstream) = self.open(flow, permit, Alpn::Http2).await?;
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new());
                let (sender, connection) = builder
                    .handshake(TokioIo::new(far))
                    .await
                    .map_err(std::io::Error::other)?;
                // The task ends when the last sender is dropped or the far side goes.
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "an upstream connection ended");
                    }
                });
                let shared = (sender, upstream);
                self.shelves().shared.insert(key.clone(), shared.clone());
                shared
            }
        };
        Ok(Lease {
            wire: Wire::Http2 { sender },
            upstream,
            home: Arc::clone(self),
            key,
            reused,
        })
    }

    async fn open(
        &self,
        flow: &Flow,
        permit: &Permit,
        alpn: Alpn,
    ) -> Result<(Far, SocketAddr), DialError> {
        match permit.protocol() {
            Protocol::Https => match self.upstream.dial_tls(flow, permit, alpn).await {
                Err(DialError::TooMany) => {
                    self.clear(permit.workload());
                    self.upstream.dial_tls(flow, permit, alpn).await
                }
                other => other,
            },
            Protocol::Dns | Protocol::Http | Protocol::Tcp | Protocol::Tls => {
                self.dial(flow, permit).await
            }
        }
    }

    fn shelves(&self) -> std::sync::MutexGuard<'_, Shelves> {
        // A panic while the lock was held leaves shelves that are merely incomplete.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handshake(
    far: Far,
) -> Result<(http1::SendRequest<RequestBody>, H1Connection), std::io::Error> {
    http1::Builder::new()
        .max_buf_size(READ_BUFFER.max(MAX_HEAD))
        .handshake(TokioIo::new(far))
        .await
        .map_err(std::io::Error::other)
}

// === impl Shelves ===

impl Shelves {
    fn remember_http2_only(&mut self, key: &Key) {
        // Forgetting costs one failed handshake, so all of them may go when there are too many.
        if self.http2_only.len() >= MAX_HTTP2_ONLY {
            self.http2_only.clear();
        }
        self.http2_only.insert(key.clone());
    }
}

// === impl Idle ===

impl Idle {
    /// Looks at a connection that nobody polls: it must not have ended, and must be ready for a request.
    fn is_alive(&mut self) -> bool {
        !is_over(&mut self.connection) && self.sender.is_ready()
    }
}

/// Looks at a connection without waiting for it.
fn is_over(connection: &mut H1Connection) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(connection).poll(&mut cx).is_ready()
}

// === impl Key ===

impl Key {
    fn of(permit: &Permit) -> Self {
        Self {
            workload: permit.workload(),
            destination: permit.destination().clone(),
            tls: permit.protocol() == Protocol::Https,
        }
    }
}
