//! `enforcer policy explain`: one question, its answer, and why.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use enforcer_policy::{Considered, Explanation, Head, Inquiry, PolicySet, Question, Reply};
use serde::Serialize;

use super::recorded::{Kept, Ledger, Recorded};
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
    /// An exchange from the ledger, by its id; with the request that was recorded of it, where one was, and on a WebSocket
    /// with each message.
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
    /// What was said on a WebSocket.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<MessageView<'a>>,
}

#[derive(Serialize)]
struct MessageView<'a> {
    /// Which it was, counted over both sides.
    message: u64,
    verdict: &'static str,
    cause: &'static str,
    rule: Option<&'a str>,
    considered: Vec<Rule<'a>>,
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
    messages: Vec<(u64, Explanation)>,
    /// Whether there were messages that are not kept.
    more_messages: bool,
}

/// Runs the command. Whether it would be allowed.
pub(super) fn run(
    args: &ExplainArgs,
    out: &mut impl Write,
) -> anyhow::Result<(bool, io::Result<()>)> {
    let told = tell(args)?;
    let allowed = told.reply.explanation.decision.is_allow()
        && !told.depends_on_body
        && !told.more_messages
        && told.messages.iter().all(|(_, own)| own.decision.is_allow());
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
        return tell_of(id, &args.ledger, &set);
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
        messages: Vec::new(),
        more_messages: false,
    })
}

/// The same of an exchange in the ledger.
fn tell_of(id: &str, ledger: &Ledger, set: &PolicySet) -> anyhow::Result<Told> {
    let mut found = None;
    Recorded::read(&ledger.ledger, |recorded| {
        if recorded.id == id {
            found = Some(recorded);
        }
    })?;
    let found = found.ok_or_else(|| anyhow!("there is no exchange `{id}` in the ledger"))?;
    let kept = ledger.kept(id)?;
    let message = |kept: &Kept, (seq, text): &(u64, String)| {
        let explain = |question: &Question<'_>| set.explain(question);
        (*seq, found.ask_message((set, None), (kept, text), explain))
    };
    let messages = kept.iter().flat_map(|kept| {
        let messages = kept.messages().iter();
        messages.map(move |own| message(kept, own))
    });
    Ok(Told {
        ask: found.line(),
        messages: messages.collect(),
        more_messages: kept.as_ref().is_some_and(Kept::is_cut),
        ..found.ask((set, None), kept.as_ref(), |question| Told {
            ask: String::new(),
            depends_on_body: matches!(set.head(question), Head::Body),
            reply: Reply {
                explanation: set.explain(question),
                action: None,
                masked: None,
            },
            messages: Vec::new(),
            more_messages: false,
        })
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
        messages,
        more_messages,
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
    for (seq, explanation) in messages {
        match explanation.decision.is_allow() {
            true => writeln!(out, "message {seq}: {}", explanation.decision)?,
            false => writeln!(out, "message {seq}: {explanation}")?,
        }
    }
    if *more_messages {
        writeln!(out, "what was said after these messages is not kept")?;
    }
    Ok(())
}

fn view(told: &Told) -> View<'_> {
    let Explanation {
        decision,
        considered,
        others,
    } = &told.reply.explanation;
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
        considered: rules(considered),
        others: *others,
        messages: told.messages.iter().map(message_view).collect(),
    }
}

fn message_view((message, explanation): &(u64, Explanation)) -> MessageView<'_> {
    let decision = &explanation.decision;
    MessageView {
        message: *message,
        verdict: decision.verdict.as_str(),
        cause: decision.cause.code(),
        rule: decision.rule.as_ref().map(|rule| rule.as_str()),
        considered: rules(&explanation.considered),
    }
}

fn rules(considered: &[Considered]) -> Vec<Rule<'_>> {
    let rules = considered.iter().map(|own| Rule {
        rule: own.rule.as_str(),
        effect: own.effect.as_str(),
        matches: own.mismatch.is_none(),
        mismatch: own.mismatch.map(|mismatch| mismatch.to_string()),
    });
    rules.collect()
}
