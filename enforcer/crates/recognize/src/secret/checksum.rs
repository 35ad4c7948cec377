//! Checksums that vendors put into their tokens.

use crc32fast::hash;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The last six bytes are the CRC-32 of what is before them, in base 62: GitHub's and npm's way.
pub(super) fn base62(body: &[u8]) -> bool {
    let Some((drawn, sum)) = body.split_last_chunk::<6>() else {
        return false;
    };
    let mut left = hash(drawn);
    let mut expected = [b'0'; 6];
    for place in expected.iter_mut().rev() {
        *place = BASE62[(left % 62) as usize];
        left /= 62;
    }
    *sum == expected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_proves_itself() {
        // The one that GitHub's own announcement shows, long revoked.
        let body = ["zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
        assert!(base62(body.as_bytes()));
        assert!(!base62(body.replace('z', "y").as_bytes()));
        assert!(!base62(b"0mLq1"));
    }
}
