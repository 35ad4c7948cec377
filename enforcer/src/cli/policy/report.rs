//! How checks and tests are shown: lines for people, one JSON object for programs.

use std::io::{self, Write};

use enforcer_policy::{Diagnostic, Outcome, PolicySet};
use serde::Serialize;

use super::{Checked, Tested, Untested};

/// What `check --json` prints.
#[derive(Serialize)]
struct CheckView<'a> {
    ok: bool,
    policies: Vec<&'a str>,
    rules: Option<usize>,
    digest: Option<&'a str>,
    diagnostics: Vec<Finding<'a>>,
}

/// What `test --json` prints.
#[derive(Serialize)]
struct TestView<'a> {
    ok: bool,
    cases: usize,
    failed: usize,
    files: Vec<FileView<'a>>,
}

#[derive(Serialize)]
struct FileView<'a> {
    file: &'a str,
    /// Null when there are none, or none could be run.
    cases: Option<usize>,
    failures: Vec<Failure<'a>>,
    diagnostics: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    line: u32,
    column: u32,
    ask: &'a str,
    message: &'a str,
    verdict: &'static str,
    cause: &'static str,
    rule: Option<&'a str>,
    explanation: String,
}

#[derive(Serialize)]
struct Finding<'a> {
    severity: &'static str,
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    text: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

pub(super) fn check(out: &mut impl Write, checked: &Checked) -> io::Result<()> {
    let Checked {
        texts,
        set,
        diagnostics,
    } = checked;
    for finding in diagnostics {
        writeln!(out, "{finding}")?;
        let text = texts.all().find(|file| *file.name == *finding.file);
        if let Some(text) = text {
            excerpt(out, &text.text, finding)?;
        }
    }
    let errors = diagnostics
        .iter()
        .filter(|finding| finding.is_error())
        .count();
    let warnings = diagnostics.len() - errors;
    let found = match (errors, warnings) {
        (0, 0) => String::new(),
        (0, warnings) => format!(", {}", count(warnings, "warning")),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    match set {
        Some(set) => writeln!(
            out,
            "{}, {}{found}",
            plural(set.names().count(), "policy", "policies"),
            count(set.rules(), "rule")
        ),
        None => writeln!(out, "{found}"),
    }
}

pub(super) fn check_json(out: &mut impl Write, checked: &Checked) -> io::Result<()> {
    let Checked {
        texts: _,
        set,
        diagnostics,
    } = checked;
    let view = CheckView {
        ok: set.is_some(),
        policies: set.iter().flat_map(PolicySet::names).collect(),
        rules: set.as_ref().map(PolicySet::rules),
        digest: set.as_ref().map(PolicySet::digest),
        diagnostics: diagnostics.iter().map(finding).collect(),
    };
    line(out, &view)
}

pub(super) fn test(out: &mut impl Write, tested: &[Tested]) -> io::Result<()> {
    for Tested { file, result } in tested {
        match result {
            Ok(outcomes) => cases(out, file, outcomes)?,
            Err(Untested::NoCases) => writeln!(out, "{file}: no cases beside it")?,
            Err(Untested::Refused(found)) => {
                for finding in found {
                    writeln!(out, "{finding}")?;
                }
            }
        }
    }
    let asked: usize = tested.iter().map(Tested::asked).sum();
    let failed: usize = tested.iter().map(failed).sum();
    let refused = tested
        .iter()
        .filter(|tested| matches!(tested.result, Err(Untested::Refused(_))));
    let refused = match refused.count() {
        0 => String::new(),
        files => format!(", {} not tested", count(files, "file")),
    };
    match asked {
        0 => writeln!(out, "nothing was asked{refused}"),
        _ => writeln!(out, "{}{refused}", tally(asked, failed)),
    }
}

/// What the cases beside one policy came to, with the rules that came near those that failed.
fn cases(out: &mut impl Write, file: &str, outcomes: &[Outcome]) -> io::Result<()> {
    let failed = failures(outcomes).count();
    writeln!(out, "{file}: {}", tally(outcomes.len(), failed))?;
    for (outcome, failure) in failures(outcomes) {
        writeln!(out, "{failure}")?;
        // The first line is the decision, which the failure has told of.
        for rule in outcome.explanation.to_string().lines().skip(1) {
            writeln!(out, "  {rule}")?;
        }
    }
    Ok(())
}

fn tally(asked: usize, failed: usize) -> String {
    match failed {
        0 => format!("{} passed", count(asked, "case")),
        _ => format!("{failed} of {} failed", count(asked, "case")),
    }
}

pub(super) fn test_json(out: &mut impl Write, tested: &[Tested]) -> io::Result<()> {
    let cases = tested.iter().map(Tested::asked).sum();
    let view = TestView {
        ok: cases > 0 && tested.iter().all(Tested::is_good),
        cases,
        failed: tested.iter().map(failed).sum(),
        files: tested.iter().map(file).collect(),
    };
    line(out, &view)
}

fn file(tested: &Tested) -> FileView<'_> {
    let Tested { file, result } = tested;
    let (cases, outcomes, refused): (_, &[Outcome], &[Diagnostic]) = match result {
        Ok(outcomes) => (Some(outcomes.len()), outcomes, &[]),
        Err(Untested::NoCases) => (None, &[], &[]),
        Err(Untested::Refused(found)) => (None, &[], found),
    };
    FileView {
        file,
        cases,
        failures: failures(outcomes).map(failure).collect(),
        diagnostics: refused.iter().map(finding).collect(),
    }
}

fn failure<'a>((outcome, failure): (&'a Outcome, &'a Diagnostic)) -> Failure<'a> {
    let decision = &outcome.explanation.decision;
    Failure {
        line: outcome.at.line,
        column: outcome.at.column,
        ask: &outcome.ask,
        message: &failure.message,
        verdict: decision.verdict.as_str(),
        cause: decision.cause.code(),
        rule: decision.rule.as_ref().map(|rule| rule.as_str()),
        explanation: outcome.explanation.to_string(),
    }
}

fn finding(diagnostic: &Diagnostic) -> Finding<'_> {
    let Diagnostic {
        severity,
        file,
        at,
        text,
        message,
        hint,
    } = diagnostic;
    Finding {
        severity: severity.as_str(),
        file,
        line: at.map(|at| at.line),
        column: at.map(|at| at.column),
        text,
        message,
        hint: hint.as_deref(),
    }
}

fn failures(outcomes: &[Outcome]) -> impl Iterator<Item = (&Outcome, &Diagnostic)> {
    outcomes
        .iter()
        .filter_map(|outcome| Some((outcome, outcome.failure.as_ref()?)))
}

fn failed(tested: &Tested) -> usize {
    tested
        .result
        .as_ref()
        .map_or(0, |outcomes| failures(outcomes).count())
}

/// The line a finding is about, with the text it is about marked.
fn excerpt(out: &mut impl Write, text: &str, finding: &Diagnostic) -> io::Result<()> {
    let Some(at) = finding.at else {
        return Ok(());
    };
    let line = text
        .lines()
        .nth(at.line.saturating_sub(1) as usize)
        .unwrap_or_default();
    if finding.text.is_empty() || line.chars().count() > 160 || line.chars().any(char::is_control) {
        return Ok(());
    }
    let number = at.line.to_string();
    let before = " ".repeat(at.column.saturating_sub(1) as usize);
    let marks = "^".repeat(finding.text.chars().count());
    writeln!(out, "  {number} | {line}")?;
    writeln!(out, "  {} | {before}{marks}", " ".repeat(number.len()))
}

pub(super) fn line(out: &mut impl Write, view: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, view)?;
    writeln!(out)
}

pub(super) fn count(number: usize, thing: &str) -> String {
    plural(number, thing, &format!("{thing}s"))
}

fn plural(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}
