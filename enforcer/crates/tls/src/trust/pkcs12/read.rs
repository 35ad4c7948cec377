//! The certificates of a trust store that is not locked, as Java has written its own since version 18.

use rustls_pki_types::CertificateDer;
use x509_parser::asn1_rs::{Any, FromDer, Tag};

use super::{CERT_BAG, DATA, X509_CERTIFICATE};

/// More than any store has.
const MAX: usize = 10_000;

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::trust) enum Held {
    /// These, readable by anybody.
    Certificates(Vec<CertificateDer<'static>>),
    /// Something under a password.
    Locked,
    /// Something else, or keys.
    Other,
}

/// Reads `PFX` of RFC 7292 section 4 down to its certificates. The integrity code is not looked at: it is keyed by a password
/// that everybody knows.
pub(in crate::trust) fn certificates(content: &[u8]) -> Held {
    let Some(parts) = authenticated(content) else {
        return Held::Other;
    };
    let mut certificates = Vec::new();
    for part in parts {
        match safe_contents(part) {
            Part::Bags(bags) => {
                for bag in bags {
                    let Some(certificate) = certificate(bag) else {
                        return Held::Other;
                    };
                    certificates.push(certificate);
                }
            }
            Part::Locked => return Held::Locked,
            Part::Other => return Held::Other,
        }
    }
    Held::Certificates(certificates)
}

enum Part<'a> {
    Bags(Vec<Any<'a>>),
    Locked,
    Other,
}

fn authenticated(content: &[u8]) -> Option<Vec<Any<'_>>> {
    let (_, pfx) = Any::from_der(content).ok()?;
    let fields = children(pfx.data)?;
    let safe = data(fields.get(1)?)?;
    let (_, sequence) = Any::from_der(safe).ok()?;
    children(sequence.data)
}

/// `ContentInfo` with the bags in it, or without a way to see them.
fn safe_contents(part: Any<'_>) -> Part<'_> {
    match data(&part) {
        Some(bytes) => {
            let bags = Any::from_der(bytes).ok();
            bags.and_then(|(_, bags)| children(bags.data))
                .map_or(Part::Other, Part::Bags)
        }
        // `EncryptedData` (RFC 5652 section 8) is the only other kind in use.
        None if part.tag() == Tag::Sequence => Part::Locked,
        None => Part::Other,
    }
}

/// The octets of a `ContentInfo` of the plain kind.
fn data<'a>(info: &Any<'a>) -> Option<&'a [u8]> {
    let fields = children(info.data)?;
    let [kind, wrapped] = fields.as_slice() else {
        return None;
    };
    if kind.data != DATA {
        return None;
    }
    let (_, octets) = Any::from_der(wrapped.data).ok()?;
    (octets.tag() == Tag::OctetString).then_some(octets.data)
}

fn certificate(bag: Any<'_>) -> Option<CertificateDer<'static>> {
    let fields = children(bag.data)?;
    let (kind, value) = (fields.first()?, fields.get(1)?);
    if kind.data != CERT_BAG {
        return None;
    }
    let (_, bag) = Any::from_der(value.data).ok()?;
    let fields = children(bag.data)?;
    let (kind, value) = (fields.first()?, fields.get(1)?);
    if kind.data != X509_CERTIFICATE {
        return None;
    }
    let (_, octets) = Any::from_der(value.data).ok()?;
    Some(CertificateDer::from(octets.data.to_vec()))
}

/// The values that stand one after the other in `content`; none when anything else is there.
fn children(content: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut rest = content;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (left, value) = Any::from_der(rest).ok()?;
        if all.len() >= MAX {
            return None;
        }
        all.push(value);
        rest = left;
    }
    Some(all)
}
