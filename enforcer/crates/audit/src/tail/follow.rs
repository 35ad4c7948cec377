//! Whole lines from near the end of a ledger on, over rotations.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::MAX_LINE;
use crate::ledger::{is_at, read_from};
use crate::opening::Opening;
use crate::series::Series;

/// How much is read at a time.
const BLOCK: u64 = 4 * MAX_LINE as u64;

/// Reads a ledger that may be written meanwhile. It never waits: whoever follows asks again.
#[derive(Debug)]
pub struct Follower {
    series: Series,
    source: Source,
    /// What was read and not yet given out begins at `given`.
    block: Vec<u8>,
    given: usize,
}

/// The file that is read.
#[derive(Debug)]
struct Source {
    file: File,
    part: u64,
    /// Where the next block begins.
    offset: u64,
}

// === impl Follower ===

impl Follower {
    /// Begins `count` lines before the end, in an earlier part if need be.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn open(path: &Path, count: usize) -> io::Result<Self> {
        let series = Series::new(path.to_owned());
        let mut source = Source::open(path)?;
        let mut missing = source.go_back(count)?;
        while missing > 0 && source.part > 1 {
            source = match Source::open(&series.part(source.part - 1)) {
                Ok(earlier) => earlier,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            missing = source.go_back(missing)?;
        }
        Ok(Self {
            series,
            source,
            block: Vec::new(),
            given: 0,
        })
    }

    /// The next line without its line feed; none when there is no whole one yet.
    ///
    /// # Errors
    /// When a file cannot be read, or was cut back.
    pub fn poll(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.block[self.given..]) {
                let start = self.given;
                self.given += length + 1;
                return Ok(Some(&self.block[start..start + length]));
            }
            // Asked before reading: what is read after a rotation was seen is all there will be.
            let rotated = !is_at(&self.source.file, self.series.active())?;
            let more = self.refill()? || (rotated && self.move_on()?);
            if !more {
                return Ok(None);
            }
        }
    }

    /// Reads on behind the last whole line. Says whether there is one more.
    fn refill(&mut self) -> io::Result<bool> {
        self.source.offset += self.given as u64;
        self.given = 0;
        self.block = self.source.read()?;
        if self.block.len() as u64 == BLOCK && memchr::memchr(b'\n', &self.block).is_none() {
            // No line is so long: show what it is rather than stall in front of it.
            self.block.push(b'\n');
        }
        Ok(memchr::memchr(b'\n', &self.block).is_some())
    }

    /// Goes to the part after this one, or to the active file. Says whether there is one.
    fn move_on(&mut self) -> io::Result<bool> {
        let next = self.series.part(self.source.part + 1);
        let opened = match Source::open(&next) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Source::open(self.series.active())
            }
            opened => opened,
        };
        self.source = match opened {
            // Between a crash and the next start there may be no active file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        self.block.clear();
        self.given = 0;
        Ok(true)
    }
}

// === impl Source ===

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let part = Opening::read(&file)?.map_or(0, |opening| opening.part);
        Ok(Self {
            file,
            part,
            offset: 0,
        })
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        if self.file.metadata()?.len() < self.offset {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file was cut back while it was followed",
            ));
        }
        read_from(&self.file, self.offset, BLOCK)
    }

    /// Moves to `count` lines before the end. Says how many of them are missing.
    fn go_back(&mut self, count: usize) -> io::Result<usize> {
        let mut end = self.file.metadata()?.len();
        let mut missing = count;
        let mut behind_last = true;
        while end > 0 {
            let start = end.saturating_sub(BLOCK);
            let block = read_from(&self.file, start, end - start)?;
            for at in memchr::memrchr_iter(b'\n', &block) {
                self.offset = start + at as u64 + 1;
                // The first line feed from behind ends the last line; each other one begins the line behind it.
                if behind_last {
                    behind_last = false;
                } else {
                    missing -= 1;
                }
                if missing == 0 {
                    return Ok(0);
                }
            }
            end = start;
        }
        self.offset = 0;
        Ok(missing.saturating_sub(usize::from(!behind_last)))
    }
}
