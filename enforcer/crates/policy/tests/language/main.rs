//! The language from outside: texts in, decisions and findings out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bodies;
mod content;
mod decisions;
mod found;
mod hosts;
mod masking;
mod mistakes;
mod odd;
mod paths;
mod properties;
mod recording;
mod scope;
mod shipped;
mod stages;

use enforcer_flow::{CgroupId, Workload};
use enforcer_policy::{Cases, Decision, Diagnostic, PolicySet, Source};

/// Rules as a policy named `p`.
fn policy(rules: &str) -> String {
    format!("version: 1\nname: p\nrules:\n{rules}")
}

/// Compiles rules that must be right.
fn compile(rules: &str) -> PolicySet {
    let text = policy(rules);
    match compile_text(&text) {
        Ok((set, _)) => set,
        Err(found) => panic!("{}\n{text}", lines(&found)),
    }
}

fn compile_text(text: &str) -> Result<(PolicySet, Vec<Diagnostic>), Vec<Diagnostic>> {
    PolicySet::compile(&[Source {
        name: "p.yaml",
        text,
    }])
}

fn workload(name: &str, policy: Option<&str>) -> Workload {
    Workload {
        name: name.into(),
        policy: policy.map(Into::into),
        cgroup: CgroupId(7),
        path: "/agents/a".into(),
        attributes: Default::default(),
        stance: enforcer_flow::Stance::default(),
    }
}

/// Asks one line, as case tables have them, and gives the decision as `VERDICT [RULE-ID] [CAUSE]`.
fn ask(set: &PolicySet, line: &str) -> String {
    let quoted = line.replace('\'', "''");
    let table = format!("cases:\n  - ask: '{quoted}'\n    expect: deny\n");
    let source = Source {
        name: "line",
        text: &table,
    };
    let cases = Cases::parse(source).unwrap_or_else(|found| panic!("{}", lines(&found)));
    let outcome = cases.run(set, "p").remove(0);
    shown(&outcome.explanation.decision)
}

fn shown(decision: &Decision) -> String {
    let rule = decision.rule.as_ref().map(|rule| rule.id());
    let cause = Some(decision.cause.code()).filter(|code| *code != "rule");
    let words = [Some(decision.verdict.as_str()), rule, cause];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The one way every table is checked: these rules answer these lines like this.
fn check(rules: &str, table: &[(&str, &str)]) {
    let set = compile(rules);
    for (line, expected) in table {
        assert_eq!(ask(&set, line), *expected, "{line}\nby\n{rules}");
    }
}

fn lines(found: &[Diagnostic]) -> String {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
