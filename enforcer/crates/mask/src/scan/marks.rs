//! What is frequent in a text, found eight bytes at a time: beginnings of runs of digits, `=` and `:`.

/// How far back something may begin that was not settled: as many digits as are told apart and two bytes more, or most of
/// the longest beginning of a value.
pub(super) const BACK: usize = 40;
/// As many digits as `Shapes` tells apart.
const SETTLED: usize = 15;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// What stands somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// An `=` or `:`.
    Assignment,
    /// The first of a run of digits.
    Digits,
}

/// Tells of each mark at or behind `from`, of each eight bytes together.
#[inline]
pub(super) fn each(text: &[u8], from: usize, mut see: impl FnMut(Mark, usize)) {
    let before = from
        .checked_sub(1)
        .and_then(|index| text.get(index))
        .copied();
    let mut digit = u64::from(before.is_some_and(|byte| byte.is_ascii_digit())) << 7;
    let mut at = from;
    let (blocks, rest) = text.get(from..).unwrap_or_default().as_chunks::<8>();
    let mut tail = [0; 8];
    tail[..rest.len()].copy_from_slice(rest);
    for block in blocks.iter().chain([&tail]) {
        let bytes = u64::from_le_bytes(*block);
        let digits = within::<b'0', b'9'>(bytes);
        let signs = within::<b':', b'='>(bytes);
        let first_digits = digits & !(digits << 8 | digit);
        digit = digits >> 56;
        spread(first_digits, |offset| see(Mark::Digits, at + offset));
        spread(signs, |offset| {
            if matches!(text.get(at + offset), Some(b':' | b'=')) {
                see(Mark::Assignment, at + offset);
            }
        });
        at += 8;
    }
}

/// A run of digits begins at `at`.
pub(super) fn begins_digits(text: &[u8], at: usize) -> bool {
    let digit = |index: usize| text.get(index).is_some_and(u8::is_ascii_digit);
    digit(at) && !at.checked_sub(1).is_some_and(digit)
}

/// What the run of digits at `at` looks like is known from the bytes before `end`.
#[inline]
pub(super) fn settled(text: &[u8], at: usize, end: usize) -> bool {
    let known = text.get(at..end).unwrap_or_default();
    let run = known
        .iter()
        .take(SETTLED)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    // What stands behind the byte behind it counts as well.
    known.len() >= run + 2
}

#[inline]
fn spread(mut marks: u64, mut see: impl FnMut(usize)) {
    while marks != 0 {
        see(place(marks));
        marks &= marks - 1;
    }
}

/// Which byte the lowest mark is of.
#[inline]
const fn place(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// The high bit of each byte that lies between both, which are of ASCII.
#[inline]
const fn within<const LOW: u8, const HIGHEST: u8>(bytes: u64) -> u64 {
    let seven = bytes & !HIGH;
    let from = seven + (0x80 - LOW as u64) * ONES;
    let beyond = seven + (0x7f - HIGHEST as u64) * ONES;
    from & !beyond & !bytes & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &[u8], from: usize) -> Vec<(Mark, usize)> {
        let mut marks = Vec::new();
        for at in from..text.len() {
            if begins_digits(text, at) {
                marks.push((Mark::Digits, at));
            }
            if matches!(text[at], b':' | b'=') {
                marks.push((Mark::Assignment, at));
            }
        }
        marks
    }

    proptest::proptest! {
        #[test]
        fn eight_at_a_time_is_one_at_a_time(text in "[a-zA-Z0-9=:;<@` é\u{e000}-]{0,80}", from in 0usize..80) {
            let from = from.min(text.len());
            let mut marks = Vec::new();
            each(text.as_bytes(), from, |mark, at| marks.push((mark, at)));
            let mut expected = plain(text.as_bytes(), from);
            marks.sort_by_key(|(mark, at)| (*at, *mark as u8));
            expected.sort_by_key(|(mark, at)| (*at, *mark as u8));
            proptest::prop_assert_eq!(marks, expected);
        }
    }
}
