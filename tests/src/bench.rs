//! The benchmark: what the enforcer adds to a connection, measured beside the same traffic without it.
//!
//! One process orchestrates (`run`): in a network namespace of its own it starts an upstream (nginx), a server of
//! event streams, the enforcer's daemon and, beside it, HAProxy as a peer; then it goes round the rows and, within a
//! row, round the contenders, so that a machine that slows down slows all of them. A second process (`load`) makes
//! the traffic: outside any agent cgroup for "direct", inside one for the enforcer, so that it is captured like an agent.
//!
//! Nothing here asserts on time. A row that fails is reported as failed and the others still run; everything that was
//! started is ended and everything that was made is removed, also after an interrupt.

mod certificates;
mod cgroup;
mod contender;
mod crowd;
mod daemon;
mod events;
mod figure;
mod haproxy;
mod hollow;
mod hooks;
mod job;
mod listener;
mod load;
mod machine;
mod nginx;
mod plan;
mod process;
mod report;
mod round;
mod row;
mod site;
mod stage;
mod standstill;
mod turns;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "bench",
    about = "Measures the enforcer beside direct traffic and a peer"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make one run of traffic as described by one line of JSON on standard input.
    #[command(hide = true)]
    Load,
    /// Run the benchmark; needs root, nginx and, for the peer, haproxy.
    Run(plan::Options),
}

/// The benchmark's command line: reads the arguments, does what they say, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    match dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::progress(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Load => load::obey(),
        Command::Run(options) => plan::run(options),
    }
}
