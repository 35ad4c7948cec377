//! Containers of containerd and CRI-O, by their Node Resource Interface: told of before they are made.
//!
//! A container that bears the label, itself or by its pod, gets our hook, which its making waits for, and what makes its
//! programs believe us. The interface lets a plug-in neither take capabilities nor change the rules on system calls; where
//! those matter, our OCI runtime is the way in. While no daemon is connected, runtimes make containers without asking.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use enforcer_flow::{Attributes, Container as Named, Pod as Group, Principal};
use enforcer_identity::{Label, Via};
use enforcer_nri::{
    Adjustment, Container, Handler, Hook, Hooks, Mount, OptionalInt, Pod, Variable,
};
use enforcer_tls::trust::INSIDE;
use tokio::net::UnixStream;

use super::{Found, GROUPS, LABEL, PRINCIPAL, Told};
use crate::oci::{self, PATIENCE, SpecError, TRUST_OPTIONS};
use crate::operations::Operations;

/// The plug-in's name and its place among others: late, when what they change is known.
const NAME: &str = "enforcer";
const INDEX: &str = "90";
/// How long until a runtime that is not there is looked for again.
const RETRY: Duration = Duration::from_secs(2);
/// Where runtimes note what image a container is of.
const IMAGES: [&str; 2] = [
    "io.kubernetes.cri.image-name",
    "io.kubernetes.cri-o.ImageName",
];

/// The plug-in for one runtime.
#[derive(Debug)]
pub(super) struct Nri {
    pub(super) socket: PathBuf,
    /// The configuration the daemon was started with.
    pub(super) config: Option<PathBuf>,
    /// The folder of public files that programs trust.
    pub(super) trust: PathBuf,
}

/// A plug-in in use.
struct Plugin {
    nri: Arc<Nri>,
    operations: Arc<Operations>,
}

// === impl Nri ===

impl Nri {
    /// Stays connected to the runtime, whenever it is there.
    pub(super) async fn follow(self: Arc<Self>, operations: Arc<Operations>) {
        loop {
            if self.socket.exists() {
                let plugin = Plugin {
                    nri: Arc::clone(&self),
                    operations: Arc::clone(&operations),
                };
                if let Err(error) = plugin.run().await {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "a container runtime cannot be served"
                    );
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    fn adjustment(&self, policy: &str, container: &Container) -> anyhow::Result<Adjustment> {
        let source = self
            .trust
            .to_str()
            .context("the trust folder's path is no text")?;
        Ok(Adjustment {
            mounts: vec![Mount {
                destination: INSIDE.to_owned(),
                kind: "bind".to_owned(),
                source: source.to_owned(),
                options: TRUST_OPTIONS.map(str::to_owned).to_vec(),
            }],
            environment: variables(&container.environment)?,
            hooks: Some(Hooks {
                create_runtime: vec![self.hook(policy)?],
            }),
            ..Adjustment::default()
        })
    }

    fn hook(&self, policy: &str) -> anyhow::Result<Hook> {
        let (program, arguments) = oci::admission("nri", policy, self.config.as_deref())?;
        let path = program
            .to_str()
            .context("the enforcer's own path is no text")?;
        Ok(Hook {
            path: path.to_owned(),
            arguments,
            environment: Vec::new(),
            timeout: Some(OptionalInt { value: PATIENCE }),
        })
    }
}

// === impl Plugin ===

impl Plugin {
    async fn run(&self) -> anyhow::Result<()> {
        let socket = &self.nri.socket;
        let stream = UnixStream::connect(socket)
            .await
            .with_context(|| format!("`{}` cannot be reached", socket.display()))?;
        enforcer_nri::serve(stream, INDEX, NAME, self).await?;
        Ok(())
    }
}

impl Handler for Plugin {
    async fn running(&self, pods: Vec<Pod>, containers: Vec<Container>) {
        let pods: HashMap<String, Pod> =
            pods.into_iter().map(|pod| (pod.id.clone(), pod)).collect();
        let none = Pod::default();
        for container in containers.into_iter().filter(|one| one.pid != 0) {
            let told = told(pods.get(&container.pod).unwrap_or(&none), &container);
            if told.label.is_none() {
                continue;
            }
            let found = Found {
                id: container.id.clone(),
                pid: container.pid,
                told,
            };
            let operations = Arc::clone(&self.operations);
            let admitted =
                tokio::task::spawn_blocking(move || operations.admit_found(&found, Via::Nri)).await;
            match admitted {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => {
                    tracing::error!(%problem, container = container.id, "a labelled container cannot be enforced");
                }
                Err(error) => tracing::error!(%error, "enforcing a labelled container failed"),
            }
        }
    }

    async fn create(&self, pod: Pod, container: Container) -> Result<Adjustment, String> {
        let told = told(&pod, &container);
        let Some(policy) = told.label.clone() else {
            return Ok(Adjustment::default());
        };
        let refused = |error: &dyn std::fmt::Display| {
            format!(
                "enforcer: container `{}` is not made: {error}",
                container.id
            )
        };
        Label::new(Some(&policy)).map_err(|error| refused(&error))?;
        let adjustment = self.nri.adjustment(&policy, &container);
        let adjustment = adjustment.map_err(|error| refused(&format!("{error:#}")))?;
        // For the hook, which knows no more than the id.
        self.operations.engines.announce(&container.id, told);
        Ok(adjustment)
    }
}

/// The variables that point programs at our CA, less those that the container sets itself.
fn variables(own: &[String]) -> Result<Vec<Variable>, SpecError> {
    let ours = oci::variables(own.iter().map(String::as_str))?.into_iter();
    Ok(ours
        .map(|(key, value)| Variable {
            key: key.to_owned(),
            value,
        })
        .collect())
}

/// What is said of a container. Its own word goes before its pod's, and an annotation before a label.
fn told(pod: &Pod, container: &Container) -> Told {
    let said = [
        &container.annotations,
        &container.labels,
        &pod.annotations,
        &pod.labels,
    ];
    let image = IMAGES
        .iter()
        .find_map(|name| container.annotations.get(*name));
    let image = container.image.as_ref().map(|image| &image.name).or(image);
    let shared = |map: &HashMap<String, String>| {
        let pairs = map
            .iter()
            .map(|(key, value)| (key.as_str().into(), value.as_str().into()));
        pairs.collect()
    };
    let word = |key: &str| said.iter().find_map(|map| map.get(key)).map(String::as_str);
    Told {
        label: said.iter().find_map(|map| map.get(LABEL)).cloned(),
        attributes: Attributes {
            container: Some(Named {
                id: container.id.as_str().into(),
                name: Some(container.name.as_str().into()),
                image: image.map(|image| image.as_str().into()),
            }),
            labels: shared(&container.labels),
            pod: Some(Group {
                namespace: pod.namespace.as_str().into(),
                name: pod.name.as_str().into(),
                uid: Some(pod.uid.as_str().into()),
                // The interface does not tell; the kubelet does.
                service_account: None,
                labels: shared(&pod.labels),
            }),
            principal: Principal::of_labels(word(PRINCIPAL), word(GROUPS)),
            ..Attributes::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(policy: &str) -> HashMap<String, String> {
        HashMap::from([(LABEL.to_owned(), policy.to_owned())])
    }

    #[test]
    fn a_containers_own_word_goes_before_its_pods() {
        let mut pod = Pod {
            labels: labels("of-the-pods-label"),
            ..Pod::default()
        };
        let mut container = Container::default();
        let label = |pod: &Pod, container: &Container| told(pod, container).label.unwrap();
        assert_eq!(label(&pod, &container), "of-the-pods-label");
        pod.annotations = labels("of-the-pods-annotation");
        assert_eq!(label(&pod, &container), "of-the-pods-annotation");
        container.labels = labels("of-its-label");
        assert_eq!(label(&pod, &container), "of-its-label");
        container.annotations = labels("of-its-annotation");
        assert_eq!(label(&pod, &container), "of-its-annotation");
        assert_eq!(told(&Pod::default(), &Container::default()).label, None);
    }

    #[test]
    fn what_a_container_sets_itself_is_left_to_it() {
        let own = ["SSL_CERT_FILE=/mine.pem", "JAVA_TOOL_OPTIONS=-Xmx1g"].map(str::to_owned);
        let variables = variables(&own).unwrap();
        let value = |name: &str| {
            let found = variables.iter().find(|variable| variable.key == name);
            found.map(|variable| variable.value.as_str())
        };
        assert_eq!(value("SSL_CERT_FILE"), None);
        assert_eq!(
            value("NODE_EXTRA_CA_CERTS"),
            Some("/.enforcer/trust/ca.pem")
        );
        assert!(value("JAVA_TOOL_OPTIONS").unwrap().starts_with("-Xmx1g "));
    }

    #[test]
    fn its_making_waits_for_our_hook() {
        let nri = Nri {
            socket: "/nowhere".into(),
            config: Some("/etc/e.yaml".into()),
            trust: "/run/enforcer/trust".into(),
        };
        let adjustment = nri.adjustment("strict", &Container::default()).unwrap();
        let hooks = adjustment.hooks.unwrap().create_runtime;
        assert_eq!(
            hooks[0].arguments,
            [
                "enforcer",
                "oci-hook",
                "--via",
                "nri",
                "--policy",
                "strict",
                "--config",
                "/etc/e.yaml"
            ]
        );
        assert_eq!(adjustment.mounts[0].source, "/run/enforcer/trust");
        assert!(adjustment.mounts[0].options.contains(&"ro".to_owned()));
    }
}
