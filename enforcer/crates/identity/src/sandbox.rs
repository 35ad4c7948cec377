//! For tests: a cgroup of their own, gone when they end, and processes to put in it.

use std::process::{Child, Command};
use std::time::Duration;

use crate::{Cgroup, Hierarchy};

/// A fresh cgroup; dropping it kills and removes everything below it.
pub(crate) struct Sandbox {
    pub(crate) hierarchy: Hierarchy,
    pub(crate) cgroup: Cgroup,
}

impl Sandbox {
    /// None, with the reason printed, where cgroups cannot be made.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let make = || {
            let hierarchy = Hierarchy::discover()?;
            let path = format!("/enforcer-test-{}-{name}", std::process::id());
            let cgroup = hierarchy.create(&path)?;
            Ok::<_, crate::CgroupError>(Self { hierarchy, cgroup })
        };
        make()
            .inspect_err(|error| eprintln!("skipped, no cgroup can be made here: {error}"))
            .ok()
    }

    /// A cgroup in this one.
    pub(crate) fn child(&self, name: &str) -> Cgroup {
        let path = format!("{}/{name}", self.cgroup.path());
        self.hierarchy.create(&path).unwrap()
    }

    /// The path of something in this one.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.cgroup.path())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let Self { cgroup, .. } = self;
        let removed = cgroup
            .kill_all()
            .and_then(|()| cgroup.remove(Duration::from_secs(10)));
        if !std::thread::panicking() {
            removed.unwrap();
        }
    }
}

/// A process that stays in `cgroup` until it is killed.
pub(crate) fn sleeper(cgroup: &Cgroup) -> Child {
    let child = Command::new("sleep").arg("1000").spawn().unwrap();
    std::fs::write(cgroup.dir().join("cgroup.procs"), child.id().to_string()).unwrap();
    child
}
