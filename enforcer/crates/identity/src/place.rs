//! What a cgroup's path alone says of who lives in it: engines and systemd name their cgroups after what they run.

use std::sync::Arc;

use enforcer_flow::{Attributes, Container};

/// Digits of a container's id.
const ID: usize = 64;
/// What engines put before the id when systemd names the cgroup (`docker-ID.scope`), podman also without it.
const PREFIXES: [&str; 5] = ["docker-", "libpod-", "cri-containerd-", "crio-", "nerdctl-"];
/// The kinds of systemd units that have cgroups.
const UNITS: [&str; 3] = [".service", ".scope", ".slice"];

/// The container and the unit that a path names. For what is below a container's own cgroup the container counts.
#[must_use]
pub fn attributes_of_path(path: &str) -> Attributes {
    let parts = || path.split('/').rev().filter(|part| !part.is_empty());
    let unit = parts().find(|part| UNITS.iter().any(|kind| part.ends_with(kind)));
    Attributes {
        container: parts().find_map(container).map(|id| Container {
            id: id.into(),
            name: None,
            image: None,
        }),
        unit: unit.map(|unit| Arc::from(unit.strip_prefix('_').unwrap_or(unit))),
        ..Attributes::default()
    }
}

fn container(part: &str) -> Option<&str> {
    let scope = part.strip_suffix(".scope").unwrap_or(part);
    let id = PREFIXES
        .iter()
        .find_map(|prefix| scope.strip_prefix(prefix))
        .unwrap_or(scope);
    let is_id = id.len() == ID && id.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_engines_and_units_are_read() {
        let id = "0123456789abcdef".repeat(4);
        let rows = [
            (format!("/docker/{id}"), Some(&id), None),
            (
                format!("/system.slice/docker-{id}.scope"),
                Some(&id),
                Some(format!("docker-{id}.scope")),
            ),
            (format!("/libpod_parent/libpod-{id}"), Some(&id), None),
            (format!("/docker/{id}/init"), Some(&id), None),
            (
                format!("/kubepods.slice/kubepods-pod7.slice/cri-containerd-{id}.scope"),
                Some(&id),
                Some(format!("cri-containerd-{id}.scope")),
            ),
            (
                "/system.slice/agent@7.service".to_owned(),
                None,
                Some("agent@7.service".to_owned()),
            ),
            (
                "/user.slice/agent.service/below".to_owned(),
                None,
                Some("agent.service".to_owned()),
            ),
            (format!("/docker/{}", &id[1..]), None, None),
            ("/".to_owned(), None, None),
        ];
        for (path, container, unit) in rows {
            let told = attributes_of_path(&path);
            let found = told.container.map(|container| container.id.to_string());
            assert_eq!(found.as_ref(), container, "{path}");
            assert_eq!(told.unit.as_deref(), unit.as_deref(), "{path}");
            assert!(told.pod.is_none() && told.labels.is_empty());
        }
    }
}
