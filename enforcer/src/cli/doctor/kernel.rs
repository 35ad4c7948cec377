//! What the kernel does, tried in a cgroup and a namespace made for it.

use enforcer_kernel::probe::{Outcome, fire, fire_lsm};

use super::{Report, State};
use crate::lsm::{INSTEAD, unfit};
use crate::trial::{Room, myself};

const PART: &str = "kernel";
const HOOKS: &str = "hooks";

pub(super) fn look(report: &mut Report) {
    match Room::make("doctor") {
        Ok(room) => {
            hooks(report, &room);
            try_lsm(report, &room);
            if let Err(error) = room.remove() {
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
            Outcome::Refused(why) | Outcome::Silent(why) => {
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
    let tried = myself("--act-lsm")
        .and_then(|mut actor| Ok(fire_lsm(&room.pins, room.cgroup.dir(), &mut actor)?));
    let trials = match tried {
        Ok(trials) => trials,
        Err(error) => {
            report.note(PART, "lsm", State::Unknown, format!("not tried: {error:#}"));
            return;
        }
    };
    let unfit = unfit(&trials);
    if unfit.is_empty() {
        let found = "families of sockets, unix sockets and changes of cgroups are judged by programs for the kernel's security modules";
        report.note(PART, "lsm", State::Covered, found);
    } else {
        let found = format!("{}; {INSTEAD}", unfit.join("; "));
        report.note(PART, "lsm", State::Instead, found);
    }
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
