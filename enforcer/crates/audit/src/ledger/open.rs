//! From what lies on the disk to a chain that can go on.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::OpenError;
use super::part::{self, Creation, Part};
use crate::chain::{Chain, Digest, Sealed};
use crate::entry::Object;
use crate::opening::{Opening, Stamp};
use crate::series::Series;
use crate::{MAX_LINE, opening};

/// How much of a file's end is looked at: what a crash left, and two lines.
const WINDOW: u64 = (1 << 20) + 2 * MAX_LINE as u64;
/// How often another writer may rotate the file away while we try to lock it.
const LOCK_ATTEMPTS: usize = 8;

/// A ledger ready to go on.
pub(crate) struct Opened {
    pub(crate) part: Part,
    pub(crate) chain: Chain,
    /// The length of the active file.
    pub(crate) length: u64,
    /// The fields of the lines to write first.
    pub(crate) records: Vec<Vec<u8>>,
}

/// The end of a file.
struct Tail {
    opening: Opening,
    chain: Chain,
    length: u64,
}

/// What was moved aside.
struct Torn {
    kept_as: PathBuf,
    bytes: u64,
    digest: Digest,
}

/// Opens the series, or begins it.
pub(crate) fn open(series: &Series) -> Result<Opened, OpenError> {
    let file = lock(series.active())?;
    let unusable = |source| unusable(series.active(), source);
    clear_interrupted_rotation(series, &file).map_err(unusable)?;
    let mut records = Vec::new();
    let tail = read(series, series.active(), &file, &mut records)?;
    let (part, chain, length) = match tail {
        Some(tail) => {
            let Opening { ledger, part, .. } = tail.opening;
            (Part::new(file, part, ledger), tail.chain, tail.length)
        }
        None => {
            let (part, chain, opening) = begin(series, file, &mut records)?;
            records.insert(0, opening);
            (part, chain, 0)
        }
    };
    Ok(Opened {
        part,
        chain,
        length,
        records,
    })
}

/// Opens and locks the active file. A writer that holds it may rotate it away in between: then the new one is tried.
fn lock(path: &Path) -> Result<File, OpenError> {
    for _ in 0..LOCK_ATTEMPTS {
        let file = part::open_for_append(path, Creation::IfMissing).map_err(|source| {
            match rustix::io::Errno::from_io_error(&source) {
                Some(rustix::io::Errno::LOOP | rustix::io::Errno::ISDIR) => OpenError::NotAFile {
                    path: path.to_owned(),
                },
                _ => unusable(path, source),
            }
        })?;
        let metadata = file.metadata().map_err(|source| unusable(path, source))?;
        if !metadata.is_file() {
            return Err(OpenError::NotAFile {
                path: path.to_owned(),
            });
        }
        if part::try_lock(&file).map_err(|source| unusable(path, source))? {
            if part::is_at(&file, path).map_err(|source| unusable(path, source))? {
                return Ok(file);
            }
        } else if part::is_at(&file, path).map_err(|source| unusable(path, source))? {
            break;
        }
    }
    Err(OpenError::Locked {
        path: path.to_owned(),
    })
}

/// A rotation links the active file under its number and then puts the next file in its place. One that died between
/// the two left a second name of the active file; one that died earlier left a draft.
fn clear_interrupted_rotation(series: &Series, active: &File) -> io::Result<()> {
    if let Some((_, last)) = series.parts()?.last()
        && part::is_at(active, last)?
    {
        fs::remove_file(last)?;
    }
    match fs::remove_file(series.draft()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The first line of a file that follows what is there: the last full part, or nothing.
fn begin(
    series: &Series,
    file: File,
    records: &mut Vec<Vec<u8>>,
) -> Result<(Part, Chain, Vec<u8>), OpenError> {
    let parts = series
        .parts()
        .map_err(|source| unusable(series.active(), source))?;
    let Some((number, path)) = parts.last() else {
        let ledger = Uuid::now_v7().to_string();
        let opening = opening::fields(&ledger, 1, None, &Digest::ZERO);
        return Ok((Part::new(file, 1, ledger), Chain::START, opening));
    };
    let last =
        part::open_for_append(path, Creation::Never).map_err(|source| unusable(path, source))?;
    let tail = read(series, path, &last, records)?.ok_or_else(|| corrupt(path, "it is empty"))?;
    let ledger = tail.opening.ledger;
    let opening = opening::fields(&ledger, number + 1, path.file_name(), &tail.chain.head);
    Ok((Part::new(file, number + 1, ledger), tail.chain, opening))
}

/// Reads the end of a file and moves aside what a crash left of a line. None when no whole line is there.
fn read(
    series: &Series,
    path: &Path,
    file: &File,
    records: &mut Vec<Vec<u8>>,
) -> Result<Option<Tail>, OpenError> {
    let unusable = |source| unusable(path, source);
    let size = file.metadata().map_err(unusable)?.len();
    let start = size.saturating_sub(WINDOW);
    let window = part::read_from(file, start, WINDOW).map_err(unusable)?;
    let whole = memchr::memrchr(b'\n', &window).map_or(0, |at| at + 1);
    if whole == 0 && start > 0 {
        return Err(corrupt(path, "its last lines are longer than lines are"));
    }
    let length = start + whole as u64;
    // The whole lines are judged first: a file that is not ours is not touched.
    let tail = match window[..whole].strip_suffix(b"\n") {
        None => None,
        Some(lines) => Some(end_of_chain(path, file, lines, start, length)?),
    };
    if length < size {
        let torn = set_aside(series, file, length).map_err(unusable)?;
        records.push(torn.record());
    }
    Ok(tail)
}

/// Checks the last of `lines` and takes from it where the chain stands.
fn end_of_chain(
    path: &Path,
    file: &File,
    lines: &[u8],
    start: u64,
    length: u64,
) -> Result<Tail, OpenError> {
    let corrupt = |what| corrupt(path, what);
    let opening = Opening::read(file)
        .map_err(|source| unusable(path, source))?
        .ok_or_else(|| corrupt("its first line does not open a ledger"))?;
    let mut backwards = lines.rsplit(|byte| *byte == b'\n');
    let last = backwards.next().unwrap_or_default();
    let previous = match backwards.next() {
        Some(line) => {
            Sealed::parse(line)
                .ok_or_else(|| corrupt("the line before its last has no hash"))?
                .hash
        }
        None if start == 0 => opening.previous_hash,
        None => return Err(corrupt("its last line is longer than lines are")),
    };
    let sealed = Sealed::parse(last).ok_or_else(|| corrupt("its last line has no hash"))?;
    if !sealed.follows(&previous) {
        return Err(corrupt(
            "its last line's hash does not agree with its content",
        ));
    }
    let stamp = Stamp::parse(last).ok_or_else(|| corrupt("its last line is not a ledger line"))?;
    Ok(Tail {
        opening,
        chain: Chain {
            head: sealed.hash,
            next: stamp.seq + 1,
        },
        length,
    })
}

/// Copies what stands beyond `length` to a file of its own, and cuts it off.
fn set_aside(series: &Series, mut file: &File, length: u64) -> io::Result<Torn> {
    let (kept_as, mut copy) = fresh(series)?;
    file.seek(SeekFrom::Start(length))?;
    let bytes = io::copy(&mut file.take(u64::MAX), &mut copy)?;
    copy.sync_all()?;
    let digest = Digest::of(&fs::read(&kept_as)?);
    part::sync_folder(series.folder())?;
    file.set_len(length)?;
    file.sync_all()?;
    Ok(Torn {
        kept_as,
        bytes,
        digest,
    })
}

fn fresh(series: &Series) -> io::Result<(PathBuf, File)> {
    for path in series.torn() {
        match part::open_for_append(&path, Creation::Fresh) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((path, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn unusable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Unusable {
        path: path.to_owned(),
        source,
    }
}

fn corrupt(path: &Path, what: &'static str) -> OpenError {
    OpenError::Corrupt {
        path: path.to_owned(),
        what,
    }
}

// === impl Torn ===

impl Torn {
    /// The fields of the line that reports it.
    fn record(&self) -> Vec<u8> {
        let Self {
            kept_as,
            bytes,
            digest,
        } = self;
        let mut fields = Vec::new();
        let mut line = Object::resume(&mut fields);
        line.code("event", "ledger_recovered");
        line.code("cause", "torn_line");
        line.number("torn_bytes", *bytes);
        line.shown("torn_sha256", digest, 64);
        line.shown("kept_as", &kept_as.display(), 4096);
        fields
    }
}
