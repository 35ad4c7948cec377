//! The host's control sockets that show in a container, covered by nothing: whoever connects one has a service of the host
//! act for it, past everything that is enforced.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enforcer_kernel::{Cover, FileId, MountNamespace, ShownSocket};

use crate::host_sockets;

/// The file, of nothing, that lies over sockets: who connects it is refused, as where nobody listens.
pub(super) const NOTHING: &str = "no-socket";

/// What came of it, by paths in the container.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    /// Where nothing is to be connected any more.
    pub sockets: Vec<PathBuf>,
    /// What still shows, and why.
    pub open: Vec<String>,
}

/// Covers them, but for those that are allowed. What shares the host's root is no container, and sees its services.
///
/// # Errors
/// When it cannot be said which there are, or none could be covered.
pub(super) fn hide(
    covers: &Path,
    allowed: &[PathBuf],
    container: &MountNamespace,
) -> anyhow::Result<Hidden> {
    if container.has_root_of_host() {
        return Ok(Hidden::default());
    }
    let spared = files(allowed.iter().cloned());
    let outside = files(host_sockets::hidden(allowed.iter().map(PathBuf::as_path)).into_iter());
    let mut shown = container.sockets(&outside)?;
    shown.retain(|socket| !spared.contains_key(&socket.id));
    if shown.is_empty() {
        return Ok(Hidden::default());
    }
    let source = covers.join(NOTHING);
    make(&source).with_context(|| format!("cannot make `{}`", source.display()))?;
    let (paths, covers): (Vec<PathBuf>, Vec<Cover>) = shown
        .into_iter()
        .map(|ShownSocket { path, target, .. }| {
            let source = source.clone();
            (path, Cover { source, target })
        })
        .unzip();
    let mut hidden = Hidden::default();
    for (path, done) in paths.into_iter().zip(container.cover(&covers)?) {
        match done {
            Ok(()) => hidden.sockets.push(path),
            Err(error) => hidden.open.push(format!("`{}`: {error}", path.display())),
        }
    }
    Ok(hidden)
}

/// Made once: it is known again by which file it is.
fn make(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Those that are there, by which file they are.
fn files(paths: impl Iterator<Item = PathBuf>) -> HashMap<FileId, PathBuf> {
    let known = paths.filter_map(|path| {
        let real = fs::canonicalize(&path).ok()?;
        Some((FileId::at(&real).ok()?, real))
    });
    known.collect()
}
