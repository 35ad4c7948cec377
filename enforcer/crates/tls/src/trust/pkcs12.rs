//! A Java trust store: certificates in a PKCS#12 file (RFC 7292), each marked as trusted the way Java marks them.
//!
//! The certificates are public, so they lie in the file unencrypted; only the integrity code that Java insists on is keyed by
//! the password. This is a small closed subset of the format, which is why it needs no library.

mod der;
mod mac;
mod read;

use aws_lc_rs::rand;
use rustls_pki_types::CertificateDer;

use crate::TlsError;
pub(super) use read::{Held, certificates};

use der::{Oid, Tag, encode, integer, object, octets, sequence};

/// 1.2.840.113549.1.7.1, RFC 5652 section 4.
const DATA: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// 1.2.840.113549.1.12.10.1.3, RFC 7292 section 4.2.3.
const CERT_BAG: Oid = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03,
];
/// 1.2.840.113549.1.9.22.1, RFC 7292 section 4.2.3.
const X509_CERTIFICATE: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
/// 1.2.840.113549.1.9.20, RFC 2985 section 5.5.1: the alias.
const FRIENDLY_NAME: Oid = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
/// 2.16.840.1.113894.746875.1.1: Oracle's mark of a trusted certificate; without it Java sees an empty store.
const TRUSTED_KEY_USAGE: Oid = &[
    0x60, 0x86, 0x48, 0x01, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 0x01, 0x01,
];
/// 2.5.29.37.0, RFC 5280 section 4.2.1.12.
const ANY_KEY_USAGE: Oid = &[0x55, 0x1d, 0x25, 0x00];

/// All `certificates` as trusted ones, the integrity code keyed by `password`.
pub(super) fn truststore(
    certificates: &[CertificateDer<'static>],
    password: &str,
) -> Result<Vec<u8>, TlsError> {
    let mut salt = [0; mac::SALT];
    rand::fill(&mut salt).map_err(|_| rustls::Error::FailedToGetRandomBytes)?;
    let bags: Vec<_> = certificates
        .iter()
        .enumerate()
        .map(|(index, der)| bag(&format!("root-{index}"), der))
        .collect();
    let contents = sequence(&[&content_info(&sequence(&slices(&bags)))]);
    let code = mac::data(password, &salt, &contents);
    Ok(sequence(&[&integer(&[3]), &content_info(&contents), &code]))
}

/// Bytes as `ContentInfo` of the plain kind.
fn content_info(bytes: &[u8]) -> Vec<u8> {
    sequence(&[&object(DATA), &encode(Tag::Context0, &[&octets(bytes)])])
}

/// One certificate as `SafeBag`.
fn bag(alias: &str, certificate: &[u8]) -> Vec<u8> {
    let certificate = sequence(&[
        &object(X509_CERTIFICATE),
        &encode(Tag::Context0, &[&octets(certificate)]),
    ]);
    let name: Vec<u8> = alias.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let attributes = [
        attribute(FRIENDLY_NAME, &encode(Tag::BmpString, &[&name])),
        attribute(TRUSTED_KEY_USAGE, &object(ANY_KEY_USAGE)),
    ];
    sequence(&[
        &object(CERT_BAG),
        &encode(Tag::Context0, &[&certificate]),
        &encode(Tag::Set, &slices(&attributes)),
    ])
}

fn attribute(kind: Oid, value: &[u8]) -> Vec<u8> {
    sequence(&[&object(kind), &encode(Tag::Set, &[value])])
}

fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
    parts.iter().map(Vec::as_slice).collect()
}
