//! The enforcer under measurement: its daemon, its policy of a hundred rules, and the agent's cgroup handed to it.

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::{
    certificates::{API, Certificates, EVENTS, OPAQUE},
    process::Service,
    site::Site,
};

/// Rules that match nothing here, before the one that does.
const OTHER_RULES: usize = 100;

/// Where the names lead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    pub(super) api: SocketAddr,
    pub(super) events: SocketAddr,
}

/// The running daemon with the cgroup labelled.
pub(super) struct Daemon {
    service: Service,
    authority: PathBuf,
}

impl Daemon {
    pub(super) fn start(
        enforcer: &Path,
        site: &Site,
        ways: Ways,
        certificates: &Certificates,
    ) -> Result<Self> {
        let folder = site.folder();
        let config = folder.join("enforcer.yaml");
        for name in ["policies", "state", "run"] {
            fs::create_dir_all(folder.join(name))?;
        }
        fs::write(folder.join("policies/bench.yaml"), policy())?;
        fs::write(&config, configuration(folder, ways, certificates))?;
        let text = config.to_str().context("the folder's name is not text")?;
        let mut service =
            Service::start("enforcer", enforcer, &["daemon", "--config", text], folder)?;
        let label = || -> Result<bool> {
            let mut command = Command::new(enforcer);
            Ok(command
                .args(["label", "--config", text])
                .arg(site.cgroup().agent())
                .output()?
                .status
                .success())
        };
        service.await_true(label)?;
        let shown = Command::new(enforcer)
            .args(["ca", "show", "--pem", "--config", text])
            .output()?;
        ensure!(
            shown.status.success(),
            "`ca show` failed: {}",
            String::from_utf8_lossy(&shown.stderr)
        );
        let authority = folder.join("enforcer-ca.pem");
        fs::write(&authority, shown.stdout)?;
        Ok(Self { service, authority })
    }

    /// The authority that signs what the agent sees.
    pub(super) fn authority(&self) -> PathBuf {
        self.authority.clone()
    }

    pub(super) fn id(&self) -> u32 {
        self.service.id()
    }

    pub(super) fn last_words(&self) -> String {
        self.service.last_words()
    }
}

fn configuration(folder: &Path, ways: Ways, certificates: &Certificates) -> String {
    let Ways { api, events } = ways;
    let (folder, roots) = (folder.display(), certificates.upstream_authority.display());
    format!(
        "state_dir: {folder}/state
runtime_dir: {folder}/run
policies: {folder}/policies
upstream:
  connect_to:
    \"{API}:443\": \"{api}\"
    \"{OPAQUE}:443\": \"{api}\"
    \"{EVENTS}:443\": \"{events}\"
  extra_roots: [{roots}]
"
    )
}

fn policy() -> String {
    let mut text = String::from("version: 1\nname: bench\nrules:\n");
    let mut rule = |id: &str, hosts: &[&str], more: &str| {
        let hosts = hosts.join(", ");
        // Writing to a string cannot fail.
        let _written = writeln!(
            text,
            "  - id: {id}\n    effect: allow\n{more}    match:\n      host: [{hosts}]"
        );
    };
    for index in 0..OTHER_RULES {
        rule(
            &format!("other-{index}"),
            &[&format!("service-{index}.example.org")],
            "",
        );
    }
    rule("bench", &[API, EVENTS], "");
    rule("opaque", &[OPAQUE], "    inspect: false\n");
    text
}
