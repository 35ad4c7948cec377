//! A cgroup, a network namespace and loaded programs of a test's own; all gone when it ends, however it ends.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use enforcer_flow::{CgroupId, ClientAddr};
use enforcer_kernel::{
    KernelError, Listeners, Loopback, Netns, Origin, Origins, Programs, cgroup_id,
};

use crate::agent::Agent;

/// How long processes that were killed may take to be gone.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// Everything a test needs.
pub(crate) struct Sandbox {
    /// Taken by tests that end them early.
    pub(crate) programs: Option<Programs>,
    pub(crate) netns: Netns,
    pub(crate) listeners: Listeners,
    /// The agent's cgroup; beside it stand those of strangers.
    pub(crate) cgroup: PathBuf,
    pub(crate) id: CgroupId,
    pub(crate) pins: PathBuf,
    /// What goes when the test ends.
    _folders: Folders,
}

/// Removed on drop, the cgroups below with their processes gone.
struct Folders {
    cgroup: PathBuf,
    pins: PathBuf,
}

impl Sandbox {
    /// Programs attached to a new cgroup, serving a new namespace. `None`, with the reason printed, where that cannot be.
    pub(crate) fn new(loopback: Loopback) -> Option<Self> {
        let sandbox = Self::idle()?;
        sandbox.enforce(loopback);
        Some(sandbox)
    }

    /// The same before anything is attached or served.
    pub(crate) fn idle() -> Option<Self> {
        Self::below("pins")
    }

    /// The same, pinned in a folder of this name in a folder of the test's own.
    pub(crate) fn below(name: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let unique = format!("enforcer-test-{}-{count}", std::process::id());
        let folders = Folders {
            cgroup: cgroup2_mount().join(&unique),
            pins: Path::new("/sys/fs/bpf").join(&unique),
        };
        let pins = folders.pins.join(name);
        let programs = match Programs::load(&pins) {
            Ok(programs) => programs,
            Err(error @ KernelError::ObjectMissing) => return skip(&error),
            Err(error @ KernelError::Permission { .. }) if !is_root() => return skip(&error),
            Err(error) => panic!("{error:?}"),
        };
        let cgroup = folders.cgroup.join("agent");
        fs::create_dir_all(&cgroup).unwrap();
        let netns = Netns::isolated().unwrap();
        let listeners = netns.listen().unwrap();
        listeners.tcp.set_nonblocking(false).unwrap();
        for dns in [Some(&listeners.dns), listeners.dns6.as_ref()]
            .into_iter()
            .flatten()
        {
            dns.set_nonblocking(false).unwrap();
            dns.set_read_timeout(Some(crate::agent::PATIENCE)).unwrap();
        }
        Some(Self {
            programs: Some(programs),
            netns,
            listeners,
            id: cgroup_id(&cgroup).unwrap(),
            cgroup,
            pins,
            _folders: folders,
        })
    }

    /// Attaches and serves.
    pub(crate) fn enforce(&self, loopback: Loopback) {
        let ports = self.listeners.ports(loopback).unwrap();
        self.programs().attach(&self.cgroup, self.id).unwrap();
        self.programs().serve(self.netns.cookie(), ports).unwrap();
    }

    pub(crate) fn programs(&self) -> &Programs {
        self.programs
            .as_ref()
            .expect("no test takes them and asks for them")
    }

    /// A process in the cgroup and the namespace.
    pub(crate) fn agent(&self) -> Agent {
        self.agent_in(&self.cgroup)
    }

    /// A process in a cgroup and the namespace.
    pub(crate) fn agent_in(&self, cgroup: &Path) -> Agent {
        Agent::start(cgroup, &self.netns)
    }

    /// A process in the namespace, but in a cgroup that nobody labelled.
    pub(crate) fn stranger(&self) -> Agent {
        self.agent_in(&self.sibling("stranger"))
    }

    /// A new cgroup beside the agent's.
    pub(crate) fn sibling(&self, name: &str) -> PathBuf {
        let cgroup = self.cgroup.with_file_name(name);
        fs::create_dir(&cgroup).unwrap();
        cgroup
    }

    /// Accepts the connection that is there, and asks who it is.
    pub(crate) fn accept(&self) -> (TcpStream, SocketAddr, Option<Origin>) {
        let (stream, client) = self.listeners.tcp.accept().unwrap();
        let origin = self.origin(client);
        (stream, client, origin)
    }

    /// Asks who a client is.
    pub(crate) fn origin(&self, client: SocketAddr) -> Option<Origin> {
        let origins = self.programs().origins().unwrap();
        origins.take(self.netns.cookie(), ClientAddr::new(client))
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let Self { cgroup, pins } = self;
        let _ = fs::remove_dir_all(pins);
        // Whoever is still in there was started by the test, and may outlive the value that holds this one.
        let _ = fs::write(cgroup.join("cgroup.kill"), "1");
        let until = Instant::now() + LAST_BREATH;
        while !remove_cgroup(cgroup) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Where cgroup2 is mounted: alone at /sys/fs/cgroup, or below it.
pub(crate) fn cgroup2_mount() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    let line = line.expect("a cgroup2 mount");
    line.split(' ').nth(4).expect("a mount point").into()
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn skip<T>(why: &KernelError) -> Option<T> {
    println!("skipped: {why}");
    None
}

/// Runs what needs a runtime.
pub(crate) fn block_on(task: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(task);
}

/// Removes a cgroup and those below it; says whether it is gone, for which its processes must be.
fn remove_cgroup(dir: &Path) -> bool {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    fs::remove_dir(dir).is_ok() || !dir.exists()
}
