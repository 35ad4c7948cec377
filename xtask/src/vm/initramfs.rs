//! All that the machine has: busybox, our programs with the libraries they name, some of the kernel's modules, and a script.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::kernel::{Kernel, done, said};

/// The first process; it runs what is here and switches the machine off.
const INIT: &str = include_str!("init.sh");
/// Where programs are.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// What tests need, in the order in which they depend on each other. What a kernel has built in, it has not here.
const MODULES: [&str; 12] = [
    "net/ipv4/inet_diag",
    "net/ipv4/tcp_diag",
    "net/ipv4/udp_diag",
    "net/ipv4/raw_diag",
    "net/ipv4/udp_tunnel",
    "net/mptcp/mptcp_diag",
    "drivers/net/veth",
    "net/llc/llc",
    "net/802/stp",
    "net/bridge/bridge",
    "net/vmw_vsock/vsock",
    "crypto/af_alg",
];

/// What is to run in it.
pub(super) struct Inside<'a> {
    /// The test runner.
    pub(super) tests: &'a Path,
    /// The enforcer.
    pub(super) enforcer: &'a Path,
    /// For the test runner.
    pub(super) arguments: &'a [String],
    /// Whether tests of programs for the security modules may not skip.
    pub(super) requires_lsm: bool,
}

/// Makes it anew, and says where it is.
pub(super) fn make(folder: &Path, kernel: &Kernel, inside: &Inside<'_>) -> Result<PathBuf> {
    let root = folder.join("root");
    let _ = fs::remove_dir_all(&root);
    for folder in [
        "bin", "dev", "etc", "modules", "proc", "run", "sys", "tmp", "var",
    ] {
        fs::create_dir_all(root.join(folder))?;
    }
    executable(&root.join("init"), INIT)?;
    done(
        Command::new("cp")
            .args(["-L", "/bin/busybox"])
            .arg(root.join("bin")),
    )?;
    install(inside.tests, &root, "hooks")?;
    install(inside.enforcer, &root, "enforcer")?;
    // Busybox's `ip` knows no far sides of wires, and its `nsenter` would run no other.
    for name in ["ip", "nsenter"] {
        let program = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
        let mut program = program.filter(|path| path.exists());
        let program = program
            .next()
            .with_context(|| format!("`{name}` is nowhere"))?;
        install(&program, &root, &format!("bin/{name}"))?;
    }
    modules(&root, &kernel.modules)?;
    let quoted = inside
        .arguments
        .iter()
        .map(|argument| format!("'{}'", argument.replace('\'', r"'\''")));
    let required = if inside.requires_lsm {
        "export ENFORCER_TEST_LSM=required\n"
    } else {
        ""
    };
    let arguments: Vec<String> = quoted.collect();
    executable(
        &root.join("tests"),
        &format!(
            "#!/bin/sh\n{required}exec /hooks --test-threads 1 --show-output {}\n",
            arguments.join(" ")
        ),
    )?;
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
    pack(&root, &folder.join("initramfs"))
}

/// A program without what only debuggers read, and the libraries it names.
fn install(program: &Path, root: &Path, name: &str) -> Result<()> {
    done(
        Command::new("strip")
            .arg("-o")
            .arg(root.join(name))
            .arg(program),
    )?;
    let listed = said(Command::new("ldd").arg(program))?;
    let libraries = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for library in libraries {
        let place = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap_or(root))?;
        fs::copy(library, &place).with_context(|| format!("cannot copy {library}"))?;
    }
    Ok(())
}

/// Numbered, because the script loads them in the order of their names.
fn modules(root: &Path, from: &Path) -> Result<()> {
    for (number, module) in MODULES.iter().enumerate() {
        let name = Path::new(module).file_name().unwrap_or_default();
        let place = root
            .join("modules")
            .join(format!("{number:02}-{}.ko", name.display()));
        let plain = from.join(format!("{module}.ko"));
        let packed = from.join(format!("{module}.ko.xz"));
        if plain.exists() {
            fs::copy(&plain, &place)?;
        } else if packed.exists() {
            let out = File::create(&place)?;
            done(
                Command::new("xz")
                    .args(["-d", "-c"])
                    .arg(&packed)
                    .stdout(out),
            )?;
        }
    }
    Ok(())
}

/// As the kernel unpacks it; not compressed, because unpacking is slow where every instruction is emulated.
fn pack(root: &Path, place: &Path) -> Result<PathBuf> {
    let mut find = Command::new("find")
        .arg(".")
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("`find` could not be started")?;
    let list = find.stdout.take().context("`find` has no output")?;
    done(
        Command::new("cpio")
            .args(["--create", "--format=newc", "--quiet", "--owner=0:0"])
            .current_dir(root)
            .stdin(list)
            .stdout(File::create(place)?),
    )?;
    ensure!(find.wait()?.success(), "`find` failed");
    Ok(place.to_path_buf())
}

fn executable(place: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::write(place, text)?;
    fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
