//! What stands in sixty-four bytes, one bit a byte, so that most of a text is passed over by the block.

use wide::u8x16;

/// As many bytes as a word has bits.
pub(super) const BYTES: usize = 64;

/// Where in sixty-four bytes which sort of byte stands; the first byte's is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Backslashes.
    pub(super) back: u64,
    pub(super) blank: u64,
    pub(super) dash: u64,
    pub(super) digit: u64,
    /// `_` and `.`.
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
    #[inline]
    pub(super) fn of(bytes: &[u8; BYTES]) -> Self {
        let mut all = Self::default();
        let (parts, _) = bytes.as_chunks::<16>();
        for (part, by) in parts.iter().zip([0, 16, 32, 48]) {
            all.add(u8x16::new(*part), by);
        }
        all
    }

    /// Of what stands in the sixty-four bytes before `at`; the last of them has the highest bit.
    pub(super) fn before(text: &[u8], at: usize) -> Self {
        let mut bytes = [0; BYTES];
        let known = at.min(BYTES);
        bytes[BYTES - known..].copy_from_slice(&text[at - known..at]);
        Self::of(&bytes)
    }

    #[inline]
    fn add(&mut self, bytes: u8x16, by: u32) {
        let sorts = |sort: u8x16| u64::from(sort.to_bitmask()) << by;
        let capital = u8x16::splat(0x20);
        let (digit, letter) = (
            within(bytes, b'0', b'9'),
            within(bytes | capital, b'a', b'z'),
        );
        let (solid, under, equals) = (letter | digit, is(bytes, b'_'), is(bytes, b'='));
        let others = within(bytes, b'-', b'/') | under | equals | is(bytes, b'+');
        self.back |= sorts(is(bytes, b'\\'));
        self.blank |= sorts(is(bytes, b' '));
        self.dash |= sorts(is(bytes, b'-'));
        self.digit |= sorts(digit);
        self.joint |= sorts(under | is(bytes, b'.'));
        self.sign |= sorts(is(bytes, b':') | equals | is(bytes, b'@'));
        self.small |= sorts(letter & (bytes & capital).simd_eq(capital));
        self.solid |= sorts(solid);
        self.token |= sorts(solid | others);
    }
}

#[inline]
fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

/// Between both, which belong to it.
#[inline]
fn within(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    let above = bytes - u8x16::splat(first);
    above.min(u8x16::splat(last - first)).simd_eq(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte after byte.
    fn plain(bytes: &[u8; BYTES]) -> Block {
        let places = |sort: fn(u8) -> bool| {
            let own = (0..).zip(bytes).filter(|(_, byte)| sort(**byte));
            own.fold(0, |mask, (place, _)| mask | 1 << place)
        };
        Block {
            back: places(|byte| byte == b'\\'),
            blank: places(|byte| byte == b' '),
            dash: places(|byte| byte == b'-'),
            digit: places(|byte| byte.is_ascii_digit()),
            joint: places(|byte| matches!(byte, b'_' | b'.')),
            sign: places(|byte| matches!(byte, b':' | b'=' | b'@')),
            small: places(|byte| byte.is_ascii_lowercase()),
            solid: places(|byte| byte.is_ascii_alphanumeric()),
            token: places(|byte| byte.is_ascii_alphanumeric() || b"_-.+/=".contains(&byte)),
        }
    }

    #[test]
    fn every_byte_is_of_its_sorts() {
        for byte in 0..=u8::MAX {
            for place in 0..BYTES {
                let mut bytes = [0; BYTES];
                bytes[place] = byte;
                assert_eq!(Block::of(&bytes), plain(&bytes), "{byte} at {place}");
            }
        }
    }

    #[test]
    fn the_byte_before_has_the_highest_bit() {
        assert_eq!(Block::before(b"a-b", 2).dash, 1 << 63);
        assert_eq!(Block::before(&[b'-'; 100], 90).dash, u64::MAX);
        assert_eq!(Block::before(b"a", 0), Block::default());
    }
}
