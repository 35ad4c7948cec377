//! What agents do with a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};

/// An agent's TLS.
pub(crate) struct Tls {
    config: ClientConfig,
    name: ServerName<'static>,
}

impl Tls {
    /// Expects a certificate for `name` and accepts one of `root` only.
    pub(crate) fn to(name: &str, root: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        Self { config, name }
    }

    /// Sends no server name.
    pub(crate) fn unnamed(mut self) -> Self {
        self.config.enable_sni = false;
        self
    }

    pub(crate) fn offering(mut self, protocol: &[u8]) -> Self {
        self.config.alpn_protocols = vec![protocol.to_vec()];
        self
    }

    pub(crate) async fn shake<S>(self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = TlsConnector::from(Arc::new(self.config));
        connector.connect(self.name, stream).await
    }

    /// The first bytes that such an agent sends.
    pub(crate) fn hello(self) -> Vec<u8> {
        let mut client = ClientConnection::new(Arc::new(self.config), self.name).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }
}

/// Writes one byte at a time.
pub(crate) struct Crumbs(pub(crate) TcpStream);

impl AsyncRead for Crumbs {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Crumbs {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let crumb = bytes.get(..1).unwrap_or_default();
        Pin::new(&mut self.0).poll_write(cx, crumb)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Asks once and reads to the end.
pub(crate) async fn get<S>(mut stream: S, host: &str, path: &str) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The far side's answer has come.
#[track_caller]
pub(crate) fn is_ok(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("ok"), "{answer}");
}

/// Ours has.
#[track_caller]
pub(crate) fn is_refused(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
}

/// Waits for the reset that ends a connection, whichever call it meets.
pub(crate) async fn reset(stream: io::Result<TcpStream>) {
    let error = match stream {
        Ok(mut stream) => stream.read_u8().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
}

/// Writes and reads the same back.
pub(crate) async fn echoed<S>(stream: &mut S, text: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(back, text.as_bytes());
}

/// Asks over HTTP/1.1 and leaves the connection open for more.
pub(crate) async fn get_and_stay<S>(stream: &mut S, host: &str, path: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ask(stream, host, path).await;
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\nok") {
        answer.push(stream.read_u8().await.unwrap().into());
    }
    is_ok(&answer);
}

/// Asks over HTTP/1.1 and does not wait for the answer.
pub(crate) async fn ask<S>(stream: &mut S, host: &str, path: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

/// Asks over HTTP/2.
pub(crate) async fn get_http2<S>(stream: S, url: &str) -> (StatusCode, Bytes)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get(url).body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    drop(sender);
    connection.await.unwrap().unwrap();
    (status, body)
}
