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

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected key is what `openssl kdf … PKCS12KDF` gives for the same input.
    #[test]
    fn the_key_is_the_one_that_others_derive() {
        let salt: Vec<u8> = (0..20).collect();
        let expected = [
            0x02, 0xd1, 0x6b, 0xf7, 0x6b, 0x59, 0xe7, 0xb5, 0x22, 0x3e, 0x88, 0xe6, 0xbe, 0xa5,
            0x0e, 0x80, 0xab, 0x07, 0xfd, 0x77, 0x6a, 0xb3, 0x02, 0xda, 0xf4, 0x68, 0x00, 0xc6,
            0x0e, 0x87, 0xe0, 0xb3,
        ];
        assert_eq!(derive("changeit", &salt).as_ref(), expected);
    }
}
