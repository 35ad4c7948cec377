//! Programs that tests and the benchmark need beside our own, and where they come from.

use anyhow::{Result, bail};

use crate::toolchain;

/// A program and the Debian package that has it.
pub(crate) type Provided = (&'static str, &'static str);

/// What end-to-end tests and the demo run.
pub(crate) const FOR_TESTS: &[Provided] = &[
    ("bpftool", "bpftool"),
    ("busybox", "busybox-static"),
    ("curl", "curl"),
    ("dockerd", "docker.io"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("podman", "podman"),
    ("python3", "python3"),
    ("runc", "runc"),
    ("script", "bsdutils"),
    ("unshare", "util-linux"),
];

/// What the benchmark measures beside, and runs in.
pub(crate) const FOR_BENCH: &[Provided] = &[
    ("haproxy", "haproxy"),
    ("ip", "iproute2"),
    ("nginx", "nginx-light"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
];

/// What boots kernels in virtual machines, and makes what runs in them.
pub(crate) const FOR_MACHINES: &[Provided] = &[
    ("busybox", "busybox-static"),
    ("cpio", "cpio"),
    ("dpkg-deb", "dpkg"),
    ("ip", "iproute2"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("strip", "binutils"),
    ("xz", "xz-utils"),
];

/// Makes sure that all are there: installs what is missing if this is Debian and we are root, else says what to install.
pub(crate) fn ensure(wanted: &[Provided]) -> Result<()> {
    let mut missing: Vec<&str> = wanted
        .iter()
        .filter(|(program, _)| !is_here(program))
        .map(|(_, package)| *package)
        .collect();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    install(&missing)?;
    let absent: Vec<&str> = wanted
        .iter()
        .map(|(program, _)| *program)
        .filter(|program| !is_here(program))
        .collect();
    if !absent.is_empty() {
        bail!(
            "the packages are installed, but `{}` did not come of it",
            absent.join("`, `")
        );
    }
    Ok(())
}

/// Installs packages where we may; says what to install elsewhere.
#[expect(
    clippy::print_stderr,
    reason = "installing packages must not happen in silence"
)]
pub(crate) fn install(missing: &[&str]) -> Result<()> {
    let list = missing.join(" ");
    if !toolchain::may_install() {
        bail!(
            "some programs are missing; on Debian: `apt-get install --no-install-recommends {list}`"
        );
    }
    eprintln!("installing {list}");
    toolchain::apt(&["update"])?;
    toolchain::apt(&[&["install", "--yes", "--no-install-recommends"], missing].concat())?;
    Ok(())
}

/// On the path, or where servers live when the path is a plain user's.
fn is_here(program: &str) -> bool {
    toolchain::on_path(program)
        || ["/usr/sbin", "/sbin"]
            .iter()
            .any(|folder| std::path::Path::new(folder).join(program).is_file())
}
