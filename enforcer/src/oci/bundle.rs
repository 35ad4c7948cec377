//! A bundle's configuration on disk.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// Longest configuration that is read: those of engines have some tens of kilobytes.
const MAX_CONFIG: u64 = 16 * 1024 * 1024;

/// A JSON document that is changed in place.
#[derive(Debug)]
pub(crate) struct Document {
    path: PathBuf,
    /// What it says.
    pub value: Value,
}

// === impl Document ===

impl Document {
    /// Reads the configuration of a bundle.
    pub(crate) fn of_bundle(bundle: &Path) -> anyhow::Result<Self> {
        Self::read(&bundle.join("config.json"))
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let opened = File::open(path);
        let file = opened.with_context(|| format!("cannot open `{}`", path.display()))?;
        let bytes = bounded(file).with_context(|| format!("cannot read `{}`", path.display()))?;
        let value = serde_json::from_slice(&bytes)
            .with_context(|| format!("`{}` is no JSON", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            value,
        })
    }

    /// Puts it back, whole or not at all, for the same reader.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let failed = || format!("cannot write `{}`", self.path.display());
        let mut draft = self.path.clone().into_os_string();
        draft.push(".enforcer");
        let draft = PathBuf::from(draft);
        let before = fs::metadata(&self.path).with_context(failed)?;
        let write = || -> io::Result<()> {
            let mut file = File::create(&draft)?;
            file.set_permissions(before.permissions())?;
            std::os::unix::fs::fchown(&file, Some(before.uid()), Some(before.gid()))?;
            file.write_all(&serde_json::to_vec(&self.value)?)?;
            fs::rename(&draft, &self.path)
        };
        write().with_context(failed)
    }

    /// Where the container's root is: absolute, or in the bundle.
    pub(crate) fn root(&self) -> Option<PathBuf> {
        let root = self.value.get("root")?.get("path")?.as_str()?;
        Some(self.path.parent()?.join(root))
    }
}

/// Reads to the end, no further than a configuration can be long.
pub(crate) fn bounded(from: impl io::Read) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_CONFIG + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MAX_CONFIG, "it is too long");
    Ok(bytes)
}
