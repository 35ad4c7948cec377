//! Network namespaces without names: they exist while somebody holds them, and nothing is left behind whatever happens.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::process::{self, Command};
use std::thread;

use anyhow::{Context as _, ensure};
use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace of our own.
#[derive(Debug)]
pub struct Namespace {
    handle: File,
}

impl Namespace {
    /// Makes a namespace with its loopback up.
    ///
    /// # Errors
    /// When not root, or the kernel has no namespaces.
    pub fn new() -> anyhow::Result<Self> {
        let made = thread::spawn(|| -> anyhow::Result<File> {
            unshare(CloneFlags::CLONE_NEWNET).context("make a network namespace")?;
            Ok(File::open("/proc/thread-self/ns/net")?)
        });
        let handle = made.join().map_err(|_| panicked())??;
        let namespace = Self { handle };
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// The namespace the caller is in.
    ///
    /// # Errors
    /// When /proc does not show it.
    pub fn current() -> anyhow::Result<Self> {
        let handle = File::open("/proc/thread-self/ns/net")?;
        Ok(Self { handle })
    }

    /// A path that other programs can open while this value lives.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", process::id(), self.handle.as_raw_fd())
    }

    /// Runs `work` on a thread that is inside; sockets made and processes started there stay inside.
    ///
    /// # Errors
    /// When the namespace cannot be entered, or `work` panics.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.handle, CloneFlags::CLONE_NEWNET).context("enter the namespace")?;
                Ok(work())
            });
            inside.join().map_err(|_| panicked())?
        })
    }

    /// Runs `ip` inside, quietly.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn ip(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let ran = self.run(|| Command::new("ip").args(arguments).output())?;
        let output = ran.context("run `ip` (package iproute2)")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "ip {}: {said}",
            arguments.join(" ")
        );
        Ok(())
    }
}

fn panicked() -> anyhow::Error {
    anyhow::anyhow!("a thread in the namespace panicked")
}
