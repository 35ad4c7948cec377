//! Finds the compiler and the linker for the kernel's programs, and installs them where that can be done unasked.
//!
//! Two compilers will do: a rustup nightly with the sources of `core`, or a packaged stable compiler with its sources
//! (Debian's `rustc-web` and `rust-web-src`), told to accept nightly options. The linker is `bpf-linker`; it must be built
//! on the LLVM that the compiler uses, or it cannot read what the compiler wrote.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};

/// What Debian calls the compiler, its sources, and the libraries that `bpf-linker` is built on.
const PACKAGES: [&str; 7] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "llvm-22-dev",
    "libxml2-dev",
    "libzstd-dev",
    "zlib1g-dev",
];
const LINKER_VERSION: &str = "0.13.0";
/// The LLVM releases that this version of the linker can be built on.
const LINKER_LLVM: [u32; 3] = [21, 22, 23];
/// The oldest compiler that the programs' library accepts.
const OLDEST_RUSTC: (u32, u32) = (1, 87);

/// A compiler and a linker that fit together.
pub(crate) struct Toolchain {
    compiler: Compiler,
    /// The folder that holds `bpf-linker`; none when it is on the path.
    linker: Option<PathBuf>,
}

struct Compiler {
    cargo: PathBuf,
    rustc: PathBuf,
    llvm: u32,
    nightly: bool,
}

/// Finds a toolchain, installing what is missing if this is Debian and we are root.
pub(crate) fn prepare(root: &Path) -> Result<Toolchain> {
    let compiler = match Compiler::find() {
        Some(compiler) => compiler,
        None => {
            install_packages()?;
            Compiler::packaged()
                .context("the packages are installed, but no compiler came of it")?
        }
    };
    let linker = find_linker(root, &compiler)?;
    Ok(Toolchain { compiler, linker })
}

// === impl Toolchain ===

impl Toolchain {
    /// A cargo that builds with this toolchain and nothing else.
    pub(crate) fn cargo(&self) -> Command {
        let Self { compiler, linker } = self;
        let mut command = clean(&compiler.cargo);
        command.env("RUSTC", &compiler.rustc);
        if !compiler.nightly {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        if let Some(folder) = linker {
            let path = env::var_os("PATH").unwrap_or_default();
            let folders = [folder.clone()].into_iter().chain(env::split_paths(&path));
            // A path with a colon in it cannot be listed; the linker is then not found, and cargo says so.
            if let Ok(path) = env::join_paths(folders) {
                command.env("PATH", path);
            }
        }
        command
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compiler, linker } = self;
        write!(f, "{} and ", compiler.rustc.display())?;
        match linker {
            None => f.write_str("the bpf-linker on the path"),
            Some(folder) => write!(f, "{}", folder.join("bpf-linker").display()),
        }
    }
}

// === impl Compiler ===

impl Compiler {
    fn find() -> Option<Self> {
        Self::nightly().or_else(Self::packaged)
    }

    /// The first rustup nightly that has the sources and an LLVM that the linker can be had for.
    fn nightly() -> Option<Self> {
        let list = output(clean("rustup").args(["toolchain", "list", "--quiet"]))
            .or_else(|| output(clean("rustup").args(["toolchain", "list"])))?;
        list.lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| name.starts_with("nightly"))
            .find_map(|name| {
                let mut which = clean("rustup");
                let rustc = output(which.args(["which", "--toolchain", name, "rustc"]))?;
                Self::at(Path::new(rustc.trim()), true)
            })
            .filter(|compiler| on_path("bpf-linker") || has_llvm(compiler.llvm))
    }

    fn packaged() -> Option<Self> {
        Self::at(Path::new("/usr/bin/rustc"), false)
    }

    /// The compiler at this place, if it is recent enough and has cargo and the sources beside it.
    fn at(rustc: &Path, nightly: bool) -> Option<Self> {
        let about = output(clean(rustc).arg("-vV"))?;
        let field = |name: &str| about.lines().find_map(|line| line.strip_prefix(name));
        let release = numbers(field("release: ")?)?;
        let (llvm, _) = numbers(field("LLVM version: ")?)?;
        let sysroot = output(clean(rustc).args(["--print", "sysroot"]))?;
        let sources =
            Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core/Cargo.toml");
        let cargo = rustc.with_file_name("cargo");
        let fits = release >= OLDEST_RUSTC && sources.exists() && cargo.exists();
        fits.then(|| Self {
            cargo,
            rustc: rustc.to_path_buf(),
            llvm,
            nightly,
        })
    }
}

/// Where the linker is: on the path, or below `target/tools`, where it is put if it is nowhere.
fn find_linker(root: &Path, compiler: &Compiler) -> Result<Option<PathBuf>> {
    let tools = root.join(format!("target/tools/llvm-{}", compiler.llvm));
    let own = tools.join("bin/bpf-linker");
    if output(clean(&own).arg("--version")).is_some() {
        return Ok(Some(tools.join("bin")));
    }
    if on_path("bpf-linker") {
        return Ok(None);
    }
    install_linker(root, &tools, compiler)?;
    Ok(Some(tools.join("bin")))
}

#[expect(clippy::print_stderr, reason = "installing takes minutes; say so")]
fn install_linker(root: &Path, tools: &Path, compiler: &Compiler) -> Result<()> {
    let Compiler { llvm, .. } = compiler;
    ensure!(
        LINKER_LLVM.contains(llvm),
        "{} uses LLVM {llvm}, which bpf-linker {LINKER_VERSION} does not know: install a bpf-linker for it on the path",
        compiler.rustc.display()
    );
    if !has_llvm(*llvm) {
        install_packages()?;
    }
    ensure!(
        has_llvm(*llvm),
        "no LLVM {llvm} to build bpf-linker on: install it (Debian: `apt-get install llvm-{llvm}-dev`), or put a \
         bpf-linker for it on the path"
    );
    eprintln!("building bpf-linker {LINKER_VERSION} on LLVM {llvm}, about a minute");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = clean(cargo)
        .current_dir(root)
        // Without it the linker's build looks beside the first `llvm-config` on the path, which Debian keeps in /usr/bin.
        .env("LLVM_PREFIX", llvm_prefix(*llvm))
        .args(["install", "--quiet", "--locked", "--no-default-features"])
        .args(["--version", LINKER_VERSION, "--features"])
        .arg(format!("llvm-{llvm}"))
        .arg("--root")
        .arg(tools)
        .arg("bpf-linker")
        .status()
        .context("cargo could not be started")?;
    ensure!(status.success(), "bpf-linker could not be built ({status})");
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "installing packages must not happen in silence"
)]
fn install_packages() -> Result<()> {
    let list = PACKAGES.join(" ");
    if !may_install() {
        bail!(
            "the kernel's programs need a compiler that is not here. One of these will do:\n  \
             rustup toolchain install nightly --component rust-src && cargo install bpf-linker\n  \
             apt-get install --no-install-recommends {list}    (Debian; done by this command when it runs as root)"
        );
    }
    eprintln!("installing {list}");
    apt(&["update"])?;
    apt(&[
        &["install", "--yes", "--no-install-recommends"],
        &PACKAGES[..],
    ]
    .concat())
}

pub(crate) fn apt(arguments: &[&str]) -> Result<()> {
    let status = clean("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-o", "DPkg::Lock::Timeout=300", "-qq"])
        .args(arguments)
        .status()
        .context("apt-get could not be started")?;
    ensure!(
        status.success(),
        "`apt-get {}` failed ({status})",
        arguments.join(" ")
    );
    Ok(())
}

/// Debian or one of its kin, and we are root.
pub(crate) fn may_install() -> bool {
    let root = output(clean("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    root && Path::new("/etc/debian_version").exists() && on_path("apt-get")
}

fn llvm_prefix(major: u32) -> PathBuf {
    format!("/usr/lib/llvm-{major}").into()
}

fn has_llvm(major: u32) -> bool {
    llvm_prefix(major).join("lib/libLLVM.so").exists()
}

pub(crate) fn on_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| {
        // rustup leaves proxies for tools it does not have; a file that is there is enough for all others.
        fs::metadata(folder.join(name)).is_ok_and(|meta| meta.is_file())
    })
}

/// A command with only what a build needs of our environment.
pub(crate) fn clean(program: impl AsRef<OsStr>) -> Command {
    const KEPT: [&str; 12] = [
        "CARGO_HOME",
        "HOME",
        "LANG",
        "LLVM_PREFIX",
        "PATH",
        "RUSTUP_HOME",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TERM",
        "TMPDIR",
        "USER",
        "RUSTUP_AUTO_INSTALL",
    ];
    // Where to fetch from and through what, and how to talk about it.
    const KEPT_PREFIXES: [&str; 4] = [
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_TERM_",
    ];
    let mut command = Command::new(program);
    command.env_clear();
    command.envs(env::vars_os().filter(|(name, _)| {
        let Some(name) = name.to_str() else {
            return false;
        };
        KEPT.contains(&name)
            || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || name.to_ascii_lowercase().ends_with("_proxy")
    }));
    command
}

/// What the command printed, if it could be run and was content.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let done = command.output().ok()?;
    if !done.status.success() {
        return None;
    }
    String::from_utf8(done.stdout).ok()
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_up_to_the_second_number() {
        assert_eq!(numbers("1.96.0"), Some((1, 96)));
        assert_eq!(numbers("1.97.0-nightly"), Some((1, 97)));
        assert_eq!(numbers("22.1.8\n"), Some((22, 1)));
        assert_eq!(numbers("nightly"), None);
    }

    #[test]
    fn the_outer_cargo_does_not_leak_into_the_inner() {
        let command = clean("true");
        let names: Vec<_> = command.get_envs().map(|(name, _)| name).collect();
        // Set by cargo for this very test.
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some());
        for name in [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "RUSTUP_TOOLCHAIN",
            "LD_LIBRARY_PATH",
        ] {
            assert!(!names.contains(&OsStr::new(name)), "`{name}` leaked");
        }
        assert!(names.contains(&OsStr::new("PATH")));
    }
}
