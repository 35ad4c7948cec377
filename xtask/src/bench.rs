//! `cargo xtask bench`: builds what is measured and what measures, then runs the benchmark.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{packages, step, workspace};

/// What may be asked of the benchmark; all of it is the harness's own business.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Handed to the harness: `--rounds`, `--seconds`, `--rows`, `--peers`, `--json`, `--quick`; see `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds both and becomes the harness.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { arguments } = options;
    let asked = |names: &[&str]| {
        let is = |argument: &OsString, name: &str| {
            argument
                .to_str()
                .is_some_and(|text| text == name || text.starts_with(&format!("{name}=")))
        };
        arguments
            .iter()
            .any(|argument| names.iter().any(|name| is(argument, name)))
    };
    if !asked(&["--help", "-h"]) {
        packages::ensure(packages::FOR_BENCH)?;
        if !asked(&["--enforcer", "--without-enforcer"]) {
            let ours = env::current_exe().context("this program is nowhere")?;
            step::run(
                "build what is measured",
                Command::new(ours).args(["build", "--release"]),
            )?;
        }
    }
    let profile = ["--profile", "bench-harness"];
    let harness = [
        "build",
        "--locked",
        "--package",
        "enforcer-tests",
        "--bin",
        "bench",
    ];
    step::run(
        "build what measures",
        &mut step::cargo(harness.iter().chain(&profile)),
    )?;
    let error = Command::new(workspace().join("target/bench-harness/bench"))
        .current_dir(workspace())
        .arg("run")
        .args(arguments)
        .exec();
    Err(error).context("the benchmark could not be started")
}
