//! `enforcer policy pin`: the fingerprints of tools that were reviewed.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use enforcer_policy::pins;

#[derive(Debug, Args)]
pub(super) struct PinArgs {
    /// The server's answer to `tools/list`, as JSON: the whole message, its result, or the list of tools alone.
    #[arg(value_name = "FILE")]
    listing: PathBuf,
}

/// Runs the command.
pub(super) fn run(args: &PinArgs, out: &mut impl Write) -> anyhow::Result<(bool, io::Result<()>)> {
    let path = &args.listing;
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let pins = pins(&bytes).map_err(|why| anyhow!("`{}`: {why}", path.display()))?;
    if pins.is_empty() {
        bail!("there are no tools in `{}`", path.display());
    }
    let print = |(name, digest): &(String, String)| {
        let name = serde_json::Value::from(name.as_str());
        writeln!(out, "{name}: {digest}")
    };
    Ok((true, pins.iter().try_for_each(print)))
}
