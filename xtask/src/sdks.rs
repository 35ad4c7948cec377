//! SDKs as they are published, for the tests that run them: in `target/sdks`, a virtual environment of Python and a folder of
//! Node's. Where they cannot be had the tests skip, and say so.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{python, workspace};

/// Installs what is missing.
#[expect(clippy::print_stderr, reason = "what tests will skip must be said")]
pub(crate) fn ensure() -> Result<()> {
    let folder = workspace().join("target/sdks");
    fs::create_dir_all(&folder)?;
    let wanted = workspace().join("xtask/sdks/requirements.txt");
    if let Err(error) = python::environment(&folder.join("venv"), &wanted) {
        eprintln!("    SKIPPED, the SDKs of Python cannot be had: {error:#}");
    }
    if let Err(error) = node() {
        eprintln!("    SKIPPED, the SDK of Node cannot be had: {error:#}");
    }
    Ok(())
}

fn node() -> Result<()> {
    let folder = workspace().join("target/sdks");
    let list = fs::read_to_string(workspace().join("xtask/sdks/package.json"))?;
    let installed = folder.join("package.json");
    let is_whole = folder.join("node_modules/openai/package.json").is_file();
    if is_whole && fs::read_to_string(&installed).is_ok_and(|found| found == list) {
        return Ok(());
    }
    fs::write(&installed, list)?;
    let status = Command::new("npm")
        .current_dir(&folder)
        .args([
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
        ])
        .status()
        .context("`npm` cannot be run")?;
    ensure!(status.success(), "`npm` failed ({status})");
    Ok(())
}
