//! The project's chores, one file each: `cargo xtask CHORE`.

mod bench;
mod build;
mod check;
mod demo;
mod docs;
mod ebpf;
mod fuzz;
mod packages;
mod python;
mod sdks;
mod step;
mod test;
mod tidy;
mod toolchain;
mod vm;

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
    /// Measure what the enforcer adds, beside direct traffic and a peer (root)
    Bench(bench::Options),
    /// Build everything: the kernel's programs, then the binary that carries them
    Build(build::Options),
    /// Format, lints, dependencies and our own rules
    Check,
    /// Show an unmodified agent program under enforcement, from a fresh machine (root)
    Demo,
    /// Build the kernel's programs alone, installing their compiler where that can be done
    Ebpf,
    /// Run the fuzz targets, each for a while (a nightly of rustup's)
    Fuzz(fuzz::Options),
    /// Everything: checks, unit tests, policy examples and, as root, end to end
    Test(test::Options),
    /// Our own rules alone: layers, budgets, names, invariants
    Tidy,
    /// Tests of the kernel's programs on a kernel of Debian's, in a virtual machine
    Vm(vm::Options),
}

#[expect(clippy::print_stderr, reason = "a chore speaks to whoever runs it")]
fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Bench(options) => bench::run(&options),
        Chore::Build(options) => build::run(&options),
        Chore::Check => check::run(),
        Chore::Demo => demo::run(),
        Chore::Ebpf => ebpf::run().map(drop),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::Test(options) => test::run(&options),
        Chore::Tidy => tidy::run(&workspace()),
        Chore::Vm(options) => vm::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}
