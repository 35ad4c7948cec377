//! A store as it is, with our certificates beside what it held.

use std::collections::HashSet;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::find::Kind;
use super::{Anchors, TRUSTSTORE_PASSWORD, jks, pkcs12};
use crate::TlsError;

/// What came of adding to a store.
#[derive(Debug, PartialEq, Eq)]
pub enum Merged {
    /// It believes us already.
    Already,
    /// What is to lie over it.
    Cover(Vec<u8>),
    /// It is no trust store, or none that can be read; the text says what is wrong.
    Unfit(&'static str),
}

/// Adds `anchors` to the content of a store. Where a keystore is locked with a password that nobody told us, `roots` stand in
/// for what it holds.
///
/// # Errors
/// When there is no randomness.
pub fn merge(
    kind: Kind,
    content: &[u8],
    anchors: &Anchors,
    roots: &[CertificateDer<'static>],
) -> Result<Merged, TlsError> {
    match kind {
        Kind::Bundle => Ok(bundle(content, anchors)),
        Kind::Keystore => keystore(content, anchors, roots),
    }
}

/// The certificates of a PEM bundle that can be read.
#[must_use]
pub fn certificates(content: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(content)
        .filter_map(Result::ok)
        .collect()
}

fn bundle(content: &[u8], anchors: &Anchors) -> Merged {
    let known = certificates(content);
    if known.is_empty() && !content.trim_ascii().is_empty() {
        return Merged::Unfit("it holds no certificate");
    }
    let known: HashSet<&[u8]> = known.iter().map(AsRef::as_ref).collect();
    let missing: Vec<_> = anchors
        .certificates()
        .iter()
        .filter(|der| !known.contains(der.as_ref()))
        .collect();
    if missing.is_empty() {
        return Merged::Already;
    }
    let mut cover = content.to_vec();
    if !cover.is_empty() && !cover.ends_with(b"\n") {
        cover.push(b'\n');
    }
    cover.extend_from_slice(crate::certificate::encode(missing).as_bytes());
    Merged::Cover(cover)
}

fn keystore(
    content: &[u8],
    anchors: &Anchors,
    roots: &[CertificateDer<'static>],
) -> Result<Merged, TlsError> {
    if jks::is_one(content) {
        return Ok(jks::add(content, anchors.certificates()));
    }
    let held = match pkcs12::certificates(content) {
        pkcs12::Held::Certificates(held) => held,
        pkcs12::Held::Locked => roots.to_vec(),
        pkcs12::Held::Other => return Ok(Merged::Unfit("it is no Java trust store")),
    };
    let ours = anchors.certificates();
    if ours.iter().all(|der| held.contains(der)) {
        return Ok(Merged::Already);
    }
    let missing = ours.iter().filter(|der| !held.contains(der)).cloned();
    let all: Vec<_> = held.iter().cloned().chain(missing).collect();
    Ok(Merged::Cover(pkcs12::truststore(
        &all,
        TRUSTSTORE_PASSWORD,
    )?))
}
