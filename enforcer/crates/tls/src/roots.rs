//! The public roots: the host's own, or those that browsers trust when the host has none.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::TlsError;
use crate::file::failed;

/// Everything an upstream's certificate may end in.
pub(crate) fn trusted(extra: &[PathBuf]) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    let (added, ignored) = store.add_parsable_certificates(public());
    tracing::info!(
        roots.added = added,
        roots.ignored = ignored,
        "loaded public roots"
    );
    for path in extra {
        for der in from_file(path)? {
            store.add(der).map_err(|_| not_roots(path))?;
        }
    }
    Ok(store)
}

/// The roots of this host, each once.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` of our own environment are honoured: they are how an operator names a corporate bundle.
#[must_use]
pub fn public() -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(error = %error, "could not load some public roots");
    }
    or_built_in(found.certs)
}

/// Each of `certs` once; what browsers trust when there are none.
fn or_built_in(mut certs: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    if certs.is_empty() {
        tracing::warn!("this host has no public roots; using the built-in ones");
        return webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec();
    }
    let mut seen = HashSet::new();
    certs.retain(|der| seen.insert(der.clone()));
    certs
}

fn from_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = fs::read(path).map_err(failed("read", path))?;
    let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certs {
        Ok(certs) if !certs.is_empty() => Ok(certs),
        Ok(_) | Err(_) => Err(not_roots(path)),
    }
}

fn not_roots(path: &Path) -> TlsError {
    TlsError::Unreadable {
        path: path.to_owned(),
        expected: "a PEM file of root certificates",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_roots_gets_the_built_in_ones() {
        let built_in = or_built_in(Vec::new());
        assert!(built_in.len() > 50);
        let (added, ignored) = RootCertStore::empty().add_parsable_certificates(built_in);
        assert!(added > 50 && ignored == 0);
    }

    #[test]
    fn a_root_that_the_host_has_twice_counts_once() {
        let root = webpki_root_certs::TLS_SERVER_ROOT_CERTS[0].clone();
        assert_eq!(or_built_in(vec![root.clone(), root.clone()]), [root]);
    }
}
