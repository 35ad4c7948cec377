//! `cargo xtask check`: what can be said about the tree without running it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{step, tidy, workspace};

const DENY_VERSION: &str = "0.20.2";

/// Format, our own rules, lints, dependencies.
pub(crate) fn run() -> Result<()> {
    format()?;
    step::timed("tidy", || tidy::run(&workspace()))?;
    lints()?;
    dependencies()
}

/// Format and our own rules: what takes no time.
pub(crate) fn quick() -> Result<()> {
    format()?;
    step::timed("tidy", || tidy::run(&workspace()))
}

fn format() -> Result<()> {
    step::run("format", &mut step::cargo(["fmt", "--all", "--check"]))?;
    // Workspaces of their own, for other compilers; formatting needs none.
    for manifest in ["enforcer-ebpf/Cargo.toml", "tests/fuzz/Cargo.toml"] {
        let arguments = ["fmt", "--manifest-path", manifest, "--check"];
        step::run(
            &format!("format of {manifest}"),
            &mut step::cargo(arguments),
        )?;
    }
    Ok(())
}

/// Warnings are denied here and not in the manifest, so that work in progress compiles.
pub(crate) fn lints() -> Result<()> {
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ];
    step::run("lints", &mut step::cargo(clippy))
}

/// Licences, bans and sources always, where the tool can be had; advisories when their database can be reached.
#[expect(clippy::print_stderr, reason = "what was not checked must be said")]
pub(crate) fn dependencies() -> Result<()> {
    let Some(deny) = deny()? else {
        eprintln!(
            "==> dependencies: SKIPPED, cargo-deny {DENY_VERSION} is not here and cannot be installed"
        );
        return Ok(());
    };
    let check = |what: &[&str]| {
        let mut command = Command::new(&deny);
        command
            .current_dir(workspace())
            .args([
                "--locked",
                "--log-level",
                "error",
                "check",
                "--hide-inclusion-graph",
            ])
            .args(what);
        command
    };
    step::run("dependencies", &mut check(&["bans", "licenses", "sources"]))?;
    // A network that swallows packets must not hold up the rest.
    let fetched = Command::new("timeout")
        .arg("120")
        .arg(&deny)
        .current_dir(workspace())
        .args(["fetch", "db"])
        .output();
    if !fetched.is_ok_and(|output| output.status.success()) {
        eprintln!("==> advisories: SKIPPED, their database cannot be reached");
        return Ok(());
    }
    step::run("advisories", &mut check(&["advisories"]))
}

/// The tool on the path, or ours below `target/tools`, built there when the registry can be reached.
fn deny() -> Result<Option<PathBuf>> {
    let works = |program: &PathBuf| {
        let shown = Command::new(program).arg("--version").output();
        shown.is_ok_and(|output| output.status.success())
    };
    let tools = workspace().join("target/tools/deny");
    let own = tools.join("bin/cargo-deny");
    if let Some(program) = [PathBuf::from("cargo-deny"), own.clone()]
        .into_iter()
        .find(works)
    {
        return Ok(Some(program));
    }
    let tools = tools.to_str().context("the workspace's path is not text")?;
    let install = [
        "install",
        "--quiet",
        "--locked",
        "--version",
        DENY_VERSION,
        "--root",
        tools,
        "cargo-deny",
    ];
    let installed = step::run(
        "install cargo-deny, some minutes",
        &mut step::cargo(install),
    );
    Ok((installed.is_ok() && works(&own)).then_some(own))
}
