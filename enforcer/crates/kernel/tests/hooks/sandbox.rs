//! A cgroup, a network namespace and loaded programs of a test's own; all gone when it ends, however it ends.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use enforcer_flow::{CgroupId, ClientAddr};
use enforcer_kernel::{
    KernelError, Listeners, Loopback, Netns, Origin, Origins, Programs, cgroup_id,
};

use crate::agent::Agent;

/// Everything a test needs, in the order in which it must go.
pub struct Sandbox {
    pub programs: Option<Programs>,
    pub netns: Netns,
    pub listeners: Listeners,
    pub cgroup: PathBuf,
    pub id: CgroupId,
    pub pins: PathBuf,
}

impl Sandbox {
    /// Programs attached to a new cgroup, serving a new namespace. `None`, with the reason printed, where that cannot be.
    pub fn new(loopback: Loopback) -> Option<Self> {
        let sandbox = Self::idle()?;
        sandbox
            .programs()
            .attach(&sandbox.cgroup, sandbox.id)
            .unwrap();
        let ports = sandbox.listeners.ports(loopback).unwrap();
        sandbox
            .programs()
            .serve(sandbox.netns.cookie(), ports)
            .unwrap();
        Some(sandbox)
    }

    /// The same before anything is attached or served.
    pub fn idle() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("enforcer-test-{}-{count}", std::process::id());
        let pins = Path::new("/sys/fs/bpf").join(&name);
        let programs = match Programs::load(&pins) {
            Ok(programs) => programs,
            Err(error @ (KernelError::ObjectMissing | KernelError::Permission { .. })) => {
                println!("skipped: {error}");
                return None;
            }
            Err(error) => panic!("{error:?}"),
        };
        let cgroup = cgroup2_mount().join(&name);
        fs::create_dir(&cgroup).unwrap();
        let netns = Netns::isolated().unwrap();
        let listeners = netns.listen().unwrap();
        listeners.tcp.set_nonblocking(false).unwrap();
        listeners.dns.set_nonblocking(false).unwrap();
        Some(Self {
            programs: Some(programs),
            id: cgroup_id(&cgroup).unwrap(),
            netns,
            listeners,
            cgroup,
            pins,
        })
    }

    pub fn programs(&self) -> &Programs {
        self.programs.as_ref().unwrap()
    }

    /// A process in the cgroup and the namespace.
    pub fn agent(&self) -> Agent {
        Agent::start(&self.cgroup, Some(&self.netns))
    }

    /// Accepts the connection that is there, and asks who it is.
    pub fn accept(&self) -> (TcpStream, SocketAddr, Option<Origin>) {
        let (stream, client) = self.listeners.tcp.accept().unwrap();
        let origins = self.programs().origins().unwrap();
        let origin = origins.take(self.netns.cookie(), ClientAddr::new(client));
        (stream, client, origin)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The pins may be held by a failed test's value, or by nobody: the folder goes in either case.
        drop(self.programs.take());
        let _ = fs::remove_dir_all(&self.pins);
        remove_cgroup(&self.cgroup);
    }
}

/// Where cgroup2 is mounted: alone at /sys/fs/cgroup, or below it.
pub fn cgroup2_mount() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    line.unwrap().split(' ').nth(4).unwrap().into()
}

/// Removes a cgroup and those below it. A process that was just killed stays in it until it is reaped.
fn remove_cgroup(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    if let Err(error) = fs::remove_dir(dir) {
        println!("cgroup {} stays: {error}", dir.display());
    }
}
