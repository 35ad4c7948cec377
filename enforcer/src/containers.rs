//! Containers that engines run: found by their labels, told by name, brought under enforcement.
//!
//! Engines are asked through Docker's API, which podman speaks too. What starts under our own runtime or hook is enforced
//! before its first instruction; what is found here was running already, if only for a moment, and its sockets from before
//! are ended when the programs are attached.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use enforcer_flow::Attributes;
use tokio::task::JoinSet;

use crate::operations::Operations;

mod engine;

use engine::Engine;
pub(crate) use engine::EngineError;

/// The label and annotation that name a container's policy.
pub(crate) const LABEL: &str = "enforcer.policy";

/// How long an engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// All engines of this machine that may be asked.
#[derive(Debug)]
pub(crate) struct Engines {
    engines: Vec<Arc<Engine>>,
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
    /// Those behind these sockets, whether they are there yet or not.
    pub(crate) fn new(sockets: &[PathBuf]) -> Self {
        let engines = sockets.iter().map(|socket| Arc::new(Engine::new(socket)));
        Self {
            engines: engines.collect(),
        }
    }

    /// What is said of a container, by whichever engine knows it.
    ///
    /// # Errors
    /// When one of those that are there does not answer: it might be the one.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Told>, EngineError> {
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
        for engine in &self.engines {
            tasks.spawn(Arc::clone(engine).follow(Arc::clone(operations)));
        }
        tasks
    }
}
