//! The threads that carry connections: one runtime each, nothing shared on the way of a request but the gate.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use enforcer_gate::{Gate, Upstream, UpstreamConfig};
use enforcer_http::{Pool, PoolConfig};
use enforcer_tls::Connector;
use tokio::runtime::Builder;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::connection::{self, Accepted};
use crate::proxy::Proxy;

mod busy_poll;

use busy_poll::BusyPoll;

/// Accepted sockets that may wait for one worker.
const WAITING: usize = 1024;
/// How often idle upstream connections are looked at.
const SWEEP: Duration = Duration::from_secs(5);

/// How many worker threads there are, and how they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkersConfig {
    /// How many.
    pub count: NonZeroUsize,
    /// The longest wait that a worker spends looking for work in place of sleep, where waits have been that short of late.
    /// Zero: always asleep.
    pub busy_poll: Duration,
}

/// The worker threads.
pub struct Workers {
    proxy: Arc<Proxy>,
    workers: Vec<Worker>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A worker could not be started.
#[derive(Debug, thiserror::Error)]
#[error("a worker thread could not be started: {0}")]
pub struct WorkerError(#[from] io::Error);

struct Worker {
    sender: Sender<Accepted>,
    load: Arc<AtomicUsize>,
}

/// What a worker's thread has of its own.
struct Duty {
    receiver: Receiver<Accepted>,
    load: Arc<AtomicUsize>,
    busy_poll: Arc<BusyPoll>,
}

/// Counts a connection for as long as it runs.
struct Load(Arc<AtomicUsize>);

// === impl Workers ===

impl Workers {
    /// Starts the threads, each with a runtime and a pool of upstream connections of its own.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub fn start(
        config: WorkersConfig,
        proxy: &Arc<Proxy>,
        upstream: &Arc<UpstreamConfig>,
        connector: &Arc<Connector>,
        pool: PoolConfig,
    ) -> Result<Self, WorkerError> {
        let started: Vec<(Worker, JoinHandle<()>)> = (0..config.count.get())
            .map(|index| {
                let upstream = Arc::clone(upstream);
                let connector = Arc::clone(connector);
                let make_pool = move |gate: Arc<Gate>| {
                    Pool::new(Upstream::new(gate, upstream, connector), pool)
                };
                Worker::start(index, config.busy_poll, Arc::clone(proxy), make_pool)
            })
            .collect::<Result<_, _>>()?;
        let (workers, threads) = started.into_iter().unzip();
        Ok(Self {
            proxy: Arc::clone(proxy),
            workers,
            threads: Mutex::new(threads),
        })
    }

    /// Hands a connection to the worker with the fewest.
    pub(crate) fn take(&self, accepted: Accepted) {
        let least = self
            .workers
            .iter()
            .min_by_key(|worker| worker.load.load(Relaxed));
        let Some(worker) = least else {
            return;
        };
        worker.load.fetch_add(1, Relaxed);
        let (accepted, cause) = match worker.sender.try_send(accepted) {
            Ok(()) => return,
            Err(TrySendError::Closed(accepted)) => (accepted, "stopped"),
            Err(TrySendError::Full(accepted)) => (accepted, "too_many_waiting"),
        };
        worker.load.fetch_sub(1, Relaxed);
        connection::turn_away(&self.proxy.parts.gate, &accepted, cause);
    }

    /// Lets the connections end, for a while, and waits for the threads. `stopping` must have been raised before.
    pub fn stop(&self) {
        // The handles are whole whatever happened while the lock was held.
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker thread panicked");
            }
        }
    }
}

// === impl Worker ===

impl Worker {
    fn start(
        index: usize,
        busy_poll: Duration,
        proxy: Arc<Proxy>,
        make_pool: impl FnOnce(Arc<Gate>) -> Arc<Pool> + Send + 'static,
    ) -> Result<(Self, JoinHandle<()>), WorkerError> {
        let (sender, receiver) = channel(WAITING);
        let load = Arc::new(AtomicUsize::new(0));
        let mut runtime = Builder::new_current_thread();
        let duty = Duty {
            receiver,
            load: Arc::clone(&load),
            busy_poll: BusyPoll::over(&mut runtime, busy_poll),
        };
        let runtime = runtime.enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name(format!("worker-{index}"))
            .spawn(move || {
                runtime.block_on(async {
                    let pool = make_pool(Arc::clone(&proxy.parts.gate));
                    work(proxy, pool, duty).await;
                });
            })?;
        Ok((Self { sender, load }, thread))
    }
}

async fn work(proxy: Arc<Proxy>, pool: Arc<Pool>, duty: Duty) {
    let Duty {
        mut receiver,
        load,
        busy_poll,
    } = duty;
    let awake = Arc::clone(&busy_poll);
    // It ends with the runtime.
    tokio::spawn(async move { awake.keep_awake().await });
    let mut stopping = proxy.parts.stopping.clone();
    let mut connections = JoinSet::new();
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            accepted = receiver.recv() => {
                let Some(accepted) = accepted else { break };
                let counted = Load(Arc::clone(&load));
                let (proxy, pool) = (Arc::clone(&proxy), Arc::clone(&pool));
                let busy_poll = Arc::clone(&busy_poll);
                connections.spawn(async move {
                    let run = connection::run(proxy, pool, accepted);
                    busy_poll.counted(run).await;
                    drop(counted);
                });
            }
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if let Err(error) = ended
                    && error.is_panic()
                {
                    tracing::error!(%error, "a connection's task panicked");
                }
            }
            _ = sweep.tick() => pool.sweep(),
            _ = stopping.wait_for(|stop| *stop) => break,
        }
    }
    receiver.close();
    while let Some(accepted) = receiver.recv().await {
        connection::turn_away(&proxy.parts.gate, &accepted, "stopped");
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    // What has not ended by then is dropped, and says so in the ledger.
    let _ = tokio::time::timeout(proxy.parts.limits.drain_timeout, ended).await;
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
