//! Characters that a terminal acts on instead of showing.

/// Whether printing `c` could move the cursor, start an escape sequence, reorder the text around it, or hide in it.
///
/// C0 and C1 controls and DEL; line and paragraph separators; bidirectional controls (UAX #9), which reorder what stands
/// beside them; zero-width and other invisible format characters, tags and variation selectors, which hide text.
pub(crate) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Writes `c` as JSON's `\uXXXX`, as a surrogate pair where it takes one.
pub(crate) fn escape(c: char, mut write: impl FnMut(&[u8])) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for unit in c.encode_utf16(&mut [0; 2]) {
        let nibble = |shift: u16| HEX[usize::from((*unit >> shift) & 0xf)];
        write(&[b'\\', b'u', nibble(12), nibble(8), nibble(4), nibble(0)]);
    }
}

/// `text` with every hostile character made visible as `\uXXXX`.
pub(crate) fn neutral(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) {
            escape(c, |bytes| {
                shown.extend(bytes.iter().map(|b| char::from(*b)));
            });
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_reorders_or_hides_is_hostile() {
        for c in [
            '\0',
            '\u{7}',
            '\n',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            assert!(is_hostile(c), "{c:?}");
        }
    }

    #[test]
    fn what_is_only_shown_is_not() {
        for c in [' ', '~', '"', 'é', 'ß', '漢', 'א', 'ا', '…', '€', '😀'] {
            assert!(!is_hostile(c), "{c:?}");
        }
    }

    #[test]
    fn hostile_characters_become_json_escapes() {
        assert_eq!(
            neutral("a\u{1b}[1mé\u{202e}\u{e0041}"),
            "a\\u001b[1mé\\u202e\\udb40\\udc41"
        );
    }
}
