//! The files of one ledger: the active one under its own name, full ones beside it under the name plus a number.
//!
//! `audit.jsonl.000001` is the oldest part, `audit.jsonl` the newest. Parts are numbered from one and never renumbered, so a
//! part that an operator archived leaves a hole that the verifier can name.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::{fs, iter};

/// The names that belong to one ledger.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    active: PathBuf,
}

impl Series {
    pub(crate) fn new(active: PathBuf) -> Self {
        Self { active }
    }

    /// The file that is written.
    pub(crate) fn active(&self) -> &Path {
        &self.active
    }

    /// The folder of all files.
    pub(crate) fn folder(&self) -> &Path {
        match self.active.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// Where a full part goes.
    pub(crate) fn part(&self, number: u64) -> PathBuf {
        self.beside(&format!("{number:06}"))
    }

    /// Where the next active file is prepared.
    pub(crate) fn draft(&self) -> PathBuf {
        self.beside("new")
    }

    /// Names for what a crash left of a line, first choice first.
    pub(crate) fn torn(&self) -> impl Iterator<Item = PathBuf> {
        let mut number = 0_u64;
        iter::repeat_with(move || {
            number += 1;
            self.beside(&format!("torn-{number}"))
        })
    }

    /// The full parts that are there, oldest first.
    pub(crate) fn parts(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut parts = Vec::new();
        for file in fs::read_dir(self.folder())? {
            let path = file?.path();
            if let Some(number) = self.number(&path) {
                parts.push((number, path));
            }
        }
        parts.sort_unstable();
        Ok(parts)
    }

    fn number(&self, path: &Path) -> Option<u64> {
        let name = path.file_name()?.as_encoded_bytes();
        let suffix = name.strip_prefix(self.active.file_name()?.as_encoded_bytes())?;
        let digits = str::from_utf8(suffix.strip_prefix(b".")?).ok()?;
        let plain = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.active);
        name.push(".");
        name.push(suffix);
        name.into()
    }
}
