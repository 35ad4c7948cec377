//! Kubernetes' containers, through the socket by which kubelets speak to their container runtime (CRI, `runtime.v1`).
//!
//! Asked are only lists and states; nothing is ever changed. Pods name their policy by annotation or label. The runtime tells
//! of events where it can; where it cannot, lists are asked for again and again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use enforcer_flow::{Attributes, Container, Pod, Principal};
use enforcer_identity::Via;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::{Found, GROUPS, LABEL, PATIENCE, PRINCIPAL, Told};
use crate::operations::Operations;

mod wire;

use wire::{
    ContainerEvent, ContainerSummary, EventsQuestion, ListContainers, ListContainersQuestion,
    ListPods, ListPodsQuestion, PodSummary, StatusAnswer, StatusQuestion,
};

/// How often lists are asked for where nothing is told.
const LOOK: Duration = Duration::from_secs(2);
/// `CONTAINER_RUNNING` and `SANDBOX_READY`.
const RUNNING: i32 = 1;
/// `CONTAINER_STARTED_EVENT`.
const STARTED: i32 = 1;

/// A container runtime that a kubelet speaks to.
#[derive(Debug)]
pub(super) struct Cri {
    socket: PathBuf,
}

/// A container runtime did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CriError {
    /// Nobody is there.
    #[error("the container runtime at `{}` is not reached: {source}", socket.display())]
    Connect {
        /// Its socket.
        socket: PathBuf,
        /// What the system says.
        source: tonic::transport::Error,
    },
    /// It said no, or nothing that can be understood.
    #[error("the container runtime at `{}` gave no good answer: {source}", socket.display())]
    Refused {
        /// Its socket.
        socket: PathBuf,
        /// What it said.
        source: Box<Status>,
    },
}

impl Cri {
    pub(super) fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Has the containers of labelled pods enforced, for as long as it is polled.
    pub(super) async fn follow(self, operations: Arc<Operations>) {
        loop {
            if self.socket.exists()
                && let Err(error) = self.listen(&operations).await
            {
                tracing::warn!(%error, "a container runtime cannot be listened to");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns when the runtime goes away.
    async fn listen(&self, operations: &Arc<Operations>) -> Result<(), CriError> {
        let channel = self.connect().await?;
        let mut events = self.events(channel.clone()).await;
        let mut known = HashSet::new();
        tracing::info!(socket = %self.socket.display(), "listening to a container runtime");
        loop {
            self.look(&channel, operations, &mut known).await?;
            // With events the pause only bounds what one that was missed costs.
            let pause = tokio::time::sleep(LOOK);
            match &mut events {
                None => pause.await,
                Some(stream) => tokio::select! {
                    () = pause => {}
                    told = next_start(stream) => if !told {
                        events = None;
                    }
                },
            }
        }
    }

    /// Enforces what runs in labelled pods and was not seen before.
    async fn look(
        &self,
        channel: &Channel,
        operations: &Arc<Operations>,
        known: &mut HashSet<String>,
    ) -> Result<(), CriError> {
        let containers: ListContainers = self
            .ask(channel, "ListContainers", ListContainersQuestion {})
            .await?;
        let pods: ListPods = self
            .ask(channel, "ListPodSandbox", ListPodsQuestion {})
            .await?;
        let pods: HashMap<String, PodSummary> = pods
            .items
            .into_iter()
            .map(|pod| (pod.id.clone(), pod))
            .collect();
        let running = |one: &ContainerSummary| one.state == RUNNING;
        let containers = containers.containers.into_iter().filter(running);
        let containers: Vec<_> = containers.collect();
        known.retain(|id| containers.iter().any(|one| one.id == *id));
        for container in containers {
            let Some(pod) = pods.get(&container.pod_sandbox_id) else {
                continue;
            };
            if known.contains(&container.id) {
                continue;
            }
            let id = container.id.clone();
            let told = told(container, pod);
            if told.label.is_none() || self.enforce(channel, operations, &id, told).await? {
                known.insert(id);
            }
        }
        Ok(())
    }

    /// Whether it needs no further look.
    async fn enforce(
        &self,
        channel: &Channel,
        operations: &Arc<Operations>,
        id: &str,
        told: Told,
    ) -> Result<bool, CriError> {
        let question = StatusQuestion {
            container_id: id.to_owned(),
            verbose: true,
        };
        let status: StatusAnswer = self.ask(channel, "ContainerStatus", question).await?;
        let Some(pid) = pid_in(&status) else {
            tracing::warn!(
                container = id,
                "the container runtime does not tell a container's process; its pod is not enforced by this way"
            );
            return Ok(true);
        };
        let found = Found {
            id: id.to_owned(),
            pid,
            told,
        };
        let operations = Arc::clone(operations);
        let admitted =
            tokio::task::spawn_blocking(move || operations.admit_found(&found, Via::Cri)).await;
        match admitted {
            Ok(Ok(())) => Ok(true),
            Ok(Err(problem)) => {
                tracing::error!(%problem, container = id, "a labelled pod's container cannot be enforced");
                Ok(false)
            }
            Err(error) => {
                tracing::error!(%error, "enforcing a pod's container failed");
                Ok(false)
            }
        }
    }

    async fn connect(&self) -> Result<Channel, CriError> {
        let socket = self.socket.clone();
        let connector = tower::service_fn(move |_: Uri| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        Endpoint::from_static("http://localhost")
            .connect_timeout(PATIENCE)
            .connect_with_connector(connector)
            .await
            .map_err(|source| CriError::Connect {
                socket: self.socket.clone(),
                source,
            })
    }

    async fn ask<Q, A>(
        &self,
        channel: &Channel,
        method: &'static str,
        question: Q,
    ) -> Result<A, CriError>
    where
        Q: prost::Message + Default + 'static,
        A: prost::Message + Default + 'static,
    {
        let failed = |source: Status| CriError::Refused {
            socket: self.socket.clone(),
            source: Box::new(source),
        };
        let asked = async {
            let mut grpc = Grpc::new(channel.clone());
            let ready = grpc.ready().await;
            ready.map_err(|error| Status::unavailable(error.to_string()))?;
            let codec = ProstCodec::<Q, A>::default();
            grpc.unary(Request::new(question), path(method)?, codec)
                .await
        };
        let late = |_| failed(Status::deadline_exceeded("no answer in time"));
        let answer = tokio::time::timeout(PATIENCE, asked).await.map_err(late)?;
        answer.map(tonic::Response::into_inner).map_err(failed)
    }

    /// The runtime's events, where it has them: containerd since 1.7, CRI-O since 1.26.
    async fn events(&self, channel: Channel) -> Option<tonic::Streaming<ContainerEvent>> {
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.ok()?;
        let codec = ProstCodec::<EventsQuestion, ContainerEvent>::default();
        let path = path("GetContainerEvents").ok()?;
        let asked = grpc.server_streaming(Request::new(EventsQuestion {}), path, codec);
        // A runtime without them says so at once; one that says nothing has them, and sends its first.
        let answer = tokio::time::timeout(LOOK, asked).await.ok()?;
        answer.ok().map(tonic::Response::into_inner)
    }
}

/// Waits for a container's start; whether there may be further ones.
async fn next_start(events: &mut tonic::Streaming<ContainerEvent>) -> bool {
    loop {
        match events.message().await {
            Ok(Some(event)) if event.container_event_type == STARTED => return true,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
    }
}

fn path(method: &str) -> Result<PathAndQuery, Status> {
    let path = format!("/runtime.v1.RuntimeService/{method}");
    path.parse()
        .map_err(|_| Status::internal("no method is called so"))
}

/// What containerd and CRI-O both say in the verbose part of a status: JSON with the first process in it.
fn pid_in(status: &StatusAnswer) -> Option<u32> {
    let info: serde_json::Value = serde_json::from_str(status.info.get("info")?).ok()?;
    let pid = info.get("pid")?.as_u64()?;
    u32::try_from(pid).ok().filter(|pid| *pid != 0)
}

fn told(container: ContainerSummary, pod: &PodSummary) -> Told {
    let ContainerSummary {
        id,
        metadata,
        image,
        labels,
        ..
    } = container;
    let said = |key| pod.annotations.get(key).or_else(|| pod.labels.get(key));
    let word = |key| said(key).map(String::as_str);
    let principal = Principal::of_labels(word(PRINCIPAL), word(GROUPS));
    let label = said(LABEL);
    let of_pod = pod.metadata.clone().unwrap_or_default();
    let name = metadata.map(|one| format!("{}.{}.{}", one.name, of_pod.name, of_pod.namespace));
    Told {
        label: label.cloned(),
        attributes: Attributes {
            container: Some(Container {
                id: id.into(),
                name: name.map(Into::into),
                image: image.map(|image| image.image.into()),
            }),
            labels: shared(labels),
            pod: Some(Pod {
                namespace: of_pod.namespace.into(),
                name: of_pod.name.into(),
                uid: Some(of_pod.uid.into()),
                // The interface does not tell; the kubelet does.
                service_account: None,
                labels: shared(pod.labels.clone()),
            }),
            principal,
            unit: None,
        },
    }
}

fn shared(labels: HashMap<String, String>) -> BTreeMap<Arc<str>, Arc<str>> {
    let pairs = labels.into_iter();
    pairs
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}
