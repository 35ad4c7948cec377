//! Virtual environments of Python, made from a list of exact versions and kept as long as the list stays the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::packages;

/// Debian's packages that make environments.
const PACKAGES: [&str; 2] = ["python3", "python3-venv"];

/// Makes the environment, or takes the one that an earlier run made from the same list. Returns its interpreter.
pub(crate) fn environment(folder: &Path, wanted: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let installed = folder.join("installed.txt");
    let list = fs::read_to_string(wanted)
        .with_context(|| format!("`{}` cannot be read", wanted.display()))?;
    if fs::read_to_string(&installed).is_ok_and(|found| found == list) && python.is_file() {
        return Ok(python);
    }
    let make = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(folder);
        command
    };
    if !make().output().is_ok_and(|output| output.status.success()) {
        packages::install(&PACKAGES)?;
        succeed(&mut make())?;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", "--requirement"]);
    succeed(pip.arg(wanted))?;
    fs::write(installed, list)?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("`{name}` cannot be run"))?;
    ensure!(status.success(), "`{name}` failed ({status})");
    Ok(())
}
