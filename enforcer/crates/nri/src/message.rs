//! The interface's messages, as far as they are used.

use std::collections::HashMap;

use prost::Message;

/// A call: of a plug-in's service by the runtime, or the other way round.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Request {
    #[prost(string, tag = "1")]
    pub(crate) service: String,
    #[prost(string, tag = "2")]
    pub(crate) method: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) payload: Vec<u8>,
}

/// What comes back. No status is success.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Response {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<Status>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) payload: Vec<u8>,
}

/// Why a call failed.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Status {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RegisterPlugin {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) index: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Configure {
    #[prost(string, tag = "2")]
    pub(crate) runtime: String,
    #[prost(string, tag = "3")]
    pub(crate) version: String,
}

/// A bit for each event, the first event's being the lowest.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Configured {
    #[prost(int32, tag = "2")]
    pub(crate) events: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Synchronize {
    #[prost(message, repeated, tag = "1")]
    pub(crate) pods: Vec<Pod>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) containers: Vec<Container>,
    #[prost(bool, tag = "3")]
    pub(crate) more: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Synchronized {
    #[prost(bool, tag = "2")]
    pub(crate) more: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CreateContainer {
    #[prost(message, optional, tag = "1")]
    pub(crate) pod: Option<Pod>,
    #[prost(message, optional, tag = "2")]
    pub(crate) container: Option<Container>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Created {
    #[prost(message, optional, tag = "1")]
    pub(crate) adjust: Option<Adjustment>,
}

/// A pod.
#[derive(Clone, PartialEq, Message)]
pub struct Pod {
    /// The runtime's id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Kubernetes' id.
    #[prost(string, tag = "3")]
    pub uid: String,
    /// Kubernetes' namespace.
    #[prost(string, tag = "4")]
    pub namespace: String,
    /// Its labels.
    #[prost(map = "string, string", tag = "5")]
    pub labels: HashMap<String, String>,
    /// Its annotations.
    #[prost(map = "string, string", tag = "6")]
    pub annotations: HashMap<String, String>,
    /// What is Linux's own.
    #[prost(message, optional, tag = "8")]
    pub linux: Option<LinuxPod>,
}

/// What a pod is on Linux.
#[derive(Clone, PartialEq, Message)]
pub struct LinuxPod {
    /// The cgroup above those of its containers.
    #[prost(string, tag = "3")]
    pub cgroup_parent: String,
}

/// A container.
#[derive(Clone, PartialEq, Message)]
pub struct Container {
    /// The runtime's id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The id of its pod.
    #[prost(string, tag = "2")]
    pub pod: String,
    /// Its name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Its labels.
    #[prost(map = "string, string", tag = "5")]
    pub labels: HashMap<String, String>,
    /// Its annotations.
    #[prost(map = "string, string", tag = "6")]
    pub annotations: HashMap<String, String>,
    /// Its environment, `NAME=VALUE`.
    #[prost(string, repeated, tag = "8")]
    pub environment: Vec<String>,
    /// What is Linux's own.
    #[prost(message, optional, tag = "11")]
    pub linux: Option<LinuxContainer>,
    /// Its first process, once it runs.
    #[prost(uint32, tag = "12")]
    pub pid: u32,
    /// Its image, where the runtime says.
    #[prost(message, optional, tag = "22")]
    pub image: Option<Image>,
}

/// What a container is on Linux.
#[derive(Clone, PartialEq, Message)]
pub struct LinuxContainer {
    /// Its cgroup, as the OCI runtime is given it.
    #[prost(string, tag = "5")]
    pub cgroups_path: String,
}

/// An image.
#[derive(Clone, PartialEq, Message)]
pub struct Image {
    /// As it was asked for.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// What a container that is being made gets besides.
#[derive(Clone, PartialEq, Message)]
pub struct Adjustment {
    /// Annotations.
    #[prost(map = "string, string", tag = "2")]
    pub annotations: HashMap<String, String>,
    /// Mounts.
    #[prost(message, repeated, tag = "3")]
    pub mounts: Vec<Mount>,
    /// Variables of its environment.
    #[prost(message, repeated, tag = "4")]
    pub environment: Vec<Variable>,
    /// Programs that its making waits for.
    #[prost(message, optional, tag = "5")]
    pub hooks: Option<Hooks>,
}

/// A mount.
#[derive(Clone, PartialEq, Message)]
pub struct Mount {
    /// Where, inside.
    #[prost(string, tag = "1")]
    pub destination: String,
    /// `bind` and the like.
    #[prost(string, tag = "2")]
    pub kind: String,
    /// What, outside.
    #[prost(string, tag = "3")]
    pub source: String,
    /// As of mount(8).
    #[prost(string, repeated, tag = "4")]
    pub options: Vec<String>,
}

/// A variable.
#[derive(Clone, PartialEq, Message)]
pub struct Variable {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// OCI hooks.
#[derive(Clone, PartialEq, Message)]
pub struct Hooks {
    /// Run in the runtime's namespaces when the container's are made and its program has not started. One that fails keeps
    /// the container from being made.
    #[prost(message, repeated, tag = "2")]
    pub create_runtime: Vec<Hook>,
}

/// An OCI hook.
#[derive(Clone, PartialEq, Message)]
pub struct Hook {
    /// The program.
    #[prost(string, tag = "1")]
    pub path: String,
    /// Its arguments, its name first.
    #[prost(string, repeated, tag = "2")]
    pub arguments: Vec<String>,
    /// Its environment.
    #[prost(string, repeated, tag = "3")]
    pub environment: Vec<String>,
    /// How long it may take, in seconds.
    #[prost(message, optional, tag = "4")]
    pub timeout: Option<OptionalInt>,
}

/// A number that may be missing.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct OptionalInt {
    /// It.
    #[prost(int64, tag = "1")]
    pub value: i64,
}
