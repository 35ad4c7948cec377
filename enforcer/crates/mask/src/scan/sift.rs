//! One look at a short text that tells what can be in it at all: most values of a body are words and small numbers, and
//! getting ready to look for anything takes longer than they do.

/// A first look at longer texts is not worth it.
pub(crate) const BRIEF: usize = 256;
/// Fewer bytes on end are neither a token nor digits that say something.
const LONG: usize = 15;
/// Fewer bytes are no pairs of hexadecimal digits that say something: eight, with one byte between them.
const PAIRS: usize = 8 * 3 - 1;

const DIGIT: u8 = 1;
/// `=` and `:`.
const SIGN: u8 = 1 << 1;
/// What rare values are found by: `@`, and the first bytes of `://` and `-----BEGIN`.
const RARE: u8 = 1 << 2;
/// May stand for something else.
const CODED: u8 = 1 << 3;
/// Belongs to a token, or is a digit of some alphabet.
const RUN: u8 = 1 << 4;
const BRACKET: u8 = 1 << 5;

static SORTS: [u8; 256] = sorts();

/// What a short text has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sift {
    sorts: u8,
    run: usize,
    bytes: usize,
}

impl Sift {
    #[inline]
    pub(crate) fn of(text: &[u8]) -> Self {
        let (mut sorts, mut run, mut longest) = (0, 0, 0);
        if text.len() < LONG {
            return Self {
                sorts: text
                    .iter()
                    .fold(0, |all, byte| all | SORTS[usize::from(*byte)]),
                run: 0,
                bytes: text.len(),
            };
        }
        for byte in text {
            let sort = SORTS[usize::from(*byte)];
            sorts |= sort;
            run = if sort & RUN == 0 { 0 } else { run + 1 };
            longest = run.max(longest);
        }
        Self {
            sorts,
            run: longest,
            bytes: text.len(),
        }
    }

    /// Something may be found.
    pub(super) const fn is_telling(self) -> bool {
        self.sorts & !RUN != 0 || self.run >= LONG
    }

    /// Something may be under encodings.
    pub(crate) const fn coded(self) -> bool {
        self.sorts & CODED != 0
            || self.run >= LONG
            || self.sorts & DIGIT != 0 && self.bytes >= PAIRS
    }

    /// A token of ours may stand there.
    pub(crate) const fn bracket(self) -> bool {
        self.sorts & BRACKET != 0
    }
}

const fn sorts() -> [u8; 256] {
    let mut all = [0; 256];
    let mut byte = 0_u8;
    loop {
        all[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT | RUN,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b'/' => RUN,
            b'=' => SIGN | CODED | RUN,
            b':' => SIGN | RARE,
            b'-' => RARE | RUN,
            b'@' => RARE,
            b'+' => CODED | RUN,
            b'%' | b'&' | b'\\' | 0x80.. => CODED,
            b'[' => BRACKET,
            _ => 0,
        };
        if byte == u8::MAX {
            return all;
        }
        byte += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// What is not coded has nothing under it, as who takes encodings off says.
        #[test]
        fn nothing_is_under_what_is_not_coded(text in "([a-z2-7+/%&=:, -]{0,4}|6[0-9a-f][ :,]|[A-Za-z0-9]{1,16}| |é|\\PC){0,24}") {
            if !Sift::of(text.as_bytes()).coded() {
                let mut decoder = enforcer_decode::Decoder::new(&enforcer_decode::Limits::default());
                let mut shown = false;
                decoder.push(text.as_bytes(), true, &mut |_| shown = true);
                proptest::prop_assert!(!shown, "{}", text);
            }
        }
    }
}
