use std::net::IpAddr;
use std::sync::Arc;

use enforcer_flow::{CgroupId, HostError};
use enforcer_policy::Source;
use hickory_proto::op::{Edns, MessageType, OpCode};
use hickory_proto::rr::{DNSClass, Record};
use hickory_proto::serialize::binary::BinEncodable;
use proptest::prelude::*;

use super::*;

const POLICY: &str = r#"
version: 1
name: agents
rules:
  - id: api
    effect: allow
    match: { host: ["api.example", "*.wide.example"] }
"#;

/// A policy, a workload and its names.
struct Bench {
    policy: PolicySet,
    names: Names,
    workload: Workload,
}

/// An answer and its finding.
struct Seen {
    message: Message,
    finding: Option<Finding>,
}

impl Bench {
    fn new() -> Self {
        let source = Source {
            name: "agents.yaml",
            text: POLICY,
        };
        let (policy, _) = PolicySet::compile(&[source]).expect("the test's policy is sound");
        Self {
            policy,
            names: Names::new(),
            workload: workload(7),
        }
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            workload: Some(&self.workload),
            policy: &self.policy,
            names: &self.names,
            transport: Transport::Udp,
        }
    }

    fn send(&self, query: &Message) -> Seen {
        send(query, &self.ground())
    }

    fn ask(&self, name: &str, kind: RecordType) -> Seen {
        self.send(&query(name, kind))
    }
}

impl Seen {
    fn code(&self) -> ResponseCode {
        self.message.response_code
    }

    fn cause(&self) -> Option<Cause> {
        match self.finding.as_ref()?.outcome {
            Outcome::Answered(_) => None,
            Outcome::Refused(cause) => Some(cause),
        }
    }

    fn addr(&self) -> IpAddr {
        match self.message.answers.as_slice() {
            [
                Record {
                    data: RData::A(A(addr)),
                    ..
                },
            ] => IpAddr::V4(*addr),
            [
                Record {
                    data: RData::AAAA(AAAA(addr)),
                    ..
                },
            ] => IpAddr::V6(*addr),
            other => panic!("not one address: {other:?}"),
        }
    }

    /// No such records, or no such name, to be remembered briefly.
    fn is_negative(&self) -> bool {
        let [soa] = self.message.authorities.as_slice() else {
            return false;
        };
        let RData::SOA(data) = &soa.data else {
            return false;
        };
        let brief = |ttl| (1..=5).contains(&ttl);
        self.message.answers.is_empty() && brief(soa.ttl) && brief(data.minimum)
    }

    fn is_bare(&self) -> bool {
        self.message.answers.is_empty() && self.message.authorities.is_empty()
    }
}

fn workload(cgroup: u64) -> Workload {
    Workload {
        name: Arc::from("agent"),
        policy: None,
        cgroup: CgroupId(cgroup),
        path: Arc::from("/agents/agent"),
        attributes: Default::default(),
        stance: enforcer_flow::Stance::default(),
    }
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    let mut message = Message::new(0xbeef, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    message
}

fn with_edns(mut message: Message, payload: u16, version: u8) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(payload).set_version(version);
    edns.set_dnssec_ok(true);
    message.set_edns(edns);
    message
}

fn send(query: &Message, ground: &Ground<'_>) -> Seen {
    let bytes = query.to_vec().unwrap();
    let reply = answer(&bytes, ground);
    let message = Message::from_vec(&reply.message.expect("an answer")).unwrap();
    assert_eq!(message.id, query.id);
    assert_eq!(message.message_type, MessageType::Response);
    assert!(message.recursion_available && !message.truncation);
    assert!(!message.authoritative && !message.authentic_data);
    Seen {
        message,
        finding: reply.finding,
    }
}

#[test]
fn a_name_that_a_rule_could_allow_gets_synthetic_addresses() {
    let bench = Bench::new();
    for (name, kind) in [
        ("api.example.", RecordType::A),
        ("api.example.", RecordType::AAAA),
        ("a.wide.example.", RecordType::A),
    ] {
        let seen = bench.ask(name, kind);
        assert_eq!(seen.code(), ResponseCode::NoError);
        let addr = seen.addr();
        assert!(Names::is_synthetic(addr), "{addr}");
        assert_eq!(seen.message.answers[0].ttl, 60);
        assert_eq!(
            seen.message.answers[0].name,
            *seen.message.queries[0].name()
        );
        let host = Host::parse(name).unwrap();
        assert_eq!(bench.names.name_of(bench.workload.cgroup, addr), Some(host));
        let finding = seen.finding.expect("a grant is recorded");
        assert_eq!(finding.outcome, Outcome::Answered(addr));
        assert_eq!(finding.name, name.trim_end_matches('.'));
        assert_eq!(finding.record, kind.to_string());
        assert_eq!(bench.ask(name, kind).addr(), addr, "answers are stable");
    }
}

#[test]
fn a_name_that_no_rule_could_allow_does_not_exist() {
    let bench = Bench::new();
    for kind in [
        RecordType::A,
        RecordType::AAAA,
        RecordType::ANY,
        RecordType::HTTPS,
        RecordType::TXT,
        RecordType::Unknown(4711),
    ] {
        let seen = bench.ask("secret.exfil.test.", kind);
        assert_eq!(seen.code(), ResponseCode::NXDomain);
        assert!(seen.is_negative());
        let finding = seen.finding.expect("a refusal is recorded");
        assert_eq!(finding.name, "secret.exfil.test");
        let cause = Cause::Policy(enforcer_policy::Cause::NoRule);
        assert_eq!(finding.outcome, Outcome::Refused(cause));
    }
}

#[test]
fn a_name_above_allowed_ones_is_empty_and_not_missing() {
    let bench = Bench::new();
    for name in ["example.", "wide.example."] {
        for kind in [RecordType::A, RecordType::NS, RecordType::HTTPS] {
            let seen = bench.ask(name, kind);
            assert_eq!(seen.code(), ResponseCode::NoError, "{name} {kind}");
            assert!(seen.is_negative(), "{name} {kind}");
            let cause = Cause::Policy(enforcer_policy::Cause::NoRule);
            assert_eq!(seen.cause(), Some(cause), "{name} {kind}");
        }
    }
    assert_eq!(bench.ask("api.example.", RecordType::A).cause(), None);
}

#[test]
fn without_policy_nothing_exists() {
    let bench = Bench::new();
    let policy = PolicySet::deny_all();
    let ground = Ground {
        policy: &policy,
        ..bench.ground()
    };
    let seen = send(&query("api.example.", RecordType::A), &ground);
    assert_eq!(seen.code(), ResponseCode::NXDomain);
    assert!(matches!(seen.cause(), Some(Cause::Policy(_))));
}

#[test]
fn service_bindings_are_withheld() {
    let bench = Bench::new();
    for kind in [
        RecordType::HTTPS,
        RecordType::SVCB,
        RecordType::TXT,
        RecordType::MX,
        RecordType::Unknown(4711),
    ] {
        let seen = bench.ask("api.example.", kind);
        assert_eq!(seen.code(), ResponseCode::NoError, "{kind}");
        assert!(seen.is_negative() && seen.finding.is_none(), "{kind}");
    }
}

#[test]
fn a_question_for_everything_gets_next_to_nothing() {
    let seen = Bench::new().ask("api.example.", RecordType::ANY);
    assert_eq!(seen.code(), ResponseCode::NoError);
    let [record] = seen.message.answers.as_slice() else {
        panic!("one record: {:?}", seen.message);
    };
    assert!(matches!(&record.data, RData::HINFO(hinfo) if *hinfo.cpu == *b"RFC8482"));
}

#[test]
fn a_reverse_lookup_leads_back_to_the_name() {
    let bench = Bench::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let addr = bench.ask("API.example.", kind).addr();
        let seen = bench.ask(&Name::from(addr).to_ascii(), RecordType::PTR);
        let [
            Record {
                data: RData::PTR(PTR(target)),
                ..
            },
        ] = seen.message.answers.as_slice()
        else {
            panic!("one name: {:?}", seen.message);
        };
        assert_eq!(target.to_ascii(), "api.example.");
        let finding = seen.finding.expect("it is recorded");
        assert_eq!((&*finding.name, &*finding.record), ("api.example", "PTR"));
        assert_eq!(finding.outcome, Outcome::Answered(addr));
    }
}

#[test]
fn a_reverse_lookup_tells_nothing_of_others() {
    let bench = Bench::new();
    let addr = bench.ask("api.example.", RecordType::A).addr();
    let reverse = query(&Name::from(addr).to_ascii(), RecordType::PTR);
    let other = workload(8);
    let ground = Ground {
        workload: Some(&other),
        ..bench.ground()
    };
    let seen = send(&reverse, &ground);
    assert_eq!(seen.code(), ResponseCode::NXDomain);
    assert_eq!(seen.cause(), Some(Cause::Reverse));
    let policy = PolicySet::deny_all();
    let ground = Ground {
        policy: &policy,
        ..bench.ground()
    };
    let seen = send(&reverse, &ground);
    assert_eq!(seen.code(), ResponseCode::NXDomain);
    assert!(matches!(seen.cause(), Some(Cause::Policy(_))));
    for foreign in ["8.8.8.8.in-addr.arpa.", "9.255.18.198.in-addr.arpa."] {
        let seen = bench.ask(foreign, RecordType::PTR);
        assert_eq!(seen.code(), ResponseCode::NXDomain);
        assert_eq!(seen.cause(), Some(Cause::Reverse), "{foreign}");
    }
    let seen = bench.ask("18.198.in-addr.arpa.", RecordType::PTR);
    assert!(matches!(seen.cause(), Some(Cause::Policy(_))));
}

#[test]
fn localhost_is_this_machine_and_no_matter_of_record() {
    let bench = Bench::new();
    for name in ["localhost.", "LocalHost.", "a.b.localhost."] {
        let v4 = bench.ask(name, RecordType::A);
        assert_eq!(v4.addr(), IpAddr::from(Ipv4Addr::LOCALHOST));
        let v6 = bench.ask(name, RecordType::AAAA);
        assert_eq!(v6.addr(), IpAddr::from(Ipv6Addr::LOCALHOST));
        let https = bench.ask(name, RecordType::HTTPS);
        assert!(https.is_negative() && https.code() == ResponseCode::NoError);
        assert!(v4.finding.or(v6.finding).or(https.finding).is_none());
    }
    let seen = bench.ask("1.0.0.127.in-addr.arpa.", RecordType::PTR);
    assert_eq!(seen.message.answers.len(), 1);
    let seen = bench.ask("localhost.exfil.test.", RecordType::A);
    assert_eq!(seen.code(), ResponseCode::NXDomain);
}

#[test]
fn the_question_comes_back_letter_by_letter() {
    let seen = Bench::new().ask("aPi.ExAmPlE.", RecordType::A);
    let name = seen.message.queries[0].name();
    assert_eq!(name.to_ascii(), "aPi.ExAmPlE.");
    assert!(seen.message.answers[0].name.eq_case(name));
    assert!(seen.message.recursion_desired);
    assert_eq!(seen.finding.unwrap().name, "api.example");

    let mut query = query("api.example.", RecordType::A);
    query.metadata.recursion_desired = false;
    query.metadata.checking_disabled = true;
    let seen = Bench::new().send(&query);
    assert!(!seen.message.recursion_desired && seen.message.checking_disabled);
}

#[test]
fn edns_is_spoken_to_those_who_speak_it() {
    let bench = Bench::new();
    let plain = query("api.example.", RecordType::A);
    assert!(bench.send(&plain).message.edns.is_none());
    let seen = bench.send(&with_edns(plain.clone(), 4096, 0));
    let edns = seen.message.edns.clone().expect("an OPT record");
    assert_eq!((edns.version(), edns.max_payload()), (0, 1232));
    assert!(edns.flags().dnssec_ok);
    assert_eq!(seen.message.answers.len(), 1);

    let seen = bench.send(&with_edns(plain, 4096, 1));
    assert_eq!(u16::from(seen.code()), u16::from(ResponseCode::BADVERS));
    assert_eq!(seen.cause(), Some(Cause::EdnsVersion));
    assert!(seen.is_bare());
}

#[test]
fn edns_options_are_skipped_if_they_are_options() {
    let bench = Bench::new();
    let check = |options: &[u8], code| {
        let mut bytes = query("api.example.", RecordType::A).to_vec().unwrap();
        bytes[11] = 1;
        bytes.extend([
            0,
            0,
            41,
            4,
            208,
            0,
            0,
            0,
            0,
            0,
            u8::try_from(options.len()).unwrap(),
        ]);
        bytes.extend(options);
        let reply = answer(&bytes, &bench.ground());
        let message = Message::from_vec(&reply.message.unwrap()).unwrap();
        assert_eq!(message.response_code, code, "{options:?}");
    };
    check(&[], ResponseCode::NoError);
    // A cookie, the keep-alive of RFC 7828 without a value, padding.
    check(
        &[
            0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 11, 0, 0, 0, 12, 0, 1, 0,
        ],
        ResponseCode::NoError,
    );
    // A client subnet that is none.
    check(&[0, 8, 0, 1, 255], ResponseCode::NoError);
    check(&[0, 10, 0, 8, 1], ResponseCode::FormErr);
    check(&[0], ResponseCode::FormErr);
}

#[test]
fn what_is_not_one_plain_question_is_refused() {
    let bench = Bench::new();
    let plain = || query("api.example.", RecordType::A);
    let check = |edit: &dyn Fn(&mut Message), code, cause| {
        let mut query = plain();
        edit(&mut query);
        let seen = bench.send(&query);
        assert_eq!((seen.code(), seen.cause()), (code, Some(cause)), "{query}");
        assert!(seen.is_bare());
    };
    let extra = || {
        let data = RData::A(A(Ipv4Addr::LOCALHOST));
        Record::from_rdata(Name::from_ascii("api.example.").unwrap(), 1, data)
    };
    let form = ResponseCode::FormErr;
    check(&|m| m.queries.clear(), form, Cause::Malformed);
    check(
        &|m| {
            m.add_query(plain().queries.remove(0));
        },
        form,
        Cause::Malformed,
    );
    check(&|m| m.answers.push(extra()), form, Cause::Malformed);
    check(&|m| m.authorities.push(extra()), form, Cause::Malformed);
    check(&|m| m.additionals.push(extra()), form, Cause::Malformed);
    check(&|m| m.metadata.truncation = true, form, Cause::Malformed);
    for op_code in [
        OpCode::Status,
        OpCode::Notify,
        OpCode::Update,
        OpCode::Unknown(15),
    ] {
        check(
            &|m| m.metadata.op_code = op_code,
            ResponseCode::NotImp,
            Cause::Opcode,
        );
    }
    for class in [
        DNSClass::CH,
        DNSClass::ANY,
        DNSClass::NONE,
        DNSClass::Unknown(9),
    ] {
        let ask = |m: &mut Message| {
            m.queries[0].set_query_class(class);
        };
        check(&ask, ResponseCode::Refused, Cause::Class);
    }
    for kind in [RecordType::AXFR, RecordType::IXFR, RecordType::TSIG] {
        let ask = |m: &mut Message| {
            m.queries[0].set_query_type(kind);
        };
        check(&ask, ResponseCode::Refused, Cause::Type);
    }
    for kind in [RecordType::OPT, RecordType::ZERO] {
        let ask = |m: &mut Message| {
            m.queries[0].set_query_type(kind);
        };
        check(&ask, form, Cause::Type);
    }
    let root = |m: &mut Message| {
        m.queries[0].set_name(Name::root());
    };
    check(&root, ResponseCode::Refused, Cause::Root);
}

#[test]
fn two_edns_records_or_bytes_behind_the_end_are_refused() {
    let bench = Bench::new();
    let mut twice = with_edns(query("api.example.", RecordType::A), 1232, 0)
        .to_vec()
        .unwrap();
    let opt: Vec<u8> = twice[twice.len() - 11..].to_vec();
    let mut behind = twice.clone();
    twice.extend(opt);
    twice[11] = 2;
    behind.push(0);
    for bytes in [twice, behind] {
        let reply = answer(&bytes, &bench.ground());
        let message = Message::from_vec(&reply.message.unwrap()).unwrap();
        assert_eq!(message.response_code, ResponseCode::FormErr);
    }
}

#[test]
fn a_response_gets_no_answer() {
    let mut message = query("api.example.", RecordType::A);
    message.metadata.message_type = MessageType::Response;
    let bench = Bench::new();
    let reply = answer(&message.to_vec().unwrap(), &bench.ground());
    assert_eq!(reply.message, None);
    let finding = reply.finding.expect("it is recorded");
    assert_eq!(finding.outcome, Outcome::Refused(Cause::Malformed));
}

#[test]
fn names_that_are_no_host_names_do_not_exist() {
    let bench = Bench::new();
    let check = |labels: &[&[u8]], cause, text: &str| {
        let name = Name::from_labels(labels.iter().copied()).unwrap();
        let mut message = Message::new(1, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(name, RecordType::A));
        let seen = bench.send(&message);
        assert_eq!(
            (seen.code(), seen.cause()),
            (ResponseCode::NXDomain, Some(cause)),
            "{text}"
        );
        assert_eq!(seen.finding.unwrap().name, text);
    };
    let character = Cause::Host(HostError::Character);
    check(&[b"api.example"], character, "api\\.example");
    check(&[b"api", b"exam ple"], character, "api.exam\\040ple");
    check(&[b"a\0b", b"example"], character, "a\\000b.example");
    check(&[b"*", b"wide", b"example"], character, "*.wide.example");
    check(
        &["bücher".as_bytes(), b"wide", b"example"],
        character,
        "b\\303\\274cher.wide.example",
    );
    check(&[b"\xff", b"example"], character, "\\377.example");
    check(&[b"::1"], character, "\\:\\:1");
    check(&[b"198", b"18", b"0", b"1"], Cause::Literal, "198.18.0.1");
    check(
        &[b"api", b"0x7f"],
        Cause::Host(HostError::Numeric),
        "api.0x7f",
    );
}

#[test]
fn the_longest_name_is_answered_in_the_smallest_datagram() {
    let bench = Bench::new();
    let label = "a".repeat(63);
    let name = format!("{label}.{label}.{label}.{}.wide.example", "b".repeat(48));
    assert_eq!(name.len(), 253);
    for kind in [
        RecordType::A,
        RecordType::AAAA,
        RecordType::HTTPS,
        RecordType::ANY,
    ] {
        let bytes = query(&name, kind).to_vec().unwrap();
        let reply = answer(&bytes, &bench.ground()).message.unwrap();
        assert!(reply.len() <= 512, "{}", reply.len());
        let message = Message::from_vec(&reply).unwrap();
        assert_eq!(message.response_code, ResponseCode::NoError);
        assert!(!message.truncation);
    }
    let addr = bench.ask(&name, RecordType::AAAA).addr();
    let reverse = query(&Name::from(addr).to_ascii(), RecordType::PTR);
    let reply = answer(&reverse.to_vec().unwrap(), &bench.ground());
    assert!(reply.message.unwrap().len() <= 512);
}

#[test]
fn an_unknown_client_is_refused_whatever_it_asks() {
    let bench = Bench::new();
    let ground = Ground {
        workload: None,
        ..bench.ground()
    };
    for name in ["api.example.", "localhost.", "exfil.test."] {
        let seen = send(&query(name, RecordType::A), &ground);
        assert_eq!(seen.code(), ResponseCode::Refused);
        assert!(seen.is_bare());
        assert_eq!(seen.cause(), Some(Cause::UnknownClient));
    }
    let reply = answer(&[0; 12], &ground);
    let finding = reply.finding.expect("it is recorded");
    assert_eq!(finding.outcome, Outcome::Refused(Cause::UnknownClient));
}

#[test]
fn when_addresses_run_out_nothing_is_mapped_wrongly() {
    let bench = Bench::new();
    let cgroup = bench.workload.cgroup;
    let host = |n| Host::parse(&format!("n{n}.wide.example")).unwrap();
    let count = (0..).take_while(|n| bench.names.assign(cgroup, &host(*n), Family::V4).is_ok());
    assert_eq!(count.count(), 32_768);
    let seen = bench.ask("one.more.wide.example.", RecordType::A);
    assert_eq!(seen.code(), ResponseCode::ServFail);
    assert_eq!(seen.cause(), Some(Cause::Exhausted));
    assert!(seen.is_bare());
    let seen = bench.ask("n32767.wide.example.", RecordType::A);
    assert_eq!(bench.names.name_of(cgroup, seen.addr()), Some(host(32_767)));
}

#[test]
fn a_query_cut_anywhere_is_refused_or_met_with_silence() {
    let bench = Bench::new();
    let whole = with_edns(query("api.example.", RecordType::A), 1232, 0)
        .to_vec()
        .unwrap();
    for end in 0..whole.len() {
        let reply = answer(&whole[..end], &bench.ground());
        let finding = reply.finding.expect("it is recorded");
        assert_eq!(finding.outcome, Outcome::Refused(Cause::Malformed));
        match reply.message {
            None => assert!(end < 12, "silence at {end}"),
            Some(bytes) => {
                let message = Message::from_vec(&bytes).unwrap();
                assert!(end >= 12, "an answer at {end}");
                assert_eq!(message.response_code, ResponseCode::FormErr);
                assert_eq!(message.id, 0xbeef);
            }
        }
    }
}

/// A query, some bytes of which were changed, or any bytes at all.
fn queries() -> impl Strategy<Value = Vec<u8>> {
    let kind = any::<u16>().prop_map(RecordType::from);
    let label = prop::collection::vec(any::<u8>(), 1..20);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let labels = prop_oneof![
        Just(vec![b"api".to_vec(), b"example".to_vec()]),
        prop::collection::vec(label, 0..6)
    ];
    let edited = (labels, kind, any::<bool>(), edits).prop_map(|(labels, kind, edns, edits)| {
        let name = Name::from_labels(labels).unwrap();
        let mut message = Message::new(0x1234, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(name, kind));
        if edns {
            message = with_edns(message, 900, 0);
        }
        let mut bytes = message.to_bytes().unwrap();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    });
    prop_oneof![3 => edited, 1 => prop::collection::vec(any::<u8>(), 0..600)]
}

proptest! {
    /// Whatever arrives: silence, or a response that can be read, bears the query's id and question, and fits.
    #[test]
    fn every_query_gets_silence_or_a_sound_response(bytes in queries(), known: bool, tcp: bool) {
        let bench = Bench::new();
        let ground = Ground {
            workload: known.then_some(&bench.workload),
            transport: if tcp { Transport::Tcp } else { Transport::Udp },
            ..bench.ground()
        };
        let Some(reply) = answer(&bytes, &ground).message else {
            prop_assert!(bytes.len() < 12 || bytes[2] & 0x80 != 0);
            return Ok(());
        };
        let message = Message::from_vec(&reply).unwrap();
        prop_assert_eq!(&reply[..2], &bytes[..2]);
        prop_assert_eq!(message.message_type, MessageType::Response);
        prop_assert!(!message.truncation && reply.len() <= 512);
        if let Ok(asked) = Message::from_vec(&bytes) && message.response_code != ResponseCode::NotImp {
            prop_assert!(message.queries.is_empty() || message.queries[0] == asked.queries[0]);
        }
        if !known {
            prop_assert!(message.answers.is_empty());
        }
    }
}
