//! The upstream's own certificate authority, and the certificates a listener shows: right ones, and wrong in one chosen way.
//!
//! Nothing here is ever written to disk; who wants to believe this authority takes [`Authority::pem`].

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;

/// The name on the certificate of the wrong-name listener, whatever name was asked for.
pub const WRONG_NAME: &str = "wrong-name.invalid";

/// The name used when the client sends none.
const DEFAULT_NAME: &str = "api.openai.com";
/// More names than any test uses; past it the cache starts again, so a stranger cannot fill memory.
const CACHED_NAMES: usize = 4096;

/// A certificate authority of our own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What is right or wrong about the certificates that a listener shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Valid once, long ago.
    Expired,
    /// Valid, for the name that was asked for.
    Valid,
    /// Valid, for another name.
    WrongName,
}

/// Mints and remembers one certificate per name, in the way of [`Shown`].
pub(super) struct Certificates {
    authority: Arc<Authority>,
    shown: Shown,
    minted: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

// === impl Authority ===

impl Authority {
    /// Makes a new authority with a key of its own, called `name`.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2049, 1, 1);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem: certificate.pem(),
        })
    }

    /// The authority's certificate, for whoever shall believe it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    fn mint(&self, name: &str, shown: Shown) -> anyhow::Result<CertifiedKey> {
        let subject = match shown {
            Shown::Expired | Shown::Valid => name,
            Shown::WrongName => WRONG_NAME,
        };
        let mut params = CertificateParams::new(vec![subject.to_owned()])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = match shown {
            Shown::Expired => date_time_ymd(2024, 1, 2),
            Shown::Valid | Shown::WrongName => date_time_ymd(2049, 1, 1),
        };
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let der = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let signer = aws_lc_rs::sign::any_supported_type(&der)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], signer))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

// === impl Certificates ===

impl Certificates {
    pub(super) fn new(authority: Arc<Authority>, shown: Shown) -> Self {
        Self {
            authority,
            shown,
            minted: Mutex::new(HashMap::new()),
        }
    }

    fn of(&self, name: &str) -> anyhow::Result<Arc<CertifiedKey>> {
        let mut minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = minted.get(name) {
            return Ok(Arc::clone(found));
        }
        if minted.len() >= CACHED_NAMES {
            minted.clear();
        }
        let fresh = self
            .authority
            .mint(name, self.shown)
            .with_context(|| format!("certificate for `{name}`"))?;
        let fresh = Arc::new(fresh);
        minted.insert(name.to_owned(), Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.of(hello.server_name().unwrap_or(DEFAULT_NAME)).ok()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}
