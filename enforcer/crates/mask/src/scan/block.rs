//! Which sorts of bytes stand in sixty-four bytes that wake detectors, or say that none can be woken.

use enforcer_decode::blocks::{BLOCK, bits, is, within};

/// Where in sixty-four bytes which sort of byte stands; the first byte's is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Backslashes.
    pub(super) back: u64,
    pub(super) blank: u64,
    pub(super) digit: u64,
    /// `_`, `-` and `.`.
    pub(super) joint: u64,
    /// `:`, `=` and `@`.
    pub(super) sign: u64,
    /// Small letters of ASCII.
    pub(super) small: u64,
    /// Letters and digits of ASCII.
    pub(super) solid: u64,
    /// What tokens are made of.
    pub(super) token: u64,
}

impl Block {
    #[inline(always)]
    pub(super) fn of(bytes: &[u8; BLOCK]) -> Self {
        let digit = bits(bytes, |byte| within(byte, b'0', b'9'));
        let small = bits(bytes, |byte| within(byte, b'a', b'z'));
        let capital = bits(bytes, |byte| within(byte, b'A', b'Z'));
        let joint = bits(bytes, |byte| within(byte, b'-', b'.') | is(byte, b'_'));
        let others = bits(bytes, |byte| {
            is(byte, b'+') | is(byte, b'/') | is(byte, b'=')
        });
        let solid = digit | small | capital;
        Self {
            back: bits(bytes, |byte| is(byte, b'\\')),
            blank: bits(bytes, |byte| is(byte, b' ')),
            digit,
            joint,
            sign: bits(bytes, |byte| {
                is(byte, b':') | is(byte, b'=') | is(byte, b'@')
            }),
            small,
            solid,
            token: solid | joint | others,
        }
    }

    /// Of what stands in the sixty-four bytes before `at`; the last of them has the highest bit.
    pub(super) fn before(text: &[u8], at: usize) -> Self {
        let mut bytes = [0; BLOCK];
        let known = at.min(BLOCK);
        bytes[BLOCK - known..].copy_from_slice(&text[at - known..at]);
        Self::of(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte after byte.
    fn plain(bytes: &[u8; BLOCK]) -> Block {
        let places = |sort: fn(u8) -> bool| {
            let own = (0..).zip(bytes).filter(|(_, byte)| sort(**byte));
            own.fold(0, |mask, (place, _)| mask | 1 << place)
        };
        Block {
            back: places(|byte| byte == b'\\'),
            blank: places(|byte| byte == b' '),
            digit: places(|byte| byte.is_ascii_digit()),
            joint: places(|byte| matches!(byte, b'_' | b'-' | b'.')),
            sign: places(|byte| matches!(byte, b':' | b'=' | b'@')),
            small: places(|byte| byte.is_ascii_lowercase()),
            solid: places(|byte| byte.is_ascii_alphanumeric()),
            token: places(|byte| byte.is_ascii_alphanumeric() || b"_-.+/=".contains(&byte)),
        }
    }

    #[test]
    fn every_byte_is_of_its_sorts() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut bytes = [0; BLOCK];
                bytes[place] = byte;
                assert_eq!(Block::of(&bytes), plain(&bytes), "{byte} at {place}");
            }
        }
    }

    #[test]
    fn the_byte_before_has_the_highest_bit() {
        assert_eq!(Block::before(b"a-b", 2).joint, 1 << 63);
        assert_eq!(Block::before(&[b'-'; 100], 90).joint, u64::MAX);
        assert_eq!(Block::before(b"a", 0), Block::default());
    }
}
