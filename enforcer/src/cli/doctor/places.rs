//! What is there already: other software at the same places, the daemon and its files.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use enforcer_audit::Verifier;
use enforcer_control::{ClientError, Status};
use enforcer_identity::Hierarchy;
use enforcer_kernel::probe::strangers;

use super::super::status::{Address, ask};
use super::{Report, State};
use crate::config::Config;
use crate::policies;

const OTHERS: &str = "others";
const PLACES: &str = "places";
const DAEMON: &str = "daemon";

pub(super) fn look(report: &mut Report, config: &Config, daemon: &Address) {
    programs(report);
    redirects(report);
    state(report, config);
    ledger(report, config);
    authority(report, config);
    loaded_policies(report, config);
    running(report, daemon);
}

/// Programs of others on the root, and on all that is above a labelled cgroup.
fn programs(report: &mut Report) {
    let Ok(hierarchy) = Hierarchy::discover() else {
        return;
    };
    let mut dirs: BTreeSet<PathBuf> = BTreeSet::from([hierarchy.mount().to_owned()]);
    for (cgroup, _) in &hierarchy.scan(&[]).labelled {
        let above = cgroup.dir().ancestors().skip(1);
        dirs.extend(
            above
                .take_while(|dir| dir.starts_with(hierarchy.mount()))
                .map(Path::to_owned),
        );
    }
    let mut seen = false;
    for dir in dirs {
        match strangers(&dir) {
            Ok(found) => {
                for one in found {
                    seen = true;
                    let name = if one.name.is_empty() {
                        "without a name"
                    } else {
                        &one.name
                    };
                    let found = format!(
                        "program {} ({name}) of others beside {} on {}",
                        one.id,
                        one.beside,
                        dir.display()
                    );
                    let finding = report.note(OTHERS, "programs", State::Unknown, found);
                    finding.mend("what it refuses is refused, but one that rewrites addresses runs after ours: see `bpftool cgroup tree`, and label where it does not reach");
                }
            }
            Err(error) => {
                seen = true;
                report.note(
                    OTHERS,
                    "programs",
                    State::Unknown,
                    format!("{}: {error}", dir.display()),
                );
            }
        }
    }
    if !seen {
        report.note(
            OTHERS,
            "programs",
            State::Covered,
            "none of others on the root or above labelled cgroups",
        );
    }
}

/// Rules that would lead packets of ours elsewhere.
fn redirects(report: &mut Report) {
    let Ok(listed) = Command::new("nft").args(["list", "ruleset"]).output() else {
        report.note(OTHERS, "redirects", State::Covered, "no nft here to list rules that redirect; agents' packets go by loopback to our own ports");
        return;
    };
    let rules = String::from_utf8_lossy(&listed.stdout);
    let suspicious = rules.lines().find(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        ["redirect", "dnat", "tproxy"]
            .iter()
            .any(|word| words.contains(word))
            && line.contains("lo")
    });
    match suspicious {
        None => {
            report.note(
                OTHERS,
                "redirects",
                State::Covered,
                "no nft rule redirects what goes by loopback",
            );
        }
        Some(rule) => {
            let found = format!(
                "an nft rule redirects what goes by loopback: {}",
                rule.trim()
            );
            report
                .note(OTHERS, "redirects", State::Unknown, found)
                .mend("except 127.0.0.1 from it");
        }
    }
}

fn state(report: &mut Report, config: &Config) {
    let folder = &config.state_dir;
    let shown = folder.display();
    match fs::metadata(folder) {
        Ok(about) if about.uid() != 0 || about.permissions().mode() & 0o077 != 0 => {
            let found = format!("{shown} can be used by others than root");
            report
                .note(PLACES, "state", State::Open, found)
                .mend(format!("chown root {shown}; chmod 700 {shown}"));
        }
        Ok(_) => {
            report.note(
                PLACES,
                "state",
                State::Covered,
                format!("{shown}, for root alone"),
            );
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            report.note(
                PLACES,
                "state",
                State::Covered,
                format!("{shown} is made at the first start"),
            );
        }
        Err(error) => {
            report.note(PLACES, "state", State::Unknown, format!("{shown}: {error}"));
        }
    }
}

fn ledger(report: &mut Report, config: &Config) {
    let path = &config.ledger.path;
    if !path.exists() {
        report.note(
            PLACES,
            "ledger",
            State::Covered,
            format!("{} is made at the first start", path.display()),
        );
        return;
    }
    match Verifier::new().verify(path) {
        Ok(found) if found.finding.is_none() => {
            report.note(
                PLACES,
                "ledger",
                State::Covered,
                format!("{} is sound", path.display()),
            );
        }
        Ok(_) => {
            let finding = report.note(
                PLACES,
                "ledger",
                State::Open,
                format!("{} was changed", path.display()),
            );
            finding.mend(format!(
                "see `enforcer audit verify --file {}`",
                path.display()
            ));
        }
        Err(error) => {
            report.note(PLACES, "ledger", State::Unknown, error.to_string());
        }
    }
}

fn authority(report: &mut Report, config: &Config) {
    let key = config.ca.dir.join("ca.key");
    match fs::metadata(&key) {
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            let found = format!(
                "{} can be read by others: they can impersonate any host to agents",
                key.display()
            );
            report
                .note(PLACES, "ca", State::Open, found)
                .mend("rotate it with `enforcer ca rotate`, and look who had it");
        }
        Ok(_) => {
            report.note(
                PLACES,
                "ca",
                State::Covered,
                format!("{}, for its owner alone", key.display()),
            );
        }
        Err(_) => {
            report.note(
                PLACES,
                "ca",
                State::Covered,
                "made at the first start, or brought along",
            );
        }
    }
}

fn loaded_policies(report: &mut Report, config: &Config) {
    let path = &config.policies;
    match policies::load(path, &config.secret_names()) {
        Ok(set) => {
            report.note(
                PLACES,
                "policies",
                State::Covered,
                format!("{} rules from {}", set.rules(), path.display()),
            );
        }
        Err(error) => {
            let finding = report.note(PLACES, "policies", State::Open, format!("{error:#}"));
            finding.mend(format!(
                "see `enforcer policy check {}`; the daemon does not start without",
                path.display()
            ));
        }
    }
}

fn running(report: &mut Report, daemon: &Address) {
    let asked = daemon.client().and_then(|client| ask(client.status()));
    match asked {
        Ok(Ok(status)) => described(report, &status),
        Ok(Err(ClientError::NotRunning { .. })) => {
            report.note(
                DAEMON,
                "running",
                State::Covered,
                "no daemon runs; labelled cgroups are refused until one does",
            );
        }
        Ok(Err(error)) => {
            report.note(DAEMON, "running", State::Unknown, error.to_string());
        }
        Err(error) => {
            report.note(DAEMON, "running", State::Unknown, format!("{error:#}"));
        }
    }
}

fn described(report: &mut Report, status: &Status) {
    let found = format!(
        "process {}, {} workloads",
        status.pid,
        status.workloads.len()
    );
    report.note(DAEMON, "running", State::Covered, found);
    for danger in &status.dangers {
        report.note(DAEMON, "danger", State::Open, danger.clone());
    }
    for quarantine in &status.quarantines {
        report.note(
            DAEMON,
            "quarantine",
            State::Covered,
            format!("{quarantine} is in quarantine"),
        );
    }
    let problems = status
        .watchdog
        .iter()
        .flat_map(|watchdog| &watchdog.problems);
    for problem in problems {
        report.note(DAEMON, "programs", State::Open, problem.clone());
    }
    if let Some(problem) = &status.ledger.problem {
        report.note(DAEMON, "ledger", State::Open, problem.clone());
    }
    if let Some(problem) = &status.policy.problem {
        report.note(
            DAEMON,
            "policies",
            State::Open,
            format!("the newest files are not in force: {problem}"),
        );
    }
}
