//! `enforcer policy replay`: what was recorded, asked again of other policies.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use enforcer_policy::{Head, PolicySet};
use serde::Serialize;

use super::recorded::{Kept, Ledger, Recorded, Was};
use super::{compile, report};

/// Most kinds of changes that are told apart; the others are counted.
const MAX_CHANGES: usize = 10_000;

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Policy files, or folders of them.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    policies: Vec<PathBuf>,
    #[command(flatten)]
    ledger: Ledger,
    /// Judge everything by the policy of this name.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Only what this workload asked.
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What came of it, and what `replay --json` prints.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    exchanges: u64,
    same: u64,
    now_allowed: u64,
    now_denied: u64,
    depends_on_body: u64,
    changes: Vec<Change>,
    /// Changes that were counted and are not listed.
    more: u64,
}

#[derive(Debug, Serialize)]
struct Change {
    change: &'static str,
    workload: String,
    ask: String,
    count: u64,
    was: String,
    becomes: String,
}

/// Runs the command. Whether nothing would change.
pub(super) fn run(
    args: &ReplayArgs,
    out: &mut impl Write,
) -> anyhow::Result<(bool, io::Result<()>)> {
    let set = compile(&args.policies)?;
    let replayed = replay(args, &set)?;
    let unchanged = replayed.changes.is_empty();
    let printed = match args.json {
        true => report::line(out, &replayed),
        false => print(out, &replayed),
    };
    Ok((unchanged, printed))
}

fn replay(args: &ReplayArgs, set: &PolicySet) -> anyhow::Result<Replayed> {
    let mut replayed = Replayed::default();
    let mut changes: BTreeMap<(&'static str, String, String), Change> = BTreeMap::new();
    let mut unusable = None;
    Recorded::read(&args.ledger.ledger, |recorded| {
        if args
            .workload
            .as_ref()
            .is_some_and(|name| name != recorded.workload())
        {
            return;
        }
        replayed.exchanges += 1;
        let kept = args.ledger.kept(&recorded.id).unwrap_or_else(|error| {
            unusable.get_or_insert(error);
            None
        });
        let candidate = (set, args.policy.as_deref());
        let Some((change, becomes)) = change(&recorded, candidate, kept.as_ref()) else {
            replayed.same += 1;
            return;
        };
        match change {
            "now allowed" => replayed.now_allowed += 1,
            "now denied" => replayed.now_denied += 1,
            _ => replayed.depends_on_body += 1,
        }
        let key = (change, recorded.workload().to_owned(), recorded.line());
        if let Some(known) = changes.get_mut(&key) {
            known.count += 1;
        } else if changes.len() < MAX_CHANGES {
            let new = Change {
                change,
                workload: key.1.clone(),
                ask: key.2.clone(),
                count: 1,
                was: was(&recorded),
                becomes,
            };
            changes.insert(key, new);
        } else {
            replayed.more += 1;
        }
    })?;
    if let Some(error) = unusable {
        return Err(error);
    }
    replayed.changes = changes.into_values().collect();
    Ok(replayed)
}

/// How the decision differs, and what it becomes; none when it does not.
fn change(
    recorded: &Recorded,
    candidate: (&PolicySet, Option<&str>),
    kept: Option<&Kept>,
) -> Option<(&'static str, String)> {
    let head = recorded.ask(candidate, kept, |question| candidate.0.head(question));
    let decision = match head {
        Head::Body => return Some(("depends on the body", "depends on the body".to_owned())),
        Head::Decided(decision) => decision,
    };
    let was_allowed = match recorded.was {
        Was::Granted => true,
        Was::Denied | Was::Observed => false,
    };
    match (was_allowed, decision.is_allow()) {
        (true, true) => said_differently(recorded, candidate, kept?),
        (false, false) => None,
        (false, true) => Some(("now allowed", decision.to_string())),
        (true, false) => Some(("now denied", decision.to_string())),
    }
}

/// The same for what was said on a WebSocket that would still open: every message of it had passed.
fn said_differently(
    recorded: &Recorded,
    candidate: (&PolicySet, Option<&str>),
    kept: &Kept,
) -> Option<(&'static str, String)> {
    let denied = kept.messages().iter().find_map(|(seq, message)| {
        let about = (kept, message.as_str());
        let decision = recorded.ask_message(candidate, about, |asked| candidate.0.evaluate(asked));
        (!decision.is_allow()).then(|| format!("{decision}, with message {seq}"))
    });
    match denied {
        Some(becomes) => Some(("now denied", becomes)),
        None if kept.is_cut() => {
            let becomes = "depends on messages that are not kept".to_owned();
            Some(("depends on the body", becomes))
        }
        None => None,
    }
}

fn was(recorded: &Recorded) -> String {
    let word = match recorded.was {
        Was::Denied => "denied",
        Was::Granted => "granted",
        Was::Observed => "observed",
    };
    match &recorded.rule {
        Some(rule) => format!("{word} ({rule})"),
        None => word.to_owned(),
    }
}

fn print(out: &mut impl Write, replayed: &Replayed) -> io::Result<()> {
    let Replayed {
        exchanges,
        same,
        now_allowed,
        now_denied,
        depends_on_body,
        changes,
        more,
    } = replayed;
    for change in changes {
        let Change {
            change,
            workload,
            ask,
            count,
            was,
            becomes,
        } = change;
        writeln!(
            out,
            "{change}: {ask} by {workload}, {count} times: {was}, then {becomes}"
        )?;
    }
    if *more > 0 {
        writeln!(out, "and {more} more that are not listed")?;
    }
    writeln!(
        out,
        "{exchanges} exchanges: {same} the same, {now_allowed} now allowed, {now_denied} now denied, \
         {depends_on_body} that depend on the body"
    )
}
