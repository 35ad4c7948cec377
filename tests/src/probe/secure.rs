//! TLS, WebSocket and trailers, with every name chosen by the caller so that they can disagree.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;

/// Where and as whom to connect.
#[derive(Debug, Args)]
pub(super) struct Door {
    /// The address
    to: SocketAddr,
    /// The server name sent and checked; none is sent without it
    #[arg(long)]
    name: Option<String>,
    /// Offer this protocol
    #[arg(long)]
    alpn: Option<String>,
    /// How long everything may take
    #[arg(long, default_value_t = 10_000)]
    patience_ms: u64,
}

/// What `tls` is told.
#[derive(Debug, Args)]
pub(super) struct Tls {
    #[command(flatten)]
    door: Door,
    /// Send an HTTP/1.1 GET for this path
    #[arg(long)]
    get: Option<String>,
    /// With this `Host`; the server name without it
    #[arg(long)]
    host: Option<String>,
}

/// What `trailers` is told.
#[derive(Debug, Args)]
pub(super) struct Trailers {
    #[command(flatten)]
    door: Door,
    /// The path to post to
    #[arg(long, default_value = "/test/echo")]
    path: String,
}

/// What `websocket` is told.
#[derive(Debug, Args)]
pub(super) struct Websocket {
    #[command(flatten)]
    door: Door,
    /// The path
    #[arg(long, default_value = "/test/websocket")]
    path: String,
    /// What to say, in order
    #[arg(long)]
    say: Vec<String>,
}

/// How a handshake went, and what was answered after it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Handshake {
    /// Why there was none.
    pub error: Option<String>,
    /// The protocol agreed on.
    pub alpn: Option<String>,
    /// Everything received after the request.
    pub answer: String,
    /// How the connection ended after it: `closed`, or the error's text.
    pub ending: String,
}

/// What was heard.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spoken {
    /// The answer's status; 101 for a WebSocket that opened.
    pub status: Option<u16>,
    /// The messages, or the body.
    pub heard: Vec<String>,
    /// Header fields after the body.
    pub trailers: Vec<(String, String)>,
    /// Why it broke off.
    pub error: Option<String>,
}

// === impl Door ===

impl Door {
    fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    async fn open(&self) -> anyhow::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots()?)
            .with_no_client_auth();
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        // An address as the server's name is what leaves the name out of the hello.
        let name = match &self.name {
            None => ServerName::IpAddress(self.to.ip().into()),
            Some(name) => ServerName::try_from(name.clone())?,
        };
        let stream = TcpStream::connect(self.to).await?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(connector.connect(name, stream).await?)
    }

    fn authority(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.to.to_string())
    }
}

pub(super) async fn handshake(tls: Tls) -> anyhow::Result<Handshake> {
    let patience = tls.door.patience();
    let shaken = tokio::time::timeout(patience, shake_and_ask(&tls)).await;
    let failed = |error: String| Handshake {
        error: Some(error),
        alpn: None,
        answer: String::new(),
        ending: String::new(),
    };
    Ok(match shaken {
        Err(_) => failed("timeout".to_owned()),
        Ok(Err(error)) => failed(format!("{error:#}")),
        Ok(Ok(handshake)) => handshake,
    })
}

async fn shake_and_ask(tls: &Tls) -> anyhow::Result<Handshake> {
    let mut stream = tls.door.open().await?;
    let alpn = stream.get_ref().1.alpn_protocol();
    let alpn = alpn.map(|name| String::from_utf8_lossy(name).into_owned());
    let mut answer = Vec::new();
    let mut ending = "closed".to_owned();
    if let Some(path) = &tls.get {
        let host = tls.host.clone().unwrap_or_else(|| tls.door.authority());
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        if let Err(error) = stream.read_to_end(&mut answer).await {
            ending = error.to_string();
        }
    }
    Ok(Handshake {
        error: None,
        alpn,
        answer: String::from_utf8_lossy(&answer).into_owned(),
        ending,
    })
}

pub(super) async fn websocket(websocket: Websocket) -> anyhow::Result<Spoken> {
    let mut spoken = Spoken::nothing();
    let patience = websocket.door.patience();
    let talked = tokio::time::timeout(patience, talk(&websocket, &mut spoken)).await;
    spoken.error = match talked {
        Err(_) => Some("timeout".to_owned()),
        Ok(Err(error)) => Some(format!("{error:#}")),
        Ok(Ok(())) => None,
    };
    Ok(spoken)
}

async fn talk(websocket: &Websocket, spoken: &mut Spoken) -> anyhow::Result<()> {
    use tokio_tungstenite::tungstenite::Error;

    let Websocket { door, path, say } = websocket;
    let url = format!("wss://{}{path}", door.authority());
    let stream = door.open().await?;
    let opened = tokio_tungstenite::client_async(url, stream).await;
    let (mut socket, response) = match opened {
        Ok(opened) => opened,
        Err(Error::Http(response)) => {
            spoken.status = Some(response.status().as_u16());
            let body = response.into_body().unwrap_or_default();
            spoken
                .heard
                .push(String::from_utf8_lossy(&body).into_owned());
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    spoken.status = Some(response.status().as_u16());
    for text in say {
        socket.send(Message::text(text.clone())).await?;
        let heard = socket.next().await.context("closed before it answered")??;
        spoken.heard.push(heard.into_text()?.to_string());
    }
    socket.close(None).await?;
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
    // A TLS session that just stops looks like one that was cut.
    socket.get_mut().shutdown().await?;
    Ok(())
}

pub(super) async fn trailers(trailers: Trailers) -> anyhow::Result<Spoken> {
    let mut spoken = Spoken::nothing();
    let patience = trailers.door.patience();
    let asked = tokio::time::timeout(patience, post(&trailers, &mut spoken)).await;
    spoken.error = match asked {
        Err(_) => Some("timeout".to_owned()),
        Ok(Err(error)) => Some(format!("{error:#}")),
        Ok(Ok(())) => None,
    };
    Ok(spoken)
}

async fn post(trailers: &Trailers, spoken: &mut Spoken) -> anyhow::Result<()> {
    let Trailers { door, path } = trailers;
    let stream = TokioIo::new(door.open().await?);
    let (mut feed, body) = Channel::<Bytes, std::convert::Infallible>::new(4);
    let authority = door.authority();
    let is_h2 = door.alpn.as_deref() == Some("h2");
    let uri = if is_h2 {
        format!("https://{authority}{path}")
    } else {
        path.clone()
    };
    let mut request = hyper::Request::post(uri).body(body)?;
    let headers = request.headers_mut();
    headers.insert(TRAILER, HeaderValue::from_static("x-sent"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    let mut after = HeaderMap::new();
    let name = HeaderName::from_static("x-sent");
    after.insert(name, HeaderValue::from_static("after the body"));
    let send = async move {
        feed.send_data(Bytes::from_static(b"a body")).await?;
        feed.send_trailers(after).await
    };
    let response = if is_h2 {
        let shake = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
        let (mut sender, connection) = shake?;
        tokio::spawn(connection);
        let (sent, response) = tokio::join!(send, sender.send_request(request));
        sent?;
        response?
    } else {
        let host = HeaderValue::from_str(&authority)?;
        request.headers_mut().insert(HOST, host);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let (sent, response) = tokio::join!(send, sender.send_request(request));
        sent?;
        response?
    };
    spoken.status = Some(response.status().as_u16());
    let whole = response.into_body().collect().await?;
    let after = whole.trailers().cloned().unwrap_or_default();
    for (name, value) in &after {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        spoken.trailers.push((name.to_string(), value));
    }
    let body = whole.to_bytes();
    spoken
        .heard
        .push(String::from_utf8_lossy(&body).into_owned());
    Ok(())
}

impl Spoken {
    fn nothing() -> Self {
        Self {
            status: None,
            heard: Vec::new(),
            trailers: Vec::new(),
            error: None,
        }
    }
}

/// The authorities an agent believes: those its environment names.
fn roots() -> anyhow::Result<RootCertStore> {
    let path = std::env::var_os("SSL_CERT_FILE").context("SSL_CERT_FILE says whom to believe")?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&path)? {
        roots.add(certificate?)?;
    }
    Ok(roots)
}
