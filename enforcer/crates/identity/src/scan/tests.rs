use std::time::Duration;

use rustix::fs::XattrFlags;

use super::*;
use crate::ATTRIBUTE;
use crate::sandbox::{Sandbox, sleeper};

/// Writes the attribute without asking whether it may be there.
fn force(cgroup: &Cgroup) {
    rustix::fs::fsetxattr(cgroup, ATTRIBUTE, b"", XattrFlags::empty()).unwrap();
}

/// The paths below the sandbox that a walk from the sandbox serves, sorted.
fn served(sandbox: &Sandbox, enforcer: Option<&Cgroup>) -> (Vec<String>, Scan) {
    let mut scan = Scan::default();
    let walk = Walk {
        hierarchy: &sandbox.hierarchy,
        enforcer,
        patterns: &[],
    };
    scan.walk(&walk, vec![sandbox.cgroup.dir().to_owned()]);
    let below = |cgroup: &Cgroup| cgroup.path()[sandbox.cgroup.path().len()..].to_owned();
    let mut paths: Vec<_> = scan.labelled.iter().map(|(c, _)| below(c)).collect();
    paths.sort();
    (paths, scan)
}

#[test]
fn labels_are_found_at_any_depth() {
    let Some(sandbox) = Sandbox::new("scan") else {
        return;
    };
    sandbox.child("plain/also-plain");
    let (near, far) = (sandbox.child("near"), sandbox.child("plain/x/y/far"));
    sandbox.hierarchy.label(&near, &Label::default()).unwrap();
    let openai = Label::new(Some("openai")).unwrap();
    sandbox.hierarchy.label(&far, &openai).unwrap();

    let scan = sandbox.hierarchy.scan(&[]);
    let label_of = |cgroup: &Cgroup| {
        let mut labelled = scan.labelled.iter();
        labelled
            .find(|(c, _)| c.id() == cgroup.id())
            .map(|(_, l)| l.clone())
    };
    assert_eq!(label_of(&near), Some(Label::default()));
    assert_eq!(label_of(&far), Some(openai));
    assert_eq!(label_of(&sandbox.cgroup), None);

    let (paths, scan) = served(&sandbox, None);
    assert_eq!(paths, ["/near", "/plain/x/y/far"]);
    assert_eq!((scan.errors, scan.truncated), (0, false));
}

#[test]
fn a_label_inside_a_labelled_cgroup_counts_for_nothing() {
    let Some(sandbox) = Sandbox::new("inside") else {
        return;
    };
    let (outer, inner) = (sandbox.child("outer"), sandbox.child("outer/x/inner"));
    force(&outer);
    force(&inner);
    assert_eq!(served(&sandbox, None).0, ["/outer"]);
}

#[test]
fn a_label_over_the_enforcer_is_refused_and_hides_nothing() {
    let Some(sandbox) = Sandbox::new("over") else {
        return;
    };
    let (own, agent) = (sandbox.child("top/own"), sandbox.child("top/agent"));
    let top = sandbox
        .hierarchy
        .open(Path::new(&sandbox.path("top")))
        .unwrap();
    let mut stand_in = sleeper(&own);
    let enforcer = sandbox.hierarchy.of_process(stand_in.id()).unwrap();
    force(&top);
    force(&agent);
    let (paths, scan) = served(&sandbox, Some(&enforcer));
    assert_eq!(paths, ["/top/agent"]);
    let [(refused, LabelError::ContainsEnforcer { .. })] = scan.refused.as_slice() else {
        panic!("{:?}", scan.refused);
    };
    assert_eq!(refused.id(), top.id());
    stand_in.kill().unwrap();
    stand_in.wait().unwrap();
}

#[test]
fn what_vanishes_on_the_way_is_no_error() {
    let Some(sandbox) = Sandbox::new("vanish") else {
        return;
    };
    let leaf = sandbox.child("leaf");
    leaf.remove(Duration::from_secs(10)).unwrap();
    let mut scan = Scan::default();
    let walk = Walk {
        hierarchy: &sandbox.hierarchy,
        enforcer: None,
        patterns: &[],
    };
    assert!(!scan.visit(&walk, leaf.dir()));
    assert_eq!((scan.errors, scan.labelled.len()), (0, 0));
}

#[test]
fn a_walk_is_bounded_in_depth_and_says_so() {
    let Some(sandbox) = Sandbox::new("deep") else {
        return;
    };
    let names = vec!["d"; MAX_DEPTH + 1].join("/");
    let deepest = sandbox.child(&names);
    force(&deepest);
    let (paths, scan) = served(&sandbox, None);
    assert_eq!((paths.len(), scan.truncated), (0, true));
}

#[test]
fn what_the_configuration_names_is_found_unless_an_operator_released_it() {
    let Some(sandbox) = Sandbox::new("patterns") else {
        return;
    };
    let (one, two, labelled) = (
        sandbox.child("agent-1"),
        sandbox.child("agent-2"),
        sandbox.child("agent-3"),
    );
    sandbox.child("other");
    sandbox
        .hierarchy
        .label(&labelled, &Label::default())
        .unwrap();
    two.mark_released().unwrap();
    let label = Label::new(Some("agents")).unwrap();
    let pattern = Pattern::of_cgroups(&sandbox.path("agent-*"), label.clone()).unwrap();

    let scan = sandbox.hierarchy.scan(&[pattern]);
    let matched: Vec<_> = scan.matched.iter().map(|(c, l)| (c.id(), l)).collect();
    assert_eq!(matched, [(one.id(), &label)]);
    let found = scan.labelled.iter().any(|(c, _)| c.id() == labelled.id());
    assert!(found, "a label on the cgroup comes before a pattern");
}
