//! Programs that are taken off behind our back are missed and put back.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use enforcer_kernel::{FaultKind, Loopback, cgroup_id};

use crate::sandbox::Sandbox;

const REFUSED: &str = "error 1";

/// Does what `bpftool link detach` does.
pub(crate) fn detach(pin: &Path) {
    const OBJ_GET: libc::c_long = 7;
    const LINK_DETACH: libc::c_long = 34;
    let path = std::ffi::CString::new(pin.to_str().unwrap()).unwrap();
    let mut get = [path.as_ptr().expose_provenance() as u64, 0];
    // SAFETY: path, descriptor and flags, as this command reads them; the path lives until the call is over.
    let link = unsafe { libc::syscall(libc::SYS_bpf, OBJ_GET, get.as_mut_ptr(), 16) };
    assert!(link >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the kernel just made this descriptor.
    let link = unsafe {
        <std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(i32::try_from(link).unwrap())
    };
    let mut off = [link.as_raw_fd()];
    // SAFETY: one descriptor, as this command reads it.
    let done = unsafe { libc::syscall(libc::SYS_bpf, LINK_DETACH, off.as_mut_ptr(), 4) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

pub(crate) fn kinds(sandbox: &Sandbox) -> Vec<(&'static str, FaultKind)> {
    let faults = sandbox
        .programs()
        .verify(&sandbox.cgroup, sandbox.id)
        .unwrap();
    faults
        .iter()
        .map(|fault| (fault.hook, fault.kind))
        .collect()
}

pub(crate) fn mend(sandbox: &Sandbox) {
    let programs = sandbox.programs();
    let faults = programs.verify(&sandbox.cgroup, sandbox.id).unwrap();
    programs.mend(&sandbox.cgroup, sandbox.id, &faults).unwrap();
}

#[test]
fn a_program_that_was_taken_off_is_missed_and_put_back() {
    let Some(sandbox) = Sandbox::new(Loopback::Redirect) else {
        return;
    };
    assert_eq!(kinds(&sandbox), []);
    let links = sandbox.pins.join("links").join(sandbox.id.to_string());
    let mut agent = sandbox.agent();
    detach(&links.join("sock_create"));
    assert_eq!(agent.ask("socket 2 3 1"), "ok", "nothing holds it");
    assert_eq!(kinds(&sandbox), [("sock_create", FaultKind::Detached)]);
    mend(&sandbox);
    assert_eq!(kinds(&sandbox), []);
    assert_eq!(agent.ask("socket 2 3 1"), REFUSED);
    for name in ["egress", "connect4"] {
        fs::remove_file(links.join(name)).unwrap();
    }
    let missing = [
        ("connect4", FaultKind::Missing),
        ("egress", FaultKind::Missing),
    ];
    assert_eq!(kinds(&sandbox), missing);
    mend(&sandbox);
    assert_eq!(kinds(&sandbox), []);
    agent.ask("socket 2 1 6");
    assert!(agent.ask("connect 192.0.2.1:443").starts_with("ok"));
    assert!(sandbox.accept().2.is_some());
}

#[test]
fn a_link_of_another_cgroup_is_not_taken_for_this_ones() {
    let Some(sandbox) = Sandbox::new(Loopback::Redirect) else {
        return;
    };
    let other = sandbox.sibling("other");
    let id = cgroup_id(&other).unwrap();
    sandbox.programs().attach(&other, id).unwrap();
    let links = sandbox.pins.join("links");
    let (ours, theirs) = (
        links.join(sandbox.id.to_string()).join("connect4"),
        links.join(id.to_string()).join("connect4"),
    );
    fs::remove_file(&ours).unwrap();
    fs::rename(&theirs, &ours).unwrap();
    assert_eq!(kinds(&sandbox), [("connect4", FaultKind::Elsewhere)]);
    mend(&sandbox);
    assert_eq!(kinds(&sandbox), []);
    let faults = sandbox.programs().verify(&other, id).unwrap();
    let kind = faults.first().map(|fault| fault.kind);
    assert_eq!((faults.len(), kind), (1, Some(FaultKind::Missing)));
}
