//! What an operator may type.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod audit;
mod ca;
mod daemon;
mod doctor;
mod label;
mod oci_hook;
mod oci_runtime;
mod policy;
mod quarantine;
mod run;
mod status;
mod trust;
mod uninstall;

/// Captures every connection of an AI agent in the kernel, judges it by policy and records it, with nothing reconfigured
/// in the agent.
#[derive(Debug, Parser)]
#[command(name = "enforcer", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read and verify the ledger.
    Audit(audit::AuditArgs),
    /// Show the local certificate authority, or put another in its place.
    Ca(ca::CaArgs),
    /// Serve labelled cgroups until told to stop.
    Daemon(daemon::DaemonArgs),
    /// Try what the enforcer stands on, and say what is covered, what is not, and the mend.
    Doctor(doctor::DoctorArgs),
    /// Put a cgroup under enforcement.
    Label(label::LabelArgs),
    /// Have a container enforced before it runs, as an OCI hook.
    OciHook(oci_hook::OciHookArgs),
    /// Act as an OCI runtime whose containers are enforced before they run.
    OciRuntime(oci_runtime::OciRuntimeArgs),
    /// Check and test policies.
    Policy(policy::PolicyArgs),
    /// End every flow of a workload and refuse new ones, until that is lifted.
    Quarantine(quarantine::QuarantineArgs),
    /// Run a command under enforcement.
    Run(run::RunArgs),
    /// Show what a running daemon does.
    Status(status::StatusArgs),
    /// Check who trusts the local certificate authority.
    Trust(trust::TrustArgs),
    /// Remove every trace of the enforcer from this machine, but for its evidence.
    Uninstall(uninstall::UninstallArgs),
    /// Release a cgroup from enforcement.
    Unlabel(label::UnlabelArgs),
    /// Lift a quarantine.
    Unquarantine(quarantine::UnquarantineArgs),
}

/// Parses, dispatches, and turns an error into a message and an exit code.
pub(crate) fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    // A command's own failure must not look like the failure of what it runs; 125 is what env(1) and container engines use.
    let failure = match command {
        Command::Run(_) => ExitCode::from(125),
        _ => ExitCode::FAILURE,
    };
    let done = match command {
        Command::Audit(args) => audit::run(args),
        Command::Ca(args) => ca::run(args),
        Command::Daemon(args) => daemon::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Label(args) => label::run(args),
        Command::OciHook(args) => oci_hook::run(args),
        Command::OciRuntime(args) => oci_runtime::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Quarantine(args) => quarantine::run(args),
        Command::Run(args) => run::run(args),
        Command::Status(args) => status::run(args),
        Command::Trust(args) => trust::run(args),
        Command::Uninstall(args) => uninstall::run(args),
        Command::Unlabel(args) => label::unlabel(args),
        Command::Unquarantine(args) => quarantine::lift(args),
    };
    done.unwrap_or_else(|error| {
        // Standard error may be closed; the exit code still tells.
        let _ = writeln!(std::io::stderr(), "enforcer: {error:#}");
        failure
    })
}
