//! `cargo xtask vm`: boots a kernel of Debian's in a virtual machine and runs the tests of the kernel's programs there, those
//! for its security modules above all, the doctor, and a daemon with an agent.
//!
//! Not every machine runs programs for the security modules, and none runs two kernels. Nothing is installed: the kernel's
//! package is unpacked below `target/vm`, what runs in the machine is in its initramfs, and the machine has no devices but a
//! serial line. It is emulated unless told otherwise, so a test takes some seconds; the whole has a limit. (A host may have a device for
//! virtualization that does not work, so nobody looks for one.)

mod boot;
mod initramfs;
mod kernel;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{ebpf, packages, step, workspace};

/// What may be asked of the machine.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The package of the kernel, or one that depends on it
    #[arg(
        long,
        value_name = "PACKAGE",
        default_value = "linux-image-cloud-amd64"
    )]
    kernel: String,
    /// The release of Debian to take it from, such as `trixie`; the machine's own if left out
    #[arg(long)]
    suite: Option<String>,
    /// Seconds until the machine is switched off
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    limit: u64,
    /// What its security modules are
    #[arg(
        long,
        value_name = "LIST",
        default_value = "landlock,lockdown,yama,bpf"
    )]
    lsm: String,
    /// What runs its instructions: `tcg` emulates them, which works everywhere; `kvm` is fast, where the host lends it
    #[arg(long, value_name = "NAME", default_value = "tcg")]
    accelerator: String,
    /// For the test runner: names of tests, or options such as `--ignored`; everything if left out
    arguments: Vec<String>,
}

/// Builds what is to run, fetches the kernel, and boots it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options {
        kernel,
        suite,
        limit,
        lsm,
        accelerator,
        arguments,
    } = options;
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the machine is of the kind that was tried: x86-64"
    );
    let (tests, enforcer) = build()?;
    let folder = workspace().join("target/vm");
    let kernel = step::timed("the kernel", || {
        kernel::fetch(&folder, kernel, suite.as_deref())
    })?;
    let inside = initramfs::Inside {
        tests: &tests,
        enforcer: &enforcer,
        arguments,
        // Where they were left out, skipping them is right.
        requires_lsm: lsm.split(',').any(|module| module == "bpf"),
    };
    let initramfs = step::timed("what runs in it", || {
        initramfs::make(&folder, &kernel, &inside)
    })?;
    let machine = boot::Machine {
        kernel: &kernel.image,
        initramfs: &initramfs,
        lsm,
        accelerator,
        limit: Duration::from_secs(*limit),
    };
    step::timed("the machine", || boot::run(&machine))
}

/// Builds what is to run in it: the tests, and the enforcer.
fn build() -> Result<(PathBuf, PathBuf)> {
    step::timed("programs that are run", || {
        packages::ensure(packages::FOR_MACHINES)
    })?;
    step::timed("the kernel's programs", ebpf::run)?;
    let tests = ["test", "--package", "enforcer-kernel", "--test", "hooks"];
    let tests = step::timed("tests", || built(&[&tests[..], &["--no-run"]].concat()))?;
    let enforcer = ["build", "--package", "enforcer", "--bin", "enforcer"];
    let enforcer = step::timed("the enforcer", || built(&enforcer))?;
    Ok((tests, enforcer))
}

/// Builds one program and says where it is.
fn built(arguments: &[&str]) -> Result<PathBuf> {
    let mut cargo = step::cargo(arguments);
    let output = cargo
        .args(["--locked", "--message-format=json-render-diagnostics"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    ensure!(
        output.status.success(),
        "it does not build ({})",
        output.status
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = messages
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .next_back();
    executable.context("cargo built no program")
}
