//! The hash chain: pure, no clock, no files.
//!
//! A line is one JSON object without spaces, `seq` and `time` first, `hash` last, ended by a line feed:
//! `{"seq":7,"time":"…","event":"…",…,"hash":"64 hex digits"}`. The hash is SHA-256 over the previous line's hash (its 32
//! bytes, not its digits) followed by this line's bytes before `,"hash":`. Because the bytes as written are hashed, nothing
//! needs a canonical form. The first line of a file is hashed over the `previous_hash` that it states itself.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;

const BYTES: usize = 32;
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
const AFTER_HASH: &[u8] = b"\"}";

/// A SHA-256 value, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; BYTES]);

/// A text that is not 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 value in 64 lower-case hex digits")]
pub struct DigestError;

/// Where a chain stands: what the next line will be hashed over, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) head: Digest,
    pub(crate) next: u64,
}

/// A line taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed<'a> {
    /// What is hashed.
    pub(crate) body: &'a [u8],
    /// What the line says its hash is.
    pub(crate) hash: Digest,
}

// === impl Digest ===

impl Digest {
    /// What the first line of a new ledger is hashed over.
    pub(crate) const ZERO: Self = Self([0; BYTES]);

    /// The digest of `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let full = digest::digest(&digest::SHA256, bytes);
        let mut value = [0; BYTES];
        value.copy_from_slice(full.as_ref());
        Self(value)
    }

    /// The digest of what a context was given.
    pub(crate) fn finished(context: digest::Context) -> Self {
        let mut value = [0; BYTES];
        value.copy_from_slice(context.finish().as_ref());
        Self(value)
    }

    /// The bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    fn hex(&self) -> [u8; 2 * BYTES] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 2 * BYTES];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        hex
    }

    fn from_hex(hex: &[u8]) -> Result<Self, DigestError> {
        if hex.len() != 2 * BYTES {
            return Err(DigestError);
        }
        let mut value = [0; BYTES];
        for (byte, pair) in value.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::from_hex(text.as_bytes())
    }
}

// === impl Chain ===

impl Chain {
    /// The chain of a ledger without lines.
    pub(crate) const START: Self = Self {
        head: Digest::ZERO,
        next: 1,
    };

    /// Appends the line of `fields` (each written as `,"key":value`) to `out` and moves on. Returns the line's number.
    pub(crate) fn seal(&mut self, time: &str, fields: &[u8], out: &mut Vec<u8>) -> u64 {
        let sequence = self.next;
        let start = out.len();
        let mut digits = itoa::Buffer::new();
        out.reserve(BYTES + fields.len() + 192);
        // The previous hash stands before the line for the length of one hash, so that both are one piece of memory.
        out.extend_from_slice(&self.head.0);
        out.extend_from_slice(b"{\"seq\":");
        out.extend_from_slice(digits.format(sequence).as_bytes());
        out.extend_from_slice(b",\"time\":\"");
        out.extend_from_slice(time.as_bytes());
        out.push(b'"');
        out.extend_from_slice(fields);
        self.head = Digest::of(&out[start..]);
        self.next += 1;
        out.copy_within(start + BYTES.., start);
        out.truncate(out.len() - BYTES);
        out.extend_from_slice(BEFORE_HASH);
        out.extend_from_slice(&self.head.hex());
        out.extend_from_slice(AFTER_HASH);
        out.push(b'\n');
        sequence
    }
}

// === impl Sealed ===

impl<'a> Sealed<'a> {
    /// Takes a line apart (without its line feed); none when it does not end in a hash.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_suffix(AFTER_HASH)?;
        let at = rest.len().checked_sub(2 * BYTES)?;
        let (before, hex) = rest.split_at(at);
        Some(Self {
            body: before.strip_suffix(BEFORE_HASH)?,
            hash: Digest::from_hex(hex).ok()?,
        })
    }

    /// Whether the line follows a line of that hash unchanged.
    pub(crate) fn follows(&self, previous: &Digest) -> bool {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&previous.0);
        context.update(self.body);
        context.finish().as_ref() == self.hash.0
    }
}

fn nibble(digit: u8) -> Result<u8, DigestError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(DigestError),
    }
}
