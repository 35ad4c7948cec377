//! The programs for the kernel's security modules: loaded where the kernel takes them, kept where they were seen to fire.
//!
//! Kernels have been seen that take such programs and never run them, and others that refuse to load them for reasons that no
//! documentation names. So each is tried before it is relied on: a child in a cgroup made for that does what the program is
//! to refuse. Nothing else depends on them, and what covers the same without them is the same with them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use enforcer_common::{KernelLayout, UnixLayout, WorkloadEntry, workload_flag};
use enforcer_flow::CgroupId;

use crate::btf::Types;
use crate::hooks::{self, HookPoint};
use crate::probe::{Outcome, Seen, Trial};
use crate::programs::write_error;
use crate::sys::Loading;
use crate::{KernelError, Placement, Programs, by_hand, cgroup_id, object, sys};

/// `BPF_PROG_TYPE_LSM`.
const KIND: u32 = 29;
/// The kernel takes no program of this kind under another licence. What these two are compiled from is offered under it, too.
const LICENCE: &std::ffi::CStr = c"GPL";

/// What to do without a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Go on.
    Optional,
    /// Attach nothing.
    Required,
}

// === impl Programs ===

impl Programs {
    /// Loads the programs for the kernel's security modules, and tries them in the cgroup that `dir` is, where nobody may
    /// be: `actor` is a command that calls [`crate::probe::act_lsm`] with the path that is its last argument. Those that
    /// fire are attached with the others from now on. Returns what came of each.
    ///
    /// # Errors
    /// When they cannot be tried.
    pub fn add_lsm(
        &mut self,
        dir: &Path,
        actor: &mut Command,
        need: Need,
    ) -> Result<Vec<Trial>, KernelError> {
        let mut loaded = Vec::new();
        let mut trials = Vec::new();
        match self.prepare() {
            Ok(types) => {
                let unix = self.prepare_unix(&types);
                for (hook, function) in hooks::LSM {
                    let is_unix = hooks::UNIX_LSM.iter().any(|unix| unix.name == hook.name);
                    if let (true, Err(error)) = (is_unix, &unix) {
                        trials.push(refused(hook, error));
                        continue;
                    }
                    match self.load_one(&types, hook, function) {
                        Ok(program) => loaded.push((hook, program)),
                        Err(error) => trials.push(refused(hook, &error)),
                    }
                }
            }
            Err(error) => trials.extend(hooks::LSM.map(|(hook, _)| refused(hook, &error))),
        }
        if !loaded.is_empty() {
            let id = cgroup_id(dir)?;
            let tried = self.try_all(&loaded, dir, id, actor);
            self.workloads.remove(&id.0).map_err(write_error)?;
            trials.extend(tried?);
        }
        let fires = |hook: &HookPoint| {
            let fired = |trial: &Trial| trial.hook == hook.name && trial.outcome == Outcome::Fired;
            trials.iter().any(fired)
        };
        loaded.retain(|(hook, _)| fires(hook));
        self.add(loaded, need == Need::Optional);
        Ok(trials)
    }

    /// Finds out where this kernel keeps what the programs read, and tells them.
    fn prepare(&self) -> io::Result<Types> {
        let types = Types::of_kernel()?;
        let layout = KernelLayout {
            inode_superblock: types.offset("inode", &["i_sb"])?,
            inode_node: types.offset("inode", &["i_private"])?,
            superblock_magic: types.offset("super_block", &["s_magic"])?,
            node_parent: types.offset("kernfs_node", &["__parent", "parent"])?,
            node_id: types.offset("kernfs_node", &["id"])?,
            known: 1,
        };
        self.layout().set(&0, &layout)?;
        Ok(types)
    }

    /// The same for those that tell one unix socket from another.
    fn prepare_unix(&self, types: &Types) -> io::Result<()> {
        let layout = UnixLayout {
            socket_dentry: types.offset("unix_sock", &["path"])?
                + types.offset("path", &["dentry"])?,
            dentry_inode: types.offset("dentry", &["d_inode"])?,
            inode_number: types.offset("inode", &["i_ino"])?,
            inode_superblock: types.offset("inode", &["i_sb"])?,
            superblock_device: types.offset("super_block", &["s_dev"])?,
            file_socket: types.offset("socket", &["sk"])?,
            socket_cgroup: types.offset("sock", &["sk_cgrp_data"])?
                + types.offset("sock_cgroup_data", &["cgroup"])?,
            cgroup_node: types.offset("cgroup", &["kn"])?,
            node_parent: types.offset("kernfs_node", &["__parent", "parent"])?,
            node_id: types.offset("kernfs_node", &["id"])?,
            known: 1,
            reserved: 0,
        };
        self.unix_layout.set(&0, &layout)
    }

    fn load_one(&self, types: &Types, hook: HookPoint, function: &str) -> io::Result<OwnedFd> {
        let code = object::embedded().map_err(io::Error::other)?;
        let maps = self.pins().maps().map_err(io::Error::other)?;
        let function = types.function(function)?;
        by_hand::load(code, &maps, hook.name, |instructions| {
            sys::load(&Loading {
                kind: KIND,
                attach_type: hook.attach_type,
                function,
                licence: LICENCE,
                instructions,
            })
        })
    }

    /// Hangs them on the cgroup for as long as it takes. It is labelled as a trial, so that nothing is told of it.
    fn try_all(
        &self,
        programs: &[(HookPoint, OwnedFd)],
        dir: &Path,
        id: CgroupId,
        actor: &mut Command,
    ) -> Result<Vec<Trial>, KernelError> {
        let entry = WorkloadEntry {
            flags: workload_flag::TRIAL,
            ..WorkloadEntry::default()
        };
        self.workloads.set(&id.0, &entry).map_err(write_error)?;
        let folder = File::open(dir).map_err(|error| KernelError::file("open", dir, error))?;
        let mut links = Vec::new();
        let mut trials = Vec::new();
        for (hook, program) in programs {
            match sys::link_create(program.as_fd(), folder.as_fd(), hook.attach_type) {
                Ok(link) => links.push((*hook, link)),
                Err(error) => trials.push(refused(*hook, &error)),
            }
        }
        let seen = act(dir, actor)?;
        for (hook, link) in links {
            trials.push(Trial {
                hook: hook.name,
                outcome: seen.expect(hook.name, "refused", true, ""),
            });
            sys::link_detach(link.as_fd())
                .map_err(|error| KernelError::call("detaching a program", error))?;
        }
        Ok(trials)
    }
}

/// Has the child act, and asks it what it saw. What it is to try in vain is to write to the cgroup above its own.
fn act(dir: &Path, actor: &mut Command) -> Result<Seen, KernelError> {
    let above = dir.parent().unwrap_or(dir).join("cgroup.procs");
    actor.arg(above).stdin(Stdio::null()).stderr(Stdio::null());
    let _progress = Placement::new(dir, None)?.apply(actor)?;
    let output = actor
        .output()
        .map_err(|error| KernelError::call("running the child that tries the programs", error))?;
    Ok(Seen::read(&output.stdout[..]))
}

fn refused(hook: HookPoint, error: &io::Error) -> Trial {
    Trial {
        hook: hook.name,
        outcome: Outcome::Refused(error.to_string()),
    }
}
