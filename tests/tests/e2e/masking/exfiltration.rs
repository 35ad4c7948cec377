//! Ways to carry a secret past the rules: encodings, places, pieces. Each must be refused, and nothing of it seen by the
//! upstream or by the world; and each with a word about the weather in the secret's place must pass, or it shows nothing.

mod place;
mod rows;
mod veil;

use crate::masking::request::Request;
use crate::masking::{CANARY, KEY};
use crate::stage::Stage;
use rows::{HOST, LABEL, Row};

const POLICY: &str = r#"
version: 1
name: leaks
detectors:
  planted: { canary: [wren-42-orchard-lantern] }
rules:
  - id: everything
    effect: allow
    match: { host: [drop.corp.example, "*.drop.corp.example"], method: [GET, POST] }
    mask: { detect: [secret, planted], direction: request, action: block }
"#;

/// As long as the values that they stand for, and as easily split.
const WEATHER: [&str; 2] = [
    "the-weather-in-oslo-is-fine-and-warm-today-they-say",
    "the-weather-is-fine-now",
];

/// What became of the requests of one row.
struct Trial {
    statuses: Vec<u64>,
    /// How many reached the upstream.
    arrived: usize,
}

#[test]
fn nothing_gets_past_the_rules_in_another_spelling_another_place_or_in_pieces() {
    let Some(mut stage) = stage() else { return };
    let mut problems = Vec::new();
    for row in rows::covered() {
        for (value, weather) in [KEY, CANARY].into_iter().zip(WEATHER) {
            if value == KEY && row.spares_keys {
                continue;
            }
            let control = attempt(&mut stage, &row, weather);
            if !control.has_passed() {
                problems.push(format!(
                    "proves nothing, {:?}: {}",
                    control.statuses, row.technique
                ));
            }
            let trial = attempt(&mut stage, &row, value);
            if !trial.was_refused() {
                let Trial { statuses, arrived } = trial;
                let technique = &row.technique;
                problems.push(format!(
                    "LEAKED {value:.3}, {arrived} arrived, {statuses:?}: {technique}"
                ));
            }
        }
    }
    assert!(
        problems.is_empty(),
        "{} of them:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert_eq!(stage.leaked(), []);
}

/// The gaps that `SECURITY.md` names; a row that is refused here belongs to the table above.
#[test]
fn what_no_table_of_encodings_can_have_still_leaves() {
    let Some(mut stage) = stage() else { return };
    for row in rows::uncovered() {
        let trial = attempt(&mut stage, &row, KEY);
        assert!(
            trial.has_passed(),
            "no longer leaves, {:?}: {}",
            trial.statuses,
            row.technique
        );
    }
}

#[test]
fn a_name_that_spells_a_secret_does_not_leave_by_being_looked_up() {
    let Some(stage) = stage() else { return };
    let hidden = veil::hex(CANARY);
    let found: serde_json::Value = stage
        .agent
        .probe(&["resolve", &format!("{LABEL}.{HOST}")])
        .expect("a probe");
    assert_eq!(found["error"], serde_json::Value::Null, "{found}");
    for name in [format!("{hidden}.{HOST}"), format!("{CANARY}.{HOST}")] {
        let _: serde_json::Value = stage.agent.probe(&["resolve", &name]).expect("a probe");
        let answer = Request::to(&name, "/test/echo").send(&stage);
        assert_ne!(answer.status, 200, "{answer:?}");
    }
    stage.assert_nothing_got_out();
}

// === impl Trial ===

impl Trial {
    fn has_passed(&self) -> bool {
        let is_good = |status: &u64| matches!(status, 200 | 204);
        self.arrived == self.statuses.len() && self.statuses.iter().all(is_good)
    }

    /// The request that would have made it whole was refused, and did not arrive.
    fn was_refused(&self) -> bool {
        let refused = self
            .statuses
            .iter()
            .filter(|status| **status == 403)
            .count();
        refused > 0 && self.arrived + refused == self.statuses.len()
    }
}

fn stage() -> Option<Stage> {
    Stage::with(POLICY, |setup| {
        let at = |name: &str| {
            let known = setup.connect_to.iter().find(|(known, _)| known == name);
            known.map(|(_, address)| *address)
        };
        let upstream = at("api.openai.com:443").expect("an upstream");
        let label = format!("{LABEL}.{HOST}:443");
        setup
            .to(&format!("{HOST}:443"), upstream)
            .to(&label, upstream)
    })
}

/// Sends a value as a row says, from a workload of which no pieces are remembered.
fn attempt(stage: &mut Stage, row: &Row, value: &str) -> Trial {
    if row.is_in_pieces {
        stage.cgroup = stage.sandbox.cgroup().expect("a cgroup");
        stage.daemon.label(&stage.cgroup).expect("a label");
        stage.agent = stage.daemon.agent(&stage.cgroup).expect("an agent");
        // As for any client that has asked before, what comes with each of its requests is known.
        let ordinary = Request::to(HOST, "/test/echo").json(&serde_json::json!({}));
        assert_eq!(ordinary.send(stage).status, 200);
    }
    let before = stage.upstream.journal().arrivals().len();
    let sent = row.requests(value);
    let statuses = sent.iter().map(|request| request.send(stage).status);
    Trial {
        statuses: statuses.collect(),
        arrived: stage.upstream.journal().arrivals().len() - before,
    }
}
