//! `enforcer policy`: checks policies and runs the cases beside them. Needs no root and no daemon.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use enforcer_policy::{Cases, Diagnostic, Outcome, PolicySet, Source};

use crate::policies::files::{self, Text, Texts};

mod report;
#[cfg(test)]
mod tests;

/// Check and test policies.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Find mistakes, and rules that have no effect.
    ///
    /// Exits with 0 when the policies can be loaded together, warnings or not, and with 1 when they cannot.
    Check(Paths),
    /// Ask policies what the cases beside them ask, and compare the answers.
    ///
    /// The cases of `NAME.yaml` are in `NAME.cases.yaml`. Exits with 0 when all answers are as expected, and with 1 when one
    /// is not, or when there is nothing to ask.
    Test(Paths),
}

#[derive(Debug, Args)]
struct Paths {
    /// Policy files, or folders of them.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    paths: Vec<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What a check found.
#[derive(Debug)]
struct Checked {
    texts: Texts,
    /// None when there is an error among the findings.
    set: Option<PolicySet>,
    diagnostics: Vec<Diagnostic>,
}

/// What the cases beside one policy came to.
#[derive(Debug)]
struct Tested {
    /// The policy's file.
    file: String,
    /// The cases one by one, or why they could not be run.
    result: Result<Vec<Outcome>, Untested>,
}

#[derive(Debug)]
enum Untested {
    /// There is no file of cases.
    NoCases,
    /// The policy or its cases are broken.
    Refused(Vec<Diagnostic>),
}

/// Runs the command.
///
/// # Errors
/// When standard output cannot be written to. What is wrong with policies is the command's output, not its failure.
pub(crate) fn run(args: PolicyArgs) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let (good, printed) = match args.command {
        PolicyCommand::Check(Paths { paths, json }) => {
            let checked = check(&paths);
            let printed = match json {
                true => report::check_json(&mut out, &checked),
                false => report::check(&mut out, &checked),
            };
            (checked.set.is_some(), printed)
        }
        PolicyCommand::Test(Paths { paths, json }) => {
            let tested = test(&paths);
            let printed = match json {
                true => report::test_json(&mut out, &tested),
                false => report::test(&mut out, &tested),
            };
            let asked: usize = tested.iter().map(Tested::asked).sum();
            (asked > 0 && tested.iter().all(Tested::is_good), printed)
        }
    };
    match printed.and_then(|()| out.flush()) {
        // Whoever reads us has seen enough; the exit code is for somebody else.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed?,
    }
    Ok(match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Compiles everything named, together, as a daemon would that was given it all.
fn check(paths: &[PathBuf]) -> Checked {
    let (texts, mut diagnostics) = read(paths);
    let sources: Vec<Source<'_>> = texts.sources().collect();
    diagnostics.extend_from_slice(texts.warnings());
    let set = match PolicySet::compile(&sources) {
        Ok((set, found)) => {
            diagnostics.extend(found);
            Some(set).filter(|_| !diagnostics.iter().any(Diagnostic::is_error))
        }
        Err(found) => {
            diagnostics.extend(found);
            None
        }
    };
    Checked {
        texts,
        set,
        diagnostics,
    }
}

/// Runs the cases beside every policy named, each policy by itself.
fn test(paths: &[PathBuf]) -> Vec<Tested> {
    let (texts, unread) = read(paths);
    let unread = unread.into_iter().map(|finding| Tested {
        file: finding.file.to_string(),
        result: Err(Untested::Refused(vec![finding])),
    });
    let orphans = paths.iter().flat_map(|path| files::orphaned_cases(path));
    let orphans = orphans.map(|finding| Tested {
        file: finding.file.to_string(),
        result: Err(Untested::Refused(vec![finding])),
    });
    unread
        .chain(texts.files().iter().map(test_one))
        .chain(orphans)
        .collect()
}

fn test_one(policy: &Text) -> Tested {
    Tested {
        file: policy.name.clone(),
        result: run_cases(policy),
    }
}

fn run_cases(policy: &Text) -> Result<Vec<Outcome>, Untested> {
    let (set, _) = PolicySet::compile(&[policy.source()]).map_err(Untested::Refused)?;
    let beside = files::cases_beside(&policy.path);
    if !beside.exists() {
        return Err(Untested::NoCases);
    }
    let text = files::read_file(&beside).map_err(|finding| Untested::Refused(vec![finding]))?;
    let cases = Cases::parse(text.source()).map_err(Untested::Refused)?;
    let name = set.names().next().unwrap_or_default();
    Ok(cases.run(&set, name))
}

/// The texts of all that is named, once each, and what could not be read.
fn read(paths: &[PathBuf]) -> (Texts, Vec<Diagnostic>) {
    let (mut texts, mut found) = (Texts::default(), Vec::new());
    let mut seen: Vec<&Path> = Vec::new();
    for path in paths {
        if seen.contains(&path.as_path()) {
            continue;
        }
        seen.push(path);
        match files::read(path) {
            Ok(more) => texts.extend(more),
            Err(why) => found.extend(why),
        }
    }
    (texts, found)
}

// === impl Tested ===

impl Tested {
    /// How many cases were asked.
    fn asked(&self) -> usize {
        self.result.as_ref().map_or(0, Vec::len)
    }

    /// A policy without cases is not good or bad; that nothing at all was asked is for the caller to see.
    fn is_good(&self) -> bool {
        match &self.result {
            Ok(outcomes) => outcomes.iter().all(|outcome| outcome.failure.is_none()),
            Err(Untested::NoCases) => true,
            Err(Untested::Refused(_)) => false,
        }
    }
}
