use std::collections::BTreeMap;

use enforcer_flow::{
    Attributes, ClientAddr, Container, Host, OriginalDst, Pod, Principal, Protocol, Secret,
};

use super::*;
use crate::entry::line::render;
use crate::{BodyFacts, Digest, Fingerprint, MAX_LINE};
use proptest::prelude::*;
use serde_json::Value;

struct Sample {
    workload: Workload,
    process: Process,
    host: Host,
    flow: FlowId,
    exchange: ExchangeId,
    credentials: Vec<Fingerprint>,
}

impl Sample {
    fn of(text: &str) -> Self {
        let fingerprinter = crate::Fingerprinter::from_key(&Secret::new([7; 32]));
        Self {
            workload: Workload {
                name: text.into(),
                policy: Some(text.into()),
                cgroup: CgroupId(u64::MAX),
                path: text.into(),
                attributes: attributes(text).into(),
                stance: enforcer_flow::Stance::default(),
            },
            process: Process {
                pid: u32::MAX,
                uid: 0,
                comm: text.into(),
                started: Some(u64::MAX),
                exe: Some(text.into()),
                argv: Some(text.into()),
            },
            host: Host::parse("api.example.com").unwrap(),
            flow: FlowId::new(),
            exchange: ExchangeId::new(),
            credentials: vec![fingerprinter.fingerprint("cookie", b"x"); 40],
        }
    }

    fn flow(&self) -> FlowFacts<'_> {
        FlowFacts {
            flow: self.flow,
            workload: Some(&self.workload),
            process: Some(&self.process),
            client: ClientAddr::new(([127, 0, 0, 1], 40_000).into()),
            original_dst: Some(OriginalDst::new(([192, 0, 2, 1], 443).into())),
        }
    }

    fn exchange<'a>(&'a self, text: &'a str) -> ExchangeFacts<'a> {
        ExchangeFacts {
            exchange: self.exchange,
            flow: self.flow,
            workload: &self.workload,
            process: &self.process,
            protocol: Protocol::Https,
            host: &self.host,
            port: 443,
            method: Some(text),
            path: Some(text),
            query_bytes: Some(3),
            credentials: &self.credentials,
            content: None,
        }
    }

    fn name<'a>(&'a self, text: &'a str) -> NameFacts<'a> {
        NameFacts {
            workload: Some(&self.workload),
            process: Some(&self.process),
            name: text,
            record: text,
        }
    }
}

fn attributes(text: &str) -> Attributes {
    let labels: BTreeMap<_, _> = (0..40)
        .map(|n| (format!("{n}{text}").into(), text.into()))
        .collect();
    Attributes {
        container: Some(Container {
            id: text.into(),
            name: Some(text.into()),
            image: Some(text.into()),
        }),
        labels: labels.clone(),
        pod: Some(Pod {
            namespace: text.into(),
            name: text.into(),
            uid: Some(text.into()),
            service_account: Some(text.into()),
            labels,
        }),
        principal: Principal::of_labels(Some(text), Some(text)),
        unit: Some(text.into()),
    }
}

/// An ending with all there can be in one.
fn closed(sample: &Sample, traffic: Traffic) -> ExchangeClosed {
    ExchangeClosed {
        exchange: sample.exchange,
        flow: sample.flow,
        status: Some(200),
        traffic,
        upstream_addr: Some(([192, 0, 2, 1], 443).into()),
        recording: Some(RecordingFacts {
            digest: Digest::of(b"head"),
            request: Some(BodyFacts {
                bytes: 4,
                cut: 2,
                digest: Digest::of(b"body"),
            }),
            answer: None,
        }),
    }
}

/// Calls `check` with an entry of each kind, every text in it being `text`.
fn each(text: &str, mut check: impl FnMut(&Entry<'_>)) {
    let sample = Sample::of(text);
    let (flow, exchange, name) = (sample.flow(), sample.exchange(text), sample.name(text));
    let traffic = Traffic::default();
    flows(&sample, &flow, text, &mut check);
    check(&Entry::ExchangeGranted {
        facts: &exchange,
        rule: text,
    });
    judged(&exchange, text, &mut check);
    check(&Entry::ExchangeDenied(ExchangeDenied {
        facts: &exchange,
        cause: text,
        rule: Some(text),
        reason: Some(&text),
    }));
    check(&Entry::ExchangeObserved(ExchangeDenied {
        facts: &exchange,
        cause: text,
        rule: Some(text),
        reason: Some(&text),
    }));
    check(&Entry::AddressObserved(AddressObserved {
        flow: sample.flow,
        workload: &sample.workload,
        host: &sample.host,
        port: 443,
        address: [192, 0, 2, 7].into(),
        cause: text,
    }));
    let found = Found {
        detector: text,
        place: text,
        offset: u64::MAX,
        action: text,
        confidence: text,
        count: u64::MAX,
        fingerprint: text,
    };
    check(&Entry::DataFound(DataFound {
        exchange: sample.exchange,
        flow: sample.flow,
        direction: text,
        findings: &[found; FINDINGS + 1],
        more: 1,
    }));
    check(&Entry::HookFault(HookFault {
        workload: Some(&sample.workload),
        cgroup: CgroupId(u64::MAX),
        hook: text,
        cause: text,
        problem: Some(&text),
    }));
    check(&Entry::NameObserved {
        facts: &name,
        cause: text,
    });
    check(&Entry::ExchangeClosed(closed(&sample, traffic)));
    check(&Entry::ExchangeAborted(ExchangeAborted {
        exchange: sample.exchange,
        flow: sample.flow,
        side: Side::Agent,
        cause: text,
        detail: Some(&text),
        traffic,
        recording: None,
    }));
    check(&Entry::NameAnswered {
        facts: &name,
        address: [192, 0, 2, 7].into(),
    });
    check(&Entry::NameRefused {
        facts: &name,
        cause: text,
    });
    administrative(&sample, text, &mut check);
}

fn judged(facts: &ExchangeFacts<'_>, text: &str, check: &mut impl FnMut(&Entry<'_>)) {
    let content = ContentFacts {
        bytes: u64::MAX,
        provider: Some(text),
        operation: Some(text),
        model: Some(text),
        messages: Some(1),
        tools: Some(2),
        mcp: Some(text),
        tool: Some(text),
    };
    check(&Entry::ExchangeGranted {
        facts: &ExchangeFacts {
            content: Some(content),
            ..*facts
        },
        rule: text,
    });
    let ruled = PartRuled {
        exchange: facts.exchange,
        flow: facts.flow,
        part: text,
        name: Some(text),
        count: Some(3),
        cause: text,
        rule: Some(text),
        reason: Some(&text),
    };
    check(&Entry::AnswerBlocked(ruled));
    check(&Entry::AnswerEdited(ruled));
    check(&Entry::AnswerFlagged(ruled));
    check(&Entry::MessageDenied(ruled));
    check(&Entry::PartObserved(ruled));
}

fn flows(sample: &Sample, facts: &FlowFacts<'_>, text: &str, check: &mut impl FnMut(&Entry<'_>)) {
    let traffic = Traffic::default();
    check(&Entry::FlowOpened(facts));
    check(&Entry::FlowRefused(FlowRefused {
        facts,
        cause: text,
        detail: Some(&text),
    }));
    check(&Entry::FlowClosed {
        flow: sample.flow,
        traffic,
    });
    check(&Entry::FlowAborted(FlowAborted {
        flow: sample.flow,
        side: Side::Upstream,
        cause: text,
        detail: Some(&text),
        traffic,
    }));
    let refused = KernelRefused {
        workload: Some(&sample.workload),
        cgroup: CgroupId(7),
        process: &sample.process,
        cause: "socket",
        hook: text,
        protocol: text,
        dst: Some(([192, 0, 2, 1], 53).into()),
    };
    check(&Entry::KernelObserved(refused));
    check(&Entry::KernelRefused(refused));
}

fn administrative(sample: &Sample, text: &str, check: &mut impl FnMut(&Entry<'_>)) {
    check(&Entry::Danger { what: &text });
    check(&Entry::EnforcerStarted(EnforcerStarted {
        version: text,
        mode: Mode::Daemon,
        policy_digest: text,
        rules: 3,
        lsm: text,
    }));
    check(&Entry::EnforcerStopped { reason: text });
    check(&Entry::PolicyLoaded(PolicyLoaded {
        digest: text,
        files: 1,
        rules: 2,
    }));
    check(&Entry::PolicyRejected(PolicyRejected {
        file: &text,
        line: Some(1),
        column: Some(2),
        message: &text,
    }));
    check(&Entry::Suppressed(Suppressed {
        workload: Some(&sample.workload),
        event: text,
        count: 12,
    }));
    check(&Entry::SocketsHidden(SocketsHidden {
        workload: &sample.workload,
        sockets: &text,
        problem: Some(&text),
    }));
    check(&Entry::TrustPlaced(TrustPlaced {
        workload: Some(&sample.workload),
        place: &text,
        authority: text,
        problem: Some(&text),
    }));
    check(&Entry::WorkloadAttached {
        workload: &sample.workload,
        via: text,
    });
    check(&Entry::WorkloadDetached {
        workload: &sample.workload,
        reason: text,
    });
}

fn fields(entry: &Entry<'_>) -> String {
    let mut fields = Vec::new();
    render(entry, &mut fields);
    String::from_utf8(fields).unwrap()
}

fn object(entry: &Entry<'_>) -> Value {
    let fields = fields(entry);
    serde_json::from_str(&format!("{{{}}}", &fields[1..])).unwrap()
}

/// Every string in the tree, but not the keys.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

#[test]
fn a_grant_has_its_fields_in_their_fixed_order() {
    let sample = Sample {
        credentials: vec![
            crate::Fingerprinter::from_key(&Secret::new([7; 32])).fingerprint("cookie", b"x"),
        ],
        ..Sample::of("agent")
    };
    let text = fields(&Entry::ExchangeGranted {
        facts: &sample.exchange("/v1"),
        rule: "r",
    });
    let expected = format!(
        concat!(
            r#","event":"exchange_granted","exchange":"{}","flow":"{}","#,
            r#""workload":{{"name":"agent","policy":"agent","cgroup":18446744073709551615,"path":"agent","principal":"agent","groups":["agent"]}},"#,
            r#""process":{{"pid":4294967295,"uid":0,"comm":"agent"}},"protocol":"https","host":"api.example.com","port":443,"#,
            r#""method":"/v1","path":"/v1","query_bytes":3,"rule":"r","credentials":["{}"]"#
        ),
        sample.exchange, sample.flow, sample.credentials[0]
    );
    assert_eq!(text, expected);
}

#[test]
fn a_judged_body_is_named_and_counted() {
    let sample = Sample::of("agent");
    let content = ContentFacts {
        bytes: 812,
        provider: Some("openai"),
        operation: Some("chat"),
        model: Some("gpt-5"),
        messages: Some(3),
        tools: Some(0),
        ..ContentFacts::default()
    };
    let facts = ExchangeFacts {
        content: Some(content),
        ..sample.exchange("/v1")
    };
    let granted = object(&Entry::ExchangeGranted {
        facts: &facts,
        rule: "r",
    });
    let expected = serde_json::json!({
        "bytes": 812, "provider": "openai", "operation": "chat", "model": "gpt-5", "messages": 3, "tools": 0,
    });
    assert_eq!(granted["content"], expected);
}

#[test]
fn unknown_facts_are_left_out() {
    let facts = FlowFacts {
        flow: FlowId::new(),
        workload: None,
        process: None,
        client: ClientAddr::new("[::1]:9".parse().unwrap()),
        original_dst: None,
    };
    let entry = Entry::FlowRefused(FlowRefused {
        facts: &facts,
        cause: "no_origin",
        detail: None,
    });
    let expected = format!(
        r#","event":"flow_refused","flow":"{}","client":"[::1]:9","cause":"no_origin""#,
        facts.flow
    );
    assert_eq!(fields(&entry), expected);
}

#[test]
fn only_a_grant_grants() {
    let mut grants = Vec::new();
    each("x", |entry| {
        if entry.grants().is_some() {
            grants.push(entry.event());
        }
    });
    grants.dedup();
    assert_eq!(grants, ["exchange_granted", "exchange_observed"]);
}

#[test]
fn every_event_is_named_in_its_line() {
    let mut events = Vec::new();
    each("x", |entry| {
        assert_eq!(object(entry)["event"], entry.event());
        events.push(entry.event());
    });
    events.sort_unstable();
    events.dedup();
    assert_eq!(events.len(), 32);
}

#[test]
fn no_entry_makes_a_line_longer_than_lines_may_be() {
    for worst in ["\u{1}", "\u{2028}", "\u{e0001}", "\""] {
        each(&worst.repeat(10_000), |entry| {
            // Number, time and hash come on top.
            assert!(fields(entry).len() + 256 < MAX_LINE, "{}", entry.event());
        });
    }
}

#[test]
fn what_is_cut_says_how_much() {
    let text = format!("{}é", "a".repeat(255));
    let entry = Entry::EnforcerStopped { reason: &text };
    let shown = object(&entry)["reason"].as_str().unwrap().to_owned();
    assert_eq!(shown, format!("{}…[+2 bytes]", "a".repeat(255)));
}

#[test]
fn only_so_many_credentials_are_named_and_the_rest_counted() {
    let sample = Sample::of("x");
    let granted = object(&Entry::ExchangeGranted {
        facts: &sample.exchange("x"),
        rule: "r",
    });
    assert_eq!(granted["credentials"].as_array().unwrap().len(), 16);
    assert_eq!(granted["more_credentials"], 24);
}

#[test]
fn characters_that_a_terminal_acts_on_do_not_stand_in_the_file() {
    each("\u{1b}[2J\u{202e}\u{9b}\u{7f}\r\u{200b}", |entry| {
        let raw = fields(entry);
        assert!(
            !raw.chars().any(crate::terminal::is_hostile),
            "{}",
            entry.event()
        );
    });
}

proptest! {
    #[test]
    fn every_line_is_json_and_gives_texts_back(text in prop::collection::vec(any::<char>(), 0..60)) {
        let text: String = text.into_iter().collect();
        let mut rounds = Vec::new();
        each(&text, |entry| {
            let mut found = Vec::new();
            strings(&object(entry), &mut found);
            rounds.push((entry.event(), found.contains(&text)));
        });
        for (event, found) in rounds {
            let has_no_text = matches!(event, "exchange_closed" | "flow_closed");
            prop_assert!(found || has_no_text, "{event}");
        }
    }

    #[test]
    fn every_line_is_json_at_every_length(length in 0_usize..6_000, unit in "\\PC|[\\x00-\\x1f\"\\\\]") {
        let text = unit.repeat(length / unit.len());
        each(&text, |entry| { object(entry); });
    }
}
