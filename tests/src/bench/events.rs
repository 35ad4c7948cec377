//! The server of event streams: what a model's answer looks like on the wire while it is being written.
//!
//! Each event carries the monotonic clock at the moment it was handed to the socket, so that the reader on the same
//! machine can say how late it came.

use std::{
    convert::Infallible,
    net::{SocketAddr, TcpListener as StdListener},
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll, ready},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::{
    body::{Body, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::time::{ClockId, clock_gettime};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::oneshot,
    time::{self, Instant, Interval, MissedTickBehavior},
};
use tokio_rustls::TlsAcceptor;

use super::{
    certificates::Certificates,
    job::{EVENT_INTERVAL_MS, EVENTS_PER_STREAM, QUESTION_BYTES},
};

const HANDSHAKE: Duration = Duration::from_secs(10);

/// The running server; ends when dropped.
pub(super) struct EventServer {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The body of an answer.
enum Stream {
    /// Nothing but a status.
    Empty,
    /// One event now, then nothing until the reader goes away.
    Silence { said: bool },
    /// An event now and at every tick, then the closing mark.
    Ticks { interval: Interval, left: u32 },
}

// === impl EventServer ===

impl EventServer {
    /// Listens on `address` and serves on a thread of its own.
    pub(super) fn start(address: SocketAddr, certificates: &Certificates) -> Result<Self> {
        let chain = CertificateDer::pem_file_iter(&certificates.upstream_chain)?
            .collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&certificates.upstream_key)?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_no_client_auth()
                .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let listener = StdListener::bind(address).context("cannot listen for event streams")?;
        listener.set_nonblocking(true)?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let thread = thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, acceptor) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for EventServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has already made its row fail.
            let _ended = thread.join();
        }
    }
}

async fn accept(listener: StdListener, acceptor: TlsAcceptor) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((tcp, _)) = listener.accept().await {
        tokio::spawn(serve(tcp, acceptor.clone()));
    }
}

/// Readers that go away in mid-stream are how every run ends, so errors say nothing here.
async fn serve(tcp: TcpStream, acceptor: TlsAcceptor) {
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    let Ok(Ok(tls)) = time::timeout(HANDSHAKE, acceptor.accept(tcp)).await else {
        return;
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(tls), service_fn(respond));
    let _ended = connection.await;
}

async fn respond(request: Request<Incoming>) -> Result<Response<Stream>, Infallible> {
    let (head, body) = request.into_parts();
    let read = Limited::new(body, 2 * QUESTION_BYTES).collect().await;
    let (status, stream) = match (read.is_ok(), head.uri.path()) {
        (true, "/v1/chat/completions/stream") => (StatusCode::OK, Stream::ticking()),
        (true, "/v1/chat/completions/silence") => (StatusCode::OK, Stream::Silence { said: false }),
        (true, _) => (StatusCode::NOT_FOUND, Stream::Empty),
        (false, _) => (StatusCode::BAD_REQUEST, Stream::Empty),
    };
    let mut response = Response::new(stream);
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/event-stream"),
    );
    Ok(response)
}

// === impl Stream ===

impl Stream {
    fn ticking() -> Self {
        let period = Duration::from_millis(EVENT_INTERVAL_MS);
        let mut interval = time::interval_at(Instant::now() + period, period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Ticks {
            interval,
            left: EVENTS_PER_STREAM,
        }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let event = match &mut *self {
            Self::Empty => return Poll::Ready(None),
            Self::Silence { said: true } => return Poll::Pending,
            Self::Silence { said } => {
                *said = true;
                event()
            }
            Self::Ticks { interval, left } => {
                let Some(rest) = left.checked_sub(1) else {
                    *self = Self::Empty;
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(
                        b"data: [DONE]\n\n",
                    )))));
                };
                // The first event waits for nothing: a timer would round its moment up to a whole millisecond.
                if *left < EVENTS_PER_STREAM {
                    ready!(interval.poll_tick(task));
                }
                *left = rest;
                event()
            }
        };
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}

/// One token of an answer, with the time.
fn event() -> Bytes {
    let now = clock_gettime(ClockId::Monotonic);
    let nanos = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    Bytes::from(format!(
        "data: {{\"at\":{nanos},\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\
         \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" token\"}},\"finish_reason\":null}}]}}\n\n"
    ))
}
