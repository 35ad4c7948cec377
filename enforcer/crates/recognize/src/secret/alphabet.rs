//! The letters of which tokens are made.

/// A set of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alphabet([bool; 256]);

impl Alphabet {
    pub(super) const ALNUM: Self = Self::of("A-Za-z0-9");
    pub(super) const BASE64: Self = Self::of("A-Za-z0-9+/=");
    pub(super) const DIGITS: Self = Self::of("0-9");
    pub(super) const HEX: Self = Self::of("0-9A-Fa-f");
    pub(super) const SMALL_HEX: Self = Self::of("0-9a-f");
    /// Base64's alphabet for URLs, and most tokens'.
    pub(super) const URL: Self = Self::of("A-Za-z0-9_-");

    /// Bytes and ranges of bytes, as in a class of a regular expression: a `-` for itself comes last.
    pub(super) const fn of(class: &str) -> Self {
        let class = class.as_bytes();
        let mut set = [false; 256];
        let mut next = 0;
        while next < class.len() {
            if next + 2 < class.len() && class[next + 1] == b'-' {
                let mut byte = class[next];
                while byte <= class[next + 2] {
                    set[byte as usize] = true;
                    byte += 1;
                }
                next += 3;
            } else {
                set[class[next] as usize] = true;
                next += 1;
            }
        }
        Self(set)
    }

    pub(super) const fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }

    /// Where the run of its bytes ends that begins at `from`, or `most` + 1 bytes further where it is longer than `most`.
    pub(super) fn run(&self, text: &[u8], from: usize, most: usize) -> usize {
        let rest = text.get(from..).unwrap_or_default();
        from + rest
            .iter()
            .take(most + 1)
            .take_while(|byte| self.has(**byte))
            .count()
    }

    /// All of them are of it.
    pub(super) fn all(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.has(*byte))
    }
}
