//! `enforcer policy suggest`: a draft out of what was recorded.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use enforcer_policy::Seen;

use super::recorded::{Ledger, Recorded, Was};

/// Most exchanges a draft is made of; later ones count.
const MAX_SEEN: usize = 1_000_000;

#[derive(Debug, Args)]
pub(super) struct SuggestArgs {
    #[command(flatten)]
    ledger: Ledger,
    /// Only what this workload asked.
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// The draft's name.
    #[arg(long, value_name = "NAME", default_value = "draft")]
    name: String,
    /// What to allow.
    #[arg(long, value_enum, default_value = "observed")]
    from: From,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum From {
    /// What was granted, and what was let through of workloads that are only observed.
    Observed,
    /// All of that, and what was denied.
    All,
}

/// Runs the command. Whether there was anything to make a draft of.
pub(super) fn run(
    args: &SuggestArgs,
    out: &mut impl Write,
) -> anyhow::Result<(bool, io::Result<()>)> {
    let mut all = Vec::new();
    Recorded::read(&args.ledger.ledger, |recorded| {
        let of_workload = args
            .workload
            .as_ref()
            .is_none_or(|name| name == recorded.workload());
        let wanted = match (args.from, recorded.was) {
            (From::All, _) | (From::Observed, Was::Granted | Was::Observed) => true,
            (From::Observed, Was::Denied) => false,
        };
        if of_workload && wanted && all.len() < MAX_SEEN {
            all.push(recorded);
        }
    })?;
    let seen = all.iter().map(|recorded| Seen {
        protocol: recorded.protocol,
        host: &recorded.host,
        port: recorded.port,
        request: recorded
            .request
            .as_ref()
            .map(|(method, path)| (method.as_str(), path.as_str())),
        model: recorded.model.as_deref(),
    });
    let draft = enforcer_policy::suggest(&args.name, seen);
    Ok((!all.is_empty(), out.write_all(draft.as_bytes())))
}
