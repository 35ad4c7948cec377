//! Words as keywords are compared: whatever case, script, spelling with digits, or separators they came with.

use std::str;

use crate::chars::{Folded, fold as fold_char};

/// `P@s5-w0rd` as `password`: small ASCII letters, digits that stand for letters read as those, everything that is
/// neither left out.
///
/// Both sides of a comparison go through it, so a `0` that is meant compares well with itself.
#[must_use]
pub fn fold(word: &[u8]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(word.len());
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match fold_char(c) {
                Folded::Nothing => {}
                Folded::Same => folded.extend(letter(c)),
                Folded::Text(bytes, len) => {
                    let bytes = &bytes[..usize::from(len)];
                    folded.extend(bytes.iter().filter_map(|byte| letter(char::from(*byte))));
                }
            }
        }
    }
    folded
}

/// Whether `word` is `keyword` in some disguise.
#[must_use]
pub fn is(word: &[u8], keyword: &str) -> bool {
    // Most words differ in what cannot be disguised.
    word.len() >= keyword.bytes().filter(u8::is_ascii_alphanumeric).count()
        && fold(word) == fold(keyword.as_bytes())
}

/// Whether a text is nothing but ASCII letters, so that [`fold`] only makes them small.
#[must_use]
pub fn is_plain(word: &[u8]) -> bool {
    str::from_utf8(word).is_ok() && word.iter().all(u8::is_ascii_alphabetic)
}

fn letter(c: char) -> Option<u8> {
    let byte = u8::try_from(c).ok()?.to_ascii_lowercase();
    Some(match byte {
        b'0' => b'o',
        b'1' | b'!' | b'|' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        b'8' => b'b',
        b'l' => b'l',
        b'a'..=b'z' | b'2' | b'6' | b'9' => byte,
        _ => return None,
    })
}
