//! `cargo xtask ebpf`: build the kernel's programs from source into `target/bpf/enforcer`.
//!
//! The inner build starts from a clean environment: what the outer cargo sets for its children (`RUSTUP_TOOLCHAIN`,
//! `RUSTC`, `CARGO_*`, library paths) would otherwise choose another compiler than the one picked here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::toolchain::{self, Toolchain};
use crate::workspace;

/// The target of kernels on little-endian machines; the others are not supported.
const TARGET: &str = "bpfel-unknown-none";
/// Debug information carries the type information that maps need; the linker turns it into BTF.
const RUSTFLAGS: &str = "-Cdebuginfo=2\x1f-Clink-arg=--btf";

/// Builds the object and returns where it is.
pub(crate) fn run() -> Result<PathBuf> {
    ensure!(
        cfg!(target_endian = "little"),
        "the kernel's programs are built for little-endian machines only"
    );
    let root = workspace();
    let toolchain = toolchain::prepare(&root)?;
    let built = build(&root, &toolchain)?;
    let object = root.join("target/bpf/enforcer");
    publish(&built, &object)?;
    Ok(object)
}

fn build(root: &Path, toolchain: &Toolchain) -> Result<PathBuf> {
    // Beside the published object, not around it: the embedding build script watches that folder.
    let target_dir = root.join("target/bpf-build");
    let status = toolchain
        .cargo()
        .current_dir(root.join("enforcer-ebpf"))
        .env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS)
        .args(["build", "--quiet", "--locked", "--release"])
        .args(["-Z", "build-std=core", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir)
        .status()
        .context("the kernel programs' cargo could not be started")?;
    ensure!(
        status.success(),
        "the kernel's programs did not build with {toolchain} ({status})"
    );
    Ok(target_dir.join(TARGET).join("release/enforcer"))
}

/// Copies the object to its place, unless it is there already: a new date would rebuild all that embed it.
fn publish(built: &Path, object: &Path) -> Result<()> {
    let bytes = fs::read(built).with_context(|| format!("no object at {}", built.display()))?;
    if fs::read(object).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = object.parent().context("the object has no folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(object, &bytes))
        .with_context(|| format!("cannot write {}", object.display()))
}
