use enforcer_control::DistrustedView;
use enforcer_policy::{PolicySet, Source};

use super::*;

fn checked(verdict: Verdict) -> Checked {
    Checked {
        runtime: "Node",
        program: "/usr/bin/node".into(),
        verdict,
        detail: Some("self-signed certificate in certificate chain".to_owned()),
        advice: Some("set NODE_EXTRA_CA_CERTS".to_owned()),
    }
}

fn text(report: &Report) -> String {
    let mut text = Vec::new();
    report::write(&mut text, report).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_runtime_that_does_not_trust_gets_a_rule_that_policy_takes() {
    let distrusted =
        ["b.example", "a.example", enforcer_flow::CHECK_NAME].map(|host| DistrustedView {
            host: host.to_owned(),
            program: "node".to_owned(),
            count: 2,
        });
    let view = TrustView {
        workload: "w".to_owned(),
        stores: Vec::new(),
        problems: Vec::new(),
        distrusted: distrusted.into(),
    };
    let report = Report::new(
        "w".to_owned(),
        vec![checked(Verdict::NotTrusted)],
        Some(view),
    );
    assert!(!report.trusted);
    assert_eq!(report.refused, ["a.example", "b.example"]);
    let shown = text(&report);
    assert!(
        shown.contains("NOT TRUSTED") && shown.contains("NODE_EXTRA_CA_CERTS"),
        "{shown}"
    );
    let rule = report.rule.unwrap();
    assert!(shown.contains(&rule), "{shown}");
    let text = format!("version: 1\nname: unopened\nrules:\n{rule}");
    let source = Source {
        name: "unopened.yaml",
        text: &text,
    };
    PolicySet::compile(&[source]).unwrap_or_else(|found| panic!("{text}: {found:?}"));
}

#[test]
fn where_all_trust_there_is_no_rule() {
    let all = vec![checked(Verdict::Trusted), checked(Verdict::NotChecked)];
    let report = Report::new("w".to_owned(), all, None);
    assert!(report.trusted);
    assert_eq!(report.rule, None);
}

#[test]
fn variables_are_written_for_who_reads_them() {
    let variables = [("A", OsString::from("it's"))];
    let written = |format| {
        let mut out = Vec::new();
        write_variables(&mut out, format, &variables).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(Format::EnvFile), "A=it's\n");
    assert_eq!(written(Format::Shell), "export A='it'\\''s'\n");
    assert_eq!(written(Format::Json), "{\"A\":\"it's\"}\n");
}
