//! The part of the interface's messages that is asked for, by its field numbers:
//! <https://github.com/kubernetes/cri-api/blob/v0.31.0/pkg/apis/runtime/v1/api.proto>. Other fields are passed over.

use std::collections::HashMap;

/// `ListContainersRequest`, without a filter.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct ListContainersQuestion {}

/// `ListContainersResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ListContainers {
    #[prost(message, repeated, tag = "1")]
    pub containers: Vec<ContainerSummary>,
}

/// `Container`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ContainerSummary {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub pod_sandbox_id: String,
    #[prost(message, optional, tag = "3")]
    pub metadata: Option<ContainerMetadata>,
    #[prost(message, optional, tag = "4")]
    pub image: Option<ImageSpec>,
    #[prost(int32, tag = "6")]
    pub state: i32,
    #[prost(map = "string, string", tag = "8")]
    pub labels: HashMap<String, String>,
}

/// `ContainerMetadata`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct ContainerMetadata {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// `ImageSpec`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct ImageSpec {
    #[prost(string, tag = "1")]
    pub image: String,
}

/// `ListPodSandboxRequest`, without a filter.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct ListPodsQuestion {}

/// `ListPodSandboxResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ListPods {
    #[prost(message, repeated, tag = "1")]
    pub items: Vec<PodSummary>,
}

/// `PodSandbox`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PodSummary {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(message, optional, tag = "2")]
    pub metadata: Option<PodMetadata>,
    #[prost(map = "string, string", tag = "5")]
    pub labels: HashMap<String, String>,
    #[prost(map = "string, string", tag = "6")]
    pub annotations: HashMap<String, String>,
}

/// `PodSandboxMetadata`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct PodMetadata {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub uid: String,
    #[prost(string, tag = "3")]
    pub namespace: String,
}

/// `ContainerStatusRequest`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct StatusQuestion {
    #[prost(string, tag = "1")]
    pub container_id: String,
    #[prost(bool, tag = "2")]
    pub verbose: bool,
}

/// `ContainerStatusResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StatusAnswer {
    #[prost(map = "string, string", tag = "2")]
    pub info: HashMap<String, String>,
}

/// `GetEventsRequest`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct EventsQuestion {}

/// `ContainerEventResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct ContainerEvent {
    #[prost(string, tag = "1")]
    pub container_id: String,
    #[prost(int32, tag = "2")]
    pub container_event_type: i32,
}
