//! One engine behind its socket.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::{ContainerSummary, EventMessage};
use bollard::query_parameters::{EventsOptions, InspectContainerOptions, ListContainersOptions};
use bollard::{API_DEFAULT_VERSION, Docker};
use enforcer_flow::{Attributes, Container, Principal};
use enforcer_identity::Via;
use futures_util::StreamExt as _;

use super::{Found, GROUPS, LABEL, PATIENCE, PRINCIPAL, Told};
use crate::operations::Operations;

/// How long an engine that is not there, or went away, is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// An engine that speaks Docker's API.
#[derive(Debug)]
pub(crate) struct Engine {
    socket: PathBuf,
}

/// An engine did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// It said no, or nothing that can be understood.
    #[error("the container engine at `{}` gave no good answer: {source}", socket.display())]
    Api {
        /// Its socket.
        socket: PathBuf,
        /// What the client says.
        source: bollard::errors::Error,
    },
    /// It said nothing.
    #[error("the container engine at `{}` did not answer within {PATIENCE:?}", socket.display())]
    Late {
        /// Its socket.
        socket: PathBuf,
    },
}

impl Engine {
    pub(super) fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Whether there is a socket.
    pub(super) fn is_there(&self) -> bool {
        self.socket.exists()
    }

    /// What it says of a container, also of one that it is only making. It holds that one locked meanwhile, so it is asked for
    /// a list, which needs no lock.
    pub(super) async fn find(&self, id: &str) -> Result<Option<Told>, EngineError> {
        let docker = self.connect().await?;
        let filters = HashMap::from([("id".to_owned(), vec![id.to_owned()])]);
        let options = ListContainersOptions {
            all: true,
            filters: Some(filters),
            ..ListContainersOptions::default()
        };
        let list = self.timely(docker.list_containers(Some(options))).await?;
        let mut found = list.into_iter().filter(|one| one.id.as_deref() == Some(id));
        Ok(found.next().map(told))
    }

    /// Has what bears the label enforced: first all that run, then each that starts; again whenever the engine was away.
    pub(super) async fn follow(self: Arc<Self>, operations: Arc<Operations>) {
        loop {
            if self.is_there()
                && let Err(error) = self.listen(&operations).await
            {
                tracing::warn!(%error, "a container engine cannot be listened to");
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Returns when the engine goes away.
    async fn listen(&self, operations: &Arc<Operations>) -> Result<(), EngineError> {
        let docker = self.connect().await?;
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("event".to_owned(), vec!["start".to_owned()]),
            ("label".to_owned(), vec![LABEL.to_owned()]),
        ]);
        // Listened to before it is asked, so that nothing starts in between.
        let mut events = Box::pin(docker.events(Some(EventsOptions {
            filters: Some(filters),
            ..EventsOptions::default()
        })));
        let filters = HashMap::from([("label".to_owned(), vec![LABEL.to_owned()])]);
        let options = ListContainersOptions {
            filters: Some(filters),
            ..ListContainersOptions::default()
        };
        let running = self.timely(docker.list_containers(Some(options))).await?;
        tracing::info!(socket = %self.socket.display(), labelled = running.len(), "listening to a container engine");
        for one in running {
            let id = one.id.clone().unwrap_or_default();
            self.admit(&docker, operations, &id, Via::EngineScan).await;
        }
        while let Some(event) = events.next().await {
            let event = event.map_err(|source| self.failed(source))?;
            if let Some(id) = id_of(event) {
                self.admit(&docker, operations, &id, Via::EngineEvent).await;
            }
        }
        Ok(())
    }

    async fn admit(&self, docker: &Docker, operations: &Arc<Operations>, id: &str, via: Via) {
        let found = match self.inspect(docker, id).await {
            Ok(Some(found)) => found,
            // It has ended.
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, container = id, "a labelled container cannot be enforced");
                return;
            }
        };
        let operations = Arc::clone(operations);
        let admitted = tokio::task::spawn_blocking(move || operations.admit_found(&found, via));
        match admitted.await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => {
                tracing::error!(%problem, container = id, "a labelled container cannot be enforced");
            }
            Err(error) => tracing::error!(%error, "enforcing a labelled container failed"),
        }
    }

    async fn inspect(&self, docker: &Docker, id: &str) -> Result<Option<Found>, EngineError> {
        let options = None::<InspectContainerOptions>;
        let told = match self.timely(docker.inspect_container(id, options)).await {
            Err(EngineError::Api {
                source:
                    bollard::errors::Error::DockerResponseServerError {
                        status_code: 404, ..
                    },
                ..
            }) => return Ok(None),
            told => told?,
        };
        let pid = told.state.and_then(|state| state.pid).unwrap_or_default();
        let Some(pid) = u32::try_from(pid).ok().filter(|pid| *pid != 0) else {
            return Ok(None);
        };
        let config = told.config.unwrap_or_default();
        Ok(Some(Found {
            id: id.to_owned(),
            pid,
            told: Told::new(id, told.name, config.image, config.labels),
        }))
    }

    async fn connect(&self) -> Result<Docker, EngineError> {
        let path = self.socket.to_string_lossy();
        let docker = Docker::connect_with_unix(&path, PATIENCE.as_secs(), API_DEFAULT_VERSION)
            .map_err(|source| self.failed(source))?;
        self.timely(docker.negotiate_version()).await
    }

    async fn timely<T>(
        &self,
        answer: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        let late = |_| EngineError::Late {
            socket: self.socket.clone(),
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await.map_err(late)?;
        answer.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: bollard::errors::Error) -> EngineError {
        EngineError::Api {
            socket: self.socket.clone(),
            source,
        }
    }
}

// === impl Told ===

impl Told {
    fn new(
        id: &str,
        name: Option<String>,
        image: Option<String>,
        labels: Option<HashMap<String, String>>,
    ) -> Self {
        let labels = labels.unwrap_or_default();
        // Docker puts a slash before names.
        let name = name.map(|name| name.trim_start_matches('/').into());
        let said = |key| labels.get(key).map(String::as_str);
        let principal = Principal::of_labels(said(PRINCIPAL), said(GROUPS));
        Self {
            label: labels.get(LABEL).cloned(),
            attributes: Attributes {
                container: Some(Container {
                    id: id.into(),
                    name,
                    image: image.map(Into::into),
                }),
                labels: labels
                    .into_iter()
                    .map(|(key, value)| (key.into(), value.into()))
                    .collect(),
                principal,
                ..Attributes::default()
            },
        }
    }
}

fn told(summary: ContainerSummary) -> Told {
    let ContainerSummary {
        id,
        names,
        image,
        labels,
        ..
    } = summary;
    let name = names.and_then(|names| names.into_iter().next());
    Told::new(&id.unwrap_or_default(), name, image, labels)
}

fn id_of(event: EventMessage) -> Option<String> {
    event.actor.and_then(|actor| actor.id)
}
