//! The integrity code of a PKCS#12 file (RFC 7292 section 4 and appendix B): HMAC-SHA-256 under a key derived from the password.

use aws_lc_rs::{digest, hmac};

use super::der::{Oid, Tag, encode, integer, object, octets, sequence};

pub(super) const SALT: usize = 20;

/// 2.16.840.1.101.3.4.2.1, RFC 5754 section 2.2.
const SHA256: Oid = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// What Java itself writes. The password is no secret; more would only cost time.
const ITERATIONS: u16 = 10_000;
/// Appendix B.3: the purpose of a key for integrity.
const PURPOSE: u8 = 3;
/// The block size of SHA-256.
const BLOCK: usize = 64;

/// The `MacData` over `contents`.
pub(super) fn data(password: &str, salt: &[u8], contents: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, derive(password, salt).as_ref());
    let code = hmac::sign(&key, contents);
    let algorithm = sequence(&[&object(SHA256), &encode(Tag::Null, &[])]);
    sequence(&[
        &sequence(&[&algorithm, &octets(code.as_ref())]),
        &octets(salt),
        &integer(&ITERATIONS.to_be_bytes()),
    ])
}

/// Appendix B.2 for one block of output, which is as long as the key.
fn derive(password: &str, salt: &[u8]) -> digest::Digest {
    let password: Vec<u8> = password
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_be_bytes)
        .collect();
    let mut first = digest::Context::new(&digest::SHA256);
    first.update(&[PURPOSE; BLOCK]);
    first.update(&repeat_to_block(salt));
    first.update(&repeat_to_block(&password));
    (1..ITERATIONS).fold(first.finish(), |hash, _| {
        digest::digest(&digest::SHA256, hash.as_ref())
    })
}

/// The bytes over and over until whole blocks are full.
fn repeat_to_block(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().next_multiple_of(BLOCK);
    bytes.iter().copied().cycle().take(length).collect()
}
