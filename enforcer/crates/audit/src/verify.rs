//! The offline check of a ledger: chain, numbering, links between files, torn ends. Streaming, in constant memory.
//!
//! What it finds is an accident or an edit by somebody who did not re-hash what follows. Who rewrites a file from some line to its end, or
//! cuts lines off its end, leaves a sound chain: that shows only against a [`Head`] noted elsewhere before
//! ([`Verifier::anchored`]). A sound chain says nothing of what was never recorded.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use crate::MAX_LINE;
use crate::chain::{Digest, Sealed};
use crate::ledger::Head;
use crate::opening::{Opening, Stamp};
use crate::series::Series;

mod problem;
mod report;
#[cfg(test)]
mod tests;

pub use problem::{Finding, Problem};
pub use report::Report;

const BUFFER: usize = 256 << 10;

/// Checks ledgers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verifier {
    anchor: Option<Head>,
}

/// Why a ledger could not be checked; it may be sound.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{}`", path.display())]
pub struct VerifyError {
    /// The file.
    pub path: PathBuf,
    /// What the kernel said.
    #[source]
    pub source: io::Error,
}

/// The check under way.
struct Walk {
    report: Report,
    anchor: Option<Head>,
    /// The part that is read.
    part: Option<u64>,
    path: PathBuf,
    line: u64,
    previous: Option<Digest>,
}

/// A step either succeeds or ends the walk.
type Step = Result<(), Problem>;

impl Verifier {
    /// A verifier that trusts nothing but the file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A verifier that also expects a line of this number and hash.
    #[must_use]
    pub fn anchored(anchor: Head) -> Self {
        Self {
            anchor: Some(anchor),
        }
    }

    /// Checks the ledger whose active file is `path`, with the full parts beside it; or one full part alone. It may be
    /// written meanwhile; then a last line may look torn that a moment later is whole.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn verify(&self, path: &Path) -> Result<Report, VerifyError> {
        // The active file is opened before the parts are listed: a rotation in between then adds a part that is not needed.
        let (active, own) = open(path)?;
        let mut walk = Walk::new(self.anchor);
        for part in parts(path, own)? {
            let (file, _) = open(&part)?;
            if !walk.file(part, file)? {
                return Ok(walk.report);
            }
        }
        if walk.file(path.to_owned(), active)? {
            walk.end();
        }
        Ok(walk.report)
    }
}

/// Opens a file and looks which part it is.
fn open(path: &Path) -> Result<(File, Option<u64>), VerifyError> {
    let opened = File::open(path).and_then(|file| {
        let part = Opening::read(&file)?.map(|opening| opening.part);
        Ok((file, part))
    });
    opened.map_err(|source| VerifyError {
        path: path.to_owned(),
        source,
    })
}

/// The full parts that come before the active file, which is part `own`.
fn parts(path: &Path, own: Option<u64>) -> Result<Vec<PathBuf>, VerifyError> {
    let series = Series::new(path.to_owned());
    let mut parts = series.parts().map_err(|source| VerifyError {
        path: series.folder().to_owned(),
        source,
    })?;
    parts.retain(|(number, _)| own.is_none_or(|own| *number < own));
    Ok(parts.into_iter().map(|(_, path)| path).collect())
}

// === impl Walk ===

impl Walk {
    fn new(anchor: Option<Head>) -> Self {
        Self {
            report: Report::default(),
            anchor,
            part: None,
            path: PathBuf::new(),
            line: 0,
            previous: None,
        }
    }

    /// Walks through one file. Says whether to go on.
    fn file(&mut self, path: PathBuf, file: File) -> Result<bool, VerifyError> {
        self.report.files += 1;
        self.line = 0;
        self.path.clone_from(&path);
        self.lines(file)
            .map_err(|source| VerifyError { path, source })
    }

    fn lines(&mut self, mut file: File) -> io::Result<bool> {
        // Reading the opening moved the offset.
        file.rewind()?;
        let mut reader = BufReader::with_capacity(BUFFER, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut reader)
                .take(MAX_LINE as u64)
                .read_until(b'\n', &mut line)?;
            if read == 0 {
                let empty = self.line == 0;
                return Ok(!empty || self.take(Err(Problem::Empty)));
            }
            self.line += 1;
            let step = self.whole_line(&line);
            if !self.take(step) {
                return Ok(false);
            }
        }
    }

    fn whole_line(&mut self, bytes: &[u8]) -> Step {
        let Some(line) = bytes.strip_suffix(b"\n") else {
            return Err(if bytes.len() < MAX_LINE {
                Problem::Torn { bytes: bytes.len() }
            } else {
                Problem::TooLong
            });
        };
        let stamp = Stamp::parse(line).ok_or(Problem::NotALine)?;
        if self.line == 1 {
            self.opening(line)?;
        }
        let sealed = Sealed::parse(line).ok_or(Problem::Unsealed)?;
        self.number(&stamp)?;
        let previous = self.previous.ok_or(Problem::NotAnOpening)?;
        if !sealed.follows(&previous) {
            return Err(Problem::Hash);
        }
        self.previous = Some(sealed.hash);
        let head = Head {
            sequence: stamp.seq,
            hash: sealed.hash,
        };
        self.report.count(bytes.len(), stamp, head);
        self.anchored(head)
    }

    /// The first line of a file says what it follows.
    fn opening(&mut self, line: &[u8]) -> Step {
        let opening = Opening::parse(line).ok_or(Problem::NotAnOpening)?;
        let Some(previous) = self.previous else {
            self.previous = Some(opening.previous_hash);
            self.part = Some(opening.part);
            self.report.first_part = opening.part;
            self.report.ledger = Some(opening.ledger);
            return match (opening.part, opening.seq, opening.previous_hash) {
                (1, 1, Digest::ZERO) => Ok(()),
                (1, ..) | (_, 1, _) => Err(Problem::NotAnOpening),
                _ => Ok(()),
            };
        };
        if self.report.ledger.as_ref() != Some(&opening.ledger) {
            return Err(Problem::OtherLedger);
        }
        let expected = self.part.map_or(opening.part, |part| part + 1);
        if opening.part != expected {
            return Err(Problem::Part {
                expected,
                found: opening.part,
            });
        }
        if opening.previous_hash != previous {
            return Err(Problem::Unlinked);
        }
        self.part = Some(opening.part);
        Ok(())
    }

    fn number(&self, stamp: &Stamp) -> Step {
        match self.report.head {
            Some(head) if stamp.seq != head.sequence + 1 => Err(Problem::Sequence {
                expected: head.sequence + 1,
                found: stamp.seq,
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn anchored(&self, head: Head) -> Step {
        match self.anchor {
            Some(anchor) if anchor.sequence == head.sequence && anchor.hash != head.hash => {
                Err(Problem::Anchor)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn end(&mut self) {
        let (Some(anchor), Some(head)) = (self.anchor, self.report.head) else {
            return;
        };
        if anchor.sequence > head.sequence {
            self.take(Err(Problem::Cut {
                expected: anchor.sequence,
                found: head.sequence,
            }));
        } else if anchor.sequence < self.report.first_line {
            self.take(Err(Problem::AnchorAbsent));
        }
    }

    /// Notes a problem. Says whether there was none.
    fn take(&mut self, step: Step) -> bool {
        let Err(problem) = step else { return true };
        self.report.finding = Some(Finding {
            file: self.path.clone(),
            line: self.line,
            problem,
        });
        false
    }
}
