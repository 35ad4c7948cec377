//! `enforcer policy`: checks, tests and explains policies, replays what was recorded against them, and drafts new ones. Needs
//! no root and no daemon.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use enforcer_policy::{Cases, Diagnostic, Outcome, PolicySet, Source};

use crate::policies::files::{self, Text, Texts};

mod detectors;
mod explain;
mod pin;
mod recorded;
mod replay;
mod report;
mod suggest;
#[cfg(test)]
mod tests;

/// Check, test and explain policies.
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
    /// Tell what would be decided, by which rule, and why others did not speak.
    ///
    /// What is asked is one line (`POST https://api.openai.com/v1/responses`), a file with more of it (headers, a body, a
    /// principal, a part of the answer, as in cases), or an exchange from the ledger. Exits with 0 when it would be allowed,
    /// and with 1 when it would not.
    Explain(explain::ExplainArgs),
    /// List what `mask` can look for: the family and the name of every detector.
    Detectors(detectors::DetectorsArgs),
    /// Print the JSON Schema of policy files, for editors.
    Schema,
    /// Ask policies what was recorded, and show what would change.
    ///
    /// The ledger holds no bodies: where rules read these, it is said that the answer depends on them. Exits with 0 when
    /// nothing would change, and with 1 when something would.
    Replay(replay::ReplayArgs),
    /// Write a draft of a policy from what was recorded.
    ///
    /// Takes what was granted, and what was let through or denied while a workload was only observed.
    Suggest(suggest::SuggestArgs),
    /// Print the fingerprints of the tools in a listing of an MCP server, for `answer.tool.pin`.
    Pin(pin::PinArgs),
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
        PolicyCommand::Explain(args) => explain::run(&args, &mut out)?,
        PolicyCommand::Detectors(args) => (true, detectors::run(&args, &mut out)),
        PolicyCommand::Schema => {
            let printed = out.write_all(enforcer_policy::schema().as_bytes());
            (true, printed)
        }
        PolicyCommand::Replay(args) => replay::run(&args, &mut out)?,
        PolicyCommand::Suggest(args) => suggest::run(&args, &mut out)?,
        PolicyCommand::Pin(args) => pin::run(&args, &mut out)?,
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

/// Compiles what is named, or says why it cannot be.
fn compile(paths: &[PathBuf]) -> anyhow::Result<PolicySet> {
    let checked = check(paths);
    checked.set.ok_or_else(|| {
        let errors = checked.diagnostics.iter().filter(|own| own.is_error());
        let lines: String = errors.map(|finding| format!("\n  {finding}")).collect();
        anyhow::anyhow!("the policies cannot be used:{lines}")
    })
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
        .chain(texts.files().iter().map(|policy| test_one(policy, &texts)))
        .chain(orphans)
        .collect()
}

fn test_one(policy: &Text, texts: &Texts) -> Tested {
    Tested {
        file: policy.name.clone(),
        result: run_cases(policy, texts),
    }
}

fn run_cases(policy: &Text, texts: &Texts) -> Result<Vec<Outcome>, Untested> {
    let sources: Vec<Source<'_>> = texts.sources_of(policy).collect();
    let (set, _) = PolicySet::compile(&sources).map_err(Untested::Refused)?;
    let beside = files::cases_beside(&policy.path);
    if !beside.exists() {
        return Err(Untested::NoCases);
    }
    let text = files::read_file(&beside).map_err(|finding| Untested::Refused(vec![finding]))?;
    let read = |name: &str| explain::read_beside(&beside, name);
    let cases = Cases::parse_with(text.source(), &read).map_err(Untested::Refused)?;
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
