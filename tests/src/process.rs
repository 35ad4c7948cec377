//! Processes that end with the value that holds them, and never keep a test waiting for ever.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::namespace::Namespace;

/// Lines of output that may wait to be read before the process itself has to.
const LINES: usize = 65_536;

/// A running process whose output we read.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

/// A process that ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote, without lines already taken.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

// === impl Process ===

impl Process {
    /// Starts `command` inside `namespace`, or where we are.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, namespace: Option<&Namespace>) -> anyhow::Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = format!("{:?}", command.get_program());
        let spawned = match namespace {
            None => command.spawn(),
            Some(namespace) => namespace.run(|| command.spawn())?,
        };
        let mut child = spawned.with_context(|| format!("start {name}"))?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            anyhow::bail!("{name} has no pipes");
        };
        let (sender, lines) = mpsc::sync_channel(LINES);
        thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut line = Vec::new();
            while out.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        let errors = Some(thread::spawn(move || drain(err)));
        Ok(Self {
            child,
            lines,
            errors,
        })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input, when `Stdio::piped()` was asked for.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The next line it writes, without its end.
    ///
    /// # Errors
    /// When none comes within `patience`, or the output ended.
    pub fn line(&self, patience: Duration) -> anyhow::Result<String> {
        let line = self
            .lines
            .recv_timeout(patience)
            .context("no further line")?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = pid_of(&self.child) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until it has ended, without taking its end away from [`Process::finish`].
    pub fn await_end(&self) {
        let Some(handle) = pid_of(&self.child).map(|pid| pidfd_open(pid, PidfdFlags::empty()))
        else {
            return;
        };
        if let Ok(handle) = handle {
            let _ = poll(&mut [PollFd::new(&handle, PollFlags::IN)], None);
        }
    }

    /// Waits for its end; kills it when that takes longer than `patience`.
    ///
    /// # Errors
    /// When it had to be killed, with what it said until then.
    pub fn finish(mut self, patience: Duration) -> anyhow::Result<Finished> {
        let until = Instant::now() + patience;
        let ended = wait(&mut self.child, patience)?;
        if ended.is_none() {
            let _ = self.child.kill();
        }
        let status = self.child.wait()?;
        let mut stdout = String::new();
        // A grandchild may still hold the pipe: what it says later is not ours to wait for.
        let grace = Duration::from_millis(200);
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(grace);
            match self.lines.recv_timeout(left) {
                Ok(line) => stdout.push_str(&line),
                Err(_) => break,
            }
        }
        let stderr = self.errors.take().map(JoinHandle::join);
        let stderr = stderr.and_then(Result::ok).unwrap_or_default();
        anyhow::ensure!(
            ended.is_some(),
            "killed after {patience:?}\n{stdout}\n{stderr}"
        );
        Ok(Finished {
            status,
            stdout,
            stderr,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

// === impl Finished ===

impl Finished {
    /// The exit code, or 128 and the signal, as shells count.
    #[must_use]
    pub fn code(&self) -> i32 {
        let signal = self.status.signal().map(|signal| 128 + signal);
        self.status.code().or(signal).unwrap_or(-1)
    }
}

/// Waits on a descriptor for the process, so that nothing polls a clock.
fn wait(child: &mut Child, patience: Duration) -> anyhow::Result<Option<ExitStatus>> {
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    let pid = pid_of(child).context("a process has an id")?;
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    let mut waiting = [PollFd::new(&handle, PollFlags::IN)];
    let timeout = Timespec::try_from(patience)?;
    poll(&mut waiting, Some(&timeout))?;
    Ok(child.try_wait()?)
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn drain(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
