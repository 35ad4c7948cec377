//! What the figures were measured on.

use std::{fs, process::Command};

use serde::Serialize;

/// Facts that figures mean nothing without.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Machine {
    kernel: String,
    cpu: String,
    cores: usize,
    upstream: String,
    peer: String,
}

impl Machine {
    /// Asks this machine; what it does not say is empty.
    pub(super) fn ask() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        Self {
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            cpu: model
                .and_then(|line| line.split(": ").nth(1))
                .unwrap_or_default()
                .to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            upstream: first_line("nginx"),
            peer: first_line("haproxy"),
        }
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let Self {
            kernel,
            cpu,
            cores,
            upstream,
            peer,
        } = self;
        format!(
            "kernel {kernel}, {cpu}, {cores} cores shared by generator, proxy and upstream; {upstream}; {peer}"
        )
    }
}

/// The version as the program itself states it, on either output.
fn first_line(program: &str) -> String {
    let Ok(output) = Command::new(program).arg("-v").output() else {
        return String::new();
    };
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
