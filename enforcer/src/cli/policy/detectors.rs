//! `enforcer policy detectors`: what `mask` can look for.

use std::io::{self, Write};

use clap::Args;
use enforcer_policy::{Family, detectors};
use serde::Serialize;

use super::report;

#[derive(Debug, Args)]
pub(super) struct DetectorsArgs {
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct View {
    name: &'static str,
    family: &'static str,
}

/// Runs the command.
pub(super) fn run(args: &DetectorsArgs, out: &mut impl Write) -> io::Result<()> {
    for detector in detectors() {
        let view = View {
            name: detector.name,
            family: match detector.family {
                Family::Crypto => "crypto",
                Family::Pii => "pii",
                Family::Secret => "secret",
            },
        };
        match args.json {
            true => report::line(out, &view)?,
            false => writeln!(out, "{:<7} {}", view.family, view.name)?,
        }
    }
    Ok(())
}
