//! What is mounted where, as this process sees it: `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::KernelError;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// The type of its file system.
    pub(crate) kind: String,
    /// Where.
    pub(crate) place: PathBuf,
}

/// Every mount whose place is there still; several may be at one place.
pub(crate) fn mounted() -> Result<Vec<Mounted>, KernelError> {
    let path = Path::new("/proc/self/mountinfo");
    let text =
        std::fs::read_to_string(path).map_err(|error| KernelError::file("read", path, error))?;
    let mounts = text.lines().filter_map(entry);
    Ok(mounts.filter(|mount| mount.place.exists()).collect())
}

/// The fifth field is the place, the first after the lone dash the kind.
fn entry(line: &str) -> Option<Mounted> {
    let (place, kind) = line.split_once(" - ")?;
    Some(Mounted {
        kind: kind.split(' ').next()?.to_owned(),
        place: unescaped(place.split(' ').nth(4)?.as_bytes()),
    })
}

/// White space and backslashes are written as a backslash and three octal digits.
pub(crate) fn unescaped(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, tail @ ..] = rest {
        match rest {
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                left @ ..,
            ] => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = left;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, kind: &str, place: &str) {
        let expected = Mounted {
            kind: kind.to_owned(),
            place: place.into(),
        };
        assert_eq!(entry(line), Some(expected));
    }

    #[test]
    fn mounts_are_found_wherever_they_are() {
        check(
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate",
            "cgroup2",
            "/sys/fs/cgroup",
        );
        check(
            "31 30 0:27 / /sys/fs/cgroup/cgroup2 rw - cgroup cgroup rw,cpu",
            "cgroup",
            "/sys/fs/cgroup/cgroup2",
        );
        check(
            r"32 30 0:28 / /srv/my\040cgroups rw shared:3 - cgroup2 none rw",
            "cgroup2",
            "/srv/my cgroups",
        );
        assert_eq!(entry("not a mount"), None);
    }
}
