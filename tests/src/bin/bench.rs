//! The benchmark's executable; see `enforcer_tests::bench`.

use std::process::ExitCode;

fn main() -> ExitCode {
    enforcer_tests::bench::main()
}
