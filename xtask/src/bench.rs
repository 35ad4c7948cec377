//! `cargo xtask bench`: builds what is measured and what measures, then runs the benchmark; `cargo xtask bench detect`
//! measures the detectors alone.

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
    /// `detect`, with `--json` and `--seconds`, measures detectors: rates over the corpus, and speed. Anything else is
    /// handed to the harness: `--rounds`, `--seconds`, `--rows`, `--peers`, `--json`, `--quick`; see `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds both and becomes the harness.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { arguments } = options;
    if let Some((first, rest)) = arguments.split_first()
        && first == "detect"
    {
        return detect(rest);
    }
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
    if !asked(&["--help", "-h", "--rows", "--quick"]) {
        // How long a decision takes is nobody's traffic: measured by itself, and printed first.
        let evaluate = [
            "run",
            "--locked",
            "--release",
            "--package",
            "enforcer-policy",
        ];
        let example = ["--example", "evaluate"];
        step::run(
            "measure decisions",
            &mut step::cargo(evaluate.iter().chain(&example)),
        )?;
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

/// Measures detectors: what is found, what is taken for something it is not, how fast. Becomes what measures.
fn detect(arguments: &[OsString]) -> Result<()> {
    let measure = [
        "run",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "enforcer-mask",
    ];
    let example = ["--example", "measure", "--"];
    let error = step::cargo(measure.iter().chain(&example))
        .args(arguments)
        .exec();
    Err(error).context("the measurement could not be started")
}
