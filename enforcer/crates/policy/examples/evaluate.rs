//! How long a decision takes: nanoseconds per question, for small and large sets. `cargo run --release --example evaluate`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use enforcer_flow::{Attributes, CgroupId, Host, Principal, Protocol, Workload};
use enforcer_policy::{PolicySet, Question, Request, Source};
use http::{HeaderMap, HeaderValue};

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
        one_place(&mut report, count);
    }
    #[expect(
        clippy::print_stdout,
        reason = "the report is what this program is for"
    )]
    {
        print!("{report}");
    }
}

/// Rules at one host and path that differ in one thing about who asks or about the head.
fn one_place(report: &mut String, count: usize) {
    let place = "host: api.example.com, path: /v1/responses";
    let ask = |_| ("api.example.com".to_owned(), "/v1/responses".to_owned());
    let kinds: [(&str, &dyn Fn(usize) -> String); 7] = [
        ("groups", &|n| format!("{place}, group: team-{n}")),
        ("groups in pairs", &|n| {
            format!("{place}, group: [team-{n}, team-{}]", n + 1)
        }),
        ("group and header", &|n| {
            let (group, header) = (n % 100, n / 100 % 100);
            format!("{place}, group: team-{group}, header: {{ x-task: t{header} }}")
        }),
        ("principals", &|n| match n {
            0 => format!("{place}, principal: ada"),
            _ => format!("{place}, principal: p-{n}"),
        }),
        ("headers", &|n| {
            format!("{place}, header: {{ x-task: t{n} }}")
        }),
        ("header names", &|n| {
            format!("{place}, header: {{ x-task-{n}: '*' }}")
        }),
        ("methods, ports", &|n| match n {
            0 => place.to_owned(),
            _ => format!("{place}, method: M{}, port: {}", n % 100, 500 + n / 100),
        }),
    ];
    for (what, line) in kinds {
        measure(report, count, what, (0..count).map(line), ask);
    }
    let policies = (0..count).map(|n| {
        let name = if n == 0 {
            "bench".to_owned()
        } else {
            format!("w-{n}")
        };
        let scope = format!("applies_to: {{ workloads: {name} }}");
        let rule = format!("- {{ id: r, effect: allow, match: {{ {place} }} }}");
        format!("version: 1\nname: p{n}\n{scope}\nrules:\n{rule}\n")
    });
    compare(
        report,
        (count, "workloads"),
        &policies.collect::<Vec<_>>(),
        ask,
    );
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
    compare(report, (count, what), &[text], ask);
}

/// The same with policies as they are written.
fn compare(
    report: &mut String,
    (count, what): (usize, &str),
    policies: &[String],
    ask: impl Fn(usize) -> (String, String),
) {
    let started = Instant::now();
    let sources: Vec<Source<'_>> = policies
        .iter()
        .map(|text| Source {
            name: "bench.yaml",
            text,
        })
        .collect();
    let (set, _) =
        PolicySet::compile(&sources).unwrap_or_else(|found| panic!("{:?}", found.first()));
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
    let headers = headers();
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            for (host, path) in questions {
                let request = Request {
                    headers: Some(&headers),
                    ..Request::new("POST", path)
                };
                let decision = set.evaluate(black_box(
                    &Question::new(&workload, Protocol::Https, host, 443).with_request(request),
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

/// As an agent's client sends them.
fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "api.example.com"),
        ("accept", "application/json"),
        ("accept-encoding", "gzip, deflate"),
        ("authorization", "Bearer sk-none"),
        ("content-type", "application/json"),
        ("content-length", "4711"),
        ("user-agent", "OpenAI/Python 1.99.0"),
        ("x-task", "t0"),
        ("x-task-0", "yes"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}
