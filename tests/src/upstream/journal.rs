//! What reached the far side: every connection and every request, kept in memory and, when asked, written as JSON lines.
//!
//! A request is entered when its head has arrived and completed when its body has; tests wait on a change, never on a clock.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use crate::upstream::Face;

/// Old entries give way to new ones beyond this, so an upstream under load stays small.
const KEPT: usize = 65_536;

/// One request as the upstream saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arrival {
    /// Position in the journal, from 0, never reused.
    pub id: u64,
    /// Which listener took it.
    pub face: Face,
    /// Who connected.
    pub peer: SocketAddr,
    /// The server name in the client's hello.
    pub sni: Option<String>,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub version: String,
    /// The method.
    pub method: String,
    /// The `Host` header or `:authority`.
    pub authority: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// Header names in lower case with their values, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub request: Half,
    /// The status we answered with.
    pub status: Option<u16>,
    /// The answer's body.
    pub response: Half,
}

/// One direction of an exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Half {
    /// Bytes of body seen so far.
    pub bytes: u64,
    /// The first 8 KiB of it, as text.
    pub text: String,
    /// SHA-256 of the body in hexadecimal, once it is complete.
    pub sha256: Option<String>,
    /// Header fields that followed the body.
    pub trailers: Vec<(String, String)>,
    /// How far it got.
    pub state: State,
}

/// How far one direction got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To its end.
    Complete,
    /// Dropped before its end.
    Cut,
    /// Still under way.
    #[default]
    Open,
}

/// One accepted connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// Which listener took it.
    pub face: Face,
    /// Who connected.
    pub peer: SocketAddr,
    /// The server name, when a TLS handshake got that far.
    pub sni: Option<String>,
    /// Why there was no HTTP on it.
    pub failure: Option<String>,
}

/// The shared journal of one upstream.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pages: Mutex<Pages>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pages {
    next: u64,
    arrivals: Vec<Arrival>,
    connections: Vec<Connection>,
    file: Option<File>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Answered(&'a Arrival),
    Connection(&'a Connection),
    Request(&'a Arrival),
    RequestBody(&'a Arrival),
}

// === impl Arrival ===

impl Arrival {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

// === impl Journal ===

impl Journal {
    /// An empty journal that also appends to `log`, when given.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn new(log: Option<&Path>) -> anyhow::Result<Self> {
        let file = match log {
            None => None,
            Some(path) => Some(File::create(path).with_context(|| format!("{}", path.display()))?),
        };
        let pages = Pages {
            file,
            ..Pages::default()
        };
        Ok(Self(Arc::new(Inner {
            pages: Mutex::new(pages),
            changed: Condvar::new(),
        })))
    }

    /// Every request so far.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.pages().arrivals.clone()
    }

    /// Requests whose path is `path`.
    #[must_use]
    pub fn at(&self, path: &str) -> Vec<Arrival> {
        let mut found = self.arrivals();
        found.retain(|arrival| arrival.path == path);
        found
    }

    /// Every connection so far.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.pages().connections.clone()
    }

    /// Waits until `found` says yes, and returns what it found.
    ///
    /// # Errors
    /// When it has not happened within `patience`.
    pub fn wait<T>(
        &self,
        patience: Duration,
        mut found: impl FnMut(&[Arrival]) -> Option<T>,
    ) -> anyhow::Result<T> {
        let until = Instant::now() + patience;
        let mut pages = self.pages();
        loop {
            if let Some(value) = found(&pages.arrivals) {
                return Ok(value);
            }
            let left = until.saturating_duration_since(Instant::now());
            anyhow::ensure!(!left.is_zero(), "not seen upstream within {patience:?}");
            let waited = self.0.changed.wait_timeout(pages, left);
            pages = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn connected(&self, connection: Connection) {
        let mut pages = self.pages();
        pages.write(&Line::Connection(&connection));
        keep(&mut pages.connections, connection);
        self.0.changed.notify_all();
    }

    pub(super) fn arrived(&self, mut arrival: Arrival) -> u64 {
        let mut pages = self.pages();
        arrival.id = pages.next;
        pages.next += 1;
        pages.write(&Line::Request(&arrival));
        let id = arrival.id;
        keep(&mut pages.arrivals, arrival);
        self.0.changed.notify_all();
        id
    }

    pub(super) fn request_progress(&self, id: u64, half: Half) {
        self.amend(id, |arrival| {
            arrival.request = half;
            arrival.request.state != State::Open
        });
    }

    pub(super) fn answered(&self, id: u64, status: u16) {
        self.amend(id, |arrival| {
            arrival.status = Some(status);
            false
        });
    }

    pub(super) fn response_progress(&self, id: u64, half: Half) {
        let ended = half.state != State::Open;
        let amended = self.amend(id, |arrival| {
            arrival.response = half;
            false
        });
        if let (true, Some(arrival)) = (ended, amended) {
            self.pages().write(&Line::Answered(&arrival));
        }
    }

    /// Changes one entry; it is written out when `change` says that the request's body ended with it.
    fn amend(&self, id: u64, change: impl FnOnce(&mut Arrival) -> bool) -> Option<Arrival> {
        let mut pages = self.pages();
        let first = pages.arrivals.first()?.id;
        let index = usize::try_from(id.checked_sub(first)?).ok()?;
        let arrival = pages.arrivals.get_mut(index)?;
        let write = change(arrival);
        let copy = arrival.clone();
        if write {
            pages.write(&Line::RequestBody(&copy));
        }
        self.0.changed.notify_all();
        Some(copy)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Pages ===

impl Pages {
    /// A log that cannot be written must not change what the upstream answers: it is closed and stays short.
    fn write(&mut self, line: &Line<'_>) {
        let Some(file) = self.file.as_mut() else {
            return;
        };
        let Ok(mut text) = serde_json::to_vec(line) else {
            return;
        };
        text.push(b'\n');
        if file.write_all(&text).is_err() {
            self.file = None;
        }
    }
}

fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= KEPT {
        list.drain(..KEPT / 2);
    }
    list.push(item);
}
