//! Runs a command of a container's own where its processes live, as one of them: for checks that only the container's programs
//! can make.
//!
//! The child holds what its parent holds until it becomes that command, and it is among processes that nobody trusts by then.
//! So whoever calls this must not be one that knows a secret: the CLI does, the daemon never. The child cannot be traced
//! meanwhile, takes no open descriptor along, and has no more rights than the process it is put beside.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::Signal;

use crate::KernelError;

/// Above every capability that there is; dropping one that there is not is an error that says so.
const LAST_CAPABILITY: u32 = 63;

/// Beside a process: its cgroup, its namespaces, its root, its user and no more rights than it may ever have.
#[derive(Debug)]
pub struct Inside {
    cgroup: OwnedFd,
    pids: OwnedFd,
    spaces: Vec<(OwnedFd, libc::c_int)>,
    root: OwnedFd,
    user: u32,
    group: u32,
    bounding: u64,
}

// === impl Inside ===

impl Inside {
    /// Beside process `pid`, in the cgroup that `cgroup` is.
    ///
    /// # Errors
    /// When the process is gone or the cgroup cannot be entered.
    pub fn beside(pid: u32, cgroup: &Path) -> Result<Self, KernelError> {
        let procs = cgroup.join("cgroup.procs");
        let cgroup = OpenOptions::new()
            .write(true)
            .open(&procs)
            .map_err(|error| KernelError::file("write to", &procs, error))?;
        let path = format!("/proc/{pid}");
        let path = Path::new(&path);
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let failed = |error: rustix::io::Errno| KernelError::file("open", path, error);
        let process = openat(CWD, path, folder, Mode::empty()).map_err(failed)?;
        let open = |name: &str, flags| {
            openat(&process, name, flags | OFlags::CLOEXEC, Mode::empty()).map_err(failed)
        };
        let names = [
            ("ns/ipc", libc::CLONE_NEWIPC),
            ("ns/uts", libc::CLONE_NEWUTS),
            ("ns/net", libc::CLONE_NEWNET),
            ("ns/mnt", libc::CLONE_NEWNS),
        ];
        let mut spaces = Vec::new();
        for (name, kind) in names {
            spaces.push((open(name, OFlags::RDONLY)?, kind));
        }
        let status = std::fs::read_to_string(path.join("status"))
            .map_err(|error| KernelError::file("read", path, error))?;
        let user_space = open("ns/user", OFlags::RDONLY)?;
        let own = rustix::fs::stat("/proc/self/ns/user").map_err(failed)?;
        let theirs = rustix::fs::fstat(&user_space).map_err(failed)?;
        let is_own = own.st_ino == theirs.st_ino;
        if !is_own {
            spaces.push((user_space, libc::CLONE_NEWUSER));
        }
        // In a user namespace of its own a container's ids are others than we see; its root is 0 there.
        let id = |key: &str| {
            if is_own {
                field(&status, key, 10)
            } else {
                Some(0)
            }
        };
        let unreadable = || {
            KernelError::call(
                "reading who a process runs as",
                io::Error::other("not there"),
            )
        };
        Ok(Self {
            cgroup: cgroup.into(),
            pids: open("ns/pid", OFlags::RDONLY)?,
            spaces,
            root: open("root", folder)?,
            user: id("Uid:")
                .and_then(|id| u32::try_from(id).ok())
                .ok_or_else(unreadable)?,
            group: id("Gid:")
                .and_then(|id| u32::try_from(id).ok())
                .ok_or_else(unreadable)?,
            bounding: field(&status, "CapBnd:", 16).ok_or_else(unreadable)?,
        })
    }

    /// Starts `command` there, its path looked up inside, and has `watch` look after it to its end.
    ///
    /// # Errors
    /// When it cannot be put there, or there is no such program.
    pub fn run<T>(
        self,
        mut command: Command,
        watch: impl FnOnce(Child) -> T,
    ) -> Result<T, KernelError> {
        let pids = self.pids.as_fd().try_clone_to_owned();
        let pids = pids.map_err(|error| KernelError::call("keeping a namespace", error))?;
        // SAFETY: between fork and exec only system calls are made, on descriptors opened before; nothing allocates and no
        // lock is taken.
        unsafe { command.pre_exec(move || self.enter()) };
        let mut spawn = move || {
            // A process cannot change its own namespace of processes, only that of its children; so a thread does, and ends.
            rustix::thread::move_into_link_name_space(
                pids.as_fd(),
                Some(rustix::thread::LinkNameSpaceType::ProcessID),
            )
            .map_err(|error| KernelError::call("entering a namespace of processes", error))?;
            command
                .spawn()
                .map_err(|error| KernelError::call("starting a program in a container", error))
        };
        let (sender, spawned) = mpsc::sync_channel(1);
        let (done, ended) = mpsc::sync_channel::<()>(1);
        thread::scope(|scope| {
            // That thread can start no others, and the command ends with it: so all it does further is to wait.
            let waits = move || {
                let _ = sender.send(spawn());
                let _ = ended.recv();
            };
            thread::Builder::new()
                .name("inside".into())
                .spawn_scoped(scope, waits)
                .map_err(|error| KernelError::call("starting a thread", error))?;
            let gone = |_| {
                KernelError::call(
                    "starting a program in a container",
                    io::Error::other("the thread panicked"),
                )
            };
            let watched = spawned.recv().map_err(gone)?.map(watch);
            drop(done);
            watched
        })
    }

    fn enter(&self) -> io::Result<()> {
        // Before anybody inside can see it: what it inherited is nobody's business.
        control(libc::PR_SET_DUMPABLE, 0)?;
        rustix::io::write(&self.cgroup, b"0")?;
        for (space, kind) in &self.spaces {
            // SAFETY: the call takes no pointers.
            check(unsafe { libc::setns(space.as_raw_fd(), *kind) })?;
        }
        rustix::process::fchdir(&self.root)?;
        rustix::process::chroot(c".")?;
        for capability in 0..=LAST_CAPABILITY {
            let kept = self.bounding >> capability & 1 == 1;
            // SAFETY: the call takes no pointers.
            let there =
                unsafe { libc::prctl(libc::PR_CAPBSET_READ, libc::c_ulong::from(capability)) };
            if !kept && there == 1 {
                control(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability))?;
            }
        }
        // SAFETY: an empty list takes no pointer, and ids are numbers. These are the system calls themselves: the library's
        // functions would tell other threads, of which this child has none.
        unsafe {
            check(libc::syscall(
                libc::SYS_setgroups,
                0,
                std::ptr::null::<u32>(),
            ))?;
            check(libc::syscall(
                libc::SYS_setresgid,
                self.group,
                self.group,
                self.group,
            ))?;
            check(libc::syscall(
                libc::SYS_setresuid,
                self.user,
                self.user,
                self.user,
            ))?;
        }
        control(libc::PR_SET_NO_NEW_PRIVS, 1)?;
        rustix::process::setsid()?;
        Ok(rustix::process::set_parent_process_death_signal(Some(
            Signal::KILL,
        ))?)
    }
}

/// The first number after a key of `/proc/PID/status`.
fn field(status: &str, key: &str, radix: u32) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    u64::from_str_radix(line.split_whitespace().next()?, radix).ok()
}

fn control(option: libc::c_int, value: libc::c_ulong) -> io::Result<()> {
    let zero: libc::c_ulong = 0;
    // SAFETY: these options take numbers only.
    check(unsafe { libc::prctl(option, value, zero, zero, zero) })
}

fn check(done: impl Into<libc::c_long>) -> io::Result<()> {
    if done.into() == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
