//! `/proc/self/mountinfo`, as proc(5) describes it; pure.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One mounted cgroup2 file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// Which of its folders is seen there.
    pub(super) root: String,
}

/// The cgroup2 mounts of a mountinfo text, in its order. Lines that are not understood are passed over.
pub(super) fn cgroup2_mounts(text: &[u8]) -> Vec<Mount> {
    text.split(|byte| *byte == b'\n')
        .filter_map(cgroup2_mount)
        .collect()
}

fn cgroup2_mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let root = fields.nth(3)?;
    let point = fields.next()?;
    let file_system = fields.skip_while(|field| *field != b"-").nth(1)?;
    (file_system == b"cgroup2").then(|| Mount {
        point: OsString::from_vec(unescape(point)).into(),
        root: String::from_utf8_lossy(&unescape(root)).into_owned(),
    })
}

/// Space, tab, line feed and backslash come as three octal digits after a backslash.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        match (first, octal(tail)) {
            (b'\\', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits.get(..3)?).ok()?;
    u8::from_str_radix(digits, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_layouts_are_found() {
        let rows: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("nonsense\n1 2 3\n", &[]),
            (
                "24 1 0:21 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
                &[("/sys/fs/cgroup", "/")],
            ),
            (
                "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                 35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                 38 31 0:35 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
                &[("/sys/fs/cgroup/unified", "/")],
            ),
            (
                "9 1 0:1 /docker/ab /cg\\040two rw shared:1 master:2 - cgroup2 none rw\n",
                &[("/cg two", "/docker/ab")],
            ),
            // A mount point that only looks like the separator or the type.
            ("9 1 0:1 / /- rw - tmpfs cgroup2 rw\n", &[]),
            (
                "9 1 0:1 / /a\\134x\\01 rw - cgroup2 none rw",
                &[("/a\\x\\01", "/")],
            ),
        ];
        for (text, expected) in rows {
            let mounts = cgroup2_mounts(text.as_bytes());
            let found: Vec<_> = mounts
                .iter()
                .map(|mount| (mount.point.to_str().unwrap(), mount.root.as_str()))
                .collect();
            assert_eq!(&found, expected, "for {text:?}");
        }
    }
}
