//! The project's chores, one file each: `cargo xtask CHORE`.

mod build;
mod demo;
mod ebpf;
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Build everything: the kernel's programs, then the binary that carries them
    Build(build::Options),
    /// Show an unmodified agent program under enforcement, from a fresh machine (root)
    Demo,
    /// Build the kernel's programs alone, installing their compiler where that can be done
    Ebpf,
}

#[expect(clippy::print_stderr, reason = "a chore speaks to whoever runs it")]
fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Build(options) => build::run(&options),
        Chore::Demo => demo::run(),
        Chore::Ebpf => ebpf::run().map(drop),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}
