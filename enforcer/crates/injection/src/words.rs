//! Words of a text as they are compared: small, in ASCII where they look it, digits read as letters.

use enforcer_decode::{Folded, fold, keyword};

/// Longer words are compared by their beginning.
const LONGEST: usize = 48;

/// A word, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) at: u64,
    /// It stands right behind a quotation mark.
    pub(crate) quoted: bool,
}

/// Cuts words out of a text that comes in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    word: String,
    at: u64,
    /// Bytes of a character that is not whole.
    cut: Vec<u8>,
    quote: bool,
    quoted: bool,
}

// === impl Words ===

impl Words {
    /// Takes a byte that stands at `at`.
    pub(crate) fn byte(&mut self, byte: u8, at: u64, found: &mut impl FnMut(Word)) {
        if byte < 0x80 && self.cut.is_empty() {
            return self.char(char::from(byte), at, found);
        }
        self.cut.push(byte);
        let whole = match std::str::from_utf8(&self.cut) {
            Ok(text) => text.chars().next(),
            Err(error) if error.error_len().is_none() && self.cut.len() < 4 => return,
            Err(_) => Some(' '),
        };
        let start = (at + 1).saturating_sub(self.cut.len() as u64);
        if self.cut.len() > 1 && whole == Some(' ') {
            // It was cut short by what begins with this byte.
            self.cut.clear();
            self.char(' ', start, found);
            return self.byte(byte, at, found);
        }
        self.cut.clear();
        if let Some(c) = whole {
            self.char(c, start, found);
        }
    }

    /// Whatever comes next is another word.
    pub(crate) fn end(&mut self, found: &mut impl FnMut(Word)) {
        if self.word.is_empty() {
            return;
        }
        let text = self.word.clone();
        self.word.clear();
        // What mixes scripts is meant to be taken for ASCII; what does not is read as it is.
        let folded = if text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            String::from_utf8(keyword::fold(text.as_bytes())).unwrap_or(text)
        } else {
            text
        };
        found(Word {
            text: folded,
            at: self.at,
            quoted: self.quoted,
        });
    }

    fn char(&mut self, c: char, at: u64, found: &mut impl FnMut(Word)) {
        match fold(c) {
            Folded::Nothing => {}
            Folded::Text(bytes, len) if !is_other_script(c) => {
                for byte in &bytes[..usize::from(len)] {
                    self.letter(char::from(*byte), at, found);
                }
            }
            Folded::Same | Folded::Text(..) => self.letter(base(c), at, found),
        }
    }

    fn letter(&mut self, c: char, at: u64, found: &mut impl FnMut(Word)) {
        if is_alone(c) {
            self.end(found);
            (self.at, self.quoted) = (at, self.quote);
            self.word.push(c);
            self.end(found);
        } else if c.is_alphanumeric() || matches!(c, '@' | '$') && !self.word.is_empty() {
            if self.word.is_empty() {
                (self.at, self.quoted) = (at, self.quote);
            }
            if self.word.len() < LONGEST {
                self.word.extend(c.to_lowercase());
            }
        } else {
            self.end(found);
        }
        self.quote = matches!(c, '"' | '`' | '\'' | '\u{ab}' | '\u{300c}');
    }
}

/// Scripts that are read as they are, though some of their letters look like ours.
fn is_other_script(c: char) -> bool {
    matches!(u32::from(c), 0x400..=0x52f | 0x600..=0x6ff)
}

/// Characters that are words by themselves.
fn is_alone(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30ff | 0x3400..=0x9fff)
}

/// The letter without what is over or under it.
fn base(c: char) -> char {
    match c {
        'à'..='å' | 'À'..='Å' | 'ą' | 'ā' | 'ă' => 'a',
        'ç' | 'Ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'È'..='Ë' | 'ę' | 'ē' | 'ě' => 'e',
        'ì'..='ï' | 'Ì'..='Ï' | 'ī' => 'i',
        'ñ' | 'Ñ' | 'ń' => 'n',
        'ò'..='ö' | 'Ò'..='Ö' | 'ø' | 'ő' | 'ō' => 'o',
        'ù'..='ü' | 'Ù'..='Ü' | 'ű' | 'ū' => 'u',
        'ś' | 'š' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        'ł' => 'l',
        c => c,
    }
}
