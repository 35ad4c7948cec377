//! `cargo xtask fuzz`: runs the fuzz targets, one after the other, each for a while.
//!
//! They need a nightly of rustup's, for the counters that libFuzzer steers by; cargo-fuzz is built below `target/tools` when it
//! is not here. What runs has debug assertions, checks of overflows and no sanitizer: the product's own code has no `unsafe`
//! that a target reaches. What is found stays in `tests/fuzz/artifacts`, what was tried in `tests/fuzz/corpus`; neither is
//! committed.

mod seeds;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{step, toolchain, workspace};

const FUZZ_VERSION: &str = "0.13.2";

/// The longest input.
const LONGEST: u32 = 8192;

/// What is to be run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which targets; all if left out
    targets: Vec<String>,
    /// Seconds for each of them
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    seconds: u64,
}

/// Builds the targets, gives them what to begin with, and runs them. The first that finds something ends it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { targets, seconds } = options;
    let all = seeds::targets();
    if let Some(unknown) = targets.iter().find(|name| !all.contains(&name.as_str())) {
        bail!(
            "there is no target `{unknown}`; there are: {}",
            all.join(", ")
        );
    }
    let fuzz = Fuzz::find()?;
    step::run("the targets", fuzz.command("build").args(targets.first()))?;
    for target in all {
        if !targets.is_empty() && !targets.iter().any(|name| name == target) {
            continue;
        }
        seeds::sow(&workspace(), target)?;
        let mut run = fuzz.command("run");
        run.args([target, "--"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .args(["-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]);
        step::run(target, &mut run)?;
    }
    Ok(())
}

/// The tool, and the compiler that it is to use.
struct Fuzz {
    nightly: String,
    tool: PathBuf,
}

// === impl Fuzz ===

impl Fuzz {
    fn find() -> Result<Self> {
        let nightly = nightly().context(
            "fuzzing needs a nightly compiler of rustup's: `rustup toolchain install nightly --profile minimal`",
        )?;
        let tools = workspace().join("target/tools/fuzz");
        let own = tools.join("bin/cargo-fuzz");
        let works = |tool: &PathBuf| {
            toolchain::output(toolchain::clean(tool).args(["fuzz", "--version"])).is_some()
        };
        let known = [PathBuf::from("cargo-fuzz"), own.clone()];
        if let Some(tool) = known.into_iter().find(works) {
            return Ok(Self { nightly, tool });
        }
        let mut install = toolchain::clean("cargo");
        install
            .env("RUSTUP_TOOLCHAIN", &nightly)
            .args(["install", "--quiet", "--locked", "--version", FUZZ_VERSION])
            .arg("--root")
            .arg(&tools)
            .arg("cargo-fuzz");
        step::run("install cargo-fuzz, some minutes", &mut install)?;
        ensure!(works(&own), "cargo-fuzz was installed and does not run");
        Ok(Self { nightly, tool: own })
    }

    /// One of its verbs. The compiler is chosen by rustup, so it must not be told of the one that runs us.
    fn command(&self, verb: &str) -> Command {
        let mut command = toolchain::clean(&self.tool);
        command
            .current_dir(workspace().join("tests"))
            .env("RUSTUP_TOOLCHAIN", &self.nightly)
            .args(["fuzz", verb, "--fuzz-dir", "fuzz", "--sanitizer", "none"]);
        command
    }
}

/// The first nightly that rustup has.
fn nightly() -> Option<String> {
    let list = toolchain::output(toolchain::clean("rustup").args(["toolchain", "list"]))?;
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names
        .map(str::to_owned)
        .find(|name| name.starts_with("nightly"))
}
