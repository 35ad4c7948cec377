//! A request's body that is looked through on its way up.
//!
//! What is short, coded, or here already is rewritten whole, so that its length can be said; all else is rewritten as it
//! comes and sent without one. A coded body is sent decoded: what was looked at is what leaves.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use enforcer_flow::Side;
use enforcer_gate::{Exchange, Masking, Refusal};
use enforcer_mask::Direction;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http_body::{Body as _, Frame};
use hyper::body::Incoming;

use super::{Alarm, Rewriter, Waits, whole};
use crate::aside::LARGE;
use crate::body::{BodyError, Source};
use crate::gather::{Gathered, Ungathered};
use crate::kept::{Kept, keep};
use crate::serve::Connection;
use crate::{Spilling, coding, judged, shape};

/// Bodies of at most so many bytes are rewritten whole.
pub(crate) const SHORT: u64 = 64 * 1024;

/// Headers that are true of a body as the agent sent it only.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// A body that is rewritten as it comes.
pub(crate) struct Sending {
    /// None once a finding stopped it: it is with `rest` then.
    inner: Option<Incoming>,
    rewriter: Rewriter,
    /// When something has been held for longer than may be.
    alarm: Alarm,
    rest: Rest,
    over: bool,
}

/// What was not read of a body that was stopped.
#[derive(Clone, Default)]
pub(crate) struct Rest(Arc<Mutex<Option<Incoming>>>);

/// Why a body that is here whole is not sent.
enum Unsent {
    /// What is in it, or that it cannot be looked through.
    Found(Refusal),
    /// It does not come back from where it waits, or there is no room for it.
    Unkept(Ungathered),
}

impl From<Refusal> for Unsent {
    fn from(refusal: Refusal) -> Self {
        Self::Found(refusal)
    }
}

impl From<Ungathered> for Unsent {
    fn from(ungathered: Ungathered) -> Self {
        Self::Unkept(ungathered)
    }
}

/// Looks through a body, or has it looked through on its way. An error says what the agent is told; nothing has left then.
pub(crate) async fn prepare(
    connection: &Connection,
    parts: &mut Parts,
    source: Source,
    (masking, exchange): (&Masking, &mut Exchange),
) -> Result<(Source, Rest), Refusal> {
    if !masking.looks_at(Direction::Request) {
        return Ok((source, Rest::default()));
    }
    let body = match source {
        Source::Filed(filed) => Kept::Filed(*filed),
        Source::Gathered(gathered) => Kept::Here(*gathered),
        Source::Wire(body) if body.is_end_stream() => {
            return Ok((Source::Wire(body), Rest::default()));
        }
        Source::Wire(body) if is_short(&body) || coding::is_coded(&parts.headers) => {
            take(connection, parts, body, exchange).await?
        }
        Source::Wire(body) => {
            let content_type = shape::content_type(&parts.headers);
            let rewriter = Rewriter::new(masking, content_type, Direction::Request);
            let sending = Sending::new(body, rewriter, connection.agent.judging.body_timeout);
            let rest = sending.rest.clone();
            forget(parts);
            parts.headers.remove(header::CONTENT_LENGTH);
            return Ok((Source::Sending(Box::new(sending)), rest));
        }
        source @ (Source::Recorded(_) | Source::Sending(_)) => {
            return Ok((source, Rest::default()));
        }
    };
    match rewrite(connection, parts, body, masking).await {
        Ok(rewritten) => Ok((rewritten.into(), Rest::default())),
        Err(Unsent::Found(refusal)) => Err(stopped(exchange, refusal)),
        Err(Unsent::Unkept(ungathered)) => {
            exchange.fault(Side::Own, ungathered.cause());
            Err(ungathered.refusal(exchange.id()))
        }
    }
}

fn is_short(body: &Incoming) -> bool {
    body.size_hint()
        .upper()
        .is_some_and(|length| length <= SHORT)
}

/// Gathers a body whose exchange has been granted.
async fn take(
    connection: &Connection,
    parts: &Parts,
    mut body: Incoming,
    exchange: &mut Exchange,
) -> Result<Kept, Refusal> {
    let bounds = judged::bounds(connection);
    let spilling = connection.agent.judging.spilling.as_ref();
    match keep(&parts.headers, &mut body, &bounds, spilling).await {
        Ok(kept) => Ok(kept),
        Err(ungathered) => {
            crate::exchange::drain(&parts.headers, body).await;
            exchange.fault(Side::Agent, ungathered.cause());
            Err(ungathered.refusal(exchange.id()))
        }
    }
}

/// Rewrites a body that is here whole, beside the worker where that takes long. What is sent is not coded.
async fn rewrite(
    connection: &Connection,
    parts: &mut Parts,
    kept: Kept,
    masking: &Masking,
) -> Result<Kept, Unsent> {
    let judging = &connection.agent.judging;
    let (limit, bounds) = (judging.body_bytes, judged::bounds(connection));
    let waits = |spilling: &Arc<Spilling>| kept.length() > spilling.above;
    let spilling = judging.spilling.clone();
    let takes = match coding::is_coded(&parts.headers) || spilling.as_ref().is_some_and(waits) {
        true => LARGE,
        false => kept.length(),
    };
    let (headers, own) = (parts.headers.clone(), masking.clone());
    let read = move || -> Result<_, Unsent> {
        let gathered = kept.here(&bounds)?;
        let before = gathered.bytes.clone();
        let rewritten = read(&headers, gathered, &own, limit)?;
        let changed = rewritten.bytes != before;
        drop(before);
        Ok(match spilling {
            Some(spilling) => (spilling.settle(rewritten, bounds.workload)?, changed),
            None => (Kept::Here(rewritten), changed),
        })
    };
    let Some(rewritten) = judging.aside.weigh(takes, read).await else {
        let cause = enforcer_prompt::Cause::TooLarge;
        return Err(masking.undecidable(cause, Direction::Request).into());
    };
    let (rewritten, changed) = rewritten?;
    if changed {
        forget(parts);
        parts.headers.remove(header::CONTENT_ENCODING);
    }
    // A body that came in chunks goes on with its length: it has no trailers any more.
    let length = HeaderValue::from(rewritten.length());
    parts.headers.insert(header::CONTENT_LENGTH, length);
    Ok(rewritten)
}

/// Takes off a body's codings and masks it; what is only watched stays what it is.
fn read(
    headers: &HeaderMap,
    gathered: Gathered,
    masking: &Masking,
    limit: usize,
) -> Result<Gathered, Refusal> {
    let Gathered {
        bytes,
        trailers: _,
        mut room,
    } = gathered;
    let decoded = match coding::decode(headers, &bytes, limit) {
        Ok(decoded) if coding::is_coded(headers) && !room.grow(decoded.len()) => {
            Err(enforcer_prompt::Cause::TooLarge)
        }
        decoded => decoded,
    };
    let refused = |cause| masking.undecidable(cause, Direction::Request);
    let rewriter = Rewriter::new(masking, shape::content_type(headers), Direction::Request);
    let rewritten = decoded
        .map_err(refused)
        .and_then(|decoded| whole(rewriter, &decoded));
    let bytes = match rewritten {
        _ if masking.watches() => bytes,
        rewritten => rewritten?,
    };
    Ok(Gathered {
        bytes,
        trailers: None,
        room,
    })
}

fn forget(parts: &mut Parts) {
    for name in &DIGESTS {
        parts.headers.remove(name);
    }
}

/// Notes on the exchange why nothing of it leaves.
pub(crate) fn stopped(exchange: &mut Exchange, refusal: Refusal) -> Refusal {
    exchange.fault(Side::Own, refusal.cause);
    refusal
}

// === impl Sending ===

impl Sending {
    /// Nothing of it is held for longer than the time in which a body must come that is judged whole: an agent that pauses
    /// within a value is refused, as the part that came could be all that it wanted to send.
    fn new(body: Incoming, rewriter: Rewriter, limit: Duration) -> Self {
        let waits = Waits::default();
        Self {
            inner: Some(body),
            rewriter: rewriter.waiting(&waits),
            alarm: waits.at_least(limit),
            rest: Rest::default(),
            over: false,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        while !self.over {
            let Some(inner) = &mut self.inner else {
                return Poll::Ready(Some(Err(BodyError::Stopped)));
            };
            let passed = match Pin::new(inner).poll_frame(cx) {
                Poll::Pending => {
                    ready!(self.alarm.poll(cx));
                    Err(self.rewriter.late())
                }
                Poll::Ready(None) => {
                    self.over = true;
                    self.rewriter.finish()
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rewriter.push(data),
                    // Nobody looks through trailers, so they do not go on.
                    Err(_) => continue,
                },
            };
            match passed {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Err(_) => {
                    self.rest.keep(self.inner.take());
                    return Poll::Ready(Some(Err(BodyError::Stopped)));
                }
            }
        }
        Poll::Ready(None)
    }
}

// === impl Rest ===

impl Rest {
    fn keep(&self, body: Option<Incoming>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
    }

    /// The body from where it was stopped.
    pub(crate) fn take(&self) -> Option<Incoming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
