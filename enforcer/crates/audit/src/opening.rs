//! What every line begins with, and what the first line of a file says.

use std::ffi::OsStr;
use std::fs::File;
use std::io;

use serde::Deserialize;

use crate::MAX_LINE;
use crate::chain::Digest;
use crate::entry::Object;
use crate::ledger::read_from;

/// The version of the format.
const FORMAT: u64 = 1;
/// The rule, for whoever has nothing but the file.
const HASH_RULE: &str = "hash = SHA-256(previous hash as 32 bytes, then this line up to and without the comma before its hash field)";
/// Why there is no canonical form.
const CANONICAL_FORM: &str = "none: the bytes are hashed as they are written";

/// The fields that every line has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) seq: u64,
    pub(crate) time: String,
    pub(crate) event: String,
}

/// What the first line of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) ledger: String,
    pub(crate) part: u64,
    pub(crate) seq: u64,
    pub(crate) previous_hash: Digest,
}

#[derive(Deserialize)]
struct OpeningLine {
    seq: u64,
    event: String,
    ledger: String,
    part: u64,
    format: u64,
    previous_hash: String,
}

// === impl Stamp ===

impl Stamp {
    /// Reads a line (without its line feed); none when it is not a JSON object with these fields.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

// === impl Opening ===

impl Opening {
    /// Reads a line; none when it is not an opening of a format we know.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let OpeningLine {
            seq,
            event,
            ledger,
            part,
            format,
            previous_hash,
        } = serde_json::from_slice(line).ok()?;
        (event == "ledger_opened" && format == FORMAT).then_some(())?;
        Some(Self {
            ledger,
            part,
            seq,
            previous_hash: previous_hash.parse().ok()?,
        })
    }

    /// Reads the first line of a file.
    pub(crate) fn read(file: &File) -> io::Result<Option<Self>> {
        let start = read_from(file, 0, MAX_LINE as u64)?;
        Ok(memchr::memchr(b'\n', &start).and_then(|end| Self::parse(&start[..end])))
    }
}

/// The fields of the first line of a file.
pub(crate) fn fields(
    ledger: &str,
    part: u64,
    previous_file: Option<&OsStr>,
    previous_hash: &Digest,
) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut line = Object::resume(&mut fields);
    line.code("event", "ledger_opened");
    line.code("ledger", ledger);
    line.number("part", part);
    line.number("format", FORMAT);
    line.code("version", env!("CARGO_PKG_VERSION"));
    line.code("hash_rule", HASH_RULE);
    line.code("canonical_form", CANONICAL_FORM);
    if let Some(name) = previous_file {
        line.shown("previous_file", &name.display(), 4096);
    }
    line.shown("previous_hash", previous_hash, 64);
    fields
}
