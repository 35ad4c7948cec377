//! The stores of one container, each covered by a copy that also holds our certificates.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use enforcer_kernel::{Cover, FileId, MountNamespace};
use enforcer_tls::trust::{self, Anchors, Hints, Kind, Merged, Store};

use super::sockets::NOTHING;

/// An environment is as large as its process wishes.
const MAX_ENVIRON: u64 = 256 * 1024;

/// Where copies are written and what is in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Laying<'a> {
    /// The folder of the copies.
    pub covers: &'a Path,
    /// What agents are to believe.
    pub anchors: &'a Anchors,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Laid {
    /// The stores that believe us now, by their paths in the container.
    pub stores: Vec<PathBuf>,
    /// All that were found.
    pub known: Vec<(PathBuf, Kind)>,
    /// The copies that lie over them.
    pub covers: HashSet<String>,
    /// What does not, and why.
    pub problems: Vec<String>,
}

/// Finds the stores that a container has, unless some are known, and covers those that do not believe us yet. Nothing is written in the container.
/// Doing it again changes nothing, unless what agents are to believe has changed.
///
/// # Errors
/// When the container is gone or cannot be entered; then nothing was covered.
pub(crate) fn lay(
    laying: Laying<'_>,
    container: &MountNamespace,
    known_stores: &[(PathBuf, Kind)],
) -> anyhow::Result<Laid> {
    let ours = known(laying.covers)?;
    let mut found = if known_stores.is_empty() {
        let hints = Hints {
            named: trust::named_by(&container.environ(MAX_ENVIRON).unwrap_or_default()),
            foreign: container.foreign()?,
        };
        trust::find(container.root(), &hints)
    } else {
        trust::revisit(container.root(), known_stores)
    };
    let is_stale = |store: &Store| {
        let covered = FileId::of(&store.target).is_ok_and(|id| ours.contains_key(&id));
        covered && !matches!(merge(laying, store, &[]), Ok(Merged::Already))
    };
    if found.found.iter().any(is_stale) {
        // What hides sockets stays: it is never stale.
        let copies = ours.iter().filter(|(_, name)| *name != NOTHING);
        container.uncover(&copies.map(|(id, _)| *id).collect())?;
        let stores = found.found.iter();
        let stores: Vec<_> = stores
            .map(|store| (store.path.clone(), store.kind))
            .collect();
        let cut_short = found.cut_short;
        found = trust::revisit(container.root(), &stores);
        found.cut_short |= cut_short;
    }
    let mut laid = Laid::default();
    laid.covers.insert(NOTHING.to_owned());
    if found.cut_short {
        let text = "the search met a bound; there may be more stores";
        laid.problems.push(text.to_owned());
    }
    let mut covers = Vec::new();
    let mut paths = Vec::new();
    let roots = roots_of(&found.found);
    let stores = found.found.iter();
    laid.known = stores
        .map(|store| (store.path.clone(), store.kind))
        .collect();
    for store in found.found {
        match merge(laying, &store, &roots) {
            Ok(Merged::Already) => {
                if let Some(name) = FileId::of(&store.target).ok().and_then(|id| ours.get(&id)) {
                    laid.covers.insert(name.clone());
                }
                laid.stores.push(store.path);
            }
            Ok(Merged::Cover(content)) => {
                let name = trust::write_cover(laying.covers, &content)?;
                let source = laying.covers.join(&name);
                laid.covers.insert(name);
                paths.push(store.path);
                covers.push(Cover {
                    source,
                    target: store.target,
                });
            }
            Ok(Merged::Unfit(why)) => laid.refuse(&store.path, why),
            Err(error) => laid.refuse(&store.path, error),
        }
    }
    let openssl = Path::new(trust::OPENSSL_FOLDER);
    if let Some(name) = container.shown(openssl).and_then(|id| ours.get(&id)) {
        laid.covers.insert(name.clone());
    } else if let Some(folder) = trust::openssl_folder(container.root()) {
        let name = folder.write_cover(laying.covers)?;
        paths.push(openssl.to_owned());
        covers.push(Cover {
            source: laying.covers.join(&name),
            target: folder.target,
        });
        laid.covers.insert(name);
    }
    let done = container.cover(&covers)?;
    for (path, done) in paths.into_iter().zip(done) {
        match done {
            Ok(()) => laid.stores.push(path),
            Err(error) => laid.refuse(&path, error),
        }
    }
    Ok(laid)
}

/// Takes every copy off again.
///
/// # Errors
/// When the container is gone or cannot be entered.
pub(crate) fn lift(covers: &Path, container: &MountNamespace) -> anyhow::Result<usize> {
    let ours = known(covers)?.into_keys().collect();
    Ok(container.uncover(&ours)?)
}

/// Makes the folder of the copies, which nobody else looks into.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_folder(covers: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(covers)
        .with_context(|| format!("the folder `{}` cannot be made", covers.display()))
}

/// The copies that there are.
fn known(covers: &Path) -> anyhow::Result<HashMap<FileId, String>> {
    let read = || -> io::Result<HashMap<FileId, String>> {
        let mut known = HashMap::new();
        for entry in fs::read_dir(covers)? {
            let entry = entry?;
            let file = fs::File::open(entry.path())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            known.insert(FileId::of(file.as_fd())?, name);
        }
        Ok(known)
    };
    read().with_context(|| format!("the folder `{}` cannot be read", covers.display()))
}

fn merge(
    laying: Laying<'_>,
    store: &Store,
    roots: &[enforcer_tls::CertificateDer<'static>],
) -> Result<Merged, enforcer_tls::TlsError> {
    trust::merge(store.kind, &store.content, laying.anchors, roots)
}

/// What the image itself believes; the host's own roots if it says nothing.
fn roots_of(stores: &[Store]) -> Vec<enforcer_tls::CertificateDer<'static>> {
    let keystores = stores.iter().any(|store| store.kind == Kind::Keystore);
    if !keystores {
        return Vec::new();
    }
    let bundles = stores.iter().filter(|store| store.kind == Kind::Bundle);
    let first = bundles
        .map(|store| trust::certificates(&store.content))
        .find(|certificates| !certificates.is_empty());
    first.unwrap_or_else(trust::public_roots)
}

// === impl Laid ===

impl Laid {
    fn refuse(&mut self, path: &Path, why: impl std::fmt::Display) {
        self.problems.push(format!("`{}`: {why}", path.display()));
    }
}
