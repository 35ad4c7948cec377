//! The trust stores in a container: system bundles where distributions keep them, and what languages bring along.
//!
//! A container's files are its own to arrange, so nothing here trusts them: links lead to places below the root only, what is
//! no regular file is not opened, and time, entries, depth and bytes are bounded. Nothing is written, and what is found comes
//! as an open file, so that what is covered later is what was looked at.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, openat2};

/// Where distributions keep the bundle that most programs read.
const BUNDLES: &[&str] = &[
    // Debian, Ubuntu, Alpine, Arch; GnuTLS and Go look here too.
    "etc/ssl/certs/ca-certificates.crt",
    // Alpine, macOS-like layouts, LibreSSL.
    "etc/ssl/cert.pem",
    // Red Hat, Fedora, Amazon.
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/pki/tls/cert.pem",
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    // SUSE.
    "etc/ssl/ca-bundle.pem",
    "var/lib/ca-certificates/ca-bundle.pem",
    // Arch, NixOS.
    "etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "etc/ssl/certs/ca-bundle.crt",
    // OpenSSL as its own packages and Debian's configure it.
    "usr/lib/ssl/cert.pem",
    "usr/local/ssl/cert.pem",
];

/// Where distributions keep the store that Java reads.
const KEYSTORES: &[&str] = &[
    "etc/ssl/certs/java/cacerts",
    "etc/pki/java/cacerts",
    "etc/pki/ca-trust/extracted/java/cacerts",
    "etc/ssl/java/cacerts",
    "var/lib/ca-certificates/java-cacerts",
];

/// What languages and their packages bring along, by the folder's and the file's name.
const BROUGHT: &[(&str, &str, Kind)] = &[
    // requests, httpx, pip (vendored) and most of Python.
    ("certifi", "cacert.pem", Kind::Bundle),
    ("botocore", "cacert.pem", Kind::Bundle),
    ("requests", "cacert.pem", Kind::Bundle),
    ("websocket", "cacert.pem", Kind::Bundle),
    ("httplib2", "cacerts.txt", Kind::Bundle),
    // gRPC of Python, and of languages built on its core.
    ("_credentials", "roots.pem", Kind::Bundle),
    // stripe, and others that keep their data beside the code.
    ("data", "ca-certificates.crt", Kind::Bundle),
    // conda, and OpenSSL built below a prefix.
    ("ssl", "cacert.pem", Kind::Bundle),
    ("ssl", "cert.pem", Kind::Bundle),
    // Java, wherever it was unpacked.
    ("security", "cacerts", Kind::Keystore),
];

/// Large folders in which stores are rare: searched when the rest is.
const LAST: &[&str] = &["/usr/share", "/usr/src", "/var"];
/// Folders without trust stores, or without files at all.
const SKIPPED: &[&str] = &[
    ".git",
    "__pycache__",
    "doc",
    "include",
    "locale",
    "man",
    "node_modules",
    "zoneinfo",
];
const SKIPPED_AT_ROOT: &[&str] = &["boot", "dev", "proc", "sys"];

const MAX_ENTRIES: usize = 400_000;
const MAX_DEPTH: usize = 24;
/// Folders that may wait at once.
const MAX_WAITING: usize = 100_000;
const MAX_STORES: usize = 256;
const MAX_STORE: u64 = 8 << 20;
const MAX_ALL: u64 = 64 << 20;
const MAX_TIME: Duration = Duration::from_secs(4);

/// How a store is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Certificates as PEM, one after the other.
    Bundle,
    /// What Java reads.
    Keystore,
}

/// A trust store of a container.
#[derive(Debug)]
pub struct Store {
    /// Where, from the container's root; behind any links only if the search itself came there.
    pub path: PathBuf,
    /// How to read it.
    pub kind: Kind,
    /// The file, as a path only.
    pub target: OwnedFd,
    /// What is in it.
    pub content: Vec<u8>,
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Stores {
    /// Each once, however many names it has.
    pub found: Vec<Store>,
    /// Whether a bound was met, so that there may be more.
    pub cut_short: bool,
}

/// What is asked of a search, beside what every search looks for.
#[derive(Debug, Default)]
pub struct Hints {
    /// Bundles that the container's environment names.
    pub named: Vec<PathBuf>,
    /// Mount points not to go into, from the container's root.
    pub foreign: HashSet<PathBuf>,
}

/// Looks at known stores anew. Blocks.
#[must_use]
pub fn revisit<'a>(
    root: BorrowedFd<'_>,
    known: impl IntoIterator<Item = &'a (PathBuf, Kind)>,
) -> Stores {
    let foreign = HashSet::new();
    let mut search = Search::new(root, &foreign);
    for (path, kind) in known {
        search.look_at(path, *kind);
    }
    search.stores
}

/// Finds the trust stores below `root`. Blocks.
#[must_use]
pub fn find(root: BorrowedFd<'_>, hints: &Hints) -> Stores {
    let mut search = Search::new(root, &hints.foreign);
    for path in BUNDLES {
        search.look_at(Path::new(path), Kind::Bundle);
    }
    for path in KEYSTORES {
        search.look_at(Path::new(path), Kind::Keystore);
    }
    for path in &hints.named {
        search.look_at(path, Kind::Bundle);
    }
    search.walk();
    search.stores
}

/// Folders that are still to be read, as paths: what waits holds nothing open.
#[derive(Default)]
struct Waiting {
    soon: VecDeque<PathBuf>,
    last: Vec<PathBuf>,
}

struct Search<'a> {
    root: BorrowedFd<'a>,
    foreign: &'a HashSet<PathBuf>,
    until: Instant,
    entries: usize,
    bytes: u64,
    /// Device and inode of what was looked at.
    seen: HashSet<(u64, u64)>,
    stores: Stores,
}

// === impl Search ===

impl<'a> Search<'a> {
    fn new(root: BorrowedFd<'a>, foreign: &'a HashSet<PathBuf>) -> Self {
        Self {
            root,
            foreign,
            until: Instant::now() + MAX_TIME,
            entries: 0,
            bytes: 0,
            seen: HashSet::new(),
            stores: Stores::default(),
        }
    }

    /// Whether a bound is met.
    fn is_over(&mut self) -> bool {
        let over = self.entries >= MAX_ENTRIES
            || self.stores.found.len() >= MAX_STORES
            || self.bytes >= MAX_ALL
            || Instant::now() >= self.until;
        self.stores.cut_short |= over;
        over
    }

    /// Takes the file at `path` if it can be a store. Whatever else is there is passed over.
    fn look_at(&mut self, path: &Path, kind: Kind) {
        if self.is_over() {
            return;
        }
        let path = path.strip_prefix("/").unwrap_or(path);
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let Ok(target) = openat2(self.root, path, flags, Mode::empty(), resolve) else {
            return;
        };
        let Ok(facts) = rustix::fs::fstat(&target) else {
            return;
        };
        let is_file = FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile;
        let size = u64::try_from(facts.st_size).unwrap_or(u64::MAX);
        if !is_file || size > MAX_STORE || !self.seen.insert((facts.st_dev, facts.st_ino)) {
            return;
        }
        let Ok(content) = read(&target) else { return };
        self.bytes += content.len() as u64;
        self.stores.found.push(Store {
            path: Path::new("/").join(path),
            kind,
            target,
            content,
        });
    }

    /// Goes through the folders, those near the root first: what people install is seldom deep.
    fn walk(&mut self) {
        let mut waiting = Waiting::default();
        waiting.soon.push_back(PathBuf::from("/"));
        while let Some(folder) = waiting.next() {
            if self.is_over() {
                return;
            }
            self.read_folder(&folder, &mut waiting);
        }
    }

    fn read_folder(&mut self, folder: &Path, waiting: &mut Waiting) {
        let Some(entries) = open_folder(self.root, folder).and_then(|open| Dir::new(open).ok())
        else {
            return;
        };
        let depth = folder.components().count();
        for entry in entries.map_while(Result::ok) {
            self.entries += 1;
            if self.entries >= MAX_ENTRIES {
                return;
            }
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            match entry.file_type() {
                FileType::Directory if is_skipped(name, depth) => {}
                FileType::Directory => {
                    let path = folder.join(name);
                    if self.foreign.contains(&path) {
                        continue;
                    }
                    self.stores.cut_short |= depth > MAX_DEPTH || !waiting.push(path);
                }
                FileType::RegularFile | FileType::Symlink | FileType::Unknown => {
                    if let Some(kind) = brought(folder, name) {
                        self.look_at(&folder.join(name), kind);
                    }
                }
                _ => {}
            }
        }
    }
}

// === impl Waiting ===

impl Waiting {
    /// Whether there was room.
    fn push(&mut self, path: PathBuf) -> bool {
        if self.soon.len() >= MAX_WAITING {
            return false;
        }
        if LAST.iter().any(|last| path == Path::new(last)) {
            self.last.push(path);
        } else {
            self.soon.push_back(path);
        }
        true
    }

    fn next(&mut self) -> Option<PathBuf> {
        self.soon.pop_front().or_else(|| self.last.pop())
    }
}

fn brought(folder: &Path, name: &OsStr) -> Option<Kind> {
    let folder = folder.file_name()?;
    let mut known = BROUGHT.iter();
    known
        .find(|(parent, file, _)| name == *file && folder == *parent)
        .map(|(_, _, kind)| *kind)
}

fn is_skipped(name: &OsStr, depth: usize) -> bool {
    name == "."
        || name == ".."
        || SKIPPED.iter().any(|skipped| name == *skipped)
        || depth == 1 && SKIPPED_AT_ROOT.iter().any(|skipped| name == *skipped)
}

/// A folder of the container; what is behind a link is found where it is.
fn open_folder(root: BorrowedFd<'_>, path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let path = path.strip_prefix("/").unwrap_or(path);
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    openat2(root, path, flags, Mode::empty(), resolve).ok()
}

/// Opens anew, through our own /proc, what is known to be a regular file; a path cannot be swapped in between.
fn read(target: &OwnedFd) -> io::Result<Vec<u8>> {
    let file = File::open(format!("/proc/self/fd/{}", target.as_raw_fd()))?;
    let mut content = Vec::new();
    file.take(MAX_STORE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_STORE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}
