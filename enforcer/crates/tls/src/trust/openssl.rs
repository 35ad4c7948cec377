//! Debian's folder of OpenSSL where it lacks the link to the bundle: older releases, and images without the program `openssl`.
//!
//! Without `cert.pem` there, OpenSSL looks certificates up one by one in a folder of files named by hashes, to which nothing can
//! be added without writing in the container. With it, OpenSSL reads the bundle. So the small folder around the link is
//! covered by a copy that has it; what else is in there are links and a script or two.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use aws_lc_rs::digest;
use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};

use crate::TlsError;
use crate::file::failed;

/// Where it is.
pub const OPENSSL_FOLDER: &str = "/usr/lib/ssl";
const LINK: &str = "cert.pem";
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

const MAX_ENTRIES: usize = 32;
const MAX_FILE: u64 = 64 * 1024;

/// Such a folder of a container.
#[derive(Debug)]
pub struct OpensslFolder {
    /// The folder, as a path only.
    pub target: OwnedFd,
    entries: Vec<(OsString, Entry)>,
}

#[derive(Debug)]
enum Entry {
    File(Vec<u8>, u32),
    Folder(Vec<(OsString, Entry)>),
    Link(OsString),
}

/// The folder below `root`, if it is there and lacks the link that the bundle is read by.
#[must_use]
pub fn openssl_folder(root: BorrowedFd<'_>) -> Option<OpensslFolder> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let path_only = OFlags::PATH | OFlags::CLOEXEC;
    let exists = |path: &str| openat2(root, path, path_only, Mode::empty(), resolve).is_ok();
    if !exists(BUNDLE) || exists("usr/lib/ssl/cert.pem") {
        return None;
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let flags = path_only | OFlags::DIRECTORY;
    let target = openat2(
        root,
        OPENSSL_FOLDER.trim_start_matches('/'),
        flags,
        Mode::empty(),
        resolve,
    )
    .ok()?;
    let entries = read_folder(&target, 0).ok()?;
    Some(OpensslFolder { target, entries })
}

// === impl OpensslFolder ===

impl OpensslFolder {
    /// Writes the copy with the link into the folder `dir`, under the name of its content. Returns the name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_cover(&self, dir: &Path) -> Result<String, TlsError> {
        let mut context = digest::Context::new(&digest::SHA256);
        hash(&self.entries, &mut context);
        let digest = context.finish();
        let head: String = digest
            .as_ref()
            .iter()
            .take(16)
            .map(|b| format!("{b:02x}"))
            .collect();
        let name = format!("ssl-{head}");
        let path = dir.join(&name);
        if path.exists() {
            return Ok(name);
        }
        let temporary = dir.join(format!("{name}.tmp-{}", std::process::id()));
        // What a copy that was broken off left.
        let _ = fs::remove_dir_all(&temporary);
        let written = self
            .write_at(&temporary)
            .and_then(|()| fs::rename(&temporary, &path));
        match written {
            // Another was faster with the same.
            Err(_) if path.exists() => {
                let _ = fs::remove_dir_all(&temporary);
                Ok(name)
            }
            written => written.map(|()| name).map_err(failed("write", &path)),
        }
    }

    fn write_at(&self, path: &Path) -> io::Result<()> {
        write_folder(path, &self.entries)?;
        symlink(BUNDLE, path.join(LINK))
    }
}

fn read_folder(folder: &OwnedFd, depth: usize) -> io::Result<Vec<(OsString, Entry)>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |name: &OsStr, more| openat(folder, name, flags | more, Mode::empty());
    let listed = open(OsStr::new("."), OFlags::DIRECTORY)?;
    let mut entries = Vec::new();
    for entry in Dir::new(listed)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        if entries.len() >= MAX_ENTRIES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = match entry.file_type() {
            FileType::Symlink => {
                let target = readlinkat(folder, name, Vec::new())?;
                Entry::Link(OsString::from_vec(target.into_bytes()))
            }
            FileType::RegularFile => read_file(File::from(open(name, OFlags::empty())?))?,
            FileType::Directory if depth == 0 => {
                Entry::Folder(read_folder(&open(name, OFlags::DIRECTORY)?, depth + 1)?)
            }
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        entries.push((name.to_owned(), read));
    }
    // The order of a folder is the file system's; the same content is to have the same name.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

/// What was swapped for something else since it was listed is no regular file any more, and is not read.
fn read_file(file: File) -> io::Result<Entry> {
    let facts = file.metadata()?;
    if !facts.is_file() || facts.len() > MAX_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut content = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut content)?;
    Ok(Entry::File(content, facts.permissions().mode() & 0o755))
}

fn write_folder(path: &Path, entries: &[(OsString, Entry)]) -> io::Result<()> {
    fs::create_dir(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    for (name, entry) in entries {
        let path = path.join(name);
        match entry {
            Entry::File(content, mode) => {
                fs::write(&path, content)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
            }
            Entry::Folder(entries) => write_folder(&path, entries)?,
            Entry::Link(target) => symlink(target, &path)?,
        }
    }
    Ok(())
}

fn hash(entries: &[(OsString, Entry)], context: &mut digest::Context) {
    for (name, entry) in entries {
        update(context, b"n", name.as_bytes());
        match entry {
            Entry::File(content, mode) => {
                update(context, b"f", content);
                update(context, b"m", &mode.to_be_bytes());
            }
            Entry::Folder(entries) => {
                update(context, b"d", &entries.len().to_be_bytes());
                hash(entries, context);
            }
            Entry::Link(target) => update(context, b"l", target.as_bytes()),
        }
    }
}

/// Each part with its kind and length before it, so that no two trees read alike.
fn update(context: &mut digest::Context, kind: &[u8], bytes: &[u8]) {
    context.update(kind);
    context.update(&bytes.len().to_be_bytes());
    context.update(bytes);
}
