//! The demo as a program; see [`enforcer_tests::demo`].

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    enforcer_tests::demo::main()
}
