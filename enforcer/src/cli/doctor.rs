//! `enforcer doctor`: what is covered on this machine, what is not, and the mend.
//!
//! What can be tried is tried and not looked up: programs load on kernels where they never run. Everything made for that goes
//! again. Exits with 0 when all is covered, 1 when something is not, 2 when that could not be found out.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::status::Address;

mod kernel;
mod machine;
mod places;

/// The exit code when something is not covered.
const OPEN: u8 = 1;
/// The exit code when something could not be tried.
const UNKNOWN: u8 = 2;

/// Try what the enforcer needs and stands on, and say what is covered, what is not, and how to mend it.
///
/// Exits with 0 when all is covered, 1 when something is not, 2 when that could not be found out.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    daemon: Address,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// For the doctor's own child
    #[arg(long, hide = true, value_name = "PORT", conflicts_with = "act_lsm")]
    act: Option<u16>,
    /// For the doctor's own child
    #[arg(long, hide = true, value_name = "PATH")]
    act_lsm: Option<PathBuf>,
}

/// What is known of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It holds.
    Covered,
    /// It is not there, and something else covers the same.
    Instead,
    /// It does not hold.
    Open,
    /// It could not be found out.
    Unknown,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What it is about: `kernel`, `hooks`, …
    part: &'static str,
    /// Its name; stable.
    name: String,
    state: State,
    /// What was found.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// Everything that was looked at.
#[derive(Debug, Default, Serialize)]
struct Report {
    findings: Vec<Finding>,
}

/// Looks at everything.
///
/// # Errors
/// When the configuration cannot be read.
pub(crate) fn run(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    if let Some(port) = args.act {
        enforcer_kernel::probe::act(port)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(procs) = args.act_lsm {
        enforcer_kernel::probe::act_lsm(&procs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = args.daemon.config()?;
    let mut report = Report::default();
    machine::look(&mut report);
    kernel::look(&mut report);
    places::look(&mut report, &config, &args.daemon);
    show(&report, args.json)?;
    Ok(report.exit_code())
}

// === impl Report ===

impl Report {
    fn note(
        &mut self,
        part: &'static str,
        name: impl Into<String>,
        state: State,
        found: impl Into<String>,
    ) -> &mut Finding {
        self.findings.push(Finding {
            part,
            name: name.into(),
            state,
            found: found.into(),
            mend: None,
        });
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    fn count(&self, state: State) -> usize {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.state == state).count()
    }

    fn exit_code(&self) -> ExitCode {
        if self.count(State::Open) > 0 {
            ExitCode::from(OPEN)
        } else if self.count(State::Unknown) > 0 {
            ExitCode::from(UNKNOWN)
        } else {
            ExitCode::SUCCESS
        }
    }
}

impl Finding {
    fn mend(&mut self, how: impl Into<String>) {
        self.mend = Some(how.into());
    }
}

fn show(report: &Report, json: bool) -> anyhow::Result<()> {
    let out = io::stdout();
    let coloured = out.is_terminal();
    let mut out = out.lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
        return Ok(());
    }
    let mut part = "";
    for finding in &report.findings {
        if finding.part != part {
            part = finding.part;
            writeln!(out, "{part}")?;
        }
        let (word, code) = match finding.state {
            State::Covered => ("ok", "32"),
            State::Instead => ("instead", "36"),
            State::Open => ("OPEN", "31"),
            State::Unknown => ("unknown", "33"),
        };
        let word = format!("{word:7}");
        let word = if coloured {
            format!("\u{1b}[{code}m{word}\u{1b}[0m")
        } else {
            word
        };
        writeln!(out, "  {word}  {:16}  {}", finding.name, finding.found)?;
        if let Some(mend) = &finding.mend {
            writeln!(out, "           {:16}  mend: {mend}", "")?;
        }
    }
    let (open, unknown) = (report.count(State::Open), report.count(State::Unknown));
    writeln!(
        out,
        "{} looked at: {open} open, {unknown} unknown",
        report.findings.len()
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_weighs_more_than_what_is_unknown() {
        let code = |states: &[State]| {
            let mut report = Report::default();
            for state in states {
                report.note("kernel", "x", *state, "");
            }
            format!("{:?}", report.exit_code())
        };
        let is = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(code(&[State::Covered, State::Instead]), is(0));
        assert_eq!(code(&[State::Covered, State::Unknown]), is(UNKNOWN));
        assert_eq!(code(&[State::Open, State::Unknown]), is(OPEN));
    }
}
