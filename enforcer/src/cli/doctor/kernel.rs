//! What the kernel does, tried in a cgroup and a namespace made for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use enforcer_identity::{Cgroup, Hierarchy, RUNS};
use enforcer_kernel::probe::{Lsm, Outcome, fire, lsm};

use super::{Report, State};
use crate::app::RUN_PINS;

const PART: &str = "kernel";
const HOOKS: &str = "hooks";
/// How long what was tried may take to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cgroup and a place to pin, of the doctor's own. Like those of a run: what is left by one that was killed goes with theirs.
struct Room {
    cgroup: Cgroup,
    pins: PathBuf,
}

pub(super) fn look(report: &mut Report) {
    match Room::make() {
        Ok(room) => {
            hooks(report, &room);
            try_lsm(report, &room);
            if let Err(error) = room.cgroup.remove(PATIENCE) {
                let found = format!("the cgroup of the trial could not be removed: {error}");
                report.note(PART, "leftovers", State::Unknown, found);
            }
        }
        Err(error) => {
            report.note(
                HOOKS,
                "all",
                State::Unknown,
                format!("not tried: {error:#}"),
            );
        }
    }
    tcx(report);
    sock_destroy(report);
    unix_sockets(report);
    scopes(report);
}

fn hooks(report: &mut Report, room: &Room) {
    let actor = myself("--act");
    let trials = actor.and_then(|mut actor| Ok(fire(&room.pins, room.cgroup.dir(), &mut actor)?));
    let trials = match trials {
        Ok(trials) => trials,
        Err(error) => {
            let found = format!("the programs cannot be tried: {error:#}");
            let finding = report.note(HOOKS, "all", State::Open, found);
            finding.mend("nothing can be enforced on this machine until that is mended");
            return;
        }
    };
    for trial in trials {
        match trial.outcome {
            Outcome::Fired => {
                report.note(HOOKS, trial.hook, State::Covered, "attached, and fires");
            }
            Outcome::NotTried => {
                let found = "attached; no trial is made of it";
                report.note(HOOKS, trial.hook, State::Covered, found);
            }
            Outcome::Silent(why) => {
                let finding = report.note(
                    HOOKS,
                    trial.hook,
                    State::Open,
                    format!("DOES NOT FIRE: {why}"),
                );
                finding.mend(
                    "do not run agents on this kernel; report it with `uname -a` and this output",
                );
            }
        }
    }
}

fn try_lsm(report: &mut Report, room: &Room) {
    let actor = myself("--act-socket");
    let instead = "`enforcer run` and the container wrapper drop capabilities, filter socket families and keep cgroupfs \
                   read-only; cgroups that you label yourself have the hooks alone";
    let (state, found) = match actor.and_then(|mut actor| Ok(lsm(room.cgroup.dir(), &mut actor)?)) {
        Ok(Lsm::Fires) => (
            State::Covered,
            "programs of this kind load, attach and fire; none is used yet".to_owned(),
        ),
        Ok(Lsm::Deaf) => (
            State::Instead,
            format!("programs of this kind attach and NEVER FIRE; {instead}"),
        ),
        Ok(Lsm::Refused(why)) => (
            State::Instead,
            format!("the kernel takes no program of this kind ({why}); {instead}"),
        ),
        Err(error) => (State::Unknown, format!("not tried: {error:#}")),
    };
    report.note(PART, "lsm", state, found);
}

fn tcx(report: &mut Report) {
    match enforcer_kernel::probe_tcx() {
        Ok(true) => {
            report.note(
                PART,
                "tcx",
                State::Covered,
                "wires of containers can be sealed: a program there drops packets",
            );
        }
        Ok(false) => {
            let found = "wires of containers cannot be sealed: packet sockets there are stopped by dropped capabilities alone";
            report
                .note(PART, "tcx", State::Open, found)
                .mend("use Linux 6.6 or newer, or drop CAP_NET_RAW");
        }
        Err(error) => {
            report.note(PART, "tcx", State::Unknown, format!("not tried: {error}"));
        }
    }
}

fn sock_destroy(report: &mut Report) {
    match enforcer_kernel::sockets::can_be_destroyed() {
        Ok(true) => {
            report.note(
                PART,
                "sock_destroy",
                State::Covered,
                "connections from before a label can be ended",
            );
        }
        Ok(false) => {
            let found = "connections from before a label cannot be ended; the backstop drops all that they send";
            report.note(PART, "sock_destroy", State::Instead, found);
        }
        Err(error) => {
            report.note(
                PART,
                "sock_destroy",
                State::Unknown,
                format!("not tried: {error}"),
            );
        }
    }
}

/// Where the kernel has the hooks, they are fired like all others.
fn unix_sockets(report: &mut Report) {
    if !enforcer_kernel::unix::is_supported() {
        let found = "unix sockets of labelled workloads cannot be refused; `enforcer run` hides the host's all the same";
        report
            .note(PART, "connect_unix", State::Open, found)
            .mend("use Linux 6.7 or newer, or keep the host's sockets from agents by permissions or mount namespaces");
    }
}

fn scopes(report: &mut Report) {
    if enforcer_kernel::confine::scopes_are_supported() {
        let found = "the command of `enforcer run` is kept from processes and abstract sockets that are not its own";
        report.note(PART, "landlock", State::Covered, found);
    } else {
        let found = "the command of `enforcer run` may trace and signal other processes of the user it runs as";
        report
            .note(PART, "landlock", State::Open, found)
            .mend("use Linux 6.12 or newer with Landlock among its security modules, or give each agent a user of its own");
    }
}

/// This binary, as a child that acts.
fn myself(act: &str) -> anyhow::Result<Command> {
    let own = std::env::current_exe().context("this binary is nowhere to be found")?;
    let mut command = Command::new(own);
    command.arg("doctor").arg(act);
    Ok(command)
}

impl Room {
    fn make() -> anyhow::Result<Self> {
        let id = format!("doctor-{}", std::process::id());
        let hierarchy = Hierarchy::discover()?;
        Ok(Self {
            cgroup: hierarchy.create(&format!("{RUNS}/{id}"))?,
            pins: Path::new(RUN_PINS).join(id),
        })
    }
}
