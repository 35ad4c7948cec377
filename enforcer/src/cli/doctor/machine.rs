//! What the machine has to bring: rights, a kernel, cgroups, a BPF file system.

use std::fs;
use std::path::Path;

use enforcer_identity::Hierarchy;
use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities};

use super::{Report, State};

const PART: &str = "machine";
/// The oldest kernel whose features suffice, by what is used of them.
const OLDEST: (u32, u32) = (5, 15);
/// From here on maps are counted against the cgroup, not against RLIMIT_MEMLOCK.
const NO_MEMLOCK: (u32, u32) = (5, 11);
/// Enough for all maps on older kernels.
const MEMLOCK: u64 = 64 * 1024 * 1024;

pub(super) fn look(report: &mut Report) {
    rights(report);
    let version = kernel(report);
    cgroups(report);
    btf(report);
    bpffs(report);
    memlock(report, version);
}

fn rights(report: &mut Report) {
    let needed = [
        (CapabilitySet::BPF, "CAP_BPF"),
        (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN"),
        (CapabilitySet::SYS_ADMIN, "CAP_SYS_ADMIN"),
    ];
    let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let missing = needed.iter().filter(|(one, _)| !held.contains(*one));
    let missing: Vec<&str> = missing.map(|(_, name)| *name).collect();
    if missing.is_empty() {
        report.note(
            PART,
            "rights",
            State::Covered,
            "all capabilities that are needed",
        );
    } else {
        let found = format!("missing: {}", missing.join(", "));
        let finding = report.note(PART, "rights", State::Unknown, found);
        finding.mend("run this as root; what follows cannot be tried otherwise");
    }
}

fn kernel(report: &mut Report) -> (u32, u32) {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy().into_owned();
    let version = version(&release);
    if version >= OLDEST {
        report.note(PART, "kernel", State::Covered, release);
    } else {
        let found = format!(
            "{release}, and {}.{} is the oldest that may do",
            OLDEST.0, OLDEST.1
        );
        report
            .note(PART, "kernel", State::Open, found)
            .mend("use a newer kernel");
    }
    version
}

fn version(release: &str) -> (u32, u32) {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|text| text.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn cgroups(report: &mut Report) {
    match Hierarchy::discover() {
        Ok(hierarchy) => {
            let mount = hierarchy.mount();
            let layout = if mount == Path::new("/sys/fs/cgroup") {
                "cgroup v2 alone"
            } else {
                "cgroup v2 beside v1"
            };
            report.note(
                PART,
                "cgroups",
                State::Covered,
                format!("{layout}, at {}", mount.display()),
            );
        }
        Err(error) => {
            let finding = report.note(PART, "cgroups", State::Open, error.to_string());
            finding.mend("mount cgroup2, or boot with systemd.unified_cgroup_hierarchy=1");
        }
    }
}

fn btf(report: &mut Report) {
    if Path::new("/sys/kernel/btf/vmlinux").exists() {
        report.note(
            PART,
            "btf",
            State::Covered,
            "the kernel describes its types",
        );
    } else {
        let finding = report.note(
            PART,
            "btf",
            State::Open,
            "the kernel does not describe its types",
        );
        finding.mend("use a kernel built with CONFIG_DEBUG_INFO_BTF");
    }
}

fn bpffs(report: &mut Report) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounted = mounts.lines().any(|line| {
        let mut words = line.split(' ').skip(1);
        words.next() == Some("/sys/fs/bpf") && words.next() == Some("bpf")
    });
    if mounted {
        report.note(PART, "bpffs", State::Covered, "mounted at /sys/fs/bpf");
    } else {
        report.note(
            PART,
            "bpffs",
            State::Covered,
            "not mounted at /sys/fs/bpf; the daemon mounts it",
        );
    }
}

fn memlock(report: &mut Report, version: (u32, u32)) {
    if version >= NO_MEMLOCK {
        report.note(
            PART,
            "memlock",
            State::Covered,
            "maps do not count against it on this kernel",
        );
        return;
    }
    match getrlimit(Resource::Memlock).current {
        Some(limit) if limit < MEMLOCK => {
            let finding = report.note(PART, "memlock", State::Open, format!("{limit} bytes"));
            finding.mend("set LimitMEMLOCK=infinity for the service, or `ulimit -l unlimited`");
        }
        _ => {
            report.note(PART, "memlock", State::Covered, "enough for the maps");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_distributions_append() {
        assert_eq!(version("6.18.0-1-amd64"), (6, 18));
        assert_eq!(version("5.15.167.4-microsoft-standard"), (5, 15));
        assert_eq!(version("what"), (0, 0));
        assert!(version("5.4.0") < OLDEST && version("6.1") > OLDEST);
    }
}
