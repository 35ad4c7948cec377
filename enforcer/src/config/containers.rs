//! `containers` and `workloads`: what is captured without a label on its cgroup.

use std::path::{Path, PathBuf};

use enforcer_flow::Principal;
use enforcer_identity::{Label, Pattern};

use super::file::Value;
use super::section::{Expected, Section};

/// `containers`: engines that are listened to, and the runtime behind ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Containers {
    /// `containers.engines`: sockets of engines that speak Docker's API. Those that are not there are looked for again.
    pub engines: Vec<PathBuf>,
    /// `containers.nri`: the socket of a runtime's Node Resource Interface. If it is not there it is looked for again.
    pub nri: Option<PathBuf>,
    /// `containers.cri`: sockets by which kubelets speak to their container runtime. As above.
    pub cri: Vec<PathBuf>,
    /// `containers.kubelet`: where a kubelet keeps its pods; their service accounts are read there.
    pub kubelet: PathBuf,
    /// `containers.default_policy`: for containers of our runtime whose label names none; without it every policy that
    /// applies by its own terms.
    pub default_policy: Option<String>,
    /// `containers.runtime`: the OCI runtime that ours hands over to; a name is looked for on the path.
    pub runtime: PathBuf,
}

/// One item of `workloads`: what it matches is labelled by the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    /// Which cgroups.
    pub which: Which,
    /// The policy; without it every policy that applies by its own terms.
    pub policy: Option<String>,
    /// For whom it works.
    pub principal: Option<Principal>,
}

/// How an item of `workloads` says which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// By path.
    Cgroup(String),
    /// By systemd unit.
    Unit(String),
}

impl Default for Containers {
    fn default() -> Self {
        Self {
            engines: vec!["/run/docker.sock".into(), "/run/podman/podman.sock".into()],
            nri: Some("/run/nri/nri.sock".into()),
            cri: vec![
                "/run/containerd/containerd.sock".into(),
                "/run/crio/crio.sock".into(),
            ],
            kubelet: "/var/lib/kubelet".into(),
            default_policy: None,
            runtime: "runc".into(),
        }
    }
}

// === impl Selected ===

impl Selected {
    /// As the walk over the hierarchy wants it. The text was checked when it was read.
    pub(crate) fn pattern(&self) -> anyhow::Result<Pattern> {
        let Self {
            which,
            policy,
            principal,
        } = self;
        let label = Label::new(policy.as_deref())?.with_principal(principal.clone());
        Ok(match which {
            Which::Cgroup(pattern) => Pattern::of_cgroups(pattern, label)?,
            Which::Unit(pattern) => Pattern::of_units(pattern, label)?,
        })
    }
}

/// Reads `containers`.
pub(super) fn containers(mut section: Section<'_>, base: &Path, config: &mut Containers) {
    let Containers {
        engines,
        nri,
        cri,
        kubelet,
        default_policy,
        runtime,
    } = config;
    section.list("engines", engines, |value| socket(value, base));
    section.read("nri", nri, |value| plugin_socket(value, base));
    section.list("cri", cri, |value| socket(value, base));
    section.read("kubelet", kubelet, |value| folder(value, base));
    section.read("default_policy", default_policy, policy);
    section.read("runtime", runtime, program);
    section.finish();
}

/// Reads one item of `workloads`.
pub(super) fn selected(value: &Value) -> Result<Selected, Expected> {
    let shape = || {
        "`{cgroup: /agents/*, policy: NAME}` or `{unit: agent@*.service, policy: NAME}`".to_owned()
    };
    let Value::Map(entries) = value else {
        return Err(shape());
    };
    let (mut which, mut chosen, mut person) = (None, None, None);
    let mut groups: Option<Vec<String>> = None;
    for (key, node) in entries {
        if let ("groups", Value::Sequence(items), None) = (key.value.as_str(), &node.value, &groups)
        {
            let texts = items
                .iter()
                .map(|item| item.value.text().map(str::to_owned));
            groups = Some(texts.collect::<Option<_>>().ok_or_else(shape)?);
            continue;
        }
        let text = node.value.text().ok_or_else(shape)?.to_owned();
        match key.value.as_str() {
            "cgroup" if which.is_none() => which = Some(Which::Cgroup(text)),
            "unit" if which.is_none() => which = Some(Which::Unit(text)),
            "policy" if chosen.is_none() => chosen = Some(text),
            "principal" if person.is_none() => person = Some(text),
            _ => return Err(shape()),
        }
    }
    let groups = groups.unwrap_or_default();
    let principal = match person {
        None if groups.is_empty() => None,
        None => return Err("a `principal` who is in the `groups`".to_owned()),
        Some(name) => {
            let principal = Principal::new(&name, groups.iter().map(String::as_str));
            Some(principal.map_err(|error| format!("{}; {error}", shape()))?)
        }
    };
    let selected = Selected {
        which: which.ok_or_else(shape)?,
        policy: chosen,
        principal,
    };
    match selected.pattern() {
        Ok(_) => Ok(selected),
        Err(error) => Err(format!("{}; {error}", shape())),
    }
}

fn socket(value: &Value, base: &Path) -> Result<PathBuf, Expected> {
    let text = value.text().filter(|text| !text.is_empty());
    text.map(|text| base.join(text))
        .ok_or_else(|| "the path of a unix socket".to_owned())
}

fn plugin_socket(value: &Value, base: &Path) -> Result<Option<PathBuf>, Expected> {
    if *value == Value::Null {
        return Ok(None);
    }
    socket(value, base).map(Some)
}

fn folder(value: &Value, base: &Path) -> Result<PathBuf, Expected> {
    let text = value.text().filter(|text| !text.is_empty());
    text.map(|text| base.join(text))
        .ok_or_else(|| "the path of a folder".to_owned())
}

fn policy(value: &Value) -> Result<Option<String>, Expected> {
    if *value == Value::Null {
        return Ok(None);
    }
    let name = value.text().filter(|name| Label::new(Some(name)).is_ok());
    name.map(|name| Some(name.to_owned()))
        .ok_or_else(|| "a policy's name".to_owned())
}

/// A name stays one, so that it is looked for on the path of whoever runs it.
fn program(value: &Value) -> Result<PathBuf, Expected> {
    let text = value.text().map(Path::new);
    let is_program = |path: &&Path| path.is_absolute() || path.components().count() == 1;
    text.filter(is_program)
        .map(Path::to_owned)
        .ok_or_else(|| "the name of a program, or its absolute path".to_owned())
}
