//! `enforcer policy explain`: one question, its answer, and why.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use enforcer_policy::{Considered, Explanation, Head, Inquiry, Reply};
use serde::Serialize;

use super::recorded::{Ledger, Recorded};
use super::{compile, report};
use crate::policies::files;

/// The largest body that a file may have.
const MAX_BODY: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A policy file, or a folder of them.
    #[arg(value_name = "FILE|FOLDER")]
    policies: PathBuf,
    /// What is asked, in one line: `METHOD URL`, `tls HOST`, `tcp HOST:PORT` or `resolve NAME`.
    #[arg(value_name = "QUESTION", required_unless_present_any = ["request", "exchange"], conflicts_with_all = ["request", "exchange"])]
    question: Option<String>,
    /// A file with the question, as a case has it: `ask`, and beside it headers, a body, a principal, an answer.
    #[arg(long, value_name = "FILE", conflicts_with = "exchange")]
    request: Option<PathBuf>,
    /// An exchange from the ledger, by its id; with the request that was recorded of it, where one was.
    #[arg(long, value_name = "ID")]
    exchange: Option<String>,
    #[command(flatten)]
    ledger: Ledger,
    /// Ask on behalf of a workload of this name, without a label; otherwise of one whose label names the only policy.
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `explain --json` prints.
#[derive(Serialize)]
struct View<'a> {
    ask: &'a str,
    verdict: &'static str,
    cause: &'static str,
    rule: Option<&'a str>,
    reason: Option<&'a str>,
    /// What becomes of the part of an answer that was asked about.
    action: Option<&'static str>,
    /// Whether rules read the body, which is not known here.
    depends_on_body: bool,
    obligations: Vec<String>,
    /// What masks make of what is said.
    masked: Option<&'a str>,
    considered: Vec<Rule<'a>>,
    others: usize,
}

#[derive(Serialize)]
struct Rule<'a> {
    rule: &'a str,
    effect: &'static str,
    matches: bool,
    mismatch: Option<String>,
}

/// What came of a question.
struct Told {
    ask: String,
    reply: Reply,
    depends_on_body: bool,
}

/// Runs the command. Whether it would be allowed.
pub(super) fn run(
    args: &ExplainArgs,
    out: &mut impl Write,
) -> anyhow::Result<(bool, io::Result<()>)> {
    let told = tell(args)?;
    let allowed = told.reply.explanation.decision.is_allow() && !told.depends_on_body;
    let printed = match args.json {
        true => report::line(out, &view(&told)),
        false => print(out, &told),
    };
    Ok((allowed, printed))
}

fn tell(args: &ExplainArgs) -> anyhow::Result<Told> {
    let set = compile(std::slice::from_ref(&args.policies))?;
    let names: Vec<&str> = set.names().collect();
    let only = match names.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    if let Some(id) = &args.exchange {
        let mut found = None;
        Recorded::read(&args.ledger.ledger, |recorded| {
            if recorded.id == *id {
                found = Some(recorded);
            }
        })?;
        let found = found.ok_or_else(|| anyhow!("there is no exchange `{id}` in the ledger"))?;
        let kept = args.ledger.kept(id)?;
        return Ok(found.ask((&set, None), kept.as_ref(), |question| Told {
            ask: found.line(),
            depends_on_body: matches!(set.head(question), Head::Body),
            reply: Reply {
                explanation: set.explain(question),
                action: None,
                masked: None,
            },
        }));
    }
    let inquiry = match (&args.question, &args.request) {
        (Some(line), _) => Inquiry::of_line(line).map_err(|finding| anyhow!("{finding}"))?,
        (None, Some(path)) => read(path)?,
        (None, None) => bail!("nothing is asked"),
    };
    let inquiry = match &args.workload {
        Some(name) => inquiry.on_behalf_of(name),
        None => inquiry,
    };
    if only.is_none() && !inquiry.names_workload() {
        bail!("there are several policies; say for whom with --workload, or name one file");
    }
    Ok(Told {
        ask: inquiry.text().to_owned(),
        depends_on_body: inquiry.depends_on_body(&set, only),
        reply: inquiry.ask(&set, only),
    })
}

fn read(path: &Path) -> anyhow::Result<Inquiry> {
    let text = files::read_file(path).map_err(|finding| anyhow!("{finding}"))?;
    Inquiry::parse(text.source(), &|name| read_beside(path, name)).map_err(|found| {
        let lines: String = found.iter().map(|own| format!("\n  {own}")).collect();
        anyhow!("the question cannot be asked:{lines}")
    })
}

/// Reads a file that another one names.
pub(super) fn read_beside(file: &Path, name: &str) -> Result<Vec<u8>, String> {
    let path = file.with_file_name("").join(name);
    let metadata = std::fs::metadata(&path).map_err(|error| error.to_string())?;
    if !metadata.is_file() || metadata.len() > MAX_BODY {
        return Err("not a file, or too large".to_owned());
    }
    std::fs::read(&path)
        .context("reading")
        .map_err(|error| error.root_cause().to_string())
}

fn print(out: &mut impl Write, told: &Told) -> io::Result<()> {
    let Told {
        ask,
        reply,
        depends_on_body,
    } = told;
    writeln!(out, "{ask}")?;
    if *depends_on_body {
        writeln!(out, "depends on the body, which rules read; without one:")?;
    }
    if let Some(action) = reply.action {
        writeln!(out, "the part of the answer: {}", action.as_str())?;
    }
    writeln!(out, "{}", reply.explanation)?;
    let decision = &reply.explanation.decision;
    if let Some(reason) = decision.rule.as_ref().and_then(|rule| rule.reason()) {
        writeln!(out, "reason: {reason}")?;
    }
    for obligation in &decision.obligations {
        writeln!(out, "with {obligation}")?;
    }
    if let Some(masked) = &reply.masked {
        writeln!(out, "masked: {masked:?}")?;
    }
    Ok(())
}

fn view(told: &Told) -> View<'_> {
    let Explanation {
        decision,
        considered,
        others,
    } = &told.reply.explanation;
    let rule = |own: &'_ Considered| own.mismatch.map(|mismatch| mismatch.to_string());
    View {
        ask: &told.ask,
        verdict: decision.verdict.as_str(),
        cause: decision.cause.code(),
        rule: decision.rule.as_ref().map(|rule| rule.as_str()),
        reason: decision.rule.as_ref().and_then(|rule| rule.reason()),
        action: told.reply.action.map(|action| action.as_str()),
        depends_on_body: told.depends_on_body,
        obligations: decision
            .obligations
            .iter()
            .map(ToString::to_string)
            .collect(),
        masked: told.reply.masked.as_deref(),
        considered: considered
            .iter()
            .map(|own| Rule {
                rule: own.rule.as_str(),
                effect: own.effect.as_str(),
                matches: own.mismatch.is_none(),
                mismatch: rule(own),
            })
            .collect(),
        others: *others,
    }
}
