//! Bodies on their way through: counted, deadlined, never gathered.
//!
//! A response body carries the upstream connection that feeds it and drives that connection whenever it is polled, so
//! both legs of an exchange run in the agent's task and nothing is woken across tasks. At its end it gives the
//! connection back to the pool.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use enforcer_flow::Side;
use enforcer_gate::{Exchange, Meter};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::pool::Lease;

/// How long the rest of a request may take to come when its answer has come already.
const EARLY_ANSWER: Duration = Duration::from_secs(1);

/// Why a body stopped short. The text reaches logs and the ledger, never the agent.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection failed under the body.
    #[error("{0}")]
    Wire(#[from] hyper::Error),
    /// Nothing came for as long as the limit allows.
    #[error("no progress within {0:?}")]
    Stalled(Duration),
    /// The upstream connection ended before the body did.
    #[error("the connection ended inside the body")]
    Truncated,
}

/// The agent's request body, going up.
pub struct RequestBody {
    inner: Incoming,
    meter: Arc<Meter>,
    stall: Stall,
}

/// What the agent receives: the upstream's answer, or words of our own.
pub enum ResponseBody {
    /// Words of our own: a refusal.
    Own(Option<Bytes>),
    /// The upstream's answer.
    Upstream(Box<UpstreamBody>),
}

/// The upstream's answer, coming down.
pub struct UpstreamBody {
    inner: Incoming,
    lease: Option<Lease>,
    exchange: Option<Exchange>,
    stall: Stall,
}

/// A deadline that costs nothing while bytes flow: the timer is made only when a poll finds nothing.
struct Stall {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

// === impl RequestBody ===

impl RequestBody {
    pub(crate) fn new(inner: Incoming, meter: Arc<Meter>, limit: Duration) -> Self {
        Self {
            inner,
            meter,
            stall: Stall::new(limit),
        }
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
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.stall.progress();
                if let Some(data) = frame.data_ref() {
                    this.meter.add_up(data.len());
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => this
                .stall
                .poll(cx)
                .map(|()| Some(Err(BodyError::Stalled(this.stall.limit)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
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
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            // Not even when the upstream's body is empty: the end must be polled so that the exchange is closed.
            Self::Upstream(body) => body.exchange.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Upstream(body) => body.inner.size_hint(),
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
            inner,
            lease,
            exchange: Some(exchange),
            stall: Stall::new(limit),
        };
        if this.inner.is_end_stream() {
            this.finish();
        }
        this
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.exchange.is_none() {
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
        let (lease, exchange) = (self.lease.take(), self.exchange.take());
        let Some(exchange) = exchange else {
            return;
        };
        let Some(mut lease) = lease else {
            exchange.finish();
            return;
        };
        if lease.is_sending() {
            // The exchange ends with its request, so that all that goes up is counted; and the next one need not dial.
            tokio::spawn(async move {
                lease.settle(EARLY_ANSWER).await;
                exchange.finish();
            });
        } else {
            lease.give_back();
            exchange.finish();
        }
    }

    fn fail(&mut self, error: BodyError) -> BodyError {
        self.lease = None;
        if let Some(mut exchange) = self.exchange.take() {
            exchange.fault(Side::Upstream, error.cause());
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
            Self::Stalled(_) => "stalled",
            Self::Truncated => "truncated",
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
