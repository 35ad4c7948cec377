use super::*;
use crate::sandbox::Sandbox;

fn told(labels: usize, length: usize) -> Provenance {
    let value: Arc<str> = "v".repeat(length).into();
    let labels: BTreeMap<Arc<str>, Arc<str>> = (0..labels)
        .map(|n| (format!("label-{n}").into(), value.clone()))
        .collect();
    let attributes = Attributes {
        container: Some(Container {
            id: "0123".into(),
            name: Some("agent".into()),
            image: None,
        }),
        labels: labels.clone(),
        pod: Some(Pod {
            namespace: "default".into(),
            name: "pod".into(),
            labels,
            ..Pod::default()
        }),
        principal: Principal::new("ada", ["support", "eu"]).ok(),
        unit: None,
    };
    Provenance {
        via: Via::EngineEvent,
        attributes: Arc::new(attributes),
    }
}

#[test]
fn what_was_told_is_kept_with_the_cgroup() {
    let Some(sandbox) = Sandbox::new("provenance") else {
        return;
    };
    let cgroup = &sandbox.cgroup;
    assert_eq!(cgroup.provenance().via, Via::Label);
    let told = told(3, 20);
    cgroup.write_provenance(&told).unwrap();
    assert_eq!(cgroup.provenance(), told);
    cgroup.mark_released().unwrap();
    assert!(cgroup.was_released());
    assert_eq!(cgroup.provenance().via, Via::Label);
    cgroup.write_provenance(&told).unwrap();
    assert!(!cgroup.was_released());
}

#[test]
fn labels_that_do_not_fit_cost_nothing_else() {
    let Some(sandbox) = Sandbox::new("long-labels") else {
        return;
    };
    sandbox.cgroup.write_provenance(&told(64, 4096)).unwrap();
    let kept = sandbox.cgroup.provenance();
    assert_eq!(kept.via, Via::EngineEvent);
    assert!(kept.attributes.container.is_some());
    assert!(kept.attributes.labels.is_empty());
}
