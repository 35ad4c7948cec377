//! The local CA: made once, kept in the state folder, lent to nobody.
//!
//! [`Authority`] has no accessor for its private key; whatever must be signed is signed in this crate. Two processes that start
//! together agree on one CA; a pair that cannot be trusted (readable by others, mismatched, expired) stops the start.

mod store;

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use rustls_pki_types::CertificateDer;

use crate::certificate::{CaCertificate, Fingerprint};
use crate::leaf::{self, DAY};
use crate::{TlsError, file};

const VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The local CA. Signs leaf certificates; its private key never leaves it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CaCertificate,
}

// === impl Authority ===

impl Authority {
    /// Takes the CA in the state folder `dir`; makes folder and CA when there is none.
    ///
    /// # Errors
    /// When the files cannot be read or written, when the key may be known to others, when key and certificate do not belong
    /// together, or when the certificate's time is over.
    pub fn load_or_create(dir: &Path) -> Result<Self, TlsError> {
        Self::load_or_create_at(dir, SystemTime::now())
    }

    pub(crate) fn load_or_create_at(dir: &Path, now: SystemTime) -> Result<Self, TlsError> {
        file::private_folder(dir)?;
        let _held = store::lock(dir)?;
        let pair = match store::load(dir)? {
            store::Stored::Nothing => store::create(dir, now)?,
            store::Stored::KeyOnly(key) => store::certify(dir, key, now)?,
            store::Stored::Pair(pair) => pair,
        };
        Self::new(pair, now)
    }

    fn new(pair: store::Pair, now: SystemTime) -> Result<Self, TlsError> {
        let store::Pair { key, certificate } = pair;
        certificate.check_time(now)?;
        let issuer =
            Issuer::from_ca_cert_der(certificate.der(), key).map_err(|_| TlsError::Unreadable {
                path: certificate.path().to_owned(),
                expected: "a CA certificate of ours",
            })?;
        Ok(Self {
            issuer,
            certificate,
        })
    }

    /// The public half, with its facts.
    #[must_use]
    pub fn certificate(&self) -> &CaCertificate {
        &self.certificate
    }

    /// The CA certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        self.certificate.pem()
    }

    /// The CA certificate as DER.
    #[must_use]
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        self.certificate.der()
    }

    /// The digest by which people compare the CA certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// Signs `params` for `key`.
    pub(crate) fn sign(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        Ok(params.signed_by(key, &self.issuer)?.into())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("subject", &self.certificate.subject())
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// What a CA of ours says of itself. `id` tells apart the CAs of several hosts in a trust store.
fn ca_params(id: &str, now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("Enforcer local CA {id}"));
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    leaf::set_validity(&mut params, now - DAY, now + VALIDITY);
    params.serial_number = Some(leaf::serial()?);
    // It signs leaves only: no further CA below it.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    Ok(params)
}
