//! How many digits a text begins with.

/// The highest bit of each byte.
const HIGHEST: u64 = u64::MAX / 0xff * 0x80;

/// How many digits `text` begins with, at most `most`: eight are told together, as most runs are shorter than that.
#[inline]
pub(crate) fn digits(text: &[u8], most: usize) -> usize {
    let known = &text[..text.len().min(most)];
    let mut count = 0;
    while let Some(eight) = known[count..].first_chunk() {
        let others = others(u64::from_le_bytes(*eight));
        if others != 0 {
            return count + others.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    let rest = known[count..].iter();
    count + rest.take_while(|byte| byte.is_ascii_digit()).count()
}

/// The highest bits of those bytes that are no digits.
#[inline]
const fn others(bytes: u64) -> u64 {
    let (ones, zeros) = (u64::MAX / 0xff, u64::MAX / 0xff * b'0' as u64);
    // Digits become the numbers that they are; what is greater than nine gets the highest bit, if it has not got it.
    let numbers = bytes ^ zeros;
    let beyond = (numbers & !HIGHEST) + ones * (0x80 - 10);
    (beyond | numbers) & HIGHEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_end_before_any_other_byte() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut text = [b'9'; 20];
                text[at] = byte;
                let more = if byte.is_ascii_digit() { 20 } else { at };
                assert_eq!(digits(&text, 24), more, "{byte} at {at}");
                assert_eq!(digits(&text, 9), more.min(9), "{byte} at {at}");
                assert_eq!(digits(&text[..15], 15), more.min(15), "{byte} at {at}");
            }
        }
    }
}
