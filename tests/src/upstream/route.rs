//! From a request to whoever answers it; every request is in the journal before anybody looks at it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, HOST};
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};

use crate::upstream::body::{Answer, Direction, Watched, empty, fields};
use crate::upstream::journal::{Arrival, Half, Journal};
use crate::upstream::{Face, Gates, answer, openai, trial};

/// Bodies that are read as a whole may be no larger.
const WHOLE_BODY: usize = 8 << 20;

/// What every connection shares.
#[derive(Clone)]
pub(super) struct Service {
    journal: Journal,
    gates: Gates,
    serial: Arc<AtomicU64>,
}

/// What is known of a connection before its first request.
pub(super) struct Seat {
    pub(super) face: Face,
    pub(super) peer: SocketAddr,
    pub(super) sni: Option<String>,
}

/// One request on its way to whoever answers it.
pub(super) struct Ask {
    pub(super) head: Parts,
    pub(super) body: Watched<Incoming>,
    pub(super) upgrade: OnUpgrade,
}

/// The connection is closed instead of answered.
#[derive(Debug)]
pub(super) struct Hangup;

// === impl Service ===

impl Service {
    pub(super) fn new(journal: Journal, gates: Gates) -> Self {
        Self {
            journal,
            gates,
            serial: Arc::new(AtomicU64::new(1)),
        }
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) fn gates(&self) -> &Gates {
        &self.gates
    }

    /// A number nobody else gets.
    pub(super) fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) async fn answer(
        &self,
        seat: &Seat,
        mut request: Request<Incoming>,
    ) -> Result<Response<Watched<Answer>>, Hangup> {
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, body) = request.into_parts();
        let id = self.journal.arrived(arrival(seat, &head));
        let head_only = head.method == Method::HEAD;
        let body = Watched::new(body, self.journal.clone(), id, Direction::Request);
        let ask = Ask {
            head,
            body,
            upgrade,
        };
        let mut response = self.dispatch(ask).await?;
        self.journal.answered(id, response.status().as_u16());
        if head_only {
            announce_length(&mut response);
        }
        let journal = self.journal.clone();
        Ok(response.map(|body| Watched::new(body, journal, id, Direction::Response)))
    }

    async fn dispatch(&self, ask: Ask) -> Result<Response<Answer>, Hangup> {
        let path = ask.head.uri.path();
        if path.starts_with("/v1/") {
            return Ok(openai::answer(self, ask).await);
        }
        if path.starts_with("/test/") {
            return trial::answer(self, ask).await;
        }
        // Where services for people take messages.
        if path.starts_with("/services/") {
            return Ok(answer::bare(StatusCode::NO_CONTENT));
        }
        Ok(not_found(path))
    }
}

// === impl Ask ===

impl Ask {
    /// The value of a query parameter; no decoding, the parameters here need none.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let query = self.head.uri.query()?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then_some(value)
        })
    }

    /// A numeric query parameter, or `otherwise`.
    pub(super) fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.query(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(otherwise)
    }

    /// The whole body, or the answer that refuses it.
    pub(super) async fn whole(self) -> Result<Bytes, Box<Response<Answer>>> {
        match Limited::new(self.body, WHOLE_BODY).collect().await {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Err(Box::new(answer::error(
                    status,
                    "body_too_large",
                    "the body is too large",
                )))
            }
            Err(_) => {
                let status = StatusCode::BAD_REQUEST;
                Err(Box::new(answer::error(
                    status,
                    "body_cut",
                    "the body was cut",
                )))
            }
        }
    }
}

// === impl Hangup ===

impl std::fmt::Display for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed on request")
    }
}

impl std::error::Error for Hangup {}

/// What is answered where nothing is.
pub(super) fn not_found(path: &str) -> Response<Answer> {
    let message = format!("no such path: {path}");
    answer::error(StatusCode::NOT_FOUND, "unknown_url", &message)
}

fn arrival(seat: &Seat, head: &Parts) -> Arrival {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = head.uri.authority().map(|authority| authority.as_str());
    Arrival {
        id: 0,
        face: seat.face,
        peer: seat.peer,
        sni: seat.sni.clone(),
        version: format!("{:?}", head.version),
        method: head.method.to_string(),
        authority: authority.or(host).unwrap_or_default().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: fields(&head.headers),
        request: Half::default(),
        status: None,
        response: Half::default(),
    }
}

/// An answer to HEAD says how long the body would have been, and has none.
fn announce_length(response: &mut Response<Answer>) {
    let length = response.body().size_hint().exact();
    if let Some(length) = length.filter(|_| !response.headers().contains_key(CONTENT_LENGTH)) {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = empty();
}
