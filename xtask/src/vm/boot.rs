//! The machine: booted, listened to, and switched off in time.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// What to boot.
pub(super) struct Machine<'a> {
    /// The kernel.
    pub(super) kernel: &'a Path,
    /// All that it finds there.
    pub(super) initramfs: &'a Path,
    /// Its security modules.
    pub(super) lsm: &'a str,
    /// What runs its instructions.
    pub(super) accelerator: &'a str,
    /// After which it is switched off.
    pub(super) limit: Duration,
}

/// What was heard of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    /// How the tests ended.
    tests: Option<i32>,
    /// And what came of the daemon and its agent.
    daemon: Option<i32>,
    /// The runner's closing line.
    result: Option<String>,
    /// Why tests skipped.
    skipped: Vec<String>,
}

/// Boots it, passes on what it says, and waits for it to end. Fails unless its tests ran, and ended well.
pub(super) fn run(machine: &Machine<'_>) -> Result<()> {
    let mut child = start(machine)?;
    let heard = listen(&mut child, machine.limit);
    // It may hang after its last word.
    let _ = child.kill();
    child.wait().context("the machine did not end")?;
    heard?.judge()
}

fn start(machine: &Machine<'_>) -> Result<Child> {
    let Machine {
        kernel,
        initramfs,
        lsm,
        accelerator,
        limit: _,
    } = machine;
    Command::new("qemu-system-x86_64")
        // Debian's emulator leaves wrong flags behind `cmpxchg16b` at times, and newer kernels then end in a double fault.
        .args(["-cpu", "qemu64,-cx16"])
        .args([
            "-machine",
            &format!("accel={accelerator}"),
            "-smp",
            "1",
            "-m",
            "1536",
        ])
        .args([
            "-nodefaults",
            "-display",
            "none",
            "-no-reboot",
            "-serial",
            "stdio",
        ])
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs)
        .args([
            "-append",
            &format!("console=ttyS0 quiet panic=-1 lsm={lsm}"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("`qemu-system-x86_64` could not be started")
}

#[expect(
    clippy::print_stdout,
    reason = "what the machine says is what is asked for"
)]
fn listen(child: &mut Child, limit: Duration) -> Result<Heard> {
    let until = Instant::now() + limit;
    let output = child.stdout.take().context("the machine has no output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
        for line in lines {
            if sender
                .send(String::from_utf8_lossy(&line).trim_end().to_owned())
                .is_err()
            {
                return;
            }
        }
    });
    let mut heard = Heard::default();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                println!("{line}");
                heard.note(&line);
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(heard),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                bail!("the machine was switched off after {limit:?}; `--limit` gives it longer")
            }
        }
    }
}

// === impl Heard ===

impl Heard {
    fn note(&mut self, line: &str) {
        if let Some(code) = line.strip_prefix("machine: tests ended with ") {
            self.tests = code.parse().ok();
        } else if let Some(code) = line.strip_prefix("machine: daemon ended with ") {
            self.daemon = code.parse().ok();
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.result = Some(result.to_owned());
        } else if line.starts_with("skipped: ") && !self.skipped.iter().any(|known| known == line) {
            self.skipped.push(line.to_owned());
        }
    }

    #[expect(clippy::print_stdout, reason = "the closing lines of the whole")]
    fn judge(&self) -> Result<()> {
        let Self {
            tests,
            daemon,
            result,
            skipped,
        } = self;
        for reason in skipped {
            println!("{reason}");
        }
        println!("tests: {}", result.as_deref().unwrap_or("none were run"));
        let code = tests.context("the machine ended before its tests did")?;
        ensure!(code == 0, "tests failed in the machine ({code})");
        let passed = result.as_deref().and_then(passed).unwrap_or(0);
        ensure!(passed > 0, "no test was run in the machine");
        let code = daemon.context("the machine ended before the daemon was tried")?;
        ensure!(
            code == 0,
            "what a daemon is to refuse and to record was not, in the machine ({code})"
        );
        Ok(())
    }
}

/// Of a closing line, `ok. 3 passed; 0 failed; …`.
fn passed(result: &str) -> Option<u32> {
    let (before, _) = result.split_once(" passed;")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Heard {
        let mut heard = Heard::default();
        for line in lines {
            heard.note(line);
        }
        heard
    }

    #[test]
    fn only_tests_that_ran_and_ended_well_will_do() {
        let well = "test result: ok. 3 passed; 0 failed; 0 ignored";
        let none = "test result: ok. 0 passed; 0 failed; 9 ignored";
        let ended = "machine: tests ended with 0";
        let served = "machine: daemon ended with 0";
        assert!(
            heard(&["skipped: x", "skipped: x", well, ended, served])
                .judge()
                .is_ok()
        );
        assert_eq!(heard(&["skipped: x", "skipped: x"]).skipped.len(), 1);
        for lines in [
            &[well, served][..],
            &[well, ended],
            &[well, ended, "machine: daemon ended with 1"],
            &[none, ended, served],
            &[ended, served],
            &[well, "machine: tests ended with 101", served],
            &[],
        ] {
            assert!(heard(lines).judge().is_err(), "{lines:?}");
        }
    }
}
