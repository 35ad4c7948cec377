//! A whole proxy without root: the listeners are bound here, and a map says what the kernel would.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use enforcer_audit::{Fingerprinter, Ledger};
use enforcer_dns::{Family, Names, Resolver};
use enforcer_flow::{
    CgroupId, ClientAddr, Destination, Host, NetnsCookie, OriginalDst, Process, Secret, Stance,
};
use enforcer_gate::{Gate, Quota, UpstreamConfig};
use enforcer_http::{Judging, PoolConfig};
use enforcer_identity::{Cgroup, Hierarchy, Label, Workloads};
use enforcer_kernel::{Listeners, Origin, Origins};
use enforcer_policy::{PolicySet, Source};
use enforcer_proxy::{Attribution, Limits, Proxy, ProxyParts, Site, Workers, WorkersConfig};
use enforcer_tls::{Authority, Connector, Leaves};
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

use crate::entries::Entries;
use crate::far::Far;

const POLICY: &str = "
version: 1
name: test
rules:
  - id: web
    effect: allow
    match: { host: [api.example, localhost, 192.0.2.7], protocol: [http, https], path: /v1/** }
  - id: local
    effect: allow
    match: { host: [localhost, 127.0.0.1], protocol: http, port: 1024-65535 }
  - id: sealed
    effect: allow
    inspect: false
    match: { host: sealed.example }
  - id: stream
    effect: allow
    match: { host: db.example, protocol: tcp, port: 5432 }
";

const NETNS: NetnsCookie = NetnsCookie(1);
/// Far longer than anything here takes, so that no test waits for it.
const LONG: Duration = Duration::from_secs(60);

/// What a world can be made with.
pub(crate) struct Setup {
    pub(crate) first_byte_timeout: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) flows_per_workload: usize,
    pub(crate) upstream_per_workload: usize,
    /// One, unless said, so that what may be reused is found.
    pub(crate) workers: NonZeroUsize,
    pub(crate) connect_to: HashMap<Destination, SocketAddr>,
    pub(crate) roots: Vec<PathBuf>,
    /// How the workloads are treated.
    pub(crate) stance: Stance,
}

/// A proxy that runs.
pub(crate) struct World {
    pub(crate) flows: Arc<Quota>,
    pub(crate) names: Arc<Names>,
    pub(crate) udp: SocketAddr,
    pub(crate) listener: SocketAddr,
    /// A workload, and another.
    pub(crate) agent: CgroupId,
    pub(crate) other: CgroupId,
    authority: Arc<Authority>,
    gate: Arc<Gate>,
    origins: Filed,
    stopping: watch::Sender<bool>,
    workers: Arc<Workers>,
    workloads: Arc<Workloads>,
    _site: Site,
    _other: Borrowed,
    dir: tempfile::TempDir,
}

/// Stands in for the kernel's records.
#[derive(Clone, Default)]
struct Filed(Arc<Mutex<HashMap<SocketAddr, Origin>>>);

/// A cgroup of this machine that is only looked at, or one made for want of any.
struct Borrowed {
    cgroup: Cgroup,
    made: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            first_byte_timeout: LONG,
            drain_timeout: LONG,
            flows_per_workload: 64,
            upstream_per_workload: 64,
            workers: NonZeroUsize::MIN,
            connect_to: HashMap::new(),
            roots: Vec::new(),
            stance: Stance::Enforce,
        }
    }
}

impl Setup {
    /// Dials `far` for a destination, and trusts it.
    pub(crate) fn towards(mut self, host: &str, port: u16, far: &Far) -> Self {
        let host = Host::parse(host).unwrap();
        self.connect_to.insert(Destination { host, port }, far.addr);
        self.roots
            .extend(far.authority.iter().map(|it| it.file.clone()));
        self
    }

    /// Must be called within a runtime, which becomes the front one.
    pub(crate) fn start(self) -> World {
        let dir = tempfile::tempdir().unwrap();
        let ledger = enforcer_audit::Config::at(ledger_in(dir.path()));
        let ledger = Arc::new(Ledger::open(ledger).unwrap());
        let policy = Arc::new(ArcSwap::from_pointee(policy()));
        let gate = Arc::new(Gate::new(Arc::clone(&policy), Arc::clone(&ledger)));
        let authority = Arc::new(Authority::load_or_create(&dir.path().join("ca")).unwrap());
        let (workloads, agent, other) = workloads(self.stance);
        let origins = Filed::default();
        let attribution = Attribution::new(Box::new(origins.clone()), Arc::clone(&workloads));
        let names = Arc::new(Names::new());
        let resolver = Arc::new(Resolver::new(
            Arc::clone(&names),
            policy,
            ledger,
            Arc::clone(&attribution) as Arc<dyn enforcer_dns::Attribution>,
        ));
        let flows = Quota::new(1024, self.flows_per_workload);
        let (stopping, stop) = watch::channel(false);
        let proxy = Proxy::new(ProxyParts {
            attribution,
            flows: Arc::clone(&flows),
            gate: Arc::clone(&gate),
            distrust: Arc::default(),
            leaves: Arc::new(Leaves::new(Arc::clone(&authority)).unwrap()),
            names: Arc::clone(&names),
            resolver,
            fingerprinter: Arc::new(Fingerprinter::from_key(&Secret::new([7; 32]))),
            judging: Arc::new(Judging::without_secrets(64 << 20)),
            limits: self.limits(),
            stopping: stop,
        });
        let workers = Arc::new(self.workers(&proxy));
        let listeners = listeners();
        let listener = listeners.tcp.local_addr().unwrap();
        let udp = listeners.dns.local_addr().unwrap();
        let site = Site::open(NETNS, listeners, &proxy, &workers).unwrap();
        World {
            flows,
            names,
            udp,
            listener,
            agent,
            other: other.cgroup.id(),
            authority,
            gate,
            origins,
            stopping,
            workers,
            workloads,
            _site: site,
            _other: other,
            dir,
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            first_byte_timeout: self.first_byte_timeout,
            handshake_timeout: LONG,
            idle_timeout: LONG,
            drain_timeout: self.drain_timeout,
            http: enforcer_http::Limits {
                header_bytes: 64 * 1024,
                header_timeout: LONG,
                streams: 16,
                idle_timeout: LONG,
                response_timeout: LONG,
            },
        }
    }

    fn workers(self, proxy: &Arc<Proxy>) -> Workers {
        let upstream = UpstreamConfig {
            connect_to: self.connect_to,
            connect_timeout: LONG,
            places: Quota::new(1024, self.upstream_per_workload),
        };
        let pool = PoolConfig {
            max_idle_per_host: 8,
            max_idle: 8,
            idle_timeout: LONG,
        };
        let connector = Arc::new(Connector::new(&self.roots).unwrap());
        let workers = WorkersConfig {
            count: self.workers,
            busy_poll: Duration::from_micros(100),
        };
        Workers::start(workers, proxy, &Arc::new(upstream), &connector, pool).unwrap()
    }
}

impl World {
    /// An agent's connection that meant to go to `dst`. A reset may come before the connection is seen to be made.
    pub(crate) async fn connect(&self, agent: CgroupId, dst: SocketAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        self.file(socket.local_addr()?, agent, dst);
        socket.connect(self.listener).await
    }

    /// A connection of the one workload.
    pub(crate) async fn open(&self, dst: SocketAddr) -> TcpStream {
        self.connect(self.agent, dst).await.unwrap()
    }

    /// Where the one workload finds a name.
    pub(crate) fn named(&self, name: &str, port: u16) -> SocketAddr {
        self.named_for(self.agent, name, port)
    }

    pub(crate) fn named_for(&self, agent: CgroupId, name: &str, port: u16) -> SocketAddr {
        let name = Host::parse(name).unwrap();
        let addr = self.names.assign(agent, &name, Family::V4).unwrap();
        SocketAddr::new(addr, port)
    }

    /// Says where a socket is from and meant to go.
    pub(crate) fn file(&self, client: SocketAddr, agent: CgroupId, dst: SocketAddr) {
        let origin = Origin {
            dst: OriginalDst::new(dst),
            cgroup: agent,
            process: Process::default(),
            at: 0,
            netns: NETNS,
        };
        self.origins.0.lock().unwrap().insert(client, origin);
    }

    /// The CA that agents are given.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        self.authority.certificate_der()
    }

    /// The ledger, once so many connections have come to their end.
    pub(crate) async fn ended(&self, connections: usize) -> Entries {
        self.ledger(|entries| entries.endings() >= connections)
            .await
    }

    /// The ledger, once it says so.
    pub(crate) async fn ledger(&self, enough: impl Fn(&Entries) -> bool) -> Entries {
        for _ in 0..2000 {
            self.gate.ledger().flush().unwrap();
            let entries = Entries::read(&ledger_in(self.dir.path()));
            if enough(&entries) {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not yet: {}", Entries::read(&ledger_in(self.dir.path())));
    }

    /// Waits until as many flows of the one workload are open.
    pub(crate) async fn open_flows(&self, count: usize) {
        for _ in 0..2000 {
            if self.flows.of(self.agent).open == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never {count}, but {:?}", self.flows.of(self.agent));
    }

    /// Puts another label on the one workload's cgroup.
    pub(crate) fn relabel(&self) {
        let hierarchy = Hierarchy::discover().unwrap();
        let root = hierarchy.open(hierarchy.mount()).unwrap();
        let label = Label::new(Some("other")).unwrap();
        self.workloads
            .insert(&root, &label, &Arc::default())
            .unwrap();
    }

    /// Ends what a workload has open; returns how many flows.
    pub(crate) fn end(&self, agent: CgroupId, cause: &'static str) -> usize {
        self.gate.end(agent, cause)
    }

    /// Says that the daemon stops. The result ends when the workers have.
    pub(crate) fn stop(&self) -> tokio::task::JoinHandle<()> {
        self.gate.close();
        self.stopping.send_replace(true);
        let workers = Arc::clone(&self.workers);
        tokio::task::spawn_blocking(move || workers.stop())
    }
}

impl Origins for Filed {
    fn take(&self, netns: NetnsCookie, client: ClientAddr) -> Option<Origin> {
        assert_eq!(netns, NETNS);
        self.0.lock().unwrap().remove(&client.addr())
    }

    fn udp(&self, netns: NetnsCookie, client: ClientAddr) -> Option<Origin> {
        assert_eq!(netns, NETNS);
        self.0.lock().unwrap().get(&client.addr()).cloned()
    }
}

impl Borrowed {
    /// Any cgroup but the root. Nothing is done with it, so one of somebody else's will do.
    fn any(hierarchy: &Hierarchy) -> Self {
        let found = std::fs::read_dir(hierarchy.mount()).unwrap().flatten();
        let mut opened = found.filter_map(|entry| hierarchy.open(&entry.path()).ok());
        if let Some(cgroup) = opened.next() {
            return Self {
                cgroup,
                made: false,
            };
        }
        let path = format!("/enforcer-proxy-test-{}", enforcer_flow::FlowId::new());
        let cgroup = hierarchy.create(&path).unwrap();
        Self { cgroup, made: true }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if self.made {
            let removed = self.cgroup.remove(Duration::from_secs(10));
            assert!(std::thread::panicking() || removed.is_ok(), "{removed:?}");
        }
    }
}

fn workloads(stance: Stance) -> (Arc<Workloads>, CgroupId, Borrowed) {
    let hierarchy = Hierarchy::discover().unwrap();
    let root = hierarchy.open(hierarchy.mount()).unwrap();
    let other = Borrowed::any(&hierarchy);
    let workloads = Workloads::new(2);
    let label = Label::new(None).unwrap().with_stance(stance);
    workloads.insert(&root, &label, &Arc::default()).unwrap();
    workloads
        .insert(&other.cgroup, &label, &Arc::default())
        .unwrap();
    (Arc::new(workloads), root.id(), other)
}

fn policy() -> PolicySet {
    let source = Source {
        name: "test.yaml",
        text: POLICY,
    };
    PolicySet::compile(&[source]).unwrap().0
}

fn listeners() -> Listeners {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let dns = UdpSocket::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    dns.set_nonblocking(true).unwrap();
    let dns6 = None;
    Listeners { tcp, dns, dns6 }
}

fn ledger_in(dir: &Path) -> PathBuf {
    dir.join("ledger.jsonl")
}

/// The same place at another port.
pub(crate) fn at(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}
