//! Opening connections the way an agent's client library does: TCP without delay, then a full TLS handshake.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore, client::Resumption, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::bench::job::{Http, Job, Shape};

/// Where to connect and how.
pub(super) struct Dial {
    target: SocketAddr,
    host: String,
    name: ServerName<'static>,
    tls: TlsConnector,
    http: Http,
}

/// An open connection, ready for one exchange after another.
pub(super) enum Session {
    H1 {
        sender: http1::SendRequest<Full<Bytes>>,
    },
    H2 {
        sender: http2::SendRequest<Full<Bytes>>,
    },
}

// === impl Dial ===

impl Dial {
    pub(super) fn new(job: &Job) -> Result<Self> {
        let http = match job.shape {
            Shape::Exchange { http } => http,
            Shape::Connect
            | Shape::Download
            | Shape::Events
            | Shape::Fresh
            | Shape::Hold
            | Shape::Upload => Http::H1,
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&job.trust)
            .context("cannot read the trusted authority")?
        {
            roots.add(certificate?)?;
        }
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![match http {
            Http::H1 => b"http/1.1".to_vec(),
            Http::H2 => b"h2".to_vec(),
        }];
        Ok(Self {
            target: job.target,
            host: job.name.clone(),
            name: ServerName::try_from(job.name.clone())?,
            tls: TlsConnector::from(Arc::new(config)),
            http,
        })
    }

    /// A new connection, ready to send.
    pub(super) async fn open(&self) -> Result<Session> {
        let tcp = TcpStream::connect(self.target).await.context("connect")?;
        tcp.set_nodelay(true)?;
        let tls = self
            .tls
            .connect(self.name.clone(), tcp)
            .await
            .context("TLS handshake")?;
        match self.http {
            Http::H1 => Session::h1(tls).await,
            Http::H2 => Session::h2(tls).await,
        }
    }

    /// A request as an SDK would send it.
    pub(super) fn request(
        &self,
        method: http::Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>> {
        let builder = match self.http {
            Http::H1 => Request::builder()
                .uri(path)
                .header(header::HOST, &self.host),
            Http::H2 => Request::builder().uri(format!("https://{}{path}", self.host)),
        };
        builder
            .method(method)
            .header(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            )
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .header(header::USER_AGENT, HeaderValue::from_static("bench/1"))
            .header(
                header::AUTHORIZATION,
                HeaderValue::from_static("Bearer not-a-real-key-0123456789abcdef"),
            )
            .body(Full::new(body))
            .context("cannot build the request")
    }
}

// === impl Session ===

impl Session {
    async fn h1(tls: TlsStream<TcpStream>) -> Result<Self> {
        let (sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
        tokio::spawn(connection);
        Ok(Self::H1 { sender })
    }

    async fn h2(tls: TlsStream<TcpStream>) -> Result<Self> {
        if tls.get_ref().1.alpn_protocol() != Some(b"h2") {
            bail!("the far side does not speak h2");
        }
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await?;
        tokio::spawn(connection);
        Ok(Self::H2 { sender })
    }

    /// Sends one request and waits for the head of its answer, which must be a 200.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>> {
        let response = match self {
            Self::H1 { sender } => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::H2 { sender } => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        if response.status() != http::StatusCode::OK {
            bail!("answered {}", response.status());
        }
        Ok(response)
    }
}
