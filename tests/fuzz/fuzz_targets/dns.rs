//! A query: silence, or an answer with the query's own id.

#![no_main]

use std::sync::LazyLock;

use enforcer_dns::{Ground, Names, Transport, answer};
use enforcer_flow::{CgroupId, Workload};
use enforcer_policy::{PolicySet, Source};
use libfuzzer_sys::fuzz_target;

const POLICY: &str = "
version: 1
name: fuzz
rules:
  - id: all
    effect: allow
    match: { host: '*.example' }
";

static POLICY_SET: LazyLock<PolicySet> = LazyLock::new(|| {
    let source = Source {
        name: "fuzz.yaml",
        text: POLICY,
    };
    PolicySet::compile(&[source]).expect("a sound policy").0
});
static NAMES: LazyLock<Names> = LazyLock::new(Names::new);
static WORKLOAD: LazyLock<Workload> = LazyLock::new(|| Workload {
    name: "fuzz".into(),
    policy: None,
    cgroup: CgroupId(1),
    path: "/fuzz".into(),
    attributes: Default::default(),
    stance: enforcer_flow::Stance::default(),
});

fuzz_target!(|query: &[u8]| {
    for transport in [Transport::Udp, Transport::Tcp] {
        let reply = answer(
            query,
            &Ground {
                workload: Some(&WORKLOAD),
                policy: &POLICY_SET,
                names: &NAMES,
                transport,
            },
        );
        if let Some(message) = reply.message {
            assert_eq!(
                message.get(..2),
                query.get(..2),
                "an answer to another query"
            );
        }
    }
});
