//! An OpenAI-compatible upstream of our own: what agents in tests and in the demo believe to be the far side.
//!
//! It answers deterministically, remembers every connection and request that reached it ([`Journal`]), and offers endpoints
//! under `/test/` that misbehave on request. It runs on one thread with a runtime of its own and ends when dropped.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use serde::Serialize;
use tokio::sync::watch;

mod answer;
mod authority;
mod body;
mod gates;
mod journal;
mod listen;
mod openai;
mod route;
mod trial;
mod websocket;

pub use authority::{Authority, WRONG_NAME};
pub use gates::Gates;
pub use journal::{Arrival, Connection, Half, Journal, State};

use crate::namespace::Namespace;

/// What a listener shows to those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// TLS with a certificate that expired.
    Expired,
    /// HTTP without TLS.
    Plain,
    /// Takes connections and never says a word.
    Silent,
    /// TLS with a valid certificate for the name asked for.
    Tls,
    /// TLS as [`Face::Tls`], but no more than TLS 1.2 and HTTP/1.1.
    Tls12,
    /// TLS with a certificate of an authority nobody was told of.
    Untrusted,
    /// TLS with a valid certificate for another name.
    WrongName,
}

/// What to start.
#[derive(Debug, Default)]
pub struct Options {
    /// One listener per entry; port 0 picks a free one.
    pub listeners: Vec<(Face, SocketAddr)>,
    /// The network namespace to listen in; the caller's own when absent.
    pub namespace: Option<Arc<Namespace>>,
    /// Where the journal is also written, as JSON lines.
    pub log: Option<PathBuf>,
}

/// A running upstream.
#[derive(Debug)]
pub struct Upstream {
    addresses: Vec<(Face, SocketAddr)>,
    authority: Arc<Authority>,
    journal: Journal,
    gates: Gates,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Binds every listener and starts serving.
    ///
    /// # Errors
    /// When an address cannot be bound, the log cannot be created or no thread can be had.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        let authority = Arc::new(Authority::new("Test Upstream Authority")?);
        let journal = Journal::new(options.log.as_deref())?;
        let gates = Gates::default();
        let bound = bind(&options)?;
        let mut addresses = Vec::new();
        for (face, listener) in &bound {
            addresses.push((*face, listener.local_addr()?));
        }
        let (stop, stopped) = watch::channel(false);
        let service = route::Service::new(journal.clone(), gates.clone());
        let server = listen::Server::new(bound, &authority, service)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::Builder::new()
            .name("upstream".to_owned())
            .spawn(move || runtime.block_on(server.serve(stopped)))?;
        Ok(Self {
            addresses,
            authority,
            journal,
            gates,
            stop,
            thread: Some(thread),
        })
    }

    /// Starts one listener of each face on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// As [`Upstream::start`].
    pub fn of_every_face(namespace: Option<Arc<Namespace>>) -> anyhow::Result<Self> {
        let faces = [
            Face::Expired,
            Face::Plain,
            Face::Silent,
            Face::Tls,
            Face::Tls12,
            Face::Untrusted,
            Face::WrongName,
        ];
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start(Options {
            listeners: faces.map(|face| (face, anywhere)).to_vec(),
            namespace,
            log: None,
        })
    }

    /// Where the first listener of this face listens.
    ///
    /// # Errors
    /// When none was asked for.
    pub fn address(&self, face: Face) -> anyhow::Result<SocketAddr> {
        let found = self.addresses.iter().find(|(known, _)| *known == face);
        found
            .map(|(_, address)| *address)
            .with_context(|| format!("no {face:?} listener was asked for"))
    }

    /// Every listener with its address.
    #[must_use]
    pub fn addresses(&self) -> &[(Face, SocketAddr)] {
        &self.addresses
    }

    /// The certificate of the authority that signs for all faces but [`Face::Untrusted`].
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// What reached us.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The gates that held answers wait at.
    #[must_use]
    pub fn gates(&self) -> &Gates {
        &self.gates
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn bind(options: &Options) -> anyhow::Result<Vec<(Face, TcpListener)>> {
    let here = || {
        let mut bound = Vec::new();
        for (face, address) in &options.listeners {
            let listener = TcpListener::bind(address)
                .with_context(|| format!("listen for {face:?} on {address}"))?;
            listener.set_nonblocking(true)?;
            bound.push((*face, listener));
        }
        Ok(bound)
    };
    match &options.namespace {
        None => here(),
        Some(namespace) => namespace.run(here)?,
    }
}
