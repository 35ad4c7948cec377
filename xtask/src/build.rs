//! `cargo xtask build`: the kernel's programs first, because the binary carries them, then the binary.

use std::env;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{ebpf, workspace};

/// What may be asked of the build.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Optimise
    #[arg(long)]
    release: bool,
}

/// Builds both.
pub(crate) fn run(options: &Options) -> Result<()> {
    ebpf::run()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace())
        .args(["build", "--package", "enforcer"]);
    if options.release {
        command.arg("--release");
    }
    let status = command.status().context("cargo could not be started")?;
    ensure!(status.success(), "the build failed ({status})");
    Ok(())
}
