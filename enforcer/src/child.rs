//! Supervises the command of `enforcer run`: it has the caller's terminal, and whatever a caller would do to it by signals
//! still works with us in between.
//!
//! The command stays in our process group, so the terminal speaks to both of us: what it sends (Ctrl-C, Ctrl-\, Ctrl-Z) is
//! the command's to answer, and passed on only when it did not come from the terminal. When the command stops, we stop, so
//! that a shell sees one job. Where the command runs and with whose trust is decided before it comes here.

use std::io;
use std::process::{Command, ExitCode};

use enforcer_kernel::Progress;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};

mod failure;
mod signals;
#[cfg(test)]
mod tests;

pub(crate) use failure::ChildError;
use signals::Signals;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Exited(u8),
    /// By a signal.
    Killed(i32),
}

/// The command's process. Dropped before its end, it is killed: a command must not outlive its enforcer.
struct Running {
    pid: Pid,
    ended: bool,
}

/// What became of the process since the last look.
enum Change {
    Ended(Ending),
    Stopped,
}

/// Runs a command to its end; `progress` is that of its way into its place.
///
/// Takes over the process's signal handling for good; to be called once, by a program that runs one command.
///
/// # Errors
/// When the command cannot be started, with the reason that its caller needs to know.
pub(crate) async fn supervise(
    mut command: Command,
    progress: Option<Progress>,
) -> Result<Ending, ChildError> {
    // Before the start: no signal and no end may be missed.
    let mut signals = Signals::listen().map_err(ChildError::Watch)?;
    let started = command.spawn();
    let child = started.map_err(|error| {
        let step = progress.and_then(|mut progress| progress.last());
        failure::diagnose(&command, error, step)
    })?;
    let mut running = Running::new(child.id()).map_err(ChildError::Watch)?;
    loop {
        while let Some(change) = running.look().map_err(ChildError::Watch)? {
            match change {
                Change::Ended(ending) => return Ok(ending),
                Change::Stopped => stop_with(running.pid),
            }
        }
        if let Some(signal) = signals.next().await
            && is_ours_to_pass_on(signal, running.pid)
        {
            running.send(signal);
        }
    }
}

/// Stops us as the command has been stopped, so that the shell takes its terminal back, and continues both. Where nobody
/// could continue us, as without a terminal, we go on.
fn stop_with(command: Pid) {
    if signals::terminal().is_none() {
        return;
    }
    // The call returns when we are continued.
    let _stopped = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
    let _continued = rustix::process::kill_process(command, Signal::CONT);
}

/// What the terminal sends reaches everybody in its foreground process group, so the command has it already if it and we
/// are in that group. All else came to us alone.
fn is_ours_to_pass_on(signal: Signal, command: Pid) -> bool {
    if !signals::comes_from_terminals(signal) {
        return true;
    }
    let own = rustix::process::getpgrp();
    let together = rustix::process::getpgid(Some(command)) == Ok(own);
    let in_foreground = signals::terminal()
        .and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok())
        .is_some_and(|foreground| foreground == own);
    !(together && in_foreground)
}

// === impl Ending ===

impl Ending {
    /// What shells make of it: the command's own code, or 128 and the signal.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Exited(code) => code.into(),
            Self::Killed(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX).into(),
        }
    }

    fn of(status: &WaitIdStatus) -> Option<Self> {
        let exited = status
            .exit_status()
            .map(|code| Self::Exited(u8::try_from(code & 0xff).unwrap_or(u8::MAX)));
        exited.or_else(|| status.terminating_signal().map(Self::Killed))
    }
}

// === impl Running ===

impl Running {
    fn new(id: u32) -> io::Result<Self> {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { pid, ended: false })
    }

    /// The next change, without waiting for one.
    fn look(&mut self) -> io::Result<Option<Change>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        loop {
            match rustix::process::waitid(WaitId::Pid(self.pid), options) {
                Ok(None) => return Ok(None),
                Ok(Some(status)) => {
                    if let Some(ending) = Ending::of(&status) {
                        self.ended = true;
                        return Ok(Some(Change::Ended(ending)));
                    }
                    return Ok(Some(Change::Stopped));
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn send(&self, signal: Signal) {
        // It cannot have gone to another process: the id is free only after `look` has seen the end.
        if let Err(error) = rustix::process::kill_process(self.pid, signal) {
            tracing::warn!(%error, ?signal, "a signal was not passed on to the command");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.send(Signal::KILL);
            let _reaped = rustix::process::waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED);
        }
    }
}
