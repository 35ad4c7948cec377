//! The enforcer: parse, dispatch, exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

mod app;
mod child;
mod cli;
mod config;
mod containers;
mod enforcement;
mod foreign;
mod host_sockets;
mod intruders;
mod kernel_events;
mod lsm;
mod notify;
mod oci;
mod operations;
mod policies;
mod policy_reports;
mod quarantine;
mod rotation;
mod stances;
mod telemetry;
mod trial;
mod trust;
mod unix_sockets;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
