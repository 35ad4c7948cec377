//! What engines and orchestrators say of a workload, as a line has it: once for each attachment and each connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use enforcer_flow::{Attributes, Container, Pod};

use super::object::{CODE, Object};

/// How many labels of a container or pod one line names.
const LABELS: usize = 8;

/// What is known of a workload beside its cgroup; nothing where nothing is.
pub(super) fn attributes(line: &mut Object<'_>, known: &Attributes) {
    let Attributes {
        container,
        labels,
        pod,
        // Every line of a workload names it.
        principal: _,
        unit,
    } = known;
    if let Some(container) = container {
        self::container(line, container);
    }
    self::labels(line, "labels", labels);
    if let Some(pod) = pod {
        self::pod(line, pod);
    }
    if let Some(unit) = unit {
        line.text("unit", unit, CODE);
    }
}

fn container(line: &mut Object<'_>, container: &Container) {
    let Container { id, name, image } = container;
    line.object("container", |fields| {
        fields.text("id", id, CODE);
        if let Some(name) = name {
            fields.text("name", name, CODE);
        }
        if let Some(image) = image {
            fields.text("image", image, CODE);
        }
    });
}

fn pod(line: &mut Object<'_>, pod: &Pod) {
    let Pod {
        namespace,
        name,
        uid,
        service_account,
        labels,
    } = pod;
    line.object("pod", |fields| {
        fields.text("namespace", namespace, CODE);
        fields.text("name", name, CODE);
        if let Some(uid) = uid {
            fields.text("uid", uid, CODE);
        }
        if let Some(account) = service_account {
            fields.text("service_account", account, CODE);
        }
        self::labels(fields, "labels", labels);
    });
}

/// `key=value` each, the first few by key.
fn labels(line: &mut Object<'_>, key: &'static str, labels: &BTreeMap<Arc<str>, Arc<str>>) {
    if labels.is_empty() {
        return;
    }
    let pairs = labels.iter().take(LABELS);
    line.list(key, pairs.map(|(key, value)| format!("{key}={value}")));
    if labels.len() > LABELS {
        line.number("more_labels", labels.len() - LABELS);
    }
}
