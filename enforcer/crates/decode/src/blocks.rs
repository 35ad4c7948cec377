//! What sixty-four bytes of a text are, a bit each.

use wide::u8x16;

/// So many bytes are told at once.
pub(crate) const BLOCK: usize = 64;

/// A bit for each byte of the sort that `of` tells, the lowest for the first.
#[inline(always)]
fn bits(block: &[u8; BLOCK], of: impl Fn(u8x16) -> u8x16) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let [one, two, three, four] = parts else {
        return 0;
    };
    let told = |part: &[u8; 16]| u64::from(of(u8x16::new(*part)).to_bitmask());
    told(one) | told(two) << 16 | told(three) << 32 | told(four) << 48
}

/// Digits of any alphabet.
#[inline]
pub(crate) fn digits(block: &[u8; BLOCK]) -> u64 {
    bits(block, |bytes| {
        let special = is(bytes, b'+') | is(bytes, b'-') | is(bytes, b'_');
        within(bytes | u8x16::splat(0x20), b'a', b'z') | within(bytes, b'/', b'9') | special
    })
}

/// What a character that stands for another begins with; `plus` does as well.
#[inline]
pub(crate) fn escapes(block: &[u8; BLOCK], plus: u8) -> u64 {
    bits(block, |bytes| {
        let beyond = within(bytes, 0x80, 0xff);
        let signs = within(bytes, b'%', b'&') | is(bytes, b'\\') | is(bytes, b'=');
        beyond | signs | is(bytes, plus)
    })
}

/// Letters and digits of ASCII.
#[inline]
pub(crate) fn words(block: &[u8; BLOCK]) -> u64 {
    bits(block, |bytes| {
        within(bytes | u8x16::splat(0x20), b'a', b'z') | within(bytes, b'0', b'9')
    })
}

/// Bytes from `first` to `last`, in either case of letters.
#[inline]
pub(crate) fn range(block: &[u8; BLOCK], first: u8, last: u8) -> u64 {
    bits(block, |bytes| {
        within(bytes | u8x16::splat(0x20), first, last)
    })
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

/// At most 64 bytes as 64, zeros behind.
pub(crate) fn padded(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::is_digit;

    #[test]
    fn every_byte_is_of_its_sort() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut block = [b' '; BLOCK];
                block[place] = byte;
                let told = |is: bool| u64::from(is) << place;
                assert_eq!(digits(&block), told(is_digit(byte)), "{byte} at {place}");
                let escape = byte >= 0x80 || b"%&\\=+".contains(&byte);
                assert_eq!(escapes(&block, b'+'), told(escape), "{byte} at {place}");
                let word = byte.is_ascii_alphanumeric();
                assert_eq!(words(&block), told(word), "{byte} at {place}");
            }
        }
    }
}
