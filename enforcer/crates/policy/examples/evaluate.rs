//! How long a decision takes: nanoseconds per question, for small and large sets. `cargo run --release --example evaluate`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use enforcer_flow::{Attributes, CgroupId, Host, Principal, Protocol, Workload};
use enforcer_policy::{PolicySet, Question, Request, Source};

const ROUNDS: usize = 41;
const QUESTIONS: usize = 1_000;

fn main() {
    let mut report =
        String::from("nanoseconds per question: median of 41 rounds (fastest, slowest)\n");
    for count in [100, 10_000] {
        let hosts = (0..count).map(|n| format!("host: api-{n}.service-{}.example.com", n % 97));
        measure(&mut report, count, "host rules", hosts, |n| {
            (
                format!("api-{n}.service-{}.example.com", n % 97),
                "/v1/responses".to_owned(),
            )
        });
        let wildcards = (0..count).map(|n| format!("host: '*.tenant-{n}.example.com'"));
        measure(&mut report, count, "wildcard rules", wildcards, |n| {
            (
                format!("a.b.tenant-{n}.example.com"),
                "/v1/responses".to_owned(),
            )
        });
        let nets = (0..count).map(|n| format!("cidr: 10.{}.{}.0/24", n / 256, n % 256));
        measure(&mut report, count, "address ranges", nets, |n| {
            (format!("10.{}.{}.7", n / 256, n % 256), "/".to_owned())
        });
        let hooks = (0..count)
            .map(|n| format!("host: hooks.example.com, method: POST, path: /services/T{n}/*"));
        measure(&mut report, count, "paths at one host", hooks, |n| {
            (
                "hooks.example.com".to_owned(),
                format!("/services/T{n}/secret"),
            )
        });
        let groups = (0..count)
            .map(|n| format!("host: api.example.com, path: /v1/responses, group: team-{n}"));
        measure(&mut report, count, "groups at one path", groups, |_| {
            ("api.example.com".to_owned(), "/v1/responses".to_owned())
        });
    }
    #[expect(
        clippy::print_stdout,
        reason = "the report is what this program is for"
    )]
    {
        print!("{report}");
    }
}

/// Measures one set with questions that it allows and questions that it denies.
fn measure(
    report: &mut String,
    count: usize,
    what: &str,
    matches: impl Iterator<Item = String>,
    ask: impl Fn(usize) -> (String, String),
) {
    let rules: String = matches
        .enumerate()
        .map(|(n, line)| format!("- {{ id: r{n}, effect: allow, match: {{ {line} }} }}\n"))
        .collect();
    let text = format!("version: 1\nname: bench\nrules:\n{rules}");
    let started = Instant::now();
    let source = Source {
        name: "bench.yaml",
        text: &text,
    };
    let (set, _) =
        PolicySet::compile(&[source]).unwrap_or_else(|found| panic!("{:?}", found.first()));
    let compiled = started.elapsed();
    let allowed: Vec<(Host, String)> = (0..QUESTIONS)
        .map(|n| parse(ask(n * 7919 % count)))
        .collect();
    let denied: Vec<(Host, String)> = allowed
        .iter()
        .map(|(_, path)| parse(("api.elsewhere.example.net".to_owned(), path.clone())))
        .collect();
    let (allow, deny) = (time(&set, &allowed, true), time(&set, &denied, false));
    let _ = writeln!(
        report,
        "{count:>6} {what:<18} allow {allow}   deny {deny}   compiled in {compiled:.1?}"
    );
}

fn parse((host, path): (String, String)) -> (Host, String) {
    (
        Host::parse(&host).unwrap_or_else(|error| panic!("{host}: {error}")),
        path,
    )
}

fn time(set: &PolicySet, questions: &[(Host, String)], allowed: bool) -> String {
    let workload = Workload {
        name: "bench".into(),
        policy: None,
        cgroup: CgroupId(1),
        path: "/bench".into(),
        attributes: Arc::new(Attributes {
            principal: Principal::new("ada", ["team-7", "team-77"]).ok(),
            ..Attributes::default()
        }),
        stance: enforcer_flow::Stance::default(),
    };
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            for (host, path) in questions {
                let decision = set.evaluate(black_box(
                    &Question::new(&workload, Protocol::Https, host, 443)
                        .with_request(Request::new("POST", path)),
                ));
                assert_eq!(decision.is_allow(), allowed, "{host}{path}");
                black_box(&decision);
            }
            started.elapsed().as_nanos() / questions.len() as u128
        })
        .collect();
    rounds.sort_unstable();
    format!(
        "{:>6} ({}, {})",
        rounds[ROUNDS / 2],
        rounds[0],
        rounds[ROUNDS - 1]
    )
}
