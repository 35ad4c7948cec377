//! The programs for the kernel's security modules: wanted or not, and what came of it.

use anyhow::Context as _;
use enforcer_kernel::Programs;
use enforcer_kernel::lsm::Need;
use enforcer_kernel::probe::{Outcome, Trial};

use crate::config::Lsm;
use crate::trial::{Room, myself};

/// What covers instead, where there are none.
pub(crate) const INSTEAD: &str = "`enforcer run` and the container wrapper drop capabilities, filter socket families and keep \
                                  cgroupfs read-only; cgroups that you label yourself have the hooks alone";

/// Adds them to the others, if they are wanted and fire here. Returns what came of it, for operators.
///
/// # Errors
/// When they are required and one of them does not fire.
pub(crate) fn add(wanted: Lsm, programs: &mut Programs) -> anyhow::Result<String> {
    let need = match wanted {
        Lsm::Auto => Need::Optional,
        Lsm::Off => return Ok(format!("off, as `lsm` says; {INSTEAD}")),
        Lsm::Require => Need::Required,
    };
    let tried = try_out(programs, need);
    match (need, tried) {
        (Need::Required, tried) => {
            let unfit = unfit(&tried.context("`lsm: require`: the programs cannot be tried")?);
            anyhow::ensure!(
                unfit.is_empty(),
                "`lsm: require`: {}; boot with `bpf` in the list of `lsm=`, or set `lsm: auto` to go on without",
                unfit.join("; ")
            );
            Ok(words(&[]))
        }
        (Need::Optional, Ok(trials)) => Ok(words(&unfit(&trials))),
        (Need::Optional, Err(error)) => {
            tracing::warn!(error = %format_args!("{error:#}"), "the programs for the kernel's security modules could not be tried");
            Ok(format!(
                "none, they could not be tried ({error:#}); {INSTEAD}"
            ))
        }
    }
}

fn try_out(programs: &mut Programs, need: Need) -> anyhow::Result<Vec<Trial>> {
    let room = Room::make("lsm")?;
    let mut actor = myself("--act-lsm")?;
    let tried = programs.add_lsm(room.cgroup.dir(), &mut actor, need);
    room.remove()?;
    Ok(tried?)
}

/// What is wrong with those that do not fire.
pub(crate) fn unfit(trials: &[Trial]) -> Vec<String> {
    let trials = trials.iter();
    trials
        .filter_map(|Trial { hook, outcome }| match outcome {
            Outcome::Fired => None,
            Outcome::NotTried => Some(format!("{hook} was not tried")),
            Outcome::Refused(why) => Some(format!("the kernel does not take {hook} ({why})")),
            Outcome::Silent(why) => Some(format!("{hook} attaches and NEVER FIRES ({why})")),
        })
        .collect()
}

fn words(unfit: &[String]) -> String {
    if unfit.is_empty() {
        "families of sockets, unix sockets and changes of cgroups are judged by the kernel's security modules, too".to_owned()
    } else {
        format!("{}; {INSTEAD}", unfit.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_does_not_fire_is_said_with_what_covers_instead() {
        let trial = |outcome| {
            [Trial {
                hook: "lsm_socket",
                outcome,
            }]
        };
        assert!(unfit(&trial(Outcome::Fired)).is_empty());
        for outcome in [
            Outcome::NotTried,
            Outcome::Refused("no".to_owned()),
            Outcome::Silent("`lsm_socket` came to `done`".to_owned()),
        ] {
            let said = words(&unfit(&trial(outcome)));
            assert!(
                said.contains("lsm_socket") && said.ends_with(INSTEAD),
                "{said}"
            );
        }
        assert!(!words(&[]).contains(INSTEAD));
    }
}
