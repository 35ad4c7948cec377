//! The unix socket, its thread and its connections.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::{Access, Controller, Peer, Problem, request};

mod socket;
#[cfg(test)]
mod tests;

use socket::Socket;

/// Connections served at once; further ones wait in the socket's queue.
const MAX_CONNECTIONS: usize = 16;
/// Longest time from a connection to its request's last header.
const HEADERS: Duration = Duration::from_secs(5);
/// Longest life of a connection: its one request, what it asks for, and the answer.
const CONNECTION: Duration =
    Duration::from_secs(5).saturating_add(request::PERFORM.saturating_mul(2));
/// Read buffer of a connection.
const BUFFER: usize = 64 * 1024;
/// Refused peers that are told so at once, and for how long they may listen; further ones are hung up on.
const MAX_REFUSALS: usize = 4;
const REFUSAL: Duration = Duration::from_secs(1);
/// Pause after an accept that failed for want of something.
const PAUSE: Duration = Duration::from_millis(100);
/// Refused peers are logged this often at most.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// The control interface, answering. Dropping it stops it and removes its socket.
#[derive(Debug)]
pub struct Server {
    socket: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The control interface cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another enforcer answers there.
    #[error("another enforcer answers at `{}`", socket.display())]
    InUse {
        /// The socket.
        socket: PathBuf,
    },
    /// The system said no.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

struct Door {
    listener: UnixListener,
    access: Access,
    router: Router,
    last_logged: Option<Instant>,
}

// === impl Server ===

impl Server {
    /// Opens the socket and answers on a thread of its own from now on.
    ///
    /// # Errors
    /// When another enforcer answers there, or the system says no.
    pub fn start(
        socket: &Path,
        access: Access,
        controller: Arc<Controller>,
    ) -> Result<Self, ServerError> {
        let bound = Socket::bind(socket)?;
        let failed = |action| ServerError::io(action, socket);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed("make a runtime for"))?;
        let listener = {
            let _entered = runtime.enter();
            UnixListener::from_std(bound.listener()?).map_err(failed("listen on"))?
        };
        let door = Door {
            listener,
            access,
            router: request::router(controller),
            last_logged: None,
        };
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            // The socket's file goes when the last connection has gone.
            let _bound = bound;
            runtime.block_on(door.serve(stopped));
        };
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(serve)
            .map_err(failed("start a thread for"))?;
        Ok(Self {
            socket: socket.to_owned(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it answers.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the control thread had panicked");
        }
    }
}

// === impl ServerError ===

impl ServerError {
    /// For `map_err`: what was tried, and on what.
    fn io<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        move |error| Self::Io {
            action,
            path: path.to_owned(),
            source: error.into(),
        }
    }
}

// === impl Door ===

impl Door {
    /// Serves until `stopped` is dropped, then ends what is still open.
    async fn serve(mut self, mut stopped: oneshot::Receiver<()>) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                let place = places.clone().acquire_owned().await;
                (place, self.listener.accept().await)
            };
            // Every arm may be dropped half-way: an accept that was not taken up stays in the queue.
            let (place, accepted) = tokio::select! {
                _ = &mut stopped => break,
                Some(_) = connections.join_next() => continue,
                next = next => next,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "control connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            match self.admit(&stream) {
                Ok(peer) => {
                    let router = self.router.clone().layer(Extension(peer));
                    connections.spawn(hold(place, CONNECTION, answer(stream, router)));
                }
                Err(problem) => {
                    // A refused peer takes no place from those who are answered.
                    if let Ok(place) = refusals.clone().try_acquire_owned() {
                        let router = Router::new().fallback(async || problem);
                        connections.spawn(hold(Ok(place), REFUSAL, answer(stream, router)));
                    }
                }
            }
        }
        connections.shutdown().await;
    }

    fn admit(&mut self, stream: &UnixStream) -> Result<Peer, Problem> {
        let peer = stream.peer_cred().map(|credentials| Peer {
            uid: credentials.uid(),
            pid: credentials
                .pid()
                .and_then(|pid| u32::try_from(pid).ok())
                .unwrap_or(0),
        });
        let peer = peer.map_err(|error| Problem::new(crate::Code::Forbidden, error))?;
        let checked = self.access.admit(peer);
        if let Err(problem) = &checked
            && self.last_logged.is_none_or(|at| at.elapsed() >= LOG_EVERY)
        {
            self.last_logged = Some(Instant::now());
            tracing::warn!(peer.uid, peer.pid, %problem, "control connection was refused");
        }
        checked.map(|()| peer)
    }
}

/// Answers the one request of a connection.
async fn answer(stream: UnixStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .keep_alive(false)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A peer that breaks off or dawdles has only itself to blame.
    let _ended = connection.await;
}

/// Lets a connection live for so long, and keeps its place until it ends.
async fn hold(
    place: Result<OwnedSemaphorePermit, AcquireError>,
    life: Duration,
    connection: impl Future<Output = ()>,
) {
    let _place = place;
    let _ended = tokio::time::timeout(life, connection).await;
}
