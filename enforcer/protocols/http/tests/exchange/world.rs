//! A gate with a real policy and ledger, a pool that dials one upstream, and agents in memory.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use enforcer_audit::{Fingerprinter, Ledger, Recordings};
use enforcer_cost::{Estimator, Prices};
use enforcer_flow::{
    CgroupId, ClientAddr, Destination, Host, OriginalDst, Process, Protocol, Secret, Stance,
    Workload,
};
use enforcer_gate::{Costs, Flow, Gate, Quota, Sessions, Upstream, UpstreamConfig};
use enforcer_http::{Agent, Judging, Limits, Pool, PoolConfig, Proven, Version, serve};
use enforcer_policy::{PolicySet, Source};
use enforcer_tls::Connector;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::sync::watch;

const POLICY: &str = "
version: 1
name: test
rules:
  - id: api
    effect: allow
    match: { host: api.example, port: 8080, protocol: [http, https], path: /v1/** }
  - id: no-files
    effect: deny
    match: { host: api.example, path: [/v1/files, /v1/files/**] }
";

pub(crate) struct World {
    gate: Arc<Gate>,
    pool: Arc<Pool>,
    path: PathBuf,
    limits: Limits,
    judging: Arc<Judging>,
    stopping: watch::Sender<bool>,
    stance: Stance,
    _dir: tempfile::TempDir,
}

pub(crate) struct HttpAgent {
    sender: http1::SendRequest<UnsyncBoxBody<Bytes, Infallible>>,
}

/// The ledger as it stands when every flow has ended.
pub(crate) struct Entries {
    pub(crate) text: String,
    entries: Vec<Value>,
}

impl World {
    pub(crate) fn new(upstream: crate::upstream::Running) -> Self {
        Self::with_idle_timeout(upstream, Duration::from_secs(30))
    }

    pub(crate) fn with_idle_timeout(upstream: crate::upstream::Running, idle: Duration) -> Self {
        let judging = Judging::without_secrets(64 << 20);
        Self::judging(upstream, idle, (POLICY, judging))
    }

    /// With a policy of the test's own, and what judging takes.
    pub(crate) fn judging(
        upstream: crate::upstream::Running,
        idle: Duration,
        (policy, judging): (&str, Judging),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let ledger = Arc::new(Ledger::open(enforcer_audit::Config::at(&path)).unwrap());
        let source = Source {
            name: "test.yaml",
            text: policy,
        };
        let (set, _) = PolicySet::compile(&[source]).unwrap();
        let gate = Gate::new(Arc::new(ArcSwap::from_pointee(set)), ledger);
        let gate = gate.with_sessions(Sessions::new(&[7; 32]));
        let recordings = Recordings::new(dir.path().join("recordings"), 1 << 30);
        let gate = gate.with_recordings(recordings);
        let prices = Prices::parse("models: { gpt-5: { input: 1, output: 10, max_output: 100 } }");
        let estimator = Estimator::new(prices.unwrap());
        let budgets = dir.path().join("budgets.db");
        let gate = Arc::new(gate.with_costs(Costs::new(estimator, budgets)));
        let config = UpstreamConfig {
            connect_to: [
                (destination("api.example"), upstream.addr),
                (destination("hooks.slack.com"), upstream.addr),
            ]
            .into(),
            connect_timeout: Duration::from_secs(5),
            places: Quota::new(16, 8),
        };
        let connector = Arc::new(Connector::new(&[]).unwrap());
        let pool = Pool::new(
            Upstream::new(Arc::clone(&gate), Arc::new(config), connector),
            PoolConfig {
                max_idle_per_host: 4,
                max_idle: 8,
                idle_timeout: Duration::from_secs(30),
            },
        );
        let limits = Limits {
            header_bytes: 64 * 1024,
            header_timeout: Duration::from_secs(30),
            streams: 16,
            idle_timeout: idle,
            response_timeout: Duration::from_secs(30),
        };
        Self {
            gate,
            pool,
            path,
            limits,
            judging: Arc::new(judging),
            stopping: watch::Sender::new(false),
            stance: Stance::default(),
            _dir: dir,
        }
    }

    /// The folder of recordings, once there are any.
    pub(crate) fn recordings(&self) -> PathBuf {
        self.path.with_file_name("recordings")
    }

    /// The same, for a workload that is only observed.
    pub(crate) fn observing(self) -> Self {
        Self {
            stance: Stance::Observe,
            ..self
        }
    }

    /// The agent's end of a connection to `host`, for bytes as they are.
    pub(crate) async fn raw(&self, protocol: Protocol, host: &str) -> DuplexStream {
        self.open(protocol, host, Version::Http1)
    }

    pub(crate) async fn agent(&self, protocol: Protocol, host: &str) -> HttpAgent {
        let io = TokioIo::new(self.open(protocol, host, Version::Http1));
        let (sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        HttpAgent { sender }
    }

    pub(crate) async fn agent_http2<B>(
        &self,
        protocol: Protocol,
        host: &str,
    ) -> http2::SendRequest<B>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
    {
        let io = TokioIo::new(self.open(protocol, host, Version::Http2));
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    pub(crate) async fn ledger(&self) -> Entries {
        for _ in 0..400 {
            self.gate.ledger().flush().unwrap();
            let entries = Entries::read(&self.path);
            let ended = entries.all("flow_closed").len() + entries.all("flow_aborted").len();
            if ended == entries.all("flow_opened").len() {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a flow has not ended");
    }

    /// Waits until so many exchanges have closed.
    pub(crate) async fn ended(&self, exchanges: usize) {
        for _ in 0..400 {
            self.gate.ledger().flush().unwrap();
            if Entries::read(&self.path).all("exchange_closed").len() == exchanges {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("an exchange has not ended");
    }

    fn open(&self, protocol: Protocol, host: &str, version: Version) -> DuplexStream {
        let workload = Workload {
            name: "agent".into(),
            policy: None,
            cgroup: CgroupId(7),
            path: "/agent".into(),
            attributes: Default::default(),
            stance: self.stance,
        };
        let flow = Flow::open(
            Arc::clone(&self.gate),
            Arc::new(workload),
            Process::default(),
            ClientAddr::new("127.0.0.1:40000".parse().unwrap()),
            OriginalDst::new("192.0.2.1:8080".parse().unwrap()),
        );
        let (near, far) = tokio::io::duplex(64 * 1024);
        let agent = Agent {
            flow: Arc::clone(&flow),
            gate: Arc::clone(&self.gate),
            pool: Arc::clone(&self.pool),
            fingerprinter: Arc::new(Fingerprinter::from_key(&Secret::new([7; 32]))),
            protocol,
            proven: Proven {
                destination: destination(host),
                binding: true,
            },
            judging: Arc::clone(&self.judging),
            limits: self.limits,
            stopping: self.stopping.subscribe(),
        };
        tokio::spawn(async move {
            if let Err(error) = serve(far, version, agent).await {
                flow.fault(error.side, error.cause);
            }
            flow.finish();
        });
        near
    }
}

impl HttpAgent {
    pub(crate) async fn send<B>(&mut self, request: Request<B>) -> Response<Incoming>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        self.attempt(request).await.unwrap()
    }

    /// The same where there may be no answer.
    pub(crate) async fn attempt<B>(
        &mut self,
        request: Request<B>,
    ) -> hyper::Result<Response<Incoming>>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        self.sender.ready().await?;
        let request = request.map(BodyExt::boxed_unsync);
        self.sender.send_request(request).await
    }
}

impl Entries {
    fn read(path: &std::path::Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let entries = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        Self { text, entries }
    }

    pub(crate) fn all(&self, event: &str) -> Vec<&Value> {
        self.entries
            .iter()
            .filter(|entry| entry["event"] == event)
            .collect()
    }

    pub(crate) fn last(&self, event: &str) -> Value {
        (*self
            .all(event)
            .last()
            .unwrap_or_else(|| panic!("no {event}")))
        .clone()
    }

    pub(crate) fn one(&self, event: &str) -> Value {
        let all = self.all(event);
        assert_eq!(all.len(), 1, "{event}: {}", self.text);
        all[0].clone()
    }
}

fn destination(host: &str) -> Destination {
    Destination {
        host: Host::parse(host).unwrap(),
        port: 8080,
    }
}
