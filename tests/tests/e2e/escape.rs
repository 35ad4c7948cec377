//! The table of escape attempts: every technique that we know, in every setting, each stopped by what the table says and
//! named by a line of the ledger, while the daemon lives and after it was killed.
//!
//! That nothing arrived counts because the same technique arrives when it is used by somebody whom nobody labelled.

mod crew;
mod place;
mod rows;
mod scene;
mod trial;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::escape::rows::{Control, Cover, Row, Setting, Way};
use crate::escape::scene::Scene;
use crate::escape::trial::{Phase, Trial};

/// Until a line is in the ledger: the daemon looks every second for what was not sent.
const WRITTEN: Duration = Duration::from_secs(5);

#[test]
fn nothing_escapes_from_the_hosts_network_and_every_attempt_is_named() {
    play(Setting::Host);
}

#[test]
fn nothing_escapes_from_a_namespace_of_the_agents_own_and_every_attempt_is_named() {
    play(Setting::Own);
}

/// Each technique is shown to arrive by the first test, from the same machine.
#[test]
fn nothing_escapes_from_a_run_and_every_attempt_is_named() {
    let Some(mut scene) = Scene::new(Setting::Run) else {
        return;
    };
    let is_there = |row: &Row| match row.way {
        Way::Agent | Way::Handed => true,
        // Nobody is in its cgroup before it is enforced, nobody joins it, and no address leads to it.
        Way::Early | Way::Inbound | Way::Outsider => false,
    };
    let rows: Vec<Row> = rows::all().into_iter().filter(is_there).collect();
    let trials = scene.attempt(&rows, Phase::Enforced);
    let trials: Vec<Trial> = trials.into_iter().map(Trial::or_lacking).collect();
    let mut problems = stopped(Setting::Run, &trials);
    problems.extend(unnamed(Setting::Run, &trials, || scene.ledger().entries()));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Free, enforced, and with the daemon killed.
fn play(setting: Setting) {
    let Some(mut scene) = Scene::new(setting) else {
        return;
    };
    let rows = rows::all();
    let free = scene.attempt(&rows, Phase::Free);
    let lacking = controls(setting, &free);
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|row| {
            if lacking.contains(&row.technique) {
                row.lacking()
            } else {
                row
            }
        })
        .collect();
    scene.prepare(&rows);
    scene.enforce();
    let enforced = scene.attempt(&rows, Phase::Enforced);
    let ledger = scene.ledger();
    let mut problems = stopped(setting, &enforced);
    problems.extend(unnamed(setting, &enforced, || ledger.entries()));
    scene.strike();
    let orphaned = scene.attempt(&rows, Phase::Orphaned);
    problems.extend(stopped(setting, &orphaned));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Every technique arrives where nothing is enforced, or the kernel lacks it; those are returned.
#[expect(clippy::print_stdout, reason = "a row that is not run says why")]
fn controls(setting: Setting, trials: &[Trial]) -> Vec<&'static str> {
    let (mut lacking, mut problems) = (Vec::new(), Vec::new());
    for trial in trials {
        match trial.row.control {
            _ if trial.is_unknown_here() => {
                println!("skipped: this kernel lacks {trial}");
                lacking.push(trial.row.technique);
            }
            Control::Cannot(_) => {}
            Control::Neighbour if setting != Setting::Host => {}
            Control::Neighbour | Control::Reaches if trial.arrived => {}
            Control::Reaches if matches!(trial.row.cover(setting), Cover::Nowhere(_)) => {}
            Control::Neighbour | Control::Reaches => {
                problems.push(format!("proves nothing: {trial}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    lacking
}

/// What arrived although it is covered, or did not although the documents say that it does.
fn stopped(setting: Setting, trials: &[Trial]) -> Vec<String> {
    let wrong = trials.iter().filter_map(|trial| {
        let (cover, is_refused) = (trial.row.cover(setting), is_error(trial.account.outcome()));
        match (cover, trial.arrived) {
            (Cover::Leaves(why), false) if !trial.row.is_lacking => {
                Some(format!("no longer leaves ({why}): {trial}"))
            }
            (Cover::Leaves(_), _) => None,
            (_, true) => Some(format!("ESCAPED: {trial}")),
            (Cover::Denied(why), false) if !is_refused => {
                Some(format!("not denied ({why}): {trial}"))
            }
            // An agent goes on seeing the peer that it asked for.
            (_, false) if trial.account.outcome().starts_with("peer ") => {
                Some(format!("sees where it was bent to: {trial}"))
            }
            (_, false) => None,
        }
    });
    wrong.collect()
}

/// Attempts that no line names in time.
fn unnamed(setting: Setting, trials: &[Trial], read: impl Fn() -> Vec<Value>) -> Vec<String> {
    let until = Instant::now() + WRITTEN;
    loop {
        let entries = read();
        let is_named = |trial: &&Trial| {
            let cover = trial.row.cover(setting);
            let mut lines = entries.iter();
            !trial.is_to_be_named(cover) || lines.any(|entry| trial.is_named_by(entry, cover))
        };
        let missing: Vec<&Trial> = trials.iter().filter(|trial| !is_named(trial)).collect();
        if missing.is_empty() || Instant::now() >= until {
            let say = |trial: &Trial| {
                let cover = trial.row.cover(setting);
                let lines = entries
                    .iter()
                    .filter(|entry| trial.is_named_by(entry, Cover::Ended));
                let lines: Vec<String> = lines.map(Value::to_string).collect();
                format!("not named by {cover:?}: {trial} {lines:?}")
            };
            return missing.into_iter().map(say).collect();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether an outcome is a no: the name of an error, or the word of who would not answer.
fn is_error(outcome: &str) -> bool {
    outcome == "refused"
        || outcome.starts_with('E') && outcome.chars().all(|letter| letter.is_ascii_uppercase())
}
