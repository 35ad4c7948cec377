use std::path::Path;
use std::time::Duration;

use super::*;
use crate::sandbox::{Sandbox, sleeper};

fn named(policy: &str) -> Label {
    Label::new(Some(policy)).unwrap()
}

#[test]
fn only_names_name_a_policy() {
    for none in [None, Some(""), Some("*")] {
        assert_eq!(Label::new(none).unwrap().policy(), None, "for {none:?}");
    }
    for name in ["openai", "team-a/agents_2.v1"] {
        assert_eq!(named(name).policy().map(AsRef::as_ref), Some(name));
    }
    for wrong in ["a b", "a\n", "**", "é", &"n".repeat(129)] {
        let refused = Label::new(Some(wrong));
        assert!(
            matches!(refused, Err(LabelError::Policy { .. })),
            "for {wrong:?}: {refused:?}"
        );
    }
}

#[test]
fn a_label_is_written_changed_and_taken_off() {
    let Some(sandbox) = Sandbox::new("label") else {
        return;
    };
    let Sandbox { hierarchy, cgroup } = &sandbox;
    assert_eq!(cgroup.read_label().unwrap(), None);
    for label in [Label::default(), named("openai"), Label::default()] {
        hierarchy.label(cgroup, &label).unwrap();
        assert_eq!(cgroup.read_label().unwrap(), Some(label));
    }
    assert_eq!(hierarchy.unlabel(cgroup).unwrap(), Some(Label::default()));
    assert_eq!(cgroup.read_label().unwrap(), None);
    assert_eq!(hierarchy.unlabel(cgroup).unwrap(), None);
}

#[test]
fn only_an_exact_mark_has_a_workload_observed() {
    let Some(sandbox) = Sandbox::new("observe") else {
        return;
    };
    let Sandbox { hierarchy, cgroup } = &sandbox;
    let observed = named("openai").with_stance(Stance::Observe);
    for label in [observed.clone(), named("openai"), observed.clone()] {
        hierarchy.label(cgroup, &label).unwrap();
        assert_eq!(cgroup.read_label().unwrap(), Some(label));
    }
    for value in [&b""[..], b"0", b"11", b"true"] {
        rustix::fs::fsetxattr(cgroup, OBSERVE, value, XattrFlags::empty()).unwrap();
        assert_eq!(cgroup.read_label().unwrap(), Some(named("openai")));
    }
    hierarchy.label(cgroup, &observed).unwrap();
    hierarchy.unlabel(cgroup).unwrap();
    // Nothing of it comes back with the next label.
    rustix::fs::fsetxattr(cgroup, ATTRIBUTE, b"openai", XattrFlags::empty()).unwrap();
    assert_eq!(cgroup.read_label().unwrap(), Some(named("openai")));
}

#[test]
fn a_quarantine_is_not_written_on_a_cgroup() {
    let Some(sandbox) = Sandbox::new("quarantine") else {
        return;
    };
    let Sandbox { hierarchy, cgroup } = &sandbox;
    let held = named("openai").with_stance(Stance::Quarantine);
    hierarchy.label(cgroup, &held).unwrap();
    assert_eq!(cgroup.read_label().unwrap(), Some(named("openai")));
}

#[test]
fn a_label_that_says_nothing_sensible_is_a_label_still() {
    let Some(sandbox) = Sandbox::new("garbage") else {
        return;
    };
    for value in [&b"\xff\xfe"[..], b"two words", &[b'n'; 129], &[b'n'; 4000]] {
        rustix::fs::fsetxattr(&sandbox.cgroup, ATTRIBUTE, value, XattrFlags::empty()).unwrap();
        let label = sandbox.cgroup.read_label().unwrap().unwrap();
        assert_eq!(label.policy().map(AsRef::as_ref), Some(UNREADABLE));
        assert!(
            Label::new(Some(UNREADABLE)).is_err(),
            "no operator can name it"
        );
    }
}

#[test]
fn the_root_cannot_be_labelled() {
    let Some(sandbox) = Sandbox::new("root") else {
        return;
    };
    let hierarchy = &sandbox.hierarchy;
    let root = hierarchy.open(hierarchy.mount()).unwrap();
    let refused = hierarchy.label(&root, &Label::default());
    assert!(matches!(refused, Err(LabelError::Root)), "{refused:?}");
    assert_eq!(root.read_label().unwrap(), None);
}

#[test]
fn a_cgroup_that_contains_the_enforcer_cannot_be_labelled() {
    let Some(sandbox) = Sandbox::new("own") else {
        return;
    };
    let (own, other) = (sandbox.child("a/own"), sandbox.child("a/other"));
    let mut stand_in = sleeper(&own);
    let enforcer = sandbox.hierarchy.of_process(stand_in.id()).unwrap();
    for path in ["a", "a/own"] {
        let cgroup = sandbox
            .hierarchy
            .open(Path::new(&sandbox.path(path)))
            .unwrap();
        let refused = sandbox.hierarchy.may_serve(&cgroup, Some(&enforcer));
        assert!(
            matches!(refused, Err(LabelError::ContainsEnforcer { .. })),
            "{path}: {refused:?}"
        );
    }
    sandbox
        .hierarchy
        .may_serve(&other, Some(&enforcer))
        .unwrap();
    stand_in.kill().unwrap();
    stand_in.wait().unwrap();
}

#[test]
fn labels_neither_nest_nor_cover() {
    let Some(sandbox) = Sandbox::new("nest") else {
        return;
    };
    let hierarchy = &sandbox.hierarchy;
    let (middle, inner) = (sandbox.child("a/b"), sandbox.child("a/b/c/d"));
    let above = hierarchy.open(Path::new(&sandbox.path("a"))).unwrap();
    hierarchy.label(&middle, &Label::default()).unwrap();

    let refused = hierarchy.label(&inner, &Label::default());
    assert!(
        matches!(refused, Err(LabelError::Nested { .. })),
        "{refused:?}"
    );
    let refused = hierarchy.label(&above, &Label::default());
    assert!(
        matches!(refused, Err(LabelError::Covers { .. })),
        "{refused:?}"
    );
    assert_eq!(
        (inner.read_label().unwrap(), above.read_label().unwrap()),
        (None, None)
    );

    hierarchy.unlabel(&middle).unwrap();
    hierarchy.label(&inner, &Label::default()).unwrap();
}

#[test]
fn a_label_says_for_whom_until_another_one_does() {
    let Some(sandbox) = Sandbox::new("principal") else {
        return;
    };
    let (hierarchy, cgroup) = (&sandbox.hierarchy, &sandbox.cgroup);
    let ada = Principal::new("ada", ["support", "eu"]).unwrap();
    let label = Label::new(Some("openai")).unwrap();
    let hers = label.clone().with_principal(Some(ada));
    hierarchy.label(cgroup, &hers).unwrap();
    assert_eq!(cgroup.read_label().unwrap(), Some(hers.clone()));
    assert_ne!(hers, label);
    hierarchy.label(cgroup, &label).unwrap();
    assert_eq!(cgroup.read_label().unwrap(), Some(label));
    assert_eq!(cgroup.provenance().attributes.principal, None);
}

#[test]
fn a_cgroup_that_is_gone_cannot_be_labelled() {
    let Some(sandbox) = Sandbox::new("gone") else {
        return;
    };
    let leaf = sandbox.child("leaf");
    leaf.remove(Duration::from_secs(10)).unwrap();
    let error = leaf.write_label(&Label::default()).unwrap_err();
    assert!(is_gone(&error), "{error}");
}
