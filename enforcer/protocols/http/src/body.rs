//! Bodies on their way through: counted, deadlined, and gathered only where a rule reads them.
//!
//! A response body carries the upstream connection that feeds it and drives that connection whenever it is polled, so
//! both legs of an exchange run in the agent's task and nothing is woken across tasks. At its end it gives the
//! connection back to the pool.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use enforcer_audit::{Track, Way};
use enforcer_flow::Side;
use enforcer_gate::{Exchange, Meter};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::answer::{EditedBody, WatchedBody, Whole};
use crate::gather::Gathered;
use crate::kept::{self, Filed, Kept};
use crate::masking::Sending;
use crate::pool::Lease;
use crate::recording;

/// How long the rest of a request may take to come when its answer has come already.
const EARLY_ANSWER: Duration = Duration::from_secs(1);

/// Why a body stopped short. The text reaches logs and the ledger, never the agent.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// A rule ended it, and its shape has no words for that.
    #[error("a rule ended the answer")]
    Blocked,
    /// The connection failed under the body.
    #[error("{0}")]
    Wire(#[from] hyper::Error),
    /// Nothing came for as long as the limit allows.
    #[error("no progress within {0:?}")]
    Stalled(Duration),
    /// Something that was found in it stopped it.
    #[error("sensitive data stopped the body")]
    Stopped,
    /// What waited on disk does not come back.
    #[error("the body does not come back from disk")]
    Unkept,
    /// The upstream connection ended before the body did.
    #[error("the connection ended inside the body")]
    Truncated,
    /// A rule wants it recorded, and that failed.
    #[error("the body cannot be recorded")]
    Unrecorded,
}

/// The agent's request body, going up.
pub struct RequestBody {
    source: Source,
    meter: Arc<Meter>,
    stall: Stall,
}

/// Where a request's body comes from.
pub(crate) enum Source {
    /// It is here already, on disk.
    Filed(Box<Filed>),
    /// It is here already: a rule read it.
    Gathered(Box<Gathered>),
    /// Another one, kept as it goes out.
    Recorded(Box<(Source, Track)>),
    /// The agent's connection, looked through on the way.
    Sending(Box<Sending>),
    /// The agent's connection.
    Wire(Incoming),
}

/// What the agent receives: the upstream's answer, or words of our own.
pub enum ResponseBody {
    /// Words of our own: a refusal.
    Own(Option<Bytes>),
    /// The upstream's answer.
    Upstream(Box<UpstreamBody>),
    /// The upstream's answer, judged on its way.
    Edited(Box<EditedBody>),
    /// The upstream's answer, read along for its cost.
    Watched(Box<WatchedBody>),
    /// The upstream's answer, judged whole.
    Whole(Box<Whole>),
}

/// The upstream's answer, coming down.
pub struct UpstreamBody {
    inner: Incoming,
    lease: Option<Lease>,
    exchange: Option<Exchange>,
    stall: Stall,
    done: bool,
    /// Whether the exchange goes on after the answer's last byte: somebody judges it.
    kept: bool,
    /// Where it is kept.
    track: Option<Track>,
}

/// A deadline that costs nothing while bytes flow: the timer is made only when a poll finds nothing.
struct Stall {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

// === impl Source ===

impl Source {
    /// The body, if all of it is here.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Gathered(body) => Some(&body.bytes),
            Self::Recorded(recorded) => recorded.0.bytes(),
            Self::Filed(_) | Self::Sending(_) => None,
            Self::Wire(body) => body.is_end_stream().then_some(&[]),
        }
    }

    /// The same, kept as it goes out if somebody wants that.
    pub(crate) fn recorded(self, track: Option<Track>) -> Self {
        match track {
            Some(track) => Self::Recorded(Box::new((self, track))),
            None => self,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Filed(body) => body.is_spent(),
            Self::Gathered(body) => body.is_spent(),
            Self::Recorded(recorded) => recorded.0.is_over(),
            Self::Sending(body) => body.is_over(),
            Self::Wire(body) => body.is_end_stream(),
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Filed(body) => body.size_hint(),
            Self::Gathered(body) => body.size_hint(),
            Self::Recorded(recorded) => recorded.0.size_hint(),
            // Nobody knows before the end.
            Self::Sending(_) => SizeHint::default(),
            Self::Wire(body) => body.size_hint(),
        }
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Filed(body) => body.poll(cx),
            Self::Gathered(body) => Poll::Ready(body.next().map(Ok)),
            Self::Recorded(recorded) => {
                let (source, track) = &mut **recorded;
                let polled = ready!(source.poll(cx));
                Poll::Ready(polled.map(|frame| {
                    let frame = frame?;
                    recording::keep(Some(track), &frame)?;
                    Ok(frame)
                }))
            }
            Self::Sending(body) => body.poll(cx),
            Self::Wire(body) => {
                let polled = Pin::new(body).poll_frame(cx);
                polled.map(|frame| frame.map(|frame| frame.map_err(BodyError::from)))
            }
        }
    }
}

impl From<Kept> for Source {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Filed(filed) => Self::Filed(Box::new(filed)),
            Kept::Here(gathered) => Self::Gathered(Box::new(gathered)),
        }
    }
}

// === impl RequestBody ===

impl RequestBody {
    pub(crate) fn new(source: Source, meter: Arc<Meter>, limit: Duration) -> Self {
        Self {
            source,
            meter,
            stall: Stall::new(limit),
        }
    }

    /// The same, of which nothing more is kept: it does not go out.
    pub(crate) fn unrecorded(mut self) -> Self {
        if let Source::Recorded(recorded) = self.source {
            self.source = recorded.0;
        }
        self
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match this.source.poll(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.stall.progress();
                if let Some(data) = frame.data_ref() {
                    this.meter.add_up(data.len());
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => this
                .stall
                .poll(cx)
                .map(|()| Some(Err(BodyError::Stalled(this.stall.limit)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_over()
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}

// === impl ResponseBody ===

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Upstream(body) => body.poll(cx),
            Self::Edited(body) => body.poll(cx),
            Self::Watched(body) => body.poll(cx),
            Self::Whole(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            // Not even when the upstream's body is empty: the end must be polled so that the exchange is closed.
            Self::Upstream(body) => body.done,
            Self::Edited(body) => body.is_over(),
            Self::Watched(body) => body.is_over(),
            Self::Whole(body) => body.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Upstream(body) => body.size_hint(),
            // Nobody knows before the end.
            Self::Edited(_) => SizeHint::default(),
            Self::Watched(body) => body.size_hint(),
            Self::Whole(body) => body.size_hint(),
        }
    }
}

// === impl UpstreamBody ===

impl UpstreamBody {
    /// Takes the answer together with the connection that feeds it (none when a task of its own drives that) and the
    /// exchange it belongs to. An answer without a body closes the exchange at once.
    pub(crate) fn new(
        inner: Incoming,
        lease: Option<Lease>,
        exchange: Exchange,
        limit: Duration,
    ) -> Self {
        let mut this = Self {
            track: recording::track(&exchange, Way::Answer),
            inner,
            lease,
            exchange: Some(exchange),
            stall: Stall::new(limit),
            done: false,
            kept: false,
        };
        if this.inner.is_end_stream() {
            this.finish();
        }
        this
    }

    /// As [`UpstreamBody::new`], for somebody who judges what comes: the exchange is theirs to end once all has come.
    pub(crate) fn kept(inner: Incoming, lease: Lease, exchange: Exchange, limit: Duration) -> Self {
        Self {
            track: recording::track(&exchange, Way::Answer),
            inner,
            lease: Some(lease),
            exchange: Some(exchange),
            stall: Stall::new(limit),
            done: false,
            kept: true,
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }

    /// The exchange, unless the body has broken it.
    pub(crate) fn take_exchange(&mut self) -> Option<Exchange> {
        self.exchange.take()
    }

    /// Where it is kept, for somebody who changes what comes on its way.
    pub(crate) fn take_track(&mut self) -> Option<Track> {
        self.track.take()
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let mut polled = Pin::new(&mut self.inner).poll_frame(cx);
        if polled.is_pending()
            && let Some(lease) = &mut self.lease
        {
            lease.drive(cx);
            polled = Pin::new(&mut self.inner).poll_frame(cx);
        }
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.stall.progress();
                if let Err(error) = recording::keep(self.track.as_ref(), &frame) {
                    return Poll::Ready(Some(Err(self.fail(error))));
                }
                if let (Some(data), Some(exchange)) = (frame.data_ref(), &self.exchange) {
                    exchange.meter().add_down(data.len());
                }
                if self.inner.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(self.fail(error.into())))),
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                // hyper hands a body over with the message it belongs to: once the connection is gone and the body
                // still has nothing to say, nothing will come.
                if self.lease.as_ref().is_some_and(Lease::is_over) {
                    return Poll::Ready(Some(Err(self.fail(BodyError::Truncated))));
                }
                self.stall.poll(cx).map(|()| {
                    let limit = self.stall.limit;
                    Some(Err(self.fail(BodyError::Stalled(limit))))
                })
            }
        }
    }

    fn finish(&mut self) {
        self.done = true;
        // Whoever judges the answer ends the exchange.
        let exchange = if self.kept {
            None
        } else {
            self.exchange.take()
        };
        let Some(mut lease) = self.lease.take() else {
            exchange.into_iter().for_each(Exchange::finish);
            return;
        };
        if lease.is_sending() {
            // The exchange ends with its request, so that all that goes up is counted; and the next one need not dial.
            tokio::spawn(async move {
                lease.settle(EARLY_ANSWER).await;
                exchange.into_iter().for_each(Exchange::finish);
            });
        } else {
            lease.give_back();
            exchange.into_iter().for_each(Exchange::finish);
        }
    }

    fn fail(&mut self, error: BodyError) -> BodyError {
        self.lease = None;
        self.done = true;
        if let Some(mut exchange) = self.exchange.take() {
            let stopped = exchange.masking().and_then(|masking| masking.refusal());
            match stopped.map(|refusal| refusal.cause) {
                // The request was stopped while its answer came.
                Some(cause) => exchange.fault(Side::Own, cause),
                None => exchange.fault(Side::Upstream, error.cause()),
            }
        }
        error
    }
}

// === impl BodyError ===

impl BodyError {
    /// The stable word for the ledger.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Blocked => "answer_blocked",
            Self::Stalled(_) => "stalled",
            Self::Stopped => "sensitive_data",
            Self::Truncated => "truncated",
            Self::Unkept => kept::FAILED,
            Self::Unrecorded => recording::FAILED,
            Self::Wire(_) => "connection_failed",
        }
    }
}

// === impl Stall ===

impl Stall {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            sleep: None,
            armed: false,
        }
    }

    fn progress(&mut self) {
        self.armed = false;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !self.armed {
            sleep.as_mut().reset(Instant::now() + limit);
            self.armed = true;
        }
        sleep.as_mut().poll(cx)
    }
}
