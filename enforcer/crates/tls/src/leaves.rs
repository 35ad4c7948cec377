//! The leaf certificates: one per name, minted when first asked for, kept in a bounded cache.
//!
//! Minting is synchronous (well under a millisecond). Threads that ask for the same name at the same time wait for one mint;
//! threads that ask for other names do not wait. Every name has a configuration of its own, and with it ticket keys of its own: a session
//! ticket for one name never resumes under another.

mod cache;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use enforcer_flow::{CHECK_NAME, Host};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::leaf::{self, Span};
use crate::{Authority, TlsError, provider};

use cache::Cache;

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).expect("1024 is not zero");

/// The server side's certificates towards agents.
pub struct Leaves {
    /// Swapped as one, so that no leaf of one CA is kept as another's.
    issuing: ArcSwap<Issuing>,
    capacity: NonZeroUsize,
    /// One key for all leaves of this process: all of them live in the same memory anyway, and making one doubles the cost of a mint.
    public_key: KeyPair,
    signing_key: Arc<dyn SigningKey>,
    /// What all configurations share.
    template: ServerConfig,
}

/// A CA and what it signed.
struct Issuing {
    authority: Arc<Authority>,
    cache: Cache,
}

/// Hands out one certificate, and only to a hello that asks for its name or for none.
struct OneName {
    host: Host,
    certified: Arc<CertifiedKey>,
}

// === impl Leaves ===

impl Leaves {
    /// Leaves signed by `authority`, at most 1024 of them in memory.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(authority: Arc<Authority>) -> Result<Self, TlsError> {
        Self::with_capacity(authority, DEFAULT_CAPACITY)
    }

    /// Leaves signed by `authority`, at most `capacity` of them in memory; the least recently used goes first.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn with_capacity(
        authority: Arc<Authority>,
        capacity: NonZeroUsize,
    ) -> Result<Self, TlsError> {
        let provider = provider::agent_side();
        let public_key =
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(TlsError::MakeCa)?;
        let private = PrivatePkcs8KeyDer::from(public_key.serialize_der());
        let signing_key = provider.key_provider.load_private_key(private.into())?;
        let mut template = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Nobody));
        // Both ends run on this processor, so what is fast here is fast for the agent too.
        template.ignore_client_order = true;
        template.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Tickets carry the session; nothing is stored here that an agent could fill up.
        template.session_storage = Arc::new(NoServerSessionStorage {});
        template.max_early_data_size = 0;
        // A ticket of TLS 1.3 follows the handshake as a message of its own, and from so near it arrives just while the agent writes
        // its first request. A program that reads and writes one OpenSSL connection on two threads without a lock (Python's
        // `websockets`) then loses that request. It also costs each new connection a write and a wake-up, to spare few agents little.
        template.send_tls13_tickets = 0;
        Ok(Self {
            issuing: ArcSwap::from_pointee(Issuing::new(authority, capacity)),
            capacity,
            public_key,
            signing_key,
            template,
        })
    }

    /// Has all leaves signed by `authority` from now on. Connections that are open keep theirs.
    pub fn sign_by(&self, authority: Arc<Authority>) {
        let issuing = Issuing::new(authority, self.capacity);
        self.issuing.store(Arc::new(issuing));
    }

    /// The CA that signs now.
    #[must_use]
    pub fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.issuing.load().authority)
    }

    /// The configuration with which to meet an agent that wants `host`: TLS 1.2 and 1.3, h2 and http/1.1.
    ///
    /// # Errors
    /// When the leaf cannot be minted, or the CA may not sign for `host`.
    pub fn server_config(&self, host: &Host) -> Result<Arc<ServerConfig>, TlsError> {
        self.server_config_at(host, SystemTime::now())
    }

    pub(crate) fn server_config_at(
        &self,
        host: &Host,
        now: SystemTime,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let issuing = self.issuing.load();
        // Agents would not believe it anyway, and would not say why.
        if !issuing.authority.permits(host) {
            return Err(TlsError::NotPermitted { host: host.clone() });
        }
        let mint = |span| self.mint(&issuing.authority, host, span);
        issuing.cache.get_or_make(host, now, mint)
    }

    fn mint(
        &self,
        authority: &Authority,
        host: &Host,
        span: Span,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let certificate = leaf::params(host, span)
            .and_then(|params| authority.sign(&params, &self.public_key))
            .map_err(|source| TlsError::Mint {
                host: host.clone(),
                source,
            })?;
        // A CA that nobody signed the agent has itself; sending it would only cost bytes.
        let intermediates = authority.intermediates().cloned();
        let chain = std::iter::once(certificate).chain(intermediates).collect();
        let certified = CertifiedKey::new(chain, Arc::clone(&self.signing_key));
        let mut config = self.template.clone();
        config.cert_resolver = Arc::new(OneName {
            host: host.clone(),
            certified: Arc::new(certified),
        });
        if host.name() == Some(CHECK_NAME) {
            // What answers there is no more than one line.
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        config.ticketer = Ticketer::new()?;
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaves")
            .field("authority", &self.authority())
            .finish_non_exhaustive()
    }
}

// === impl Issuing ===

impl Issuing {
    fn new(authority: Arc<Authority>, capacity: NonZeroUsize) -> Self {
        let cache = Cache::new(capacity);
        Self { authority, cache }
    }
}

// === impl OneName ===

impl ResolvesServerCert for OneName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) if !self.host.matches(name) => None,
            Some(_) | None => Some(Arc::clone(&self.certified)),
        }
    }
}

impl fmt::Debug for OneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OneName").field(&self.host).finish()
    }
}

/// Stands in the template, where no hello ever arrives.
#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
