//! The list of mounts that a process sees, as `/proc/PID/mountinfo` shows it (proc_pid_mountinfo(5)).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, openat};

use crate::KernelError;
use crate::mountinfo::unescaped;

/// A container may have many mounts; a list beyond this is nobody's honest one.
const MAX: u64 = 4 << 20;

/// File systems that nobody but this kernel answers for. What lies on others may never be answered, and can be anything.
const ON_DISK: &[&[u8]] = &[
    b"bcachefs",
    b"btrfs",
    b"erofs",
    b"ext2",
    b"ext3",
    b"ext4",
    b"f2fs",
    b"overlay",
    b"squashfs",
    b"tmpfs",
    b"xfs",
    b"zfs",
];

/// What is needed of it.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    points: Vec<PathBuf>,
    /// The number and the point of each, in the order in which they were mounted.
    numbered: Vec<(u64, PathBuf)>,
    foreign: HashSet<PathBuf>,
    /// Of mounts that hand on what happens in them, the group that they do it with.
    groups: HashMap<u64, u64>,
}

impl Mounts {
    /// Those of a process, given its folder below /proc.
    pub(super) fn read(process: &OwnedFd) -> Result<Self, KernelError> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(process, "mountinfo", flags, Mode::empty())
            .map_err(|error| KernelError::call("listing a container's mounts", error))?;
        Self::parse(file.into())
    }

    /// Our own.
    pub(super) fn own() -> Result<Self, KernelError> {
        let path = Path::new("/proc/thread-self/mountinfo");
        let file = File::open(path).map_err(|error| KernelError::file("open", path, error))?;
        Self::parse(file)
    }

    fn parse(file: File) -> Result<Self, KernelError> {
        let mut text = Vec::new();
        file.take(MAX)
            .read_to_end(&mut text)
            .map_err(|error| KernelError::call("listing mounts", error))?;
        let mut mounts = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            mounts.add(line);
        }
        Ok(mounts)
    }

    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: number, parent, device, root, point, options, fields.
    fn add(&mut self, line: &[u8]) {
        let mut words = line.split(|byte| *byte == b' ');
        let Some(number) = words.next().and_then(number) else {
            return;
        };
        let Some(point) = words.nth(3) else { return };
        let point = unescaped(point);
        self.numbered.push((number, point.clone()));
        let fields = words.by_ref().skip(1).take_while(|word| *word != b"-");
        let shared = fields
            .filter_map(|word| word.strip_prefix(b"shared:"))
            .find_map(self::number);
        if let Some(group) = shared {
            self.groups.insert(number, group);
        }
        let after = line.windows(3).position(|window| window == b" - ");
        let kind = after.and_then(|at| line.get(at + 3..)?.split(|byte| *byte == b' ').next());
        if kind.is_some_and(|kind| ON_DISK.contains(&kind)) {
            self.points.push(point);
        } else {
            self.foreign.insert(point);
        }
    }

    /// The group that a mount hands on to, if it does.
    pub(super) fn group(&self, mount: u64) -> Option<u64> {
        self.groups.get(&mount).copied()
    }

    /// Whether any mount here hands on to, and so is told by, that group.
    pub(super) fn has_group(&self, group: u64) -> bool {
        self.groups.values().any(|known| *known == group)
    }

    /// Where something the kernel answers for is mounted below the mount of that number, seen from there.
    pub(super) fn below(&self, root: u64) -> Vec<PathBuf> {
        let base = self.numbered.iter().find(|(number, _)| *number == root);
        let base = base.map_or(Path::new("/"), |(_, point)| point);
        let below = self
            .points
            .iter()
            .filter_map(|point| point.strip_prefix(base).ok());
        let mut below: Vec<PathBuf> = below
            .filter(|point| !point.as_os_str().is_empty())
            .map(|point| Path::new("/").join(point))
            .collect();
        below.sort();
        below.dedup();
        below
    }

    /// Where something is mounted that the kernel does not answer for by itself.
    pub(super) fn into_foreign(self) -> HashSet<PathBuf> {
        self.foreign
    }

    /// Where the kernel's own file systems are mounted, later ones last, each once.
    pub(super) fn into_points(self) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        let mut points = self.points;
        points.retain(|point| seen.insert(point.clone()));
        points
    }
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_kernel_writes_them() {
        let mut mounts = Mounts::default();
        mounts.add(b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw");
        mounts.add(br"37 36 0:5 / /a\040b\134c rw shared:7 master:2 - tmpfs tmpfs rw");
        mounts.add(b"");
        mounts.add(b"no number /x");
        assert_eq!(mounts.group(36), None);
        assert_eq!(mounts.group(37), Some(7));
        assert!(mounts.has_group(7) && !mounts.has_group(2));
        let points = mounts.into_points();
        assert_eq!(points, [Path::new("/mnt2"), Path::new("/a b\\c")]);
    }

    #[test]
    fn points_are_seen_from_the_root_that_is_asked_for() {
        let mut mounts = Mounts::default();
        mounts.add(b"1 0 0:1 / / rw - ext4 x rw");
        mounts.add(b"2 1 0:2 / /run rw - tmpfs x rw");
        mounts.add(b"3 1 0:3 / /graph/merged rw - overlay x rw");
        mounts.add(b"4 3 0:2 /docker.sock /graph/merged/run/docker.sock rw - tmpfs x rw");
        mounts.add(b"5 3 0:5 / /graph/merged/proc rw - proc x rw");
        assert_eq!(mounts.below(3), [Path::new("/run/docker.sock")]);
        assert_eq!(mounts.below(1).len(), 3);
    }

    #[test]
    fn what_others_answer_for_is_foreign() {
        let mut mounts = Mounts::default();
        mounts.add(b"1 0 0:1 / /work rw - fuse.x x rw");
        mounts.add(b"2 0 0:1 / /proc rw shared:1 master:2 - proc proc rw");
        mounts.add(b"3 0 0:1 / /usr rw - xfs /dev/sda rw");
        let foreign = mounts.into_foreign();
        let expected = ["/work", "/proc"].map(PathBuf::from);
        assert_eq!(foreign, HashSet::from(expected));
    }
}
