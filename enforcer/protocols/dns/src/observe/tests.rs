//! Lookups of observed workloads, with a name server that counts what it is asked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use enforcer_audit::{Config, Ledger};
use enforcer_flow::{CgroupId, ClientAddr, NetnsCookie, Process, Workload};
use enforcer_policy::{PolicySet, Source};
use hickory_proto::op::{MessageType, OpCode, Query};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, Record};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::UdpSocket;

use super::*;
use crate::{Attribution, Resolver, serve_udp};

const POLICY: &str = r#"
version: 1
name: agents
rules:
  - id: api
    effect: allow
    match: { host: api.example }
"#;
const AGENT: CgroupId = CgroupId(7);
const AWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);

/// Everybody is this workload.
struct All(Stance);

impl Attribution for All {
    fn of(&self, _: NetnsCookie, _: ClientAddr) -> Option<(Arc<Workload>, Process)> {
        let workload = Workload {
            name: "agent".into(),
            policy: None,
            cgroup: AGENT,
            path: "/agent".into(),
            attributes: Arc::default(),
            stance: self.0,
        };
        Some((Arc::new(workload), Process::default()))
    }
}

/// Our resolver, and a name server of the world's.
struct Bench {
    addr: SocketAddr,
    names: Arc<Names>,
    asked: Arc<AtomicUsize>,
    folder: TempDir,
}

impl Bench {
    async fn new(stance: Stance) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::open(Config::at(folder.path().join("l"))).unwrap());
        let source = Source {
            name: "agents.yaml",
            text: POLICY,
        };
        let (policy, _) = PolicySet::compile(&[source]).unwrap();
        let names = Arc::new(Names::new());
        let asked = Arc::new(AtomicUsize::new(0));
        let world = name_server(Arc::clone(&asked)).await;
        let resolver = Resolver::new(
            Arc::clone(&names),
            Arc::new(ArcSwap::from_pointee(policy)),
            ledger,
            Arc::new(All(stance)),
        );
        let resolver = resolver.asking(Lookups::new(Some(client(world.port()))));
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = socket.local_addr().unwrap();
        tokio::spawn(serve_udp(socket, NetnsCookie(1), Arc::new(resolver)));
        Self {
            addr,
            names,
            asked,
            folder,
        }
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Message {
        let mut name = Name::from_ascii(name).unwrap();
        name.set_fqdn(true);
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(name, kind));
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let query = message.to_vec().unwrap();
        socket.send_to(&query, self.addr).await.unwrap();
        let mut buffer = [0; 2048];
        let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
        Message::from_vec(&buffer[..length]).unwrap()
    }

    fn entries(&self, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(Path::join(self.folder.path(), "l")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| line["event"] == event)
            .collect()
    }
}

fn client(port: u16) -> TokioResolver {
    let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
    for connection in &mut server.connections {
        connection.port = port;
    }
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .build()
        .unwrap()
}

/// Knows `away.test`, and nothing else.
async fn name_server(asked: Arc<AtomicUsize>) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Question::read(&buffer[..length]).unwrap();
            asked.fetch_add(1, Ordering::Relaxed);
            let name = question.query().name().clone();
            let answer = if name.to_ascii().eq_ignore_ascii_case("away.test.") {
                question.pass_on(vec![Record::from_rdata(name, 60, RData::A(A(AWAY)))])
            } else {
                question.deny(ResponseCode::NXDomain)
            };
            let answer = answer.to_vec().unwrap();
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    addr
}

fn addresses(message: &Message) -> Vec<IpAddr> {
    let records = message.answers.iter();
    records
        .filter_map(|record| match record.data {
            RData::A(addr) => Some(IpAddr::V4(addr.0)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn lookups_of_an_observed_workload_are_asked_for_real_once_they_are_recorded() {
    let bench = Bench::new(Stance::Observe).await;
    let answer = bench.ask("away.test", RecordType::A).await;
    assert_eq!(addresses(&answer), [IpAddr::V4(AWAY)]);
    let observed = bench.entries("name_observed");
    assert_eq!(
        (&observed[0]["name"], &observed[0]["would"]),
        (&"away.test".into(), &"deny".into())
    );
    let name = bench.names.name_of(AGENT, AWAY.into());
    assert_eq!(name.unwrap().to_string(), "away.test");
    let none = bench.ask("none.test", RecordType::A).await;
    assert_eq!(none.response_code, ResponseCode::NXDomain);
    // What a rule allows has a synthetic address as ever, and nobody is asked for it.
    let before = bench.asked.load(Ordering::Relaxed);
    let allowed = bench.ask("api.example", RecordType::A).await;
    assert!(
        addresses(&allowed)
            .iter()
            .all(|addr| Names::is_synthetic(*addr))
    );
    let withheld = bench.ask("away.test", RecordType::HTTPS).await;
    assert_eq!(
        (withheld.response_code, withheld.answers.len()),
        (ResponseCode::NoError, 0)
    );
    assert_eq!(bench.asked.load(Ordering::Relaxed), before);
}

#[tokio::test]
async fn nobody_is_asked_for_who_is_not_observed() {
    for stance in [Stance::Enforce, Stance::Quarantine] {
        let bench = Bench::new(stance).await;
        let refused = bench.ask("away.test", RecordType::A).await;
        assert_eq!(refused.response_code, ResponseCode::NXDomain);
        assert_eq!(bench.asked.load(Ordering::Relaxed), 0);
        assert_eq!(bench.entries("name_observed"), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn no_number_of_lookups_is_asked_for_real_without_a_bound() {
    let bench = Bench::new(Stance::Observe).await;
    let mut failed = 0;
    for number in 0..PER_SECOND + 50 {
        let answer = bench.ask(&format!("n{number}.test"), RecordType::A).await;
        failed += usize::from(answer.response_code == ResponseCode::ServFail);
    }
    let observed = bench.entries("name_observed").len();
    let asked = bench.asked.load(Ordering::Relaxed);
    assert!(asked <= observed, "{asked} asked, {observed} recorded");
    assert_eq!(failed + observed, (PER_SECOND + 50) as usize);
}
