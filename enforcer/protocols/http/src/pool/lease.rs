//! A connection in use: the exchange that leases it drives it, and gives it back when the answer has ended.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};

use super::{H1Connection, H2Sender, Idle, Key, Pool, is_over};
use crate::RequestBody;

/// A connection in the hands of one exchange.
pub(crate) struct Lease {
    pub(super) wire: Wire,
    pub(super) upstream: SocketAddr,
    pub(super) home: Arc<Pool>,
    pub(super) key: Key,
    pub(super) reused: bool,
}

/// How it is spoken to.
pub(super) enum Wire {
    Http1 {
        sender: http1::SendRequest<RequestBody>,
        connection: Box<H1Connection>,
        over: bool,
    },
    Http2 {
        sender: H2Sender,
    },
}

impl Lease {
    /// The address behind it.
    pub(crate) fn upstream(&self) -> SocketAddr {
        self.upstream
    }

    /// Whether another exchange used it before: its far side may have closed it in the meantime.
    pub(crate) fn is_reused(&self) -> bool {
        self.reused
    }

    /// Whether requests on it must carry the authority in the URI (RFC 9113, section 8.3.1).
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.wire, Wire::Http2 { .. })
    }

    /// Sends the request and waits for the head of its answer, driving the connection meanwhile.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Box<TrySendError<Request<RequestBody>>>> {
        match &mut self.wire {
            Wire::Http1 {
                sender,
                connection,
                over,
            } => {
                let mut answer = pin!(sender.try_send_request(request));
                std::future::poll_fn(|cx| {
                    if let Poll::Ready(result) = answer.as_mut().poll(cx) {
                        return Poll::Ready(result);
                    }
                    if !*over {
                        *over = Pin::new(&mut **connection).poll(cx).is_ready();
                    }
                    answer.as_mut().poll(cx)
                })
                .await
                .map_err(Box::new)
            }
            Wire::Http2 { sender } => sender.try_send_request(request).await.map_err(Box::new),
        }
    }

    /// Moves bytes on the connection. Called whenever the body that it feeds has nothing to say.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Wire::Http1 {
            connection, over, ..
        } = &mut self.wire
            && !*over
        {
            *over = Pin::new(&mut **connection).poll(cx).is_ready();
        }
    }

    /// Whether the connection has ended.
    pub(crate) fn is_over(&self) -> bool {
        match &self.wire {
            Wire::Http1 { over, .. } => *over,
            Wire::Http2 { .. } => false,
        }
    }

    /// Sends the rest of a request that was answered before all of it had come, for a while, and puts the connection back.
    pub(crate) async fn settle(mut self, patience: Duration) {
        let sent = std::future::poll_fn(|cx| {
            self.drive(cx);
            match &self.wire {
                Wire::Http1 { sender, over, .. } if !*over && !sender.is_ready() => Poll::Pending,
                Wire::Http1 { .. } | Wire::Http2 { .. } => Poll::Ready(()),
            }
        });
        if tokio::time::timeout(patience, sent).await.is_ok() {
            self.give_back();
        }
    }

    /// Whether the request is still on its way. Mostly it has gone by the end of its answer.
    pub(crate) fn is_sending(&mut self) -> bool {
        match &mut self.wire {
            Wire::Http1 {
                sender,
                connection,
                over,
            } if !*over && !sender.is_ready() => {
                *over = is_over(connection);
                !*over && !sender.is_ready()
            }
            Wire::Http1 { .. } | Wire::Http2 { .. } => false,
        }
    }

    /// Puts the connection back for the next exchange. Whether the far side has closed it is looked at when it is taken out.
    pub(crate) fn give_back(self) {
        let Self {
            wire,
            upstream,
            home,
            key,
            reused: _,
        } = self;
        let Wire::Http1 {
            sender,
            connection,
            over: false,
        } = wire
        else {
            return;
        };
        let mut shelves = home.shelves();
        if shelves.idle_count >= home.config.max_idle {
            return;
        }
        let shelf = shelves.idle.entry(key).or_default();
        if shelf.len() < home.config.max_idle_per_host {
            shelf.push(Idle {
                sender,
                connection,
                upstream,
                since: Instant::now(),
            });
            shelves.idle_count += 1;
        }
    }
}
