//! Java's older kind of keystore, as far as trust stores use it: certificates under names, and a digest over all.
//!
//! Layout: magic, version, count, the entries, and SHA-1 over a password, a fixed text and everything before. All numbers are
//! big endian; texts and certificates have their length before them.

use aws_lc_rs::digest;
use rustls_pki_types::CertificateDer;

use super::TRUSTSTORE_PASSWORD;
use super::merge::Merged;

const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const VERSION: u32 = 2;
const TRUSTED: u32 = 2;
const DIGEST: usize = digest::SHA1_OUTPUT_LEN;
/// The text that `sun.security.provider.JavaKeyStore` mixes in.
const WHITENER: &[u8] = b"Mighty Aphrodite";
/// More entries than any store has.
const MAX_ENTRIES: u32 = 10_000;

pub(super) fn is_one(content: &[u8]) -> bool {
    content.starts_with(&MAGIC)
}

/// The store with `certificates` added; its own entries stay as they are, byte for byte.
pub(super) fn add(content: &[u8], certificates: &[CertificateDer<'static>]) -> Merged {
    let Some((entries, held)) = read(content) else {
        return Merged::Unfit("it is not a Java trust store that can be read");
    };
    let missing: Vec<_> = certificates
        .iter()
        .filter(|der| !held.contains(&der.as_ref()))
        .collect();
    if missing.is_empty() {
        return Merged::Already;
    }
    let count = held.len() + missing.len();
    let mut out = Vec::with_capacity(content.len() + 4096);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&length(count));
    out.extend_from_slice(entries);
    for der in missing {
        push(&mut out, der);
    }
    let code = code(&out);
    out.extend_from_slice(code.as_ref());
    Merged::Cover(out)
}

/// The bytes of all entries, and the certificates in them. None when anything but trusted certificates is there: what holds
/// private keys is no trust store.
fn read(content: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let body = content.len().checked_sub(DIGEST)?;
    let mut rest = content.get(..body)?.strip_prefix(&MAGIC)?;
    let (version, count) = (number(&mut rest)?, number(&mut rest)?);
    if version != VERSION || count > MAX_ENTRIES {
        return None;
    }
    let entries = rest;
    let mut held = Vec::new();
    for _ in 0..count {
        if number(&mut rest)? != TRUSTED {
            return None;
        }
        text(&mut rest)?;
        take(&mut rest, 8)?;
        text(&mut rest)?;
        let length = usize::try_from(number(&mut rest)?).ok()?;
        held.push(take(&mut rest, length)?);
    }
    rest.is_empty().then_some((entries, held))
}

fn push(out: &mut Vec<u8>, certificate: &CertificateDer<'_>) {
    let print = digest::digest(&digest::SHA256, certificate);
    let print: String = print
        .as_ref()
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect();
    out.extend_from_slice(&TRUSTED.to_be_bytes());
    push_text(out, &format!("enforcer-{print}"));
    // When it was added does not matter to anybody; the same content makes the same file.
    out.extend_from_slice(&0_u64.to_be_bytes());
    push_text(out, "X.509");
    out.extend_from_slice(&length(certificate.len()));
    out.extend_from_slice(certificate);
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    // Short and ASCII, where modified UTF-8 is the same.
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn code(content: &[u8]) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    for unit in TRUSTSTORE_PASSWORD.encode_utf16() {
        context.update(&unit.to_be_bytes());
    }
    context.update(WHITENER);
    context.update(content);
    context.finish()
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let bytes = take(rest, 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let bytes = take(rest, 2)?;
    take(
        rest,
        usize::from(u16::from_be_bytes(bytes.try_into().ok()?)),
    )
}
