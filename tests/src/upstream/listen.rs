//! The accept loops: one per listener, each connection bounded in number and in time.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::upstream::Face;
use crate::upstream::authority::{Authority, Certificates, Shown};
use crate::upstream::journal::Connection;
use crate::upstream::route::{Seat, Service};

const CONNECTIONS: usize = 4096;
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(30);

/// Every listener of one upstream.
pub(super) struct Server {
    faces: Vec<FaceServer>,
    service: Service,
}

struct FaceServer {
    face: Face,
    listener: StdListener,
    tls: Option<TlsAcceptor>,
}

/// What one connection's task needs.
#[derive(Clone)]
struct Host {
    face: Face,
    tls: Option<TlsAcceptor>,
    service: Service,
}

// === impl Server ===

impl Server {
    pub(super) fn new(
        bound: Vec<(Face, StdListener)>,
        authority: &Arc<Authority>,
        service: Service,
    ) -> anyhow::Result<Self> {
        let mut faces = Vec::new();
        for (face, listener) in bound {
            let tls = acceptor(face, authority)?;
            faces.push(FaceServer {
                face,
                listener,
                tls,
            });
        }
        Ok(Self { faces, service })
    }

    /// Serves until `stopped` says so; every connection ends with it.
    pub(super) async fn serve(self, mut stopped: watch::Receiver<bool>) {
        let Self { faces, service } = self;
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut loops = JoinSet::new();
        for FaceServer {
            face,
            listener,
            tls,
        } in faces
        {
            let host = Host {
                face,
                tls,
                service: service.clone(),
            };
            loops.spawn(accept(listener, host, Arc::clone(&room)));
        }
        let _ = stopped.wait_for(|stop| *stop).await;
        loops.shutdown().await;
    }
}

// === impl Host ===

impl Host {
    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        if self.face == Face::Silent {
            self.greet(peer, None, None);
            return hold(stream).await;
        }
        let Some(acceptor) = self.tls.clone() else {
            self.greet(peer, None, None);
            return self.http(stream, peer, None).await;
        };
        match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Err(_) => self.greet(peer, None, Some("handshake timed out".to_owned())),
            Ok(Err(error)) => self.greet(peer, None, Some(error.to_string())),
            Ok(Ok(stream)) => {
                let sni = stream.get_ref().1.server_name().map(str::to_owned);
                self.greet(peer, sni.clone(), None);
                self.http(stream, peer, sni).await;
            }
        }
    }

    fn greet(&self, peer: SocketAddr, sni: Option<String>, failure: Option<String>) {
        self.service.journal().connected(Connection {
            face: self.face,
            peer,
            sni,
            failure,
        });
    }

    async fn http<S>(self, stream: S, peer: SocketAddr, sni: Option<String>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { face, service, .. } = self;
        let seat = Arc::new(Seat { face, peer, sni });
        let handle = service_fn(move |request: hyper::Request<Incoming>| {
            let service = service.clone();
            let seat = Arc::clone(&seat);
            async move { service.answer(&seat, request).await }
        });
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD);
        http.http2()
            .timer(TokioTimer::new())
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20);
        // A client that goes away is an everyday ending here; what it left unfinished is in the journal.
        let _ = http
            .serve_connection_with_upgrades(TokioIo::new(stream), handle)
            .await;
    }
}

/// Reads until the other side gives up.
async fn hold(mut stream: TcpStream) {
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
}

async fn accept(listener: StdListener, host: Host, room: Arc<Semaphore>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        // Out of descriptors, or gone before we took it: give way, then try again.
        let Ok((stream, peer)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        let host = host.clone();
        connections.spawn(async move {
            host.connection(stream, peer).await;
            drop(permit);
        });
    }
}

fn acceptor(face: Face, authority: &Arc<Authority>) -> anyhow::Result<Option<TlsAcceptor>> {
    let (authority, shown) = match face {
        Face::Plain | Face::Silent => return Ok(None),
        Face::Expired => (Arc::clone(authority), Shown::Expired),
        Face::Tls | Face::Tls12 => (Arc::clone(authority), Shown::Valid),
        Face::Untrusted => (
            Arc::new(Authority::new("Nobody's Authority")?),
            Shown::Valid,
        ),
        Face::WrongName => (Arc::clone(authority), Shown::WrongName),
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = if face == Face::Tls12 {
        builder.with_protocol_versions(&[&rustls::version::TLS12])?
    } else {
        builder.with_safe_default_protocol_versions()?
    };
    let certificates = Arc::new(Certificates::new(authority, shown));
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = if face == Face::Tls12 {
        vec![b"http/1.1".to_vec()]
    } else {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    };
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
