//! `cargo xtask demo`: from a fresh machine to an agent under enforcement, in one command.
//!
//! Builds the enforcer and the demo's parts, installs the agent program's packages into a folder below `target/`, and then
//! becomes the demo itself (`tests/src/demo.rs`), which ends and removes everything it starts.

use std::env;
use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::packages::{self, Provided};
use crate::{python, workspace};

/// What the demo needs from Debian, and the program that shows whether it is there.
const PACKAGES: [Provided; 3] = [("python3", "python3"), ("curl", "curl"), ("ip", "iproute2")];

/// Builds everything and becomes the demo.
pub(crate) fn run() -> Result<()> {
    ensure!(
        is_root()?,
        "the demo needs root (it makes namespaces and cgroups and loads eBPF): sudo cargo xtask demo"
    );
    packages::ensure(&PACKAGES)?;
    step("building the enforcer")?;
    check(Command::new(env::current_exe()?).args(["build", "--release"]))?;
    step("building the upstream, the probe and the demo")?;
    let parts = [
        "--package",
        "enforcer-tests",
        "--bin",
        "demo",
        "--bin",
        "probe",
    ];
    check(
        Command::new(cargo())
            .current_dir(workspace())
            .arg("build")
            .args(parts),
    )?;
    step("installing openai-agents for the agent program")?;
    let wanted = workspace().join("xtask/demo/requirements.txt");
    let python = python::environment(&target().join("demo/venv"), &wanted)?;
    let files = workspace().join("xtask/demo");
    let mut demo = Command::new(target().join("debug/demo"));
    demo.arg("--enforcer")
        .arg(target().join("release/enforcer"));
    demo.arg("--python").arg(python);
    demo.arg("--program").arg(files.join("agent.py"));
    demo.arg("--policy").arg(files.join("policy.yaml"));
    Err(demo.exec()).context("become the demo")
}

/// Owner of our own process, as /proc has it.
fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn target() -> PathBuf {
    let chosen = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    chosen.unwrap_or_else(|| workspace().join("target"))
}

fn check(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("run {}", command.get_program().display()))?;
    let name = command.get_program().display();
    ensure!(status.success(), "`{name}` failed ({status})");
    Ok(())
}

fn step(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        writeln!(out, "\x1b[2m... {text}\x1b[0m")?;
    } else {
        writeln!(out, "... {text}")?;
    }
    Ok(())
}
