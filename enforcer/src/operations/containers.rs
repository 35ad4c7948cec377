//! Containers come in: by our runtime or hook before their first instruction, or found running.

use std::sync::Arc;

use enforcer_control::{Chosen, Code, Newcomer, Problem, WorkloadView};
use enforcer_flow::{Attributes, Container, Principal, Workload};
use enforcer_identity::{Cgroup, Label, Provenance, Via};

use super::Operations;
use crate::containers::{EngineError, Found, LABEL, Told};
use crate::enforcement;
use crate::trust::Place;

impl Operations {
    /// The policy for a container that is about to be made: what its label names, else what the configuration does.
    pub(super) fn choose(&self, id: &str) -> Result<Chosen, Problem> {
        let told = self.told(id)?;
        let labelled = told.and_then(|told| told.label);
        let chosen = match labelled {
            Some(policy) => Chosen {
                by: format!("label {LABEL}"),
                policy: Some(policy),
            },
            None => Chosen {
                by: "configuration".to_owned(),
                policy: self.default_policy.clone(),
            },
        };
        // Said now, while there is nothing to undo.
        Label::new(chosen.policy.as_deref())?;
        Ok(chosen)
    }

    /// Enforces a container that is about to start, and has its programs believe us.
    pub(super) fn admit(&self, newcomer: &Newcomer) -> Result<WorkloadView, Problem> {
        let Newcomer {
            id,
            pid,
            policy,
            principal,
            groups,
            root,
            via,
        } = newcomer;
        let label = Label::new(policy.as_deref())?;
        let annotated = Principal::of_labels(principal.as_deref(), groups.as_deref());
        let cgroup = self.hierarchy.of_process(*pid)?;
        // An engine that cannot be asked costs the names alone: it is the runtime that says what is to be enforced.
        let told = self.told(id).unwrap_or_else(|problem| {
            tracing::warn!(%problem, container = %id, "nothing is known of a container but its id");
            None
        });
        let attributes = told.map_or_else(|| only_id(id), |told| told.attributes);
        let label = label.with_principal(annotated.or_else(|| attributes.principal.clone()));
        let workload = self.bring_in(&cgroup, &label, *via, attributes)?;
        if let Some(trust) = &self.trust {
            let place = Place {
                pid: *pid,
                root: root.as_ref().map(Into::into),
            };
            trust.place(&workload, &place).map_err(|error| {
                let message = format!("sockets of the host may show in it: {error:#}");
                Problem::new(Code::Fault, message)
            })?;
        }
        Ok(self.view(&workload))
    }

    /// Enforces a container that was found running, unless an operator took its label off.
    pub(crate) fn admit_found(&self, found: &Found, via: Via) -> Result<(), Problem> {
        let Found { id, pid, told } = found;
        let cgroup = self.hierarchy.of_process(*pid)?;
        if !cgroup.path().contains(id.as_str()) {
            // It has ended, and its first process's number is another one's.
            return Ok(());
        }
        let cgroup = self.container_of(cgroup, id);
        if cgroup.was_released() || cgroup.read_label()?.is_some() {
            return Ok(());
        }
        let label = Label::new(told.label.as_deref())?;
        let label = label.with_principal(told.attributes.principal.clone());
        self.bring_in(&cgroup, &label, via, told.attributes.clone())
            .map(drop)
    }

    /// The cgroup that an engine made for a container, of which its first process may be further down by now.
    fn container_of(&self, cgroup: Cgroup, id: &str) -> Cgroup {
        let mut path = std::path::Path::new(&**cgroup.path());
        while let Some(above) = path.parent() {
            if !above.to_string_lossy().contains(id) {
                break;
            }
            path = above;
        }
        self.hierarchy.open(path).unwrap_or(cgroup)
    }

    /// Labels a cgroup, keeps what is known of it and enforces it; undone if it cannot be enforced.
    fn bring_in(
        &self,
        cgroup: &Cgroup,
        label: &Label,
        via: Via,
        mut attributes: Attributes,
    ) -> Result<Arc<Workload>, Problem> {
        attributes.principal = label.principal().cloned();
        self.hierarchy.label(cgroup, label)?;
        cgroup.write_provenance(&Provenance {
            via,
            attributes: Arc::new(self.engines.complete(attributes)),
        })?;
        let enforced = {
            let _entered = self.front.enter();
            self.enforcement()
                .enforce(cgroup, label, enforcement::LABEL)
        };
        enforced.map_err(|error| {
            if let Err(problem) = self.hierarchy.unlabel(cgroup) {
                tracing::error!(%problem, cgroup = %cgroup.path(), "a label could not be taken back");
            }
            Problem::new(Code::Fault, format!("{error:#}"))
        })
    }

    /// What an engine says of a container. Blocks; must not be called by the front runtime.
    fn told(&self, id: &str) -> Result<Option<Told>, Problem> {
        self.front
            .block_on(self.engines.find(id))
            .map_err(|error: EngineError| Problem::new(Code::Unavailable, error))
    }
}

fn only_id(id: &str) -> Attributes {
    Attributes {
        container: Some(Container {
            id: id.into(),
            name: None,
            image: None,
        }),
        ..Attributes::default()
    }
}
