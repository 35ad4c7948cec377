//! Containers that engines run: found by their labels, told by name, brought under enforcement.
//!
//! Engines are asked through Docker's API, which podman speaks too. What starts under our own runtime or hook is enforced
//! before its first instruction; what is found here was running already, if only for a moment, and its sockets from before
//! are ended when the programs are attached.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use enforcer_flow::Attributes;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::operations::Operations;

mod cri;
mod engine;
mod kubelet;
mod nri;

use cri::Cri;
use engine::Engine;
pub(crate) use engine::EngineError;
use nri::Nri;

/// The label and annotation that name a container's policy.
pub(crate) const LABEL: &str = "enforcer.policy";

/// The label or annotation that says for whom a container works. Like the policy it is the word of whoever runs it.
pub(crate) const PRINCIPAL: &str = "enforcer.principal";

/// The one that says in which groups that one is, with commas between them.
pub(crate) const GROUPS: &str = "enforcer.groups";

/// How many containers that are being made are remembered.
const MOST_ANNOUNCED: usize = 1024;

/// How long an engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// All engines of this machine that may be asked.
#[derive(Debug)]
pub(crate) struct Engines {
    engines: Vec<Arc<Engine>>,
    /// Sockets that kubelets speak to.
    cri: Vec<PathBuf>,
    nri: Option<Arc<Nri>>,
    kubelet: PathBuf,
    /// What runtimes told of containers that are about to be made; the oldest goes first.
    announced: Mutex<VecDeque<(String, Told)>>,
}

/// What an engine says of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// What [`LABEL`] says; none when it bears none.
    pub label: Option<String>,
    /// Everything else.
    pub attributes: Attributes,
}

/// A running container that bears the label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its id.
    pub id: String,
    /// Its first process.
    pub pid: u32,
    /// What is said of it.
    pub told: Told,
}

impl Engines {
    /// Those of the configuration, read from `file` if it was named, whether they are there yet or not.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub(crate) fn new(config: &Config, file: Option<&Path>) -> anyhow::Result<Self> {
        let engines = config.containers.engines.iter();
        // What runs our hook does so in a folder of its own.
        let file = file.map(std::path::absolute).transpose()?;
        let nri = config.containers.nri.clone().map(|socket| Nri {
            socket,
            config: file,
            trust: enforcer_tls::trust::folder(&config.runtime_dir),
        });
        Ok(Self {
            engines: engines
                .map(|socket| Arc::new(Engine::new(socket)))
                .collect(),
            cri: config.containers.cri.clone(),
            nri: nri.map(Arc::new),
            kubelet: config.containers.kubelet.clone(),
            announced: Mutex::default(),
        })
    }

    /// What else is known of a pod's container on this machine: its service account.
    pub(crate) fn complete(&self, mut attributes: Attributes) -> Attributes {
        if let Some(pod) = &mut attributes.pod
            && pod.service_account.is_none()
            && let Some(uid) = &pod.uid
        {
            let account = kubelet::service_account(&self.kubelet, uid);
            pod.service_account = account.map(Into::into);
        }
        attributes
    }

    /// Keeps what a runtime told of a container until its hook asks.
    fn announce(&self, id: &str, told: Told) {
        let mut announced = self.announced();
        if announced.len() >= MOST_ANNOUNCED {
            announced.pop_front();
        }
        announced.push_back((id.to_owned(), told));
    }

    fn announced(&self) -> std::sync::MutexGuard<'_, VecDeque<(String, Told)>> {
        // A panic while the lock was held leaves a list that is merely one shorter.
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said of a container, by whichever engine knows it.
    ///
    /// # Errors
    /// When one of those that are there does not answer: it might be the one.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Told>, EngineError> {
        let announced = self
            .announced()
            .iter()
            .rev()
            .find(|(own, _)| own == id)
            .cloned();
        if let Some((_, told)) = announced {
            return Ok(Some(told));
        }
        for engine in self.engines.iter().filter(|engine| engine.is_there()) {
            if let Some(told) = engine.find(id).await? {
                return Ok(Some(told));
            }
        }
        Ok(None)
    }

    /// Listens to all of them, and has what bears the label enforced, until the tasks are dropped.
    pub(crate) fn follow(&self, operations: &Arc<Operations>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for socket in &self.cri {
            tasks.spawn(Cri::new(socket).follow(Arc::clone(operations)));
        }
        for engine in &self.engines {
            tasks.spawn(Arc::clone(engine).follow(Arc::clone(operations)));
        }
        if let Some(nri) = &self.nri {
            tasks.spawn(Arc::clone(nri).follow(Arc::clone(operations)));
        }
        tasks
    }
}
