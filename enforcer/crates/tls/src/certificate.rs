//! The public half of the CA, as anybody may see it.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use crate::file::failed;
use crate::{Constraints, TlsError};

const FILE: &str = "ca.crt";
/// A chain of a few certificates; whatever is longer is something else.
const MAX_FILE: u64 = 256 * 1024;
const NO_CA: &str = "a CA certificate in PEM form";

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
    self_signed: bool,
    constraints: Constraints,
    issuers: Vec<CertificateDer<'static>>,
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
        Self::read_file(&Self::path_in(dir))
    }

    /// Reads a CA certificate, and the certificates of its issuers if they follow it in the file.
    ///
    /// # Errors
    /// When the file cannot be read or does not begin with a CA certificate. An expired one is read.
    pub fn read_file(path: &Path) -> Result<Self, TlsError> {
        let file = fs::File::open(path).map_err(failed("read", path))?;
        let mut text = Vec::new();
        file.take(MAX_FILE)
            .read_to_end(&mut text)
            .map_err(failed("read", path))?;
        Self::parse(path.to_owned(), &text)
    }

    pub(crate) fn path_in(dir: &Path) -> PathBuf {
        dir.join(FILE)
    }

    pub(crate) fn parse(path: PathBuf, text: &[u8]) -> Result<Self, TlsError> {
        let unfit = |expected| TlsError::Unreadable {
            path: path.clone(),
            expected,
        };
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let mut all = all.unwrap_or_default().into_iter();
        let der = all.next().ok_or_else(|| unfit(NO_CA))?;
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| unfit(NO_CA))?;
        if !parsed.is_ca() {
            return Err(unfit(NO_CA));
        }
        check_usage(&parsed).map_err(unfit)?;
        let constraints = Constraints::of(&parsed).map_err(unfit)?;
        Ok(Self {
            pem: encode([&der]),
            subject: parsed.subject().to_string(),
            public_key: parsed.public_key().raw.to_vec(),
            not_before: parsed.validity.not_before,
            not_after: parsed.validity.not_after,
            self_signed: parsed.subject() == parsed.issuer(),
            constraints,
            issuers: all.collect(),
            path,
            der: der.clone(),
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

    /// The CAs above it that the file names, nearest first.
    #[must_use]
    pub fn issuers(&self) -> &[CertificateDer<'static>] {
        &self.issuers
    }

    /// Whether nobody stands above it.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.self_signed
    }

    /// What it says it may sign for.
    #[must_use]
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
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

/// A CA may be one for other purposes than ours.
fn check_usage(parsed: &X509Certificate<'_>) -> Result<(), &'static str> {
    const BROKEN: &str = "a CA certificate whose extensions can be read";
    let usage = parsed.key_usage().map_err(|_| BROKEN)?;
    if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
        return Err("a CA certificate whose key usage includes the signing of certificates");
    }
    let purposes = parsed.extended_key_usage().map_err(|_| BROKEN)?;
    if purposes.is_some_and(|purposes| !purposes.value.any && !purposes.value.server_auth) {
        return Err("a CA certificate whose extended key usage includes TLS servers");
    }
    Ok(())
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
