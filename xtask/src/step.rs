//! One step of a chore: a command that is announced, run to its end, and must succeed.

use std::env;
use std::ffi::OsStr;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::workspace;

/// The cargo that runs us, at the workspace's root.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace()).args(arguments);
    command
}

/// Announces the step, runs it, and says how long it took.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<()> {
    timed(name, || {
        let program = command.get_program().to_owned();
        let status = command
            .status()
            .with_context(|| format!("{} could not be started", program.display()))?;
        ensure!(status.success(), "{name} failed ({status})");
        Ok(())
    })
}

/// Announces something done here, does it, and says how long it took.
#[expect(
    clippy::print_stderr,
    reason = "a chore of many minutes says where it is"
)]
pub(crate) fn timed<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let began = Instant::now();
    let done = work()?;
    eprintln!(
        "    {name}: well, after {:.1} s",
        began.elapsed().as_secs_f64()
    );
    Ok(done)
}
