//! What most tests begin with: a daemon on a watched machine, an upstream of every face, and an agent in a labelled cgroup.

use std::sync::Arc;
use std::time::Duration;

use enforcer_tests::agent::{Agent, Answer};
use enforcer_tests::binaries::Binaries;
use enforcer_tests::cgroup::Cgroup;
use enforcer_tests::daemon::{Daemon, Setup};
use enforcer_tests::ledger::LedgerProbe;
use enforcer_tests::sandbox::Sandbox;
use enforcer_tests::turn::Turn;
use enforcer_tests::upstream::{Face, Upstream};
use enforcer_tests::world::Packet;
use serde_json::Value;

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An address where somebody in the world listens, on 53, 80, 443 and 4444.
pub(crate) const OUTSIDE: &str = "203.0.113.9";

/// The policy of tests that do not bring their own.
pub(crate) const POLICY: &str = r#"
version: 1
name: test
rules:
  - id: api
    effect: allow
    match:
      host: api.openai.com
      path: [/v1/responses, /v1/chat/completions, /test/**]
  - id: below-allowed
    effect: allow
    match:
      host: "*.allowed.example"
  - id: without-tls
    effect: allow
    match:
      host: plain.allowed.example
      protocol: http
  - id: never-this
    effect: deny
    reason: not even when something else allows it
    match:
      host: "*.allowed.example"
      path: /never/**
"#;

/// One test's surroundings. Dropped in the order of the fields.
pub(crate) struct Stage {
    pub(crate) agent: Agent,
    pub(crate) daemon: Daemon,
    pub(crate) cgroup: Cgroup,
    pub(crate) upstream: Upstream,
    pub(crate) sandbox: Arc<Sandbox>,
    _turn: Turn,
}

/// The programs under test, or nothing and the reason on standard output.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
pub(crate) fn binaries() -> Option<Binaries> {
    match Binaries::find(env!("CARGO_BIN_EXE_probe")) {
        Ok(binaries) => Some(binaries),
        Err(reason) => {
            println!("skipped: {reason}");
            None
        }
    }
}

impl Stage {
    /// The usual surroundings.
    pub(crate) fn new() -> Option<Self> {
        Self::with(POLICY, |setup| setup)
    }

    /// Surroundings with this policy, and a setup that the test changed.
    pub(crate) fn with(policy: &str, change: impl FnOnce(Setup) -> Setup) -> Option<Self> {
        let (stage, ()) = Self::beside(policy, |_, setup| (change(setup), ()))?;
        Some(stage)
    }

    /// Surroundings with somebody else in them, who is there before the daemon starts.
    pub(crate) fn beside<T>(
        policy: &str,
        change: impl FnOnce(&Sandbox, Setup) -> (Setup, T),
    ) -> Option<(Self, T)> {
        let binaries = binaries()?;
        let turn = Turn::take().expect("a turn");
        let sandbox = Arc::new(Sandbox::new(binaries).expect("a sandbox"));
        let upstream = sandbox.upstream().expect("an upstream");
        let (setup, other) = change(&sandbox, setup(policy, &upstream));
        let daemon = Daemon::start(&sandbox, &setup).expect("a daemon");
        let cgroup = sandbox.cgroup().expect("a cgroup");
        daemon.label(&cgroup).expect("a label");
        let agent = daemon.agent(&cgroup).expect("an agent");
        let stage = Self {
            agent,
            daemon,
            cgroup,
            upstream,
            sandbox,
            _turn: turn,
        };
        Some((stage, other))
    }

    /// Runs curl as the agent.
    pub(crate) fn curl(&self, arguments: &[&str]) -> Answer {
        self.agent.curl(arguments).expect("curl")
    }

    pub(crate) fn ledger(&self) -> LedgerProbe {
        self.daemon.ledger()
    }

    /// Waits for a line of this event for which `is_it` says yes.
    pub(crate) fn recorded(&self, event: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = self
            .ledger()
            .wait(PATIENCE, |entry| entry["event"] == event && is_it(entry));
        found.unwrap_or_else(|error| panic!("{event}: {error}"))
    }

    /// What got out into the world.
    pub(crate) fn leaked(&self) -> Vec<Packet> {
        self.sandbox.world().capture().expect("a capture").packets
    }

    /// The requests that reached the upstream, as `METHOD path`.
    pub(crate) fn arrived(&self) -> Vec<String> {
        let arrivals = self.upstream.journal().arrivals();
        let lines = arrivals
            .iter()
            .map(|arrival| format!("{} {}", arrival.method, arrival.path));
        lines.collect()
    }

    /// Waits until `count` flows have opened and each of them, and each that never opened, has come to an end without a grant.
    pub(crate) fn assert_flows_refused(&self, count: usize) {
        let of = |events: &[&str]| {
            let entries = self.ledger().entries();
            let event = |entry: &&Value| events.contains(&entry["event"].as_str().unwrap_or(""));
            entries.iter().filter(event).count()
        };
        let ended = || of(&["flow_aborted", "flow_closed", "flow_refused"]);
        let waited = self.ledger().wait(PATIENCE, |_| ended() >= count);
        waited.unwrap_or_else(|error| panic!("{} of {count} ended: {error}", ended()));
        assert_eq!(of(&["exchange_granted"]), 0);
        let refused = of(&["exchange_denied", "flow_aborted", "flow_refused"]);
        assert!(
            refused >= count,
            "{refused} of {count}: {}",
            self.ledger().text()
        );
    }

    /// The claim that ends most tests about a no.
    pub(crate) fn assert_nothing_got_out(&self) {
        assert_eq!(self.arrived(), Vec::<String>::new());
        assert_eq!(self.leaked(), []);
    }
}

/// Every name of the policy at its face of the upstream.
pub(crate) fn setup(policy: &str, upstream: &Upstream) -> Setup {
    let at = |face| upstream.address(face).expect("a listener");
    let nobody = ([127, 0, 0, 1], 1).into();
    Setup::with_policy(policy)
        .believing(upstream.ca_pem())
        .to("api.openai.com:443", at(Face::Tls))
        .to("good.allowed.example:443", at(Face::Tls))
        .to("old.allowed.example:443", at(Face::Tls12))
        .to("expired.allowed.example:443", at(Face::Expired))
        .to("untrusted.allowed.example:443", at(Face::Untrusted))
        .to("wrong.allowed.example:443", at(Face::WrongName))
        .to("plain.allowed.example:80", at(Face::Plain))
        .to("silent.allowed.example:443", at(Face::Silent))
        .to("down.allowed.example:443", nobody)
}
