//! Far sides on loopback, each with one behaviour, in the clear or with a certificate of a CA of their own.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;

/// Either kind of stream.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// A stream of whatever kind.
pub(crate) type Stream = Box<dyn Duplex>;

/// A far side that runs.
pub(crate) struct Far {
    pub(crate) addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
    /// For those that are held: one permit lets one answer out.
    pub(crate) answers: Arc<Semaphore>,
    /// Its CA, if it speaks TLS.
    pub(crate) authority: Option<Authority>,
}

/// A CA that stands for the public ones.
pub(crate) struct Authority {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Far {
    /// Answers `ok` to every request.
    pub(crate) async fn answering() -> Self {
        Self::start(None, |stream, _| answer(stream)).await
    }

    /// The same inside TLS, as `name`.
    pub(crate) async fn answering_as(name: &str) -> Self {
        Self::start(Some(name), |stream, _| answer(stream)).await
    }

    /// Takes a request and keeps the answer until it is let out.
    pub(crate) async fn held() -> Self {
        Self::start(None, hold).await
    }

    /// Sends back what it gets.
    pub(crate) async fn echo() -> Self {
        Self::start(None, |stream, _| echo(stream)).await
    }

    /// Speaks first, then sends back what it gets.
    pub(crate) async fn greeting() -> Self {
        let greet = |mut stream: Stream, _| async move {
            if stream.write_all(b"220 hello\r\n").await.is_ok() {
                echo(stream).await;
            }
        };
        Self::start(None, greet).await
    }

    /// A port that nobody listens on.
    pub(crate) async fn nobody() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            addr: listener.local_addr().unwrap(),
            accepted: Arc::default(),
            answers: Arc::new(Semaphore::new(0)),
            authority: None,
        }
    }

    /// What its certificates are signed by.
    pub(crate) fn root(&self) -> &CertificateDer<'static> {
        &self.authority.as_ref().unwrap().certificate
    }

    /// Connections taken so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(SeqCst)
    }

    async fn start<F>(
        name: Option<&str>,
        serve: impl Fn(Stream, Arc<Semaphore>) -> F + Copy + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (config, authority) = name.map(certified).unzip();
        let accepted = Arc::new(AtomicUsize::new(0));
        let answers = Arc::new(Semaphore::new(0));
        let (count, held) = (Arc::clone(&accepted), Arc::clone(&answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, SeqCst);
                let (config, held) = (config.clone(), Arc::clone(&held));
                tokio::spawn(async move {
                    let stream: Stream = match config {
                        None => Box::new(stream),
                        Some(config) => match TlsAcceptor::from(config).accept(stream).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    serve(stream, held).await;
                });
            }
        });
        Self {
            addr,
            accepted,
            answers,
            authority,
        }
    }
}

fn certified(name: &str) -> (Arc<ServerConfig>, Authority) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("root.pem");
    std::fs::write(&file, root.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let leaf = params.signed_by(&key, &issuer).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.into()], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let authority = Authority {
        certificate: root.into(),
        file,
        _dir: dir,
    };
    (Arc::new(config), authority)
}

async fn answer(mut stream: Stream) {
    while read_head(&mut stream).await {
        if stream.write_all(OK).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn hold(mut stream: Stream, answers: Arc<Semaphore>) {
    while read_head(&mut stream).await {
        answers.acquire().await.unwrap().forget();
        if stream.write_all(OK).await.is_err() {
            return;
        }
    }
}

async fn echo(mut stream: Stream) {
    let mut buffer = [0; 1024];
    while let Ok(read) = stream.read(&mut buffer).await
        && read > 0
        && stream.write_all(&buffer[..read]).await.is_ok()
    {}
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// False when the stream ended instead.
async fn read_head(stream: &mut Stream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}

/// An address of documentation's: agents mean to go there, and nobody ever does.
pub(crate) const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 5));
