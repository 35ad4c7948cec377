//! An agent: programs in a cgroup, in a namespace, with the environment that makes them believe our CA.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::namespace::Namespace;
use crate::process::{Finished, Process};
use crate::sandbox::Sandbox;

/// Longer than anything an agent does in a test, short enough for a hanging one to be noticed.
pub const PATIENCE: Duration = Duration::from_secs(60);

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// Whoever is put in a cgroup.
#[derive(Debug, Clone)]
pub struct Agent {
    probe: PathBuf,
    cgroup: PathBuf,
    namespace: Arc<Namespace>,
    folder: PathBuf,
    environment: Vec<(String, String)>,
}

/// What curl got.
#[derive(Debug, Clone)]
pub struct Answer {
    /// curl's exit code; 0 when there was an answer.
    pub exit: i32,
    /// The status; 0 when there was none.
    pub status: u64,
    /// `1.1`, `2`, …
    pub version: String,
    /// Header lines, and trailers after them, as they came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// What curl complained about.
    pub error: String,
}

// === impl Agent ===

impl Agent {
    /// An agent in `cgroup` that believes the bundle at `trust`.
    #[must_use]
    pub fn new(sandbox: &Sandbox, cgroup: &Path, trust: &Path) -> Self {
        let trust = trust.display().to_string();
        let variables = [
            "CURL_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
            "REQUESTS_CA_BUNDLE",
            "SSL_CERT_FILE",
        ];
        Self {
            probe: sandbox.binaries().probe.clone(),
            cgroup: cgroup.to_owned(),
            namespace: Arc::clone(sandbox.host()),
            folder: sandbox.folder().to_owned(),
            environment: variables
                .map(|name| (name.to_owned(), trust.clone()))
                .to_vec(),
        }
    }

    /// The same agent in another network namespace.
    #[must_use]
    pub fn within(mut self, namespace: Arc<Namespace>) -> Self {
        self.namespace = namespace;
        self
    }

    /// The same agent with one more environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A command that joins the cgroup before it becomes `program`.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(&self.probe);
        command.arg("in").arg("--cgroup").arg(&self.cgroup);
        command.arg("--").arg(program);
        let pairs = self.environment.iter().map(|(name, value)| (name, value));
        command.envs(pairs);
        command
    }

    /// Starts a command made by [`Agent::command`].
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, command: &mut Command) -> anyhow::Result<Process> {
        Process::start(command, Some(&self.namespace))
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<Finished> {
        self.start(self.command(program).args(arguments))?
            .finish(PATIENCE)
    }

    /// Runs the probe and reads what it says.
    ///
    /// # Errors
    /// When the probe fails, which a network failure does not make it do.
    pub fn probe<T: DeserializeOwned>(&self, arguments: &[&str]) -> anyhow::Result<T> {
        let mut all = self.probe_lines(arguments)?;
        all.pop().context("the probe said nothing")
    }

    /// Runs the probe and reads every line it says.
    ///
    /// # Errors
    /// As [`Agent::probe`].
    pub fn probe_lines<T: DeserializeOwned>(&self, arguments: &[&str]) -> anyhow::Result<Vec<T>> {
        let mut command = self.command(&self.probe);
        let finished = self.start(command.args(arguments))?.finish(PATIENCE)?;
        anyhow::ensure!(finished.code() == 0, "probe: {}", finished.stderr);
        let lines = finished.stdout.lines();
        let read: Result<_, _> = lines.map(serde_json::from_str).collect();
        Ok(read?)
    }

    /// Runs curl.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn curl(&self, arguments: &[&str]) -> anyhow::Result<Answer> {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let head = self.folder.join(format!("curl-{serial}.head"));
        let body = self.folder.join(format!("curl-{serial}.body"));
        let mut command = self.command("curl");
        command.args(["--silent", "--show-error", "--max-time", "50"]);
        command.args(["--write-out", "%{json}"]);
        command.arg("--dump-header").arg(&head);
        command.arg("--output").arg(&body).args(arguments);
        let finished = self.start(&mut command)?.finish(PATIENCE)?;
        let told: Value = serde_json::from_str(&finished.stdout).unwrap_or_default();
        let answer = Answer {
            exit: finished.code(),
            status: told["response_code"].as_u64().unwrap_or_default(),
            version: told["http_version"].as_str().unwrap_or_default().to_owned(),
            head: fs::read_to_string(&head).unwrap_or_default(),
            body: fs::read(&body).unwrap_or_default(),
            error: finished.stderr,
        };
        let _ = fs::remove_file(head);
        let _ = fs::remove_file(body);
        Ok(answer)
    }
}

// === impl Answer ===

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether curl gave up waiting instead of getting an answer.
    #[must_use]
    pub fn has_timed_out(&self) -> bool {
        self.exit == 28
    }
}
