//! What leaves. The client reads the same types back, and passes over fields that a newer enforcer added.

use std::path::PathBuf;

use enforcer_flow::Workload;
use serde::{Deserialize, Serialize};

use crate::Chosen;

mod authority;

pub use authority::{AuthorityView, DistrustedView, PreviousView, TrustView};

/// What comes of an [`Action`](crate::Action).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum View {
    /// Of `Choose`.
    Chosen(Chosen),
    /// Of `RotateCa`.
    Authority(AuthorityView),
    /// Of `Label`.
    Labelled(WorkloadView),
    /// Of `Quarantine` and `Lift`.
    Quarantined(Quarantined),
    /// Of `Rescan`.
    Rescanned(Rescanned),
    /// Of `Status`.
    Status(Box<Status>),
    /// Of `Unlabel`.
    Unlabelled(Unlabelled),
}

/// How things are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the running binary.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// How long it has been running.
    pub uptime_seconds: u64,
    /// The policy in force.
    pub policy: PolicyView,
    /// The workloads served.
    pub workloads: Vec<WorkloadView>,
    /// The evidence.
    pub ledger: LedgerView,
    /// The local certificate authority.
    pub authority: AuthorityView,
    /// Settings in use that weaken security.
    pub dangers: Vec<String>,
    /// Whom quarantines are for, in words.
    #[serde(default)]
    pub quarantines: Vec<String>,
    /// What looking after the programs came to, once there was a look.
    #[serde(default)]
    pub watchdog: Option<WatchdogView>,
    /// Workloads in containers of their own, and those whose programs do not believe the CA.
    #[serde(default)]
    pub trust: Vec<TrustView>,
}

/// Whether the programs are where they must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchdogView {
    /// How long ago everything was looked at.
    pub seconds_ago: u64,
    /// How many programs were looked at then.
    pub programs: u64,
    /// What came of those for the kernel's security modules.
    #[serde(default)]
    pub lsm: String,
    /// How many faults were mended since the daemon was started.
    pub mended: u64,
    /// What is wrong now and could not be mended.
    pub problems: Vec<String>,
}

/// What a quarantine, or lifting one, came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Whom it is for, in words.
    pub target: String,
    /// Whether it is in force now.
    pub in_force: bool,
    /// Whether it was otherwise before.
    pub changed: bool,
    /// The workloads served now that it is for, and how each is treated.
    pub workloads: Vec<WorkloadView>,
    /// How many flows were ended.
    pub flows_ended: u64,
    /// Why it may not outlive the daemon, or what else the operator should know.
    pub warning: Option<String>,
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyView {
    /// Where it comes from.
    pub source: PathBuf,
    /// The digest of the set.
    pub digest: String,
    /// How many rules it has.
    pub rules: u64,
    /// Why the newest files are not in force, when they are not.
    pub problem: Option<String>,
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadView {
    /// What operators call it.
    pub name: String,
    /// Its cgroup's path below the mount.
    pub cgroup: String,
    /// Its cgroup's id.
    pub cgroup_id: u64,
    /// The policy its label names.
    pub policy: Option<String>,
    /// The id of the container that it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// For whom it works, as its operator says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// How it is treated: `enforce`, `observe` or `quarantine`.
    #[serde(default)]
    pub stance: String,
    /// Connections open now.
    pub flows_open: u64,
    /// Connections since it is served.
    pub flows_total: u64,
}

/// The evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerView {
    /// The active file.
    pub path: PathBuf,
    /// The number of the last entry.
    pub sequence: u64,
    /// The hash of the last entry.
    pub head: String,
    /// Why nothing can be written, when nothing can; then nothing is granted.
    pub problem: Option<String>,
}

/// What taking off a label came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unlabelled {
    /// The cgroup's path below the mount.
    pub cgroup: String,
    /// Whether there was a label.
    pub was_labelled: bool,
    /// The workload that is not served any more, if it was served.
    pub workload: Option<String>,
}

/// What a new look at all labels came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescanned {
    /// Everything that is served now.
    pub workloads: Vec<WorkloadView>,
    /// What is labelled, but not served.
    pub not_served: Vec<NotServed>,
    /// How many cgroups could not be looked at.
    pub errors: u64,
    /// Whether there are more cgroups than are looked at.
    pub truncated: bool,
}

/// A labelled cgroup that is not served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotServed {
    /// Its path below the mount.
    pub cgroup: String,
    /// Why.
    pub reason: String,
}

// === impl WorkloadView ===

impl WorkloadView {
    /// A workload with its number of connections, now and since it is served.
    #[must_use]
    pub fn new(workload: &Workload, flows_open: u64, flows_total: u64) -> Self {
        let Workload {
            name,
            policy,
            cgroup,
            path,
            stance,
            attributes,
        } = workload;
        Self {
            name: name.to_string(),
            cgroup: path.to_string(),
            cgroup_id: cgroup.0,
            policy: policy.as_deref().map(str::to_owned),
            container: attributes.container.as_ref().map(|one| one.id.to_string()),
            principal: attributes
                .principal
                .as_ref()
                .map(|own| own.name().to_string()),
            stance: stance.as_str().to_owned(),
            flows_open,
            flows_total,
        }
    }
}
