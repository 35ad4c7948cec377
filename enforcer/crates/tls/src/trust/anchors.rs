//! The certificates by which agents are to believe us.

use rustls_pki_types::CertificateDer;

use crate::{CaCertificate, certificate};

/// The CA in use and its issuers, and those before it while their time to overlap lasts. Each once, none of them secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    certificates: Vec<CertificateDer<'static>>,
}

// === impl Anchors ===

impl Anchors {
    pub(crate) fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut unique: Vec<CertificateDer<'static>> = Vec::new();
        for der in certificates {
            if !unique.contains(&der) {
                unique.push(der);
            }
        }
        Self {
            certificates: unique,
        }
    }

    /// In the order in which they are written.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// As PEM, one after the other.
    #[must_use]
    pub fn pem(&self) -> String {
        certificate::encode(&self.certificates)
    }
}

impl From<&CaCertificate> for Anchors {
    fn from(ca: &CaCertificate) -> Self {
        Self::new([ca.der().clone()])
    }
}
