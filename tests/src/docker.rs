//! A Docker Engine of one test's own: its namespaces, its cgroups and its images go with the value.
//!
//! It lives in the network namespace it is given, so that what its containers send is routed into the watched world, and in
//! a mount namespace in which there is cgroup version 2 alone. Everything it starts is in two cgroups, so that nothing
//! outlives it whatever happens.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::Signal;
use serde_json::{Map, Value, json};

use crate::cgroup::{self, Cgroup};
use crate::namespace::Namespace;
use crate::process::{Finished, Process};
use crate::sandbox::Sandbox;

/// An image with busybox and nothing else; its programs are linked statically.
pub const BUSYBOX: &str = "busybox";
/// An image whose `/usr` is the machine's, by [`Machine::ARGUMENTS`]: every program that is installed here.
pub const MACHINE: &str = "machine";

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running engine.
#[derive(Debug)]
pub struct Docker {
    /// Behind a lock, so that several threads may run containers.
    process: Mutex<Option<Process>>,
    socket: PathBuf,
    folder: PathBuf,
    containers: Cgroup,
    engine: Cgroup,
}

/// What an engine is started with.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    runtimes: Map<String, Value>,
    namespace: Option<Arc<Namespace>>,
}

/// A container that was started; removed when dropped.
#[derive(Debug)]
pub struct Container<'d> {
    docker: &'d Docker,
    id: String,
}

/// What makes a container of [`MACHINE`] have the machine's programs.
#[derive(Debug)]
pub struct Machine;

// === impl Settings ===

impl Settings {
    /// Another runtime by name: a program and what it is told before the engine's own arguments.
    #[must_use]
    pub fn runtime(mut self, name: &str, program: &Path, arguments: &[&str]) -> Self {
        let runtime = json!({"path": program, "runtimeArgs": arguments});
        self.runtimes.insert(name.to_owned(), runtime);
        self
    }

    /// In this network namespace instead of the sandbox's host.
    #[must_use]
    pub fn within(mut self, namespace: Arc<Namespace>) -> Self {
        self.namespace = Some(namespace);
        self
    }
}

// === impl Machine ===

impl Machine {
    /// Arguments of `docker run`.
    pub const ARGUMENTS: [&str; 2] = ["--volume", "/usr:/usr:ro"];

    /// Fills a root that is whole once the machine's `/usr` is mounted in it.
    ///
    /// # Errors
    /// When the machine lacks what belongs there.
    pub fn fill(root: &Path) -> anyhow::Result<()> {
        machine(root)
    }
}

// === impl Docker ===

impl Docker {
    /// Why there can be no engine here, if so.
    #[must_use]
    pub fn missing() -> Option<String> {
        let installed = |program: &&str| {
            let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
            let mut places = folders.iter().map(|folder| Path::new(folder).join(program));
            places.any(|place| place.exists())
        };
        let wanted = ["dockerd", "docker", "runc", "busybox", "iptables"];
        let missing = wanted.iter().find(|program| !installed(program))?;
        Some(format!(
            "`{missing}` is missing (`cargo xtask test` installs it)"
        ))
    }

    /// Starts an engine in the sandbox's host namespace.
    ///
    /// # Errors
    /// When it does not come up; with what it said.
    pub fn start(sandbox: &Sandbox, settings: &Settings) -> anyhow::Result<Self> {
        let folder = sandbox.folder().join("docker");
        fs::create_dir_all(&folder)?;
        let engine = Cgroup::new("enforcer-docker-engine")?;
        let containers = Cgroup::new("enforcer-docker")?;
        let config = folder.join("daemon.json");
        fs::write(&config, json!({"runtimes": settings.runtimes}).to_string())?;
        let socket = folder.join("docker.sock");
        let mut command = Command::new(&sandbox.binaries().probe);
        command.args(["engine", "--cgroup"]).arg(engine.path());
        command.args(["--", "dockerd", "--oom-score-adjust", "0"]);
        command.args(["--exec-opt", "native.cgroupdriver=cgroupfs"]);
        command.arg("--config-file").arg(&config);
        command
            .arg("--host")
            .arg(format!("unix://{}", socket.display()));
        command.arg("--data-root").arg(folder.join("data"));
        command.arg("--exec-root").arg(folder.join("exec"));
        command.arg("--pidfile").arg(folder.join("docker.pid"));
        command
            .arg("--cgroup-parent")
            .arg(below_mount(&containers)?);
        let namespace = settings.namespace.as_ref().unwrap_or(sandbox.host());
        let process = Process::start(&mut command, Some(namespace))?;
        let mut docker = Self {
            process: Mutex::new(Some(process)),
            socket,
            folder,
            containers,
            engine,
        };
        docker.await_start()?;
        docker.import(BUSYBOX, busybox)?;
        Ok(docker)
    }

    fn await_start(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + START;
        while UnixStream::connect(&self.socket).is_err() {
            let process = self.process.get_mut();
            let process = process.unwrap_or_else(PoisonError::into_inner);
            let ended = process.as_mut().is_none_or(Process::has_ended);
            if ended || Instant::now() >= until {
                let process = process.take().context("an engine that was started")?;
                process.signal(Signal::TERM);
                let finished = process.finish(Duration::from_secs(1))?;
                anyhow::bail!("the engine did not start: {}", finished.stderr);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Where its API is.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The cgroup that its containers are below.
    #[must_use]
    pub fn containers(&self) -> &Cgroup {
        &self.containers
    }

    /// Runs the client to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn cli(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        let mut command = self.command();
        command.args(arguments);
        Process::start(&mut command, None)?.finish(PATIENCE)
    }

    /// The client, to be told more.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        command.env("DOCKER_CONFIG", &self.folder);
        command
    }

    /// Makes an image of what `fill` puts in a folder.
    ///
    /// # Errors
    /// When it cannot be filled, packed or imported.
    pub fn import(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let root = self.folder.join(format!("{name}.root"));
        let packed = self.folder.join(format!("{name}.tar"));
        fs::create_dir_all(&root)?;
        fill(&root)?;
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&root).arg("-cf").arg(&packed).arg(".");
        let finished = Process::start(&mut tar, None)?.finish(PATIENCE)?;
        anyhow::ensure!(finished.code() == 0, "tar: {}", finished.stderr);
        let imported = self.cli(&["import", &packed.display().to_string(), name])?;
        anyhow::ensure!(imported.code() == 0, "import: {}", imported.stderr);
        fs::remove_file(packed)?;
        Ok(fs::remove_dir_all(root)?)
    }

    /// Makes the image [`MACHINE`].
    ///
    /// # Errors
    /// As [`Docker::import`].
    pub fn import_machine(&self) -> anyhow::Result<()> {
        self.import(MACHINE, machine)
    }

    /// `docker run --rm`, to its end.
    ///
    /// # Errors
    /// When the client cannot be started or does not end. A container that fails is an answer.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        self.cli(&[&["run", "--rm"], arguments].concat())
    }

    /// `docker run --detach`.
    ///
    /// # Errors
    /// When it is not started; with what was said.
    pub fn start_container(&self, arguments: &[&str]) -> anyhow::Result<Container<'_>> {
        let finished = self.cli(&[&["run", "--detach"], arguments].concat())?;
        anyhow::ensure!(finished.code() == 0, "docker run: {}", finished.stderr);
        Ok(Container {
            docker: self,
            id: finished.stdout.trim().to_owned(),
        })
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if let Ok(all) = self.cli(&["ps", "--all", "--quiet", "--no-trunc"]) {
            for id in all.stdout.lines() {
                let _ = self.cli(&["rm", "--force", "--volumes", id]);
            }
        }
        let process = self.process.get_mut();
        if let Some(process) = process.unwrap_or_else(PoisonError::into_inner).take() {
            process.signal(Signal::TERM);
            let _ = process.finish(STOP);
        }
        // What the engine left running goes with its cgroups.
        self.containers.kill();
        self.engine.kill();
    }
}

// === impl Container ===

impl Container<'_> {
    /// Its id, in full.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The directory of its cgroup.
    #[must_use]
    pub fn cgroup(&self) -> PathBuf {
        self.docker.containers.path().join(&self.id)
    }

    /// The process id of its first process.
    ///
    /// # Errors
    /// When the engine does not say.
    pub fn pid(&self) -> anyhow::Result<u32> {
        let told = self
            .docker
            .cli(&["inspect", "--format", "{{.State.Pid}}", &self.id])?;
        told.stdout.trim().parse().context("a process id")
    }

    /// Runs a program in it to its end.
    ///
    /// # Errors
    /// When the client cannot be started or does not end.
    pub fn exec(&self, command: &[&str]) -> anyhow::Result<Finished> {
        self.docker.cli(&[&["exec", &self.id], command].concat())
    }

    /// What it has said so far.
    ///
    /// # Errors
    /// When the engine does not tell.
    pub fn logs(&self) -> anyhow::Result<Finished> {
        self.docker.cli(&["logs", &self.id])
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.docker.cli(&["rm", "--force", "--volumes", &self.id]);
    }
}

/// A cgroup's path as engines want it.
fn below_mount(cgroup: &Cgroup) -> anyhow::Result<PathBuf> {
    let below = cgroup.path().strip_prefix(cgroup::mount()?)?;
    Ok(Path::new("/").join(below))
}

/// A root with busybox under all its names.
pub(crate) fn busybox(root: &Path) -> anyhow::Result<()> {
    let programs = root.join("bin");
    fs::create_dir_all(&programs)?;
    for folder in ["etc", "tmp", "root", "proc", "sys", "dev"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::copy(found("busybox")?, programs.join("busybox"))?;
    let names = Command::new("busybox").arg("--list").output()?;
    for name in String::from_utf8_lossy(&names.stdout).lines() {
        if name != "busybox" {
            symlink("busybox", programs.join(name))?;
        }
    }
    Ok(fs::write(
        root.join("etc/passwd"),
        "root:x:0:0::/root:/bin/sh\n",
    )?)
}

/// A root that is whole once the machine's `/usr` is mounted in it.
fn machine(root: &Path) -> anyhow::Result<()> {
    for folder in [
        "usr",
        "etc/ssl/certs",
        "tmp",
        "root",
        "proc",
        "sys",
        "dev",
        "var",
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        symlink(format!("usr/{name}"), root.join(name))?;
    }
    let store = "etc/ssl/certs/ca-certificates.crt";
    fs::copy(Path::new("/").join(store), root.join(store))?;
    for file in ["etc/ld.so.cache", "etc/nsswitch.conf", "etc/passwd"] {
        fs::copy(Path::new("/").join(file), root.join(file))?;
    }
    Ok(())
}

fn found(program: &str) -> anyhow::Result<PathBuf> {
    let folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    let mut places = folders.iter().map(|folder| Path::new(folder).join(program));
    places
        .find(|place| place.exists())
        .with_context(|| format!("`{program}` is not installed"))
}
