//! What sixty-four bytes of a text are, a bit each, so that most of a text is passed over by the block.

use wide::i8x16;

/// So many bytes are told at once: as many as a word has bits.
pub const BLOCK: usize = 64;

/// Some bytes of a block, and of sorts of bytes those that are of one.
pub type Bytes = i8x16;

/// A bit for each byte of the sort that `of` tells, the lowest for the first.
#[inline(always)]
pub fn bits(block: &[u8; BLOCK], of: impl Fn(Bytes) -> Bytes) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let [one, two, three, four] = parts else {
        return 0;
    };
    let told = |part: &[u8; 16]| {
        let bytes = i8x16::new(part.map(u8::cast_signed));
        u64::from(of(bytes).to_bitmask() as u16)
    };
    told(one) | told(two) << 16 | told(three) << 32 | told(four) << 48
}

/// Those that are this byte.
#[inline(always)]
pub fn is(bytes: Bytes, byte: u8) -> Bytes {
    bytes.simd_eq(i8x16::splat(byte.cast_signed()))
}

/// Those between both, which belong to it.
#[inline(always)]
pub fn within(bytes: Bytes, first: u8, last: u8) -> Bytes {
    // The last becomes the greatest number with a sign, so that one comparison tells.
    let to = i8::MAX.wrapping_sub(last.cast_signed());
    let below = i8::MAX
        .wrapping_sub((last - first).cast_signed())
        .wrapping_sub(1);
    (bytes + i8x16::splat(to)).simd_gt(i8x16::splat(below))
}

/// Letters of ASCII, capitals as well as small ones.
#[inline(always)]
fn letters(bytes: Bytes) -> Bytes {
    within(bytes | i8x16::splat(0x20), b'a', b'z')
}

/// Digits of any alphabet.
#[inline]
pub(crate) fn digits(block: &[u8; BLOCK]) -> u64 {
    bits(block, |bytes| {
        let special = is(bytes, b'+') | is(bytes, b'-') | is(bytes, b'_');
        letters(bytes) | within(bytes, b'/', b'9') | special
    })
}

/// What a character that stands for another begins with; `plus` does as well.
#[inline]
pub(crate) fn escapes(block: &[u8; BLOCK], plus: u8) -> u64 {
    bits(block, |bytes| {
        let signs = within(bytes, b'%', b'&') | is(bytes, b'\\') | is(bytes, b'=');
        // What is beyond ASCII has the highest bit, which is all that counts.
        bytes | signs | is(bytes, plus)
    })
}

/// Letters and digits of ASCII.
#[inline]
pub(crate) fn words(block: &[u8; BLOCK]) -> u64 {
    bits(block, |bytes| letters(bytes) | within(bytes, b'0', b'9'))
}

/// Bytes from `first` to `last`, in either case of letters.
#[inline]
pub(crate) fn range(block: &[u8; BLOCK], first: u8, last: u8) -> u64 {
    bits(block, |bytes| {
        within(bytes | i8x16::splat(0x20), first, last)
    })
}

/// At most 64 bytes as 64, zeros behind.
#[must_use]
pub fn padded(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::is_digit;

    #[test]
    fn what_is_between_is_told_of_every_byte() {
        for (first, last) in [(b'0', b'9'), (b'-', b'.'), (0x80, 0xff), (0, 0x7f), (7, 7)] {
            for byte in 0..=u8::MAX {
                let told = bits(&[byte; BLOCK], |bytes| within(bytes, first, last));
                let all = u64::from((first..=last).contains(&byte)) * u64::MAX;
                assert_eq!(told, all, "{byte} from {first} to {last}");
            }
        }
    }

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
