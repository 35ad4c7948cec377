//! Containers by podman, of one test's own: no daemon, so each run has its surroundings made anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::cgroup::{self, Cgroup};
use crate::docker::{BUSYBOX, busybox};
use crate::namespace::Namespace;
use crate::process::{Finished, Process};
use crate::sandbox::Sandbox;

const PATIENCE: Duration = Duration::from_secs(90);

/// Where podman keeps what is a test's.
#[derive(Debug)]
pub struct Podman {
    probe: PathBuf,
    namespace: Arc<Namespace>,
    folder: PathBuf,
    hooks: PathBuf,
    containers: Cgroup,
    engine: Cgroup,
}

impl Podman {
    /// Why it cannot be used here, if so.
    #[must_use]
    pub fn missing() -> Option<String> {
        let wanted = ["/usr/bin/podman", "/usr/sbin/runc", "/usr/bin/conmon"];
        let missing = wanted.iter().find(|program| !Path::new(program).exists())?;
        Some(format!(
            "`{missing}` is missing (`cargo xtask test` installs it)"
        ))
    }

    /// An engine with an image of busybox and a folder for hooks.
    ///
    /// # Errors
    /// When the image cannot be made.
    pub fn new(sandbox: &Sandbox) -> anyhow::Result<Self> {
        let folder = sandbox.folder().join("podman");
        let hooks = folder.join("hooks.d");
        fs::create_dir_all(&hooks)?;
        let podman = Self {
            probe: sandbox.binaries().probe.clone(),
            namespace: Arc::clone(sandbox.host()),
            hooks,
            containers: Cgroup::new("enforcer-podman")?,
            engine: Cgroup::new("enforcer-podman-engine")?,
            folder,
        };
        podman.import()?;
        Ok(podman)
    }

    /// Where files about hooks are looked for.
    #[must_use]
    pub fn hooks(&self) -> &Path {
        &self.hooks
    }

    /// `podman run --rm` of busybox, to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end. A container that fails is an answer.
    pub fn run(&self, options: &[&str], command: &[&str]) -> anyhow::Result<Finished> {
        let below = self.containers.path().strip_prefix(cgroup::mount()?)?;
        let parent = format!("/{}", below.display());
        let fixed = [
            "run",
            "--rm",
            "--pids-limit",
            "0",
            "--ulimit",
            "nofile=1024:2048",
            "--ulimit",
            "nproc=1024:2048",
            "--cgroup-parent",
            &parent,
        ];
        self.podman(&[&fixed[..], options, &[BUSYBOX], command].concat())
    }

    fn podman(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        let mut command = Command::new(&self.probe);
        command.args(["engine", "--cgroup"]).arg(self.engine.path());
        command.args(["--", "podman", "--runtime", "/usr/sbin/runc"]);
        command.args(["--cgroup-manager", "cgroupfs", "--events-backend", "file"]);
        command.args(["--storage-driver", "vfs"]);
        command.arg("--root").arg(self.folder.join("root"));
        command.arg("--runroot").arg(self.folder.join("run"));
        command.arg("--tmpdir").arg(self.folder.join("tmp"));
        command.arg("--hooks-dir").arg(&self.hooks).args(arguments);
        Process::start(&mut command, Some(&self.namespace))?.finish(PATIENCE)
    }

    fn import(&self) -> anyhow::Result<()> {
        let root = self.folder.join("busybox.root");
        let packed = self.folder.join("busybox.tar");
        fs::create_dir_all(&root)?;
        busybox(&root)?;
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&root).arg("-cf").arg(&packed).arg(".");
        let finished = Process::start(&mut tar, None)?.finish(PATIENCE)?;
        anyhow::ensure!(finished.code() == 0, "tar: {}", finished.stderr);
        let imported = self.podman(&["import", &packed.display().to_string(), BUSYBOX])?;
        anyhow::ensure!(imported.code() == 0, "import: {}", imported.stderr);
        Ok(())
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.containers.kill();
        self.engine.kill();
    }
}
