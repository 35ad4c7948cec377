//! `cargo xtask test`: everything, in the order that finds mistakes soonest and builds nothing twice.
//!
//! The kernel's programs come first, because the binary carries them: built later, they would rebuild what was built. All
//! targets are then built in one go, so that every later step finds its dependencies with the same features.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{check, ebpf, packages, sdks, step, workspace};

/// What may be asked of the tests.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only what needs neither root nor the kernel's programs
    #[arg(long)]
    fast: bool,
}

/// What test runners said at their ends.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    runners: u32,
    passed: u32,
    failed: u32,
    ignored: u32,
}

/// Checks, builds, and tests.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Options { fast } = options;
    if *fast {
        check::quick()?;
        check::lints()?;
        return tests(&["--exclude", "enforcer-tests"]);
    }
    check::quick()?;
    step::timed("programs that tests run", || {
        packages::ensure(packages::FOR_TESTS)
    })?;
    step::timed("SDKs that tests run", sdks::ensure)?;
    step::timed("the kernel's programs", ebpf::run)?;
    check::lints()?;
    check::dependencies()?;
    step::run(
        "build",
        &mut step::cargo(["build", "--workspace", "--all-targets", "--locked"]),
    )?;
    tests(&[])
}

fn tests(more: &[&str]) -> Result<()> {
    let mut summary = Summary::default();
    let ended = step::timed("tests", || {
        let arguments = ["test", "--workspace", "--locked", "--no-fail-fast"];
        let mut command = step::cargo(arguments.iter().chain(more));
        // The one just built, whatever else lies in the target folder.
        command.env("ENFORCER_BIN", workspace().join("target/debug/enforcer"));
        read(command, &mut summary)
    });
    summary.print();
    ended?;
    ensure!(summary.passed > 0, "no test was run");
    Ok(())
}

/// Runs the tests, passing on what they print.
#[expect(
    clippy::print_stdout,
    reason = "the runners' own words are what is asked for"
)]
fn read(mut command: Command, summary: &mut Summary) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo could not be started")?;
    let output = child.stdout.take().context("the tests have no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        summary.note(&line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "tests failed ({status})");
    Ok(())
}

// === impl Summary ===

impl Summary {
    /// Adds a runner's closing line, `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn note(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let count = |what: &str| {
            let (before, _) = result.split_once(what)?;
            before.trim_end().rsplit(' ').next()?.parse::<u32>().ok()
        };
        self.runners += 1;
        self.passed += count(" passed;").unwrap_or(0);
        self.failed += count(" failed;").unwrap_or(0);
        self.ignored += count(" ignored;").unwrap_or(0);
    }

    #[expect(clippy::print_stdout, reason = "the closing line of the whole")]
    fn print(&self) {
        let Self {
            runners,
            passed,
            failed,
            ignored,
        } = self;
        println!(
            "all tests: {passed} passed; {failed} failed; {ignored} ignored; {runners} runners"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed() {
        let mut summary = Summary::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            summary.note(line);
        }
        assert_eq!(
            summary,
            Summary {
                runners: 2,
                passed: 4,
                failed: 2,
                ignored: 1
            }
        );
    }
}
