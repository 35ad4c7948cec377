use std::time::Duration;

use super::*;
use crate::sandbox::{Sandbox, sleeper};

#[test]
fn the_unified_line_is_found_among_version_one() {
    let rows: &[(&str, Option<&str>)] = &[
        (
            "9:name=systemd:/x\n4:memory:/m\n0::/agents/a\n",
            Some("/agents/a"),
        ),
        ("0::/\n", Some("/")),
        ("10::/no\n", None),
        ("4:memory:/0::/m\n", None),
        ("0::/agents/a (deleted)\n", None),
        ("0::/../outside\n", None),
        ("", None),
    ];
    for (text, expected) in rows {
        assert_eq!(unified_path(text.as_bytes()), *expected, "for {text:?}");
    }
}

#[test]
fn paths_below_the_mount_have_one_form() {
    let rows: &[(&str, Option<&str>)] = &[
        ("/", Some("/")),
        ("", Some("/")),
        ("/a/b", Some("/a/b")),
        ("a//b/./", Some("/a/b")),
        ("/a/../b", None),
        ("..", None),
        ("/a\nb", None),
    ];
    for (path, expected) in rows {
        let found = below_mount(Path::new(path)).ok();
        assert_eq!(found.as_deref(), *expected, "for {path:?}");
    }
}

#[test]
fn a_cgroup_is_opened_by_either_of_its_names() {
    let Some(sandbox) = Sandbox::new("open") else {
        return;
    };
    let Sandbox { hierarchy, cgroup } = &sandbox;
    let inode = rustix::fs::stat(cgroup.dir()).unwrap().st_ino;
    assert_eq!(cgroup.id(), CgroupId(inode));
    for path in [Path::new(&**cgroup.path()), cgroup.dir()] {
        let opened = hierarchy.open(path).unwrap();
        assert_eq!(
            (opened.id(), opened.path(), opened.dir()),
            (cgroup.id(), cgroup.path(), cgroup.dir())
        );
    }
    assert_eq!(
        hierarchy.open(hierarchy.mount()).unwrap().id(),
        hierarchy.root()
    );
}

#[test]
fn what_is_no_cgroup_is_refused() {
    let Some(sandbox) = Sandbox::new("refuse") else {
        return;
    };
    let Sandbox { hierarchy, cgroup } = &sandbox;
    let missing = hierarchy.open(Path::new(&sandbox.path("none")));
    assert!(
        matches!(missing, Err(CgroupError::Missing { .. })),
        "{missing:?}"
    );
    let file = hierarchy.open(&cgroup.dir().join("cgroup.procs"));
    assert!(matches!(file, Err(CgroupError::Missing { .. })), "{file:?}");
    let outside = hierarchy.open(Path::new("/../../tmp"));
    assert!(
        matches!(
            outside,
            Err(CgroupError::Missing { .. } | CgroupError::Name { .. })
        ),
        "{outside:?}"
    );
    assert_eq!(open_dir(Path::new("/tmp")).unwrap_err(), Errno::NOTDIR);
}

#[test]
fn creating_makes_what_is_above_but_never_takes_over() {
    let Some(sandbox) = Sandbox::new("create") else {
        return;
    };
    let deep = sandbox.child("a/b/c");
    assert!(deep.dir().ends_with("a/b/c"));
    let again = sandbox.hierarchy.create(deep.path());
    assert!(
        matches!(again, Err(CgroupError::Exists { .. })),
        "{again:?}"
    );
    let root = sandbox.hierarchy.create("/");
    assert!(matches!(root, Err(CgroupError::Exists { .. })), "{root:?}");
}

#[test]
fn a_process_is_found_where_it_is() {
    let Some(sandbox) = Sandbox::new("process") else {
        return;
    };
    let leaf = sandbox.child("leaf");
    let mut child = sleeper(&leaf);
    let found = sandbox.hierarchy.of_process(child.id()).unwrap();
    assert_eq!((found.id(), found.path()), (leaf.id(), leaf.path()));

    leaf.kill_all().unwrap();
    child.wait().unwrap();
    leaf.remove(Duration::from_secs(10)).unwrap();
    let gone = sandbox.hierarchy.of_process(child.id());
    assert!(matches!(gone, Err(CgroupError::Io { .. })), "{gone:?}");
}
