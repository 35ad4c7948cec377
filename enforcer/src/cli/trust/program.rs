//! The programs of a workload, each asked to shake hands where it lives.
//!
//! They are the container's own, and run as one of its processes with no more rights; what they print is shown to people as
//! text of a stranger. This process holds no key.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use enforcer_flow::CHECK_NAME;
use enforcer_identity::Hierarchy;
use enforcer_kernel::{Inside, MountNamespace};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, openat2};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::Serialize;

mod catalogue;

use catalogue::{CATALOGUE, Runtime};

/// A Java virtual machine that compiles a file first, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_OUTPUT: u64 = 64 * 1024;
const MAX_ENVIRON: u64 = 256 * 1024;
/// Kinds of containers of one workload that are looked into.
const MAX_CONTAINERS: usize = 8;
/// Where programs are if the container does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What one runtime did.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    /// What it is.
    pub runtime: &'static str,
    /// Which file, from the container's root.
    pub program: PathBuf,
    /// How it went.
    pub verdict: Verdict,
    /// What the program said, or why it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What makes it believe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It cannot be asked.
    NotChecked,
    /// It did not shake hands.
    NotTrusted,
    /// It did.
    Trusted,
}

/// Where programs are asked.
struct Container {
    pid: u32,
    cgroup: PathBuf,
    view: MountNamespace,
    environ: Vec<(OsString, OsString)>,
}

/// How a program ended.
struct Ended {
    status: Option<ExitStatus>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Asks every runtime that is found beside the processes of a workload.
///
/// # Errors
/// When there is no process to be put beside.
pub(super) fn check(pids: &[u32]) -> anyhow::Result<Vec<Checked>> {
    let mut seen = HashSet::new();
    let mut checked = Vec::new();
    let mut problem = None;
    for pid in pids {
        match Container::of(*pid) {
            Ok(container) => {
                if seen.len() < MAX_CONTAINERS && seen.insert(container.view.id()) {
                    container.check(&mut checked);
                }
            }
            Err(error) => problem = Some(error),
        }
    }
    if seen.is_empty() {
        let nobody = || anyhow::anyhow!("the workload has no process; start it first");
        return Err(problem.unwrap_or_else(nobody));
    }
    Ok(checked)
}

// === impl Container ===

impl Container {
    fn of(pid: u32) -> anyhow::Result<Self> {
        let view = MountNamespace::of_process(pid, None)?;
        let environ = view.environ(MAX_ENVIRON)?;
        let pairs = environ.split(|byte| *byte == 0).filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            Some((text(&pair[..at]), text(&pair[at + 1..])))
        });
        let cgroup = Hierarchy::discover()?.of_process(pid)?;
        Ok(Self {
            pid,
            cgroup: cgroup.dir().to_owned(),
            environ: pairs.collect(),
            view,
        })
    }

    fn check(&self, checked: &mut Vec<Checked>) {
        let before = checked.len();
        for runtime in CATALOGUE {
            // The second way to ask the same is for where the first is not there.
            if checked[before..]
                .iter()
                .any(|one| one.runtime == runtime.name)
            {
                continue;
            }
            if let Some(program) = self.locate(runtime.program) {
                checked.extend(self.ask(runtime, program));
            }
        }
    }

    /// The program of that name on the container's own search path.
    fn locate(&self, name: &str) -> Option<PathBuf> {
        let set = self.environ.iter().find(|(key, _)| key == "PATH");
        let path = set.map_or_else(|| PATH.into(), |(_, value)| value.clone());
        let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(name));
        candidates.find(|path| path.is_absolute() && is_program(self.view.root(), path))
    }

    /// None: this runtime is not there after all.
    fn ask(&self, runtime: &Runtime, program: PathBuf) -> Option<Checked> {
        let told = |verdict, detail: Option<String>| Checked {
            runtime: runtime.name,
            program: program.clone(),
            verdict,
            advice: (verdict != Verdict::Trusted).then(|| runtime.advice.to_owned()),
            detail,
        };
        let ended = match self.run(runtime, &program) {
            Ok(ended) => ended,
            Err(error) => return Some(told(Verdict::NotChecked, Some(format!("{error:#}")))),
        };
        let said = ended.said();
        let all = [&ended.stdout[..], &ended.stderr[..]].concat();
        let mentions = |text: &str| {
            all.windows(text.len().max(1))
                .any(|at| at == text.as_bytes())
        };
        if runtime.absent.iter().any(|text| mentions(text)) {
            return None;
        }
        Some(match ended.status {
            None => told(
                Verdict::NotChecked,
                Some(format!("no answer within {PATIENCE:?}")),
            ),
            Some(status) if status.success() && mentions(runtime.success) => {
                told(Verdict::Trusted, None)
            }
            Some(_) if runtime.unable.iter().any(|text| mentions(text)) => {
                told(Verdict::NotChecked, said)
            }
            Some(_) => told(Verdict::NotTrusted, said),
        })
    }

    fn run(&self, runtime: &Runtime, program: &Path) -> anyhow::Result<Ended> {
        let mut command = Command::new(program);
        let mut feed = None;
        for argument in runtime.arguments {
            command.arg(argument.replace("NAME", CHECK_NAME));
        }
        if let Some(text) = runtime.input {
            feed = Some(text.replace("NAME", CHECK_NAME));
        }
        command.env_clear();
        command.envs(self.environ.iter().map(|(key, value)| (key, value)));
        command.stdin(if feed.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let inside = Inside::beside(self.pid, &self.cgroup)?;
        let ended = inside.run(command, move |child| watch(child, feed))?;
        ended.context("a program could not be watched")
    }
}

// === impl Ended ===

impl Ended {
    /// The last line that means anything, made harmless and short.
    fn said(&self) -> Option<String> {
        let text = String::from_utf8_lossy(if self.stderr.trim_ascii().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        });
        let telling = ["ertificate", "SSL", "TLS", "PKIX", "rror"];
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines()
            .find(|line| telling.iter().any(|word| line.contains(word)))
            .or_else(|| lines().next_back())?;
        let short: String = line.chars().take(200).collect();
        Some(short.escape_debug().to_string())
    }
}

fn is_program(root: BorrowedFd<'_>, path: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let relative = path.strip_prefix("/").unwrap_or(path);
    let Ok(file) = openat2(
        root,
        relative.as_os_str().as_bytes(),
        flags,
        Mode::empty(),
        resolve,
    ) else {
        return false;
    };
    rustix::fs::fstat(&file).is_ok_and(|facts| {
        FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile
            && facts.st_mode & 0o111 != 0
    })
}

/// Reads what a program says until it ends or its time is over. What it leaves behind may hold its pipes; nobody waits for that.
fn watch(mut child: Child, feed: Option<String>) -> std::io::Result<Ended> {
    use std::io::Write as _;

    if let (Some(mut input), Some(feed)) = (child.stdin.take(), feed) {
        // Who does not read its program has an end that tells.
        let _ = input.write_all(feed.as_bytes());
    }
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(std::io::ErrorKind::InvalidInput)?;
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    let timeout = Timespec::try_from(PATIENCE).map_err(std::io::Error::other)?;
    let mut waiting = [PollFd::from_borrowed_fd(handle.as_fd(), PollFlags::IN)];
    let in_time = poll(&mut waiting, Some(&timeout))? > 0;
    // It leads a session of its own: what it started goes with it.
    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    let status = child.wait()?;
    let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    Ok(Ended {
        status: in_time.then_some(status),
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

fn collect(pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until an error counts.
        let _ = pipe.take(MAX_OUTPUT).read_to_end(&mut bytes);
        bytes
    })
}
