//! What a value is hidden under: each a function from the value to a text that a receiver can take back.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{NO_PAD, PAD};

/// From a value to a text that hides it.
pub(super) type Veil = fn(&str) -> String;

pub(super) fn plain(value: &str) -> String {
    value.to_owned()
}

pub(super) fn base64(value: &str) -> String {
    GeneralPurpose::new(&STANDARD, PAD).encode(value)
}

pub(super) fn base64_of_urls(value: &str) -> String {
    GeneralPurpose::new(&URL_SAFE, NO_PAD).encode(format!("?>~ {value} ?>~"))
}

pub(super) fn base64_unpadded(value: &str) -> String {
    GeneralPurpose::new(&STANDARD, NO_PAD).encode(value)
}

/// The value begins within a group, and other text is round it.
pub(super) fn base64_shifted(value: &str) -> String {
    base64(&format!("x the word is {value}, and so on"))
}

pub(super) fn base64_in_lines(value: &str) -> String {
    let whole = base64(&format!("the word is {value}, and so on"));
    let lines = whole.as_bytes().chunks(24);
    let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
    lines.join("\r\n")
}

pub(super) fn base64_thrice(value: &str) -> String {
    base64(&base64(&base64(value)))
}

pub(super) fn base64_of_hex(value: &str) -> String {
    base64(&hex(value))
}

pub(super) fn hex_of_base64(value: &str) -> String {
    hex(&base64(value))
}

pub(super) fn base32(value: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut out, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in value.bytes() {
        (held, bits) = ((held << 8) | u32::from(byte), bits + 8);
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    while out.len() % 8 > 0 {
        out.push('=');
    }
    out
}

pub(super) fn hex(value: &str) -> String {
    value.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn hex_in_capitals(value: &str) -> String {
    hex(value).to_uppercase()
}

pub(super) fn hex_with_colons(value: &str) -> String {
    joined(value, ":", |byte| format!("{byte:02x}"))
}

pub(super) fn hex_with_blanks(value: &str) -> String {
    joined(value, " ", |byte| format!("{byte:02x}"))
}

pub(super) fn hex_of_c(value: &str) -> String {
    joined(value, "", |byte| format!("\\x{byte:02x}"))
}

pub(super) fn percent(value: &str) -> String {
    joined(value, "", |byte| format!("%{byte:02X}"))
}

pub(super) fn percent_twice(value: &str) -> String {
    percent(value).replace('%', "%25")
}

pub(super) fn percent_thrice(value: &str) -> String {
    percent_twice(value).replace('%', "%25")
}

pub(super) fn percent_of_scripts(value: &str) -> String {
    joined(value, "", |byte| format!("%u{byte:04x}"))
}

pub(super) fn quoted_printable(value: &str) -> String {
    joined(value, "", |byte| format!("={byte:02X}"))
}

pub(super) fn entities(value: &str) -> String {
    joined(value, "", |byte| format!("&#{byte};"))
}

pub(super) fn entities_in_hex(value: &str) -> String {
    joined(value, "", |byte| format!("&#x{byte:x};"))
}

/// To be put into JSON as it is.
pub(super) fn escapes(value: &str) -> String {
    joined(value, "", |byte| format!("\\u{byte:04x}"))
}

/// What a JSON text within a JSON text has.
pub(super) fn escapes_twice(value: &str) -> String {
    escapes(value).replace('\\', "\\\\")
}

pub(super) fn homoglyphs(value: &str) -> String {
    let look_alike = |letter| match letter {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        'y' => 'у',
        'A' => 'А',
        'B' => 'В',
        'E' => 'Е',
        'K' => 'К',
        'T' => 'Т',
        other => other,
    };
    value.chars().map(look_alike).collect()
}

pub(super) fn full_width(value: &str) -> String {
    let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter);
    value.chars().map(wide).collect()
}

pub(super) fn mathematical(value: &str) -> String {
    let bold = |letter: char| {
        let from = |first: char, place: u32| char::from_u32(place + letter as u32 - first as u32);
        let bold = match letter {
            'a'..='z' => from('a', 0x1d41a),
            'A'..='Z' => from('A', 0x1d400),
            '0'..='9' => from('0', 0x1d7ce),
            _ => None,
        };
        bold.unwrap_or(letter)
    };
    value.chars().map(bold).collect()
}

pub(super) fn zero_width(value: &str) -> String {
    between(value, "\u{200b}")
}

pub(super) fn soft_hyphens(value: &str) -> String {
    between(value, "\u{ad}")
}

pub(super) fn marks_of_direction(value: &str) -> String {
    between(value, "\u{2066}\u{2069}")
}

/// In characters that nobody sees, behind one that is seen.
pub(super) fn tags(value: &str) -> String {
    let tag = |byte: u8| char::from_u32(0xe_0000 + u32::from(byte)).unwrap_or(' ');
    format!("👋{}", value.bytes().map(tag).collect::<String>())
}

pub(super) fn backwards(value: &str) -> String {
    value.chars().rev().collect()
}

pub(super) fn rot13(value: &str) -> String {
    let turned = |letter: char| {
        let from = |first: u8| char::from((letter as u8 - first + 13) % 26 + first);
        match letter {
            'a'..='z' => from(b'a'),
            'A'..='Z' => from(b'A'),
            other => other,
        }
    };
    value.chars().map(turned).collect()
}

/// The code of each letter, as a number.
pub(super) fn numbers(value: &str) -> String {
    joined(value, " ", |byte| byte.to_string())
}

/// Under a key that the receiver knows.
pub(super) fn enciphered(value: &str) -> String {
    joined(value, "", |byte| format!("{:02x}", byte ^ 0x5a))
}

pub(super) fn base64_of_gzip(value: &str) -> String {
    // Among words, since what cannot be made shorter is stored as it is.
    let words = "the word of today is the word of yesterday, and the word ".repeat(4);
    let value = format!("{words}{value}{words}");
    GeneralPurpose::new(&STANDARD, PAD).encode(crate::masking::coded::gzip(value.as_bytes()))
}

fn joined(value: &str, between: &str, write: impl Fn(u8) -> String) -> String {
    let written: Vec<String> = value.bytes().map(write).collect();
    written.join(between)
}

fn between(value: &str, mark: &str) -> String {
    let letters: Vec<String> = value.chars().map(String::from).collect();
    letters.join(mark)
}
