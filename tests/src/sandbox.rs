//! One test's machine: a host namespace whose every route leads into a watched world, a folder, and cgroups.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::binaries::Binaries;
use crate::cgroup::Cgroup;
use crate::namespace::Namespace;
use crate::upstream::Upstream;
use crate::world::World;

/// The surroundings of one test; all of it goes away with the value.
#[derive(Debug)]
pub struct Sandbox {
    binaries: Binaries,
    host: Arc<Namespace>,
    world: World,
    folder: TempDir,
}

impl Sandbox {
    /// Makes the namespaces, the wire between them and the folder.
    ///
    /// # Errors
    /// When one of them cannot be made.
    pub fn new(binaries: Binaries) -> anyhow::Result<Self> {
        let host = Arc::new(Namespace::new()?);
        let world = World::new(Arc::clone(&host))?;
        // Programs that are not root read the trust files in it.
        let folder = tempfile::Builder::new()
            .prefix("enforcer-e2e-")
            .permissions(permissions(0o755))
            .tempdir()
            .context("make the test's folder")?;
        Ok(Self {
            binaries,
            host,
            world,
            folder,
        })
    }

    /// The programs under test.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The namespace in which the daemon, the upstream and agents live.
    #[must_use]
    pub fn host(&self) -> &Arc<Namespace> {
        &self.host
    }

    /// What lies beyond it.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The test's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file below the folder, with the folders it needs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    /// Makes a cgroup.
    ///
    /// # Errors
    /// As [`Cgroup::new`].
    pub fn cgroup(&self) -> anyhow::Result<Cgroup> {
        Cgroup::new("enforcer-e2e")
    }

    /// Starts an upstream with a listener of every face in the host namespace.
    ///
    /// # Errors
    /// As [`Upstream::start`].
    pub fn upstream(&self) -> anyhow::Result<Upstream> {
        Upstream::of_every_face(Some(Arc::clone(&self.host)))
    }
}

fn permissions(mode: u32) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;

    fs::Permissions::from_mode(mode)
}
