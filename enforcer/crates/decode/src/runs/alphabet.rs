//! Digits, and how many bits each says.

use crate::layers::Layers;

/// Says that a byte is no digit.
pub(super) const NONE: u8 = 0xff;

/// The digits of one encoding.
#[derive(Debug)]
pub(super) struct Alphabet {
    pub(super) layer: Layers,
    pub(super) values: [u8; 256],
    /// Bits a digit.
    pub(super) bits: u8,
    /// Digits that make whole bytes.
    pub(super) group: usize,
    /// Its runs go on over the ends of lines.
    pub(super) lines: bool,
}

/// All that are known.
pub(super) static ALPHABETS: [Alphabet; 7] = [
    Alphabet::new(
        Layers::BASE64,
        &[b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"],
    ),
    Alphabet::new(
        Layers::BASE64,
        &[b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"],
    ),
    Alphabet::new(Layers::BASE32, &[b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"]),
    Alphabet::new(Layers::BASE32, &[b"abcdefghijklmnopqrstuvwxyz234567"]),
    Alphabet::new(Layers::BASE32, &[b"0123456789ABCDEFGHIJKLMNOPQRSTUV"]),
    Alphabet::new(Layers::BASE32, &[b"0123456789abcdefghijklmnopqrstuv"]),
    Alphabet::new(Layers::HEX, &[b"0123456789abcdef", b"0123456789ABCDEF"]),
];

static DIGITS: [bool; 256] = digits();

/// Whether it is a digit of any alphabet.
pub(crate) fn is_digit(byte: u8) -> bool {
    DIGITS[usize::from(byte)]
}

// === impl Alphabet ===

impl Alphabet {
    const fn new(layer: Layers, digits: &[&[u8]]) -> Self {
        let mut values = [NONE; 256];
        let mut i = 0;
        while i < digits.len() {
            let mut value = 0;
            while value < digits[i].len() {
                values[digits[i][value] as usize] = value as u8;
                value += 1;
            }
            i += 1;
        }
        let (bits, group) = match digits[0].len() {
            64 => (6, 4),
            32 => (5, 8),
            _ => (4, 2),
        };
        Self {
            layer,
            values,
            bits,
            group,
            lines: bits == 6,
        }
    }

    /// Decodes whole groups; says how many bytes each makes.
    pub(super) fn bytes(&self, digits: &[u8], to: &mut [u8]) -> usize {
        let value = |digit: u8| self.values[usize::from(digit)];
        match self.group {
            2 => {
                for (to, [one, two]) in to.iter_mut().zip(digits.as_chunks().0) {
                    *to = value(*one) << 4 | value(*two);
                }
                1
            }
            4 => {
                let groups = digits.as_chunks().0.iter();
                for (to, [one, two, three, four]) in to.as_chunks_mut().0.iter_mut().zip(groups) {
                    let (two, three) = (value(*two), value(*three));
                    *to = [
                        value(*one) << 2 | two >> 4,
                        two << 4 | three >> 2,
                        three << 6 | value(*four),
                    ];
                }
                3
            }
            _ => {
                let groups = digits.as_chunks::<8>().0.iter();
                for (to, group) in to.as_chunks_mut::<5>().0.iter_mut().zip(groups) {
                    let bits = group
                        .iter()
                        .fold(0, |bits, digit| bits << 5 | u64::from(value(*digit)));
                    let [_, _, _, bytes @ ..] = bits.to_be_bytes();
                    *to = bytes;
                }
                5
            }
        }
    }

    /// The bytes that `digits` say, and how many of them are whole.
    pub(super) fn decode(&self, digits: &[u8]) -> ([u8; 8], usize) {
        let mut number = 0_u64;
        for digit in digits {
            number = number << self.bits | u64::from(self.values[usize::from(*digit)]);
        }
        let bits = digits.len() * usize::from(self.bits);
        let bytes = number << (64 - bits.max(1));
        (bytes.to_be_bytes(), bits / 8)
    }
}

const fn digits() -> [bool; 256] {
    let mut digits = [false; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        digits[i] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        i += 1;
    }
    digits
}
