//! What the other tests act on: a CA in a folder of its own, an agent, and an upstream with a CA of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use enforcer_flow::Host;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair,
};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsConnector, client, server};

use crate::{AcceptError, Authority, Leaves, accept, certificate, leaf, provider};

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

/// Our side: a CA in a temporary folder and its leaves.
pub(super) struct Ours {
    pub(super) dir: TempDir,
    pub(super) authority: Arc<Authority>,
    pub(super) leaves: Leaves,
}

impl Ours {
    pub(super) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let authority = Arc::new(Authority::load_or_create(&dir.path().join("ca")).unwrap());
        let leaves = Leaves::new(Arc::clone(&authority)).unwrap();
        Self {
            dir,
            authority,
            leaves,
        }
    }

    /// An agent that trusts our CA.
    pub(super) fn agent(&self, version: &'static SupportedProtocolVersion) -> Agent {
        Agent::trusting(self.authority.certificate_der(), version)
    }

    /// An agent that trusts our CA and prefers what its library prefers: the suites with SHA-384.
    pub(super) fn agent_with_library_defaults(&self) -> Agent {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Agent::with_provider(provider, self.authority.certificate_der(), &TLS13)
    }

    /// The handshake between `agent`, who wants `name`, and us, who serve `served`.
    pub(super) async fn meet(&self, agent: &Agent, name: &str, served: &str) -> Met {
        let config = self.leaves.server_config(&host(served)).unwrap();
        agent.meet(config, name).await
    }
}

/// A TLS client with session memory.
pub(super) struct Agent {
    pub(super) config: Arc<ClientConfig>,
}

/// How a handshake ended on either side.
pub(super) struct Met {
    pub(super) agent: std::io::Result<client::TlsStream<DuplexStream>>,
    pub(super) ours: Result<server::TlsStream<DuplexStream>, AcceptError>,
}

impl Agent {
    pub(super) fn trusting(
        ca: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> Self {
        Self::with_provider(provider::agent_side(), ca, version)
    }

    fn with_provider(
        provider: Arc<CryptoProvider>,
        ca: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(16);
        config.enable_early_data = true;
        let config = Arc::new(config);
        Self { config }
    }

    pub(super) fn offering(mut self, alpn: &[&str]) -> Self {
        let names = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::get_mut(&mut self.config).unwrap().alpn_protocols = names;
        self
    }

    /// Sends no name in its hello.
    pub(super) fn unnamed(mut self) -> Self {
        Arc::get_mut(&mut self.config).unwrap().enable_sni = false;
        self
    }

    pub(super) async fn meet(&self, config: Arc<ServerConfig>, name: &str) -> Met {
        let (near, far) = duplex(64 * 1024);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connecting = TlsConnector::from(Arc::clone(&self.config)).connect(name, near);
        let (agent, ours) = tokio::join!(connecting, accept(config, far));
        Met { agent, ours }
    }
}

impl Met {
    /// Both ends, once bytes went both ways; this also delivers the tickets of TLS 1.3.
    pub(super) async fn exchange(
        self,
    ) -> (
        client::TlsStream<DuplexStream>,
        server::TlsStream<DuplexStream>,
    ) {
        let mut agent = self.agent.expect("the agent's handshake succeeds");
        let mut ours = self.ours.expect("our handshake succeeds");
        let mut buffer = [0; 4];
        agent.write_all(b"ping").await.unwrap();
        agent.flush().await.unwrap();
        ours.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"ping");
        ours.write_all(b"pong").await.unwrap();
        ours.flush().await.unwrap();
        agent.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"pong");
        (agent, ours)
    }

    pub(super) fn refused(self) -> AcceptError {
        assert!(self.agent.is_err(), "the agent's handshake fails");
        self.ours.expect_err("our handshake fails")
    }
}

/// A CA that stands for the public ones, and servers certified by it.
pub(super) struct World {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// What an upstream's certificate says.
pub(super) struct Claims {
    pub(super) names: Vec<String>,
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

impl World {
    pub(super) fn new() -> Self {
        Self::named("Some public CA")
    }

    pub(super) fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().into();
        let issuer = Issuer::new(params, key);
        let dir = TempDir::new().unwrap();
        Self {
            dir,
            issuer,
            certificate,
        }
    }

    /// A file with this world's root.
    pub(super) fn roots(&self) -> PathBuf {
        let path = self.dir.path().join("root.pem");
        std::fs::write(&path, certificate::encode([&self.certificate])).unwrap();
        path
    }

    /// A server that proves `claims`, speaks `alpn` and all versions.
    pub(super) fn server(&self, claims: Claims, alpn: &[&str]) -> Arc<ServerConfig> {
        self.server_with(provider::upstream_side(), claims, alpn)
    }

    /// The same with a choice of algorithms.
    pub(super) fn server_with(
        &self,
        provider: Arc<CryptoProvider>,
        claims: Claims,
        alpn: &[&str],
    ) -> Arc<ServerConfig> {
        let Claims { names, from, until } = claims;
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf::set_validity(&mut params, from, until);
        let der = params.signed_by(&key, &self.issuer).unwrap().into();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der], key.into())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

impl Claims {
    /// Valid now, for `name`.
    pub(super) fn valid(name: &str) -> Self {
        let now = SystemTime::now();
        Self {
            names: vec![name.to_owned()],
            from: now - DAY,
            until: now + DAY,
        }
    }
}
