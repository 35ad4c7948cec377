//! The public half of the CA, as anybody may see it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use crate::TlsError;
use crate::file::failed;

const FILE: &str = "ca.crt";

/// The CA's certificate and what an operator wants to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaCertificate {
    path: PathBuf,
    der: CertificateDer<'static>,
    pem: String,
    subject: String,
    public_key: Vec<u8>,
    not_before: ASN1Time,
    not_after: ASN1Time,
}

/// The SHA-256 digest of a certificate, shown as `openssl x509 -fingerprint -sha256` shows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; digest::SHA256_OUTPUT_LEN]);

// === impl CaCertificate ===

impl CaCertificate {
    /// Reads the certificate of the CA in the state folder `dir`; needs no access to its key and makes nothing.
    ///
    /// # Errors
    /// When there is none or it is not a CA certificate. An expired one is read.
    pub fn read(dir: &Path) -> Result<Self, TlsError> {
        let path = Self::path_in(dir);
        let text = fs::read(&path).map_err(failed("read", &path))?;
        Self::parse(path, &text)
    }

    pub(crate) fn path_in(dir: &Path) -> PathBuf {
        dir.join(FILE)
    }

    pub(crate) fn parse(path: PathBuf, text: &[u8]) -> Result<Self, TlsError> {
        let der = CertificateDer::from_pem_slice(text).ok();
        let facts = der.as_ref().and_then(|der| {
            let (_, parsed) = X509Certificate::from_der(der).ok()?;
            parsed.is_ca().then(|| {
                let subject = parsed.subject().to_string();
                (
                    subject,
                    parsed.public_key().raw.to_vec(),
                    parsed.validity.clone(),
                )
            })
        });
        let (Some(der), Some((subject, public_key, validity))) = (der, facts) else {
            let expected = "a CA certificate in PEM form";
            return Err(TlsError::Unreadable { path, expected });
        };
        Ok(Self {
            path,
            pem: encode([&der]),
            der,
            subject,
            public_key,
            not_before: validity.not_before,
            not_after: validity.not_after,
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The digest by which people compare it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// Its name, as in `CN=…`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Valid from then on.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        system_time(self.not_before)
    }

    /// Valid until then.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        system_time(self.not_after)
    }

    /// The `SubjectPublicKeyInfo`.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    pub(crate) fn check_time(&self, now: SystemTime) -> Result<(), TlsError> {
        let path = self.path.clone();
        if now >= self.not_after() {
            let ended = self.not_after.to_string();
            return Err(TlsError::Expired { path, ended });
        }
        if now < self.not_before() {
            let starts = self.not_before.to_string();
            return Err(TlsError::NotYetValid { path, starts });
        }
        Ok(())
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    pub(crate) fn of(der: &CertificateDer<'_>) -> Self {
        let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Self(bytes)
    }

    /// The digest itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Certificates as PEM, one after the other.
pub(crate) fn encode<'a>(
    certificates: impl IntoIterator<Item = &'a CertificateDer<'static>>,
) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let blocks = certificates
        .into_iter()
        .map(|der| pem::encode_config(&pem::Pem::new("CERTIFICATE", der.to_vec()), config));
    blocks.collect()
}

/// A time before 1970 becomes 1970.
fn system_time(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
