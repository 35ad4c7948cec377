//! The servers over real loopback sockets and in-memory pipes, with a real ledger and a foreign resolver as client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use enforcer_audit::{Config, Durability, Ledger};
use enforcer_flow::{CgroupId, ClientAddr, Host, NetnsCookie, Process, Workload};
use enforcer_policy::{PolicySet, Source};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use super::*;
use crate::{Asker, Attribution, MAX_QUERY, Names, Resolver};

const POLICY: &str = r#"
version: 1
name: agents
rules:
  - id: api
    effect: allow
    match: { host: ["api.example", "*.wide.example"] }
"#;

const NETNS: NetnsCookie = NetnsCookie(4711);
const AGENT: CgroupId = CgroupId(7);

/// Knows every client in one network namespace, and none in others.
struct OneNamespace;

impl Attribution for OneNamespace {
    fn of(&self, netns: NetnsCookie, client: ClientAddr) -> Option<(Arc<Workload>, Process)> {
        assert!(client.addr().ip().is_loopback());
        let Asker { workload, process } = asker();
        (netns == NETNS).then_some((workload, process))
    }
}

/// A resolver and its ledger.
struct Bench {
    resolver: Arc<Resolver>,
    names: Arc<Names>,
    ledger: PathBuf,
    tasks: JoinSet<()>,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let ledger = Ledger::open(Config {
            path: path.clone(),
            durability: Durability::Every(Duration::from_millis(20)),
            flush_every: Duration::from_millis(1),
            rotate_at: 1 << 30,
        });
        let source = Source {
            name: "agents.yaml",
            text: POLICY,
        };
        let (policy, _) = PolicySet::compile(&[source]).expect("the test's policy is sound");
        let names = Arc::new(Names::new());
        let resolver = Resolver::new(
            Arc::clone(&names),
            Arc::new(ArcSwap::from_pointee(policy)),
            Arc::new(ledger.unwrap()),
            Arc::new(OneNamespace),
        );
        Self {
            resolver: Arc::new(resolver),
            names,
            ledger: path,
            tasks: JoinSet::new(),
            _folder: folder,
        }
    }

    async fn udp(&mut self, netns: NetnsCookie) -> SocketAddr {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = socket.local_addr().unwrap();
        let resolver = Arc::clone(&self.resolver);
        self.tasks.spawn(async move {
            panic!("{}", serve_udp(socket, netns, resolver).await);
        });
        addr
    }

    async fn tcp(&mut self) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let resolver = Arc::clone(&self.resolver);
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let resolver = Arc::clone(&resolver);
                connections
                    .spawn(async move { serve_tcp(stream, Some(&asker()), &resolver).await });
            }
        });
        addr
    }

    /// One connection in memory; the task gives its ending.
    fn pipe(&self) -> (DuplexStream, tokio::task::JoinHandle<Ending>) {
        let (near, far) = duplex(1 << 16);
        let resolver = Arc::clone(&self.resolver);
        let serving = tokio::spawn(async move { serve_tcp(far, Some(&asker()), &resolver).await });
        (near, serving)
    }

    /// Stops everything and reads what was written.
    async fn into_lines(mut self) -> Vec<Value> {
        self.tasks.shutdown().await;
        let Self {
            resolver, ledger, ..
        } = self;
        assert_eq!(Arc::strong_count(&resolver), 1, "nobody serves any more");
        drop(resolver);
        let text = std::fs::read_to_string(ledger).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.filter(|line: &Value| is_ours(line)).collect()
    }
}

fn is_ours(line: &Value) -> bool {
    let event = line["event"].as_str().unwrap_or_default();
    event.starts_with("name_") || event == "suppressed"
}

fn asker() -> Asker {
    Asker {
        workload: Arc::new(Workload {
            name: Arc::from("agent"),
            policy: None,
            cgroup: AGENT,
            path: Arc::from("/agents/agent"),
            attributes: Default::default(),
            stance: enforcer_flow::Stance::default(),
        }),
        process: Process {
            pid: 42,
            uid: 1000,
            comm: Arc::from("python3"),
            ..Process::default()
        },
    }
}

fn query(id: u16, name: &str, kind: RecordType) -> Vec<u8> {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(name, kind));
    message.to_vec().unwrap()
}

fn framed(query: &[u8]) -> Vec<u8> {
    let length = u16::try_from(query.len()).unwrap().to_be_bytes();
    [&length[..], query].concat()
}

async fn exchange(server: SocketAddr, query: &[u8]) -> Message {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.send_to(query, server).await.unwrap();
    let mut buffer = [0; 2048];
    let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
    assert_eq!(from, server);
    Message::from_vec(&buffer[..length]).unwrap()
}

async fn receive(stream: &mut DuplexStream) -> Message {
    let length = stream.read_u16().await.unwrap();
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.unwrap();
    Message::from_vec(&bytes).unwrap()
}

fn foreign_resolver(mut server: NameServerConfig, port: u16) -> TokioResolver {
    for connection in &mut server.connections {
        connection.port = port;
    }
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().case_randomization = true;
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder.build().unwrap()
}

async fn check_foreign_resolver(resolver: TokioResolver, names: &Names) {
    let addrs: Vec<IpAddr> = resolver
        .lookup_ip("api.example.")
        .await
        .unwrap()
        .iter()
        .collect();
    assert!(addrs.iter().any(IpAddr::is_ipv4), "{addrs:?}");
    assert!(addrs.iter().any(IpAddr::is_ipv6), "{addrs:?}");
    for addr in addrs {
        let name = names.name_of(AGENT, addr).map(|host| host.to_string());
        assert_eq!(name.as_deref(), Some("api.example"));
    }
    let refused = resolver.lookup_ip("secret.exfil.test.").await.unwrap_err();
    assert!(refused.is_nx_domain(), "{refused}");
    let withheld = resolver
        .lookup("api.example.", RecordType::HTTPS)
        .await
        .unwrap_err();
    assert!(
        withheld.is_no_records_found() && !withheld.is_nx_domain(),
        "{withheld}"
    );
}

#[tokio::test]
async fn a_foreign_resolver_is_served_over_udp() {
    let mut bench = Bench::new();
    let port = bench.udp(NETNS).await.port();
    let server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
    check_foreign_resolver(foreign_resolver(server, port), &bench.names).await;
}

#[tokio::test]
async fn a_foreign_resolver_is_served_over_tcp() {
    let mut bench = Bench::new();
    let port = bench.tcp().await.port();
    let server = NameServerConfig::tcp(Ipv4Addr::LOCALHOST.into());
    check_foreign_resolver(foreign_resolver(server, port), &bench.names).await;
}

#[tokio::test]
async fn lookups_are_evidence() {
    let mut bench = Bench::new();
    let server = bench.udp(NETNS).await;
    let granted = exchange(server, &query(1, "API.example", RecordType::A)).await;
    assert_eq!(granted.answers.len(), 1);
    exchange(server, &query(2, "api.example", RecordType::A)).await;
    for id in 3..8 {
        exchange(server, &query(id, "secret.exfil.test", RecordType::A)).await;
    }
    let host = Host::parse("api.example").unwrap();
    let addr = bench.names.assign(AGENT, &host, crate::Family::V4).unwrap();
    let lines = bench.into_lines().await;
    let [answered, refused, suppressed] = lines.as_slice() else {
        panic!("three lines: {lines:#?}");
    };
    assert_eq!(answered["event"], "name_answered");
    assert_eq!(answered["name"], "api.example");
    assert_eq!(answered["type"], "A");
    assert_eq!(answered["address"], addr.to_string());
    assert_eq!(answered["workload"]["name"], "agent");
    assert_eq!(refused["event"], "name_refused");
    assert_eq!(refused["name"], "secret.exfil.test");
    assert_eq!(refused["cause"], "no_rule");
    assert_eq!(suppressed["event"], "suppressed");
    assert_eq!(suppressed["of"], "name_refused");
    assert_eq!(suppressed["count"], 4);
    assert_eq!(suppressed["workload"]["name"], "agent");
}

#[tokio::test]
async fn a_datagram_of_unknown_origin_is_refused_and_recorded() {
    let mut bench = Bench::new();
    let server = bench.udp(NetnsCookie(1)).await;
    let reply = exchange(server, &query(1, "api.example", RecordType::A)).await;
    assert_eq!(reply.response_code, ResponseCode::Refused);
    let lines = bench.into_lines().await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["cause"], "unknown_client");
    assert_eq!(lines[0]["workload"], Value::Null);
}

#[tokio::test]
async fn a_flood_of_lookups_fills_no_ledger() {
    let mut bench = Bench::new();
    let server = bench.udp(NETNS).await;
    const FLOOD: u64 = 2000;
    for n in 0..FLOOD {
        let name = format!("n{n}.exfil.test");
        exchange(server, &query(1, &name, RecordType::A)).await;
    }
    let lines = bench.into_lines().await;
    let of = |event| lines.iter().filter(move |line| line["event"] == event);
    let written = of("name_refused").count() as u64;
    let counted: u64 = of("suppressed")
        .map(|line| line["count"].as_u64().unwrap())
        .sum();
    assert_eq!(written + counted, FLOOD);
    assert!(counted > 0 && written >= 200, "{written} written");
}

#[tokio::test]
async fn a_client_that_left_and_a_datagram_too_long_do_not_stop_the_server() {
    let mut bench = Bench::new();
    let server = bench.udp(NETNS).await;
    for _ in 0..50 {
        let gone = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        gone.send_to(&query(1, "api.example", RecordType::A), server)
            .await
            .unwrap();
    }
    let mut long = query(9, "api.example", RecordType::A);
    long.resize(MAX_QUERY + 100, 0);
    let reply = exchange(server, &long).await;
    assert_eq!((reply.id, reply.response_code), (9, ResponseCode::FormErr));
    let reply = exchange(server, &query(2, "api.example", RecordType::A)).await;
    assert_eq!(reply.response_code, ResponseCode::NoError);
}

#[tokio::test]
async fn queries_in_flight_are_answered_in_their_order() {
    let bench = Bench::new();
    let (mut near, serving) = bench.pipe();
    let kinds = [RecordType::A, RecordType::AAAA, RecordType::HTTPS];
    let all: Vec<u8> = (1..)
        .zip(kinds)
        .flat_map(|(id, kind)| framed(&query(id, "api.example", kind)))
        .collect();
    near.write_all(&all).await.unwrap();
    for (id, kind) in (1..).zip(kinds) {
        let reply = receive(&mut near).await;
        assert_eq!((reply.id, reply.queries[0].query_type()), (id, kind));
    }
    near.shutdown().await.unwrap();
    assert!(matches!(serving.await.unwrap(), Ending::Finished));
}

#[tokio::test]
async fn a_query_may_arrive_byte_by_byte() {
    let bench = Bench::new();
    let (mut near, serving) = bench.pipe();
    for byte in framed(&query(5, "api.example", RecordType::A)) {
        near.write_u8(byte).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(receive(&mut near).await.answers.len(), 1);
    drop(near);
    assert!(matches!(serving.await.unwrap(), Ending::Finished));
}

#[tokio::test]
async fn a_connection_that_ends_within_a_query_is_broken() {
    let whole = framed(&query(5, "api.example", RecordType::A));
    for end in 1..whole.len() {
        let bench = Bench::new();
        let (mut near, serving) = bench.pipe();
        near.write_all(&whole[..end]).await.unwrap();
        drop(near);
        assert!(
            matches!(serving.await.unwrap(), Ending::Broken(_)),
            "at {end}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_query_is_given_up() {
    let bench = Bench::new();
    let (mut near, serving) = bench.pipe();
    near.write_all(&[0, 40, 1, 2, 3]).await.unwrap();
    let start = tokio::time::Instant::now();
    assert!(matches!(serving.await.unwrap(), Ending::Late));
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_answers_is_given_up() {
    let bench = Bench::new();
    let (near, far) = duplex(16);
    let (_rest, mut near) = tokio::io::split(near);
    let resolver = Arc::clone(&bench.resolver);
    let serving = tokio::spawn(async move { serve_tcp(far, Some(&asker()), &resolver).await });
    near.write_all(&framed(&query(5, "api.example", RecordType::A)))
        .await
        .unwrap();
    assert!(matches!(serving.await.unwrap(), Ending::Late));
}

#[tokio::test]
async fn a_message_without_answer_or_without_end_closes_the_connection() {
    let bench = Bench::new();
    let (mut near, serving) = bench.pipe();
    near.write_all(&framed(&[1, 2, 3])).await.unwrap();
    assert!(matches!(serving.await.unwrap(), Ending::Mute));
    let (mut near, serving) = bench.pipe();
    near.write_all(&[0xff, 0xff]).await.unwrap();
    assert!(matches!(serving.await.unwrap(), Ending::Overlong));
    let lines = bench.into_lines().await;
    assert_eq!(lines[0]["cause"], "dns_malformed");
    assert_eq!(lines[1]["count"], 1, "the second is a repeat");
}

#[tokio::test]
async fn a_connection_carries_so_many_queries_and_no_more() {
    let bench = Bench::new();
    let (mut near, serving) = bench.pipe();
    let one = framed(&query(5, "api.example", RecordType::A));
    for _ in 0..256 {
        near.write_all(&one).await.unwrap();
        receive(&mut near).await;
    }
    assert_eq!(near.read(&mut [0]).await.unwrap(), 0);
    assert!(matches!(serving.await.unwrap(), Ending::Spent));
}

#[tokio::test]
async fn without_an_asker_every_query_on_a_connection_is_refused() {
    let bench = Bench::new();
    let (mut near, far) = duplex(1 << 12);
    let resolver = Arc::clone(&bench.resolver);
    let serving = tokio::spawn(async move { serve_tcp(far, None, &resolver).await });
    near.write_all(&framed(&query(5, "api.example", RecordType::A)))
        .await
        .unwrap();
    assert_eq!(
        receive(&mut near).await.response_code,
        ResponseCode::Refused
    );
    drop(near);
    serving.await.unwrap();
    assert_eq!(bench.into_lines().await[0]["cause"], "unknown_client");
}

#[tokio::test(start_paused = true)]
async fn counts_are_written_when_the_agent_has_gone_quiet() {
    let mut bench = Bench::new();
    let resolver = Arc::clone(&bench.resolver);
    bench.tasks.spawn(async move { resolver.settle().await });
    let ask = |bench: &Bench| {
        let query = query(1, "secret.exfil.test", RecordType::A);
        bench
            .resolver
            .say(&query, Some(&asker()), crate::Transport::Udp)
            .now()
            .unwrap();
    };
    ask(&bench);
    ask(&bench);
    ask(&bench);
    tokio::time::sleep(Duration::from_secs(11)).await;
    // A repeat after the count was taken begins a new count: two entries prove that the first was written in between.
    ask(&bench);
    let counts: Vec<_> = bench
        .into_lines()
        .await
        .iter()
        .map(|line| line["count"].as_u64())
        .collect();
    assert_eq!(counts, [None, Some(2), Some(1)]);
}

#[tokio::test]
async fn a_forgotten_workload_leaves_its_counts_and_no_names() {
    let bench = Bench::new();
    let ask = |name| {
        let query = query(1, name, RecordType::A);
        bench
            .resolver
            .say(&query, Some(&asker()), crate::Transport::Udp)
            .now()
            .unwrap();
    };
    ask("api.example");
    ask("secret.exfil.test");
    ask("secret.exfil.test");
    let host = Host::parse("api.example").unwrap();
    let addr = bench.names.assign(AGENT, &host, crate::Family::V4).unwrap();
    bench.resolver.forget(AGENT);
    assert_eq!(bench.names.name_of(AGENT, addr), None);
    ask("secret.exfil.test");
    let events: Vec<_> = bench
        .into_lines()
        .await
        .iter()
        .map(|line| line["event"].to_string())
        .collect();
    let expected = [
        "name_answered",
        "name_refused",
        "suppressed",
        "name_refused",
    ];
    assert_eq!(events, expected.map(|event| format!("{event:?}")));
}
