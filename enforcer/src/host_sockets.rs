//! The unix sockets of the host, by which others would act for a command: engines and service managers that start processes,
//! buses, resolvers that ask anywhere, terminals of the same user.
//!
//! A program cannot be told by its socket's name, because any name may be a link to any socket. So the command's view of the
//! files has none of those that are there when it starts, but what is allowed.

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// What this network namespace's sockets are bound to, as the kernel lists them (proc_net(5)).
const BOUND: &str = "/proc/self/net/unix";
/// Sockets of services that may live in another network namespace, and so are not in the list.
const SERVICES: [&str; 11] = [
    "/run/buildkit/buildkitd.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/dbus/system_bus_socket",
    "/run/docker.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/nscd/socket",
    "/run/podman/podman.sock",
    "/run/systemd/private",
    "/run/systemd/resolve/io.systemd.Resolve",
];
/// The same of each user's own services, below `/run/user/ID`.
const USER_SERVICES: [&str; 4] = [
    "bus",
    "docker.sock",
    "podman/podman.sock",
    "systemd/private",
];
const USERS: &str = "/run/user";

/// The sockets that the command is not to see.
pub(crate) fn hidden<'a>(allowed: impl Iterator<Item = &'a Path>) -> BTreeSet<PathBuf> {
    let allowed: BTreeSet<PathBuf> = allowed.filter_map(real).collect();
    let listed = std::fs::read(BOUND).unwrap_or_else(|error| {
        tracing::warn!(%error, "the host's unix sockets cannot be listed; those of known services are hidden");
        Vec::new()
    });
    let services = SERVICES.iter().map(PathBuf::from);
    let users = std::fs::read_dir(USERS).into_iter().flatten().flatten();
    let users = users.flat_map(|user| USER_SERVICES.map(|name| user.path().join(name)));
    bound(&listed)
        .chain(services)
        .chain(users)
        .filter_map(|path| real(&path))
        .filter(|path| is_socket(path) && !allowed.contains(path))
        .collect()
}

/// Whether the command can be left this one.
///
/// # Errors
/// When it is no socket; a command that was promised one would look for the fault elsewhere.
pub(crate) fn check(path: &Path) -> anyhow::Result<()> {
    let found = real(path).is_some_and(|path| is_socket(&path));
    anyhow::ensure!(
        found,
        "`--allow-socket {}`: there is no such socket",
        path.display()
    );
    Ok(())
}

/// Under its one true name, if it is there.
fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket())
}

/// The paths of the list: seven fields, then the name, which is missing, abstract (`@…`), or a path.
fn bound(listed: &[u8]) -> impl Iterator<Item = PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;

    listed.split(|byte| *byte == b'\n').filter_map(|line| {
        let start = line.windows(2).position(|two| two == b" /")?;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(
            &line[start + 1..],
        )))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn paths_are_read_as_the_kernel_writes_them() {
        let listed = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 20 /run/my socket\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 21\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 22 @/tmp/abstract\n";
        let found: Vec<PathBuf> = bound(listed).collect();
        assert_eq!(
            found,
            [Path::new("/run/my socket"), Path::new("/tmp/abstract")][..1]
        );
    }

    #[test]
    fn whatever_listens_is_hidden_unless_it_is_allowed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = real(folder.path()).expect("a path").join("control.sock");
        let _listener = UnixListener::bind(&path).expect("a socket");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        assert!(hidden(std::iter::empty()).contains(&path));
        assert!(!hidden([path.as_path()].into_iter()).contains(&path));
        // By another name of it, too.
        assert!(!hidden([link.as_path()].into_iter()).contains(&path));
    }
}
