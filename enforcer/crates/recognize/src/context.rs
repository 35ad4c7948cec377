//! Words that tell of a value: before it, or in the name of the field that holds it.

use crate::Look;

/// How far before a value words count.
const NEAR: usize = 64;

/// Words that tell of one kind of value, in small letters. A blank in one also stands for `_`, `-`, `.` or nothing, so that
/// `social security` is found in `socialSecurityNumber`. A word begins and ends where letters do, or where capitals show it.
pub(crate) struct Words {
    list: &'static [&'static str],
    /// By the first letter's five bits, one bit a letter with which they go on: most words of a text begin otherwise.
    begin: [u32; 32],
    /// Likewise, one bit for each of them.
    of: [u64; 32],
}

impl Words {
    pub(crate) const fn new(list: &'static [&'static str]) -> Self {
        assert!(list.len() <= 64, "there is a bit for each");
        let (mut begin, mut of) = ([0; 32], [0; 32]);
        let mut next = 0;
        while next < list.len() {
            match list[next].as_bytes() {
                // A blank may also be left out.
                [first, b' ', ..] | [first] => begin[place(*first)] = u32::MAX,
                [first, second, ..] => begin[place(*first)] |= 1 << place(*second),
                [] => {}
            }
            if let Some(first) = list[next].as_bytes().first() {
                of[place(*first)] |= 1 << next;
            }
            next += 1;
        }
        Self { list, begin, of }
    }

    /// One of them stands at `at`, where one may begin.
    #[inline]
    fn stand(&self, near: &[u8], at: usize) -> bool {
        let second = near.get(at + 1).copied().unwrap_or_default();
        let first = place(near[at]);
        if self.begin[first] >> place(second) & 1 == 0 {
            return false;
        }
        ones(self.of[first]).any(|word| {
            let end = spelt(&near[at..], self.list[word].as_bytes());
            end.is_some_and(|end| ends(near, at + end))
        })
    }
}

/// The same of capitals and small letters.
const fn place(letter: u8) -> usize {
    (letter & 31) as usize
}

/// Whether one of `words` stands in the 64 bytes before where the detector was woken, or names the field.
pub(crate) fn told(look: &Look<'_>, start: usize, words: &Words) -> bool {
    let from = look.at.saturating_sub(NEAR);
    if says(&look.text[from.min(start)..start], words) {
        return true;
    }
    look.field.is_some_and(|field| {
        words
            .list
            .iter()
            .any(|word| names(field.as_bytes(), word.as_bytes()))
    })
}

/// One of the words is in the text.
fn says(near: &[u8], words: &Words) -> bool {
    let mut before = 0;
    for (from, part) in (0..).step_by(NEAR).zip(near.chunks(NEAR)) {
        for (from, flags) in (from..).step_by(8).zip(begun(part, before).as_chunks().0) {
            let mut begun = ones(u64::from_le_bytes(*flags));
            if begun.any(|bit| words.stand(near, from + bit / 8)) {
                return true;
            }
        }
        before = part[part.len() - 1];
    }
    false
}

/// Where words may begin in some bytes behind `before`, a one for each: told without branches, so that it compiles to
/// vectors.
fn begun(part: &[u8], before: u8) -> [u8; NEAR] {
    let mut known = [0; NEAR + 1];
    known[0] = before;
    known[1..=part.len()].copy_from_slice(part);
    let mut begun = [0; NEAR];
    for (begun, [before, byte]) in begun.iter_mut().zip(known.array_windows()) {
        let inner = before.is_ascii_uppercase()
            | (before.is_ascii_lowercase() & !byte.is_ascii_uppercase());
        *begun = u8::from(!inner & (*byte >= b'A'));
    }
    begun
}

/// The places of bits that are set.
#[inline]
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        first
    })
}

/// The name, in small letters, begins or ends with the word, or has it as one of its parts.
fn names(field: &[u8], word: &[u8]) -> bool {
    (0..field.len()).any(|at| {
        spelt(&field[at..], word).is_some_and(|length| {
            let end = at + length;
            let (begins, ends) = (begins(field, at), ends(field, end));
            (begins && ends)
                || (length > 2 && ((begins && at == 0) || (ends && end == field.len())))
        })
    })
}

/// How many bytes the word takes at the beginning of the text.
fn spelt(text: &[u8], word: &[u8]) -> Option<usize> {
    let mut at = 0;
    for letter in word {
        if *letter == b' ' {
            at += usize::from(matches!(text.get(at), Some(b' ' | b'_' | b'-' | b'.')));
        } else if text.get(at)?.eq_ignore_ascii_case(letter) {
            at += 1;
        } else {
            return None;
        }
    }
    Some(at)
}

fn begins(text: &[u8], at: usize) -> bool {
    match at.checked_sub(1).map(|before| text[before]) {
        Some(before) if before.is_ascii_lowercase() => text[at].is_ascii_uppercase(),
        Some(before) => !before.is_ascii_uppercase(),
        None => true,
    }
}

fn ends(text: &[u8], end: usize) -> bool {
    match text.get(end) {
        Some(b's') => !text.get(end + 1).is_some_and(u8::is_ascii_alphabetic),
        Some(next) if next.is_ascii_uppercase() => end > 0 && text[end - 1].is_ascii_lowercase(),
        Some(next) => !next.is_ascii_lowercase(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_however_they_are_joined() {
        for text in [
            "social security: ",
            "{\"socialSecurityNumber\": \"",
            "SOCIAL_SECURITY=",
            "my social-security is ",
        ] {
            assert!(
                says(text.as_bytes(), &Words::new(&["social security"])),
                "{text}"
            );
        }
        assert!(says(b"the SSNs are", &Words::new(&["ssn"])));
        assert!(says(b"userSsn=", &Words::new(&["ssn"])));
        for text in ["business number", "ssnake", "antisocial security"] {
            assert!(!says(text.as_bytes(), &Words::new(&["ssn"])), "{text}");
            assert!(
                !says(text.as_bytes(), &Words::new(&["social security"])),
                "{text}"
            );
        }
    }

    #[test]
    fn names_of_fields_are_read_at_their_ends_too() {
        for field in ["ssn", "customerssn", "user_ssn_hash", "ssnnumber"] {
            assert!(names(field.as_bytes(), b"ssn"), "{field}");
        }
        assert!(!names(b"businessname", b"ssn"));
        assert!(names(b"date-of-birth", b"date of birth"));
    }
}
