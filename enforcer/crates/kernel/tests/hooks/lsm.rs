//! The programs for the kernel's security modules. Where they do not fire these tests skip, unless [`REQUIRED`] is set.

use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::Instant;

use enforcer_flow::Stance;
use enforcer_kernel::lsm::Need;
use enforcer_kernel::probe::{Outcome, Trial};
use enforcer_kernel::{FaultKind, Hook, Loopback, Programs, Reason, ipproto};

use crate::probe::actor;
use crate::refuse::next;
use crate::sandbox::{Sandbox, block_on};
use crate::watch::{detach, kinds, mend};

/// Names the variable that makes it a failure where the programs do not fire: for machines that were made for them.
const REQUIRED: &str = "ENFORCER_TEST_LSM";
const REFUSED: &str = "error 1";
/// `EAFNOSUPPORT`.
const UNKNOWN: &str = "error 97";

/// Adds the programs to those of a sandbox, or says why not.
fn add(sandbox: &mut Sandbox) -> Result<(), String> {
    let cgroup = sandbox.sibling("trial");
    let programs = sandbox.programs.as_mut().unwrap();
    let trials = programs.add_lsm(&cgroup, &mut actor(), Need::Required);
    let trials = trials.unwrap();
    assert_eq!(trials.len(), 4, "{trials:?}");
    let fires = |trial: &Trial| trial.outcome == Outcome::Fired;
    fs::remove_dir(&cgroup).unwrap();
    if trials.iter().all(fires) {
        Ok(())
    } else {
        Err(format!("{trials:?}"))
    }
}

/// Nothing is attached yet, and the programs are at hand.
fn idle() -> Option<Sandbox> {
    let is_required = std::env::var_os(REQUIRED).is_some();
    let Some(mut sandbox) = Sandbox::idle() else {
        assert!(!is_required, "there are no programs at all");
        return None;
    };
    match add(&mut sandbox) {
        Ok(()) => Some(sandbox),
        Err(why) if is_required => panic!("{why}"),
        Err(why) => {
            println!("skipped: programs for the kernel's security modules do not fire here: {why}");
            None
        }
    }
}

pub(crate) fn sandbox() -> Option<Sandbox> {
    let sandbox = idle()?;
    sandbox.enforce(Loopback::Exempt);
    Some(sandbox)
}

fn procs(cgroup: &Path) -> String {
    cgroup.join("cgroup.procs").display().to_string()
}

/// Makes a child in a cgroup as clone3(2) can, which ends at once.
pub(crate) fn fork_into(cgroup: &Path) -> io::Result<String> {
    const CLONE_INTO_CGROUP: u64 = 1 << 33;
    let folder = File::open(cgroup)?;
    let mut arguments = [0_u64; 11];
    arguments[0] = CLONE_INTO_CGROUP;
    arguments[4] = u64::from(libc::SIGCHLD.unsigned_abs());
    arguments[10] = u64::from(folder.as_raw_fd().unsigned_abs());
    // SAFETY: `struct clone_args` with its own stack left out, as fork does: the child goes on with a copy of ours, and does
    // nothing but end.
    let child = unsafe {
        let child = libc::syscall(libc::SYS_clone3, arguments.as_mut_ptr(), 88);
        if child == 0 {
            libc::_exit(0);
        }
        child
    };
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut status = 0;
    // SAFETY: the status is there to be written, and the child is ours.
    unsafe { libc::waitpid(libc::pid_t::try_from(child).unwrap(), &raw mut status, 0) };
    Ok("ok".to_owned())
}

/// Looks at a file again and again, and says what the call took in the median, in nanoseconds.
pub(crate) fn stats(path: &str, count: usize) -> io::Result<String> {
    let path = std::ffi::CString::new(path)?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let mut about = MaybeUninit::<libc::stat>::uninit();
        let began = Instant::now();
        // SAFETY: the path ends with a zero, and there is room for the answer.
        let done = unsafe { libc::stat(path.as_ptr(), about.as_mut_ptr()) };
        times.push(began.elapsed().as_nanos());
        assert_eq!(done, 0, "{}", io::Error::last_os_error());
    }
    times.sort_unstable();
    Ok(format!("ok {}", times[count / 2]))
}

#[test]
fn only_four_families_of_sockets_are_given_out_and_no_raw_ones() {
    let Some(sandbox) = sandbox() else { return };
    let mut agent = sandbox.agent();
    for order in [
        "socket 1 1 0",
        "socket 1 2 0",
        "socket 16 3 0",
        "socket 16 2 4",
        "socket 2 1 6",
        "socket 10 1 6",
        "socket 2 2 17",
    ] {
        assert_eq!(agent.ask(order), "ok", "{order}");
    }
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        // Packets, vsock, the kernel's ciphers, Bluetooth, XDP, and raw ones of the internet's.
        for (order, protocol) in [
            ("socket 17 3 768", ipproto::FAMILY + 17),
            ("socket 17 2 768", ipproto::FAMILY + 17),
            ("socket 40 1 0", ipproto::FAMILY + 40),
            ("socket 38 5 0", ipproto::FAMILY + 38),
            ("socket 31 3 1", ipproto::FAMILY + 31),
            ("socket 44 3 0", ipproto::FAMILY + 44),
            ("socket 2 3 1", 1),
            ("socket 10 3 58", 58),
        ] {
            assert_eq!(agent.ask(order), REFUSED, "{order}");
            let refused = next(&mut events).await;
            let seen = (refused.hook, refused.reason, refused.protocol);
            let expected = (Hook::LsmSocket, Reason::Socket, protocol);
            assert_eq!(seen, expected, "{order}");
            assert_eq!(refused.cgroup, Some(sandbox.id));
            assert_eq!(refused.process.pid, agent.pid());
        }
    });
    let mut stranger = sandbox.stranger();
    assert_eq!(stranger.ask("socket 17 3 768"), "ok");
    let answer = stranger.ask("socket 31 3 1");
    assert!(answer == UNKNOWN || answer == "ok", "{answer}");
}

#[test]
fn nobody_leaves_the_cgroup_of_its_label() {
    let Some(sandbox) = sandbox() else { return };
    let elsewhere = sandbox.sibling("elsewhere");
    let above = sandbox.cgroup.parent().unwrap();
    let mut agent = sandbox.agent();
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        for order in [
            format!("open {}", procs(&elsewhere)),
            format!("open {}/cgroup.threads", elsewhere.display()),
            format!("open {}", procs(above)),
            format!("fork-into {}", elsewhere.display()),
            format!("fork-into {}", above.display()),
        ] {
            assert_eq!(agent.ask(&order), REFUSED, "{order}");
            let refused = next(&mut events).await;
            let seen = (refused.hook, refused.reason, refused.protocol);
            let expected = (Hook::LsmCgroup, Reason::Cgroup, ipproto::CGROUP);
            assert_eq!(seen, expected, "{order}");
            assert_eq!(refused.cgroup, Some(sandbox.id));
            assert_eq!(refused.process.pid, agent.pid());
        }
    });
    let mut stranger = sandbox.stranger();
    assert_eq!(stranger.ask(&format!("open {}", procs(&elsewhere))), "ok");
    assert_eq!(stranger.ask("write 0"), "ok");
    let order = format!("fork-into {}", elsewhere.display());
    assert_eq!(stranger.ask(&order), "ok");
}

#[test]
fn a_list_that_was_opened_before_the_label_is_of_no_use() {
    let Some(sandbox) = idle() else { return };
    let elsewhere = sandbox.sibling("elsewhere");
    let mut agent = sandbox.agent();
    assert_eq!(agent.ask(&format!("open {}", procs(&elsewhere))), "ok");
    sandbox.enforce(Loopback::Exempt);
    assert_eq!(agent.ask("write 0"), REFUSED);
    let inside = fs::read_to_string(procs(&sandbox.cgroup)).unwrap();
    let pid = agent.pid().to_string();
    assert!(inside.lines().any(|line| line == pid), "{inside}");
}

#[test]
fn below_its_label_everybody_is_free_to_move() {
    let Some(sandbox) = sandbox() else { return };
    let child = sandbox.cgroup.join("child");
    fs::create_dir(&child).unwrap();
    let mut agent = sandbox.agent();
    for cgroup in [&child, &sandbox.cgroup] {
        assert_eq!(agent.ask(&format!("open {}", procs(cgroup))), "ok");
        assert_eq!(agent.ask("write 0"), "ok");
        let order = format!("fork-into {}", cgroup.display());
        assert_eq!(agent.ask(&order), "ok");
    }
    // From further down, too, it is the label that counts.
    assert_eq!(agent.ask(&format!("open {}", procs(&child))), "ok");
    assert_eq!(agent.ask("write 0"), "ok");
    let elsewhere = sandbox.sibling("elsewhere");
    let order = format!("open {}", procs(&elsewhere));
    assert_eq!(agent.ask(&order), REFUSED);
    // Other files are nobody's business.
    let file = tempfile::NamedTempFile::new().unwrap();
    let order = format!("open {}", file.path().display());
    assert_eq!(agent.ask(&order), "ok");
}

#[test]
fn what_the_security_modules_refuse_follows_the_stance() {
    let Some(sandbox) = sandbox() else { return };
    let elsewhere = sandbox.sibling("elsewhere");
    let orders = [
        "socket 17 3 768".to_owned(),
        format!("open {}", procs(&elsewhere)),
    ];
    let mut agent = sandbox.agent();
    let take = |stance| sandbox.programs().take_stance(sandbox.id, stance).unwrap();
    take(Stance::Observe);
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        for order in &orders {
            assert_eq!(agent.ask(order), "ok", "{order}");
            let told = next(&mut events).await;
            assert!(told.let_past, "{told:?}");
        }
    });
    take(Stance::Quarantine);
    for order in &orders {
        assert_eq!(agent.ask(order), REFUSED, "{order}");
    }
}

#[test]
fn security_modules_go_on_without_us_and_a_successor_takes_them_over() {
    let Some(mut sandbox) = sandbox() else { return };
    let mut agent = sandbox.agent();
    drop(sandbox.programs.take());
    assert_eq!(agent.ask("socket 17 3 768"), REFUSED);
    sandbox.programs = Some(Programs::load(&sandbox.pins).unwrap());
    assert_eq!(agent.ask("socket 17 3 768"), REFUSED);
    add(&mut sandbox).unwrap();
    sandbox.enforce(Loopback::Exempt);
    assert_eq!(kinds(&sandbox), []);
    assert_eq!(agent.ask("socket 17 3 768"), REFUSED);
    // One that wants none of them takes them off.
    drop(sandbox.programs.take());
    sandbox.programs = Some(Programs::load(&sandbox.pins).unwrap());
    sandbox.enforce(Loopback::Exempt);
    assert_eq!(kinds(&sandbox), []);
    assert_eq!(agent.ask("socket 17 3 768"), "ok");
}

#[test]
fn a_security_module_that_was_taken_off_is_missed_and_put_back() {
    let Some(mut sandbox) = sandbox() else { return };
    assert_eq!(kinds(&sandbox), []);
    let links = sandbox.pins.join("links").join(sandbox.id.to_string());
    let mut agent = sandbox.agent();
    detach(&links.join("lsm_socket"));
    fs::remove_file(links.join("lsm_cgroup")).unwrap();
    let faults = [
        ("lsm_socket", FaultKind::Detached),
        ("lsm_cgroup", FaultKind::Missing),
    ];
    assert_eq!(kinds(&sandbox), faults);
    let left_out = sandbox.programs().left_out(sandbox.id);
    let left_out: Vec<_> = left_out.iter().map(|fault| fault.hook).collect();
    assert_eq!(
        left_out,
        ["lsm_cgroup"],
        "what hangs nowhere is pinned still"
    );
    assert_eq!(agent.ask("socket 17 3 768"), "ok", "nothing holds it");
    mend(&sandbox);
    assert_eq!(sandbox.programs().left_out(sandbox.id), []);
    assert_eq!(kinds(&sandbox), []);
    assert_eq!(agent.ask("socket 17 3 768"), REFUSED);
    sandbox.programs.take().unwrap().release().unwrap();
    assert!(!sandbox.pins.exists());
    assert_eq!(agent.ask("socket 17 3 768"), "ok", "nothing is left");
}

#[test]
fn a_child_that_cannot_act_proves_nothing_of_security_modules() {
    let Some(mut sandbox) = idle() else { return };
    let cgroup = sandbox.sibling("trial");
    let programs = sandbox.programs.as_mut().unwrap();
    let mut nobody = std::process::Command::new("true");
    let trials = programs.add_lsm(&cgroup, &mut nobody, Need::Optional);
    for trial in trials.unwrap() {
        assert!(matches!(trial.outcome, Outcome::Silent(_)), "{trial:?}");
    }
}

#[test]
#[ignore = "a measurement: `cargo xtask vm -- --ignored cost_of_security_modules`"]
fn cost_of_security_modules() {
    const COUNT: usize = 20_000;
    let Some(sandbox) = idle() else { return };
    let path = format!("{}/cgroup.procs", sandbox.cgroup.display());
    let mut agent = sandbox.agent();
    let mut stranger = sandbox.stranger();
    let order = format!("stats {path} {COUNT}");
    println!("without: stranger {}", stranger.ask(&order));
    sandbox.enforce(Loopback::Exempt);
    println!(
        "with: stranger {}, agent {}",
        stranger.ask(&order),
        agent.ask(&order)
    );
    sandbox.programs().detach(sandbox.id).unwrap();
    println!("without: stranger {}", stranger.ask(&order));
}
