//! Where attempts are made: a watched world, a daemon, agents, and those outside of whom agents make use.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enforcer_tests::agent::Agent;
use enforcer_tests::cgroup::{self, Cgroup};
use enforcer_tests::daemon::{Daemon, Places, Setup};
use enforcer_tests::ledger::LedgerProbe;
use enforcer_tests::namespace::Namespace;
use enforcer_tests::sandbox::Sandbox;
use enforcer_tests::turn::Turn;
use enforcer_tests::world::{HOST_V4, Packet};

use crate::escape::crew::{Crew, python};
use crate::escape::place::{OWN, place, techniques};
use crate::escape::rows::{Row, Setting, Way};
use crate::escape::trial::{Phase, Trial};
use crate::stage::{POLICY, binaries};

/// What container engines leave to a process that asks for nothing.
const CONTAINER: &str = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,\
    +net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";
/// Long enough for a daemon that looks every second.
const SERVED: Duration = Duration::from_secs(10);
/// One setting with a daemon. Dropped in the order of the fields.
pub(crate) struct Scene {
    pub(crate) setting: Setting,
    agents: Option<Crew>,
    strangers: Option<Crew>,
    outsiders: Crew,
    facts: BTreeMap<&'static str, String>,
    techniques: PathBuf,
    daemon: Option<Daemon>,
    places: Places,
    pub(crate) cgroup: Cgroup,
    outside: Cgroup,
    namespace: Arc<Namespace>,
    pub(crate) sandbox: Arc<Sandbox>,
    _turn: Turn,
}

impl Scene {
    /// Everything is there, and nothing is labelled yet.
    pub(crate) fn new(setting: Setting) -> Option<Self> {
        let binaries = binaries()?;
        let turn = Turn::take().expect("a turn");
        let sandbox = Arc::new(Sandbox::new(binaries).expect("a sandbox"));
        let namespace = place(setting, &sandbox);
        let setup = Setup::with_policy(POLICY);
        let places = setup.write(sandbox.folder(), "daemon").expect("a setup");
        let daemon = (setting != Setting::Run)
            .then(|| Daemon::start_at(&sandbox, places.clone()).expect("a daemon"));
        let (cgroup, outside) = (
            sandbox.cgroup().expect("a cgroup"),
            sandbox.cgroup().expect("a cgroup"),
        );
        let techniques = techniques(&sandbox);
        let crew = |cgroup: &Cgroup, namespace: &Arc<Namespace>| {
            let agent = Agent::new(&sandbox, cgroup.path(), &places.config);
            let mut command = agent.command("python3");
            command.arg("-B").arg(techniques.join("crew.py"));
            Crew::start(command, namespace)
        };
        let strangers = (setting != Setting::Run).then(|| crew(&outside, &namespace));
        let agents = (setting != Setting::Run).then(|| crew(&cgroup, &namespace));
        let mut scene = Self {
            setting,
            agents,
            strangers,
            outsiders: crew(&outside, sandbox.host()),
            facts: BTreeMap::new(),
            techniques,
            daemon,
            places,
            cgroup,
            outside,
            namespace,
            sandbox,
            _turn: turn,
        };
        scene.know();
        // Last, as whoever is outside is there before an agent is.
        scene.agents.get_or_insert_with(|| {
            let program = scene.techniques.join("crew.py");
            let command = run(&scene.sandbox, &scene.places, &program);
            Crew::start(command, &scene.namespace)
        });
        Some(scene)
    }

    /// Labels the agents' cgroup and waits until its namespace is served.
    pub(crate) fn enforce(&mut self) {
        // A namespace that others live in is not the workload's alone, and its wire is left as it is.
        self.strangers = None;
        let daemon = self.daemon.as_ref().expect("a daemon labels");
        daemon.label(&self.cgroup).expect("a label");
        let until = Instant::now() + SERVED;
        let port = loop {
            let port = self.namespace.run(listener).expect("the namespace");
            match port {
                Some(port) => break port,
                None => assert!(Instant::now() < until, "the namespace is not served"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        self.facts.insert("listener", port.to_string());
    }

    /// Kills the daemon.
    pub(crate) fn strike(&self) {
        self.daemon.as_ref().expect("there is one").strike();
    }

    /// What was recorded.
    pub(crate) fn ledger(&self) -> LedgerProbe {
        let runs = fs::read_dir(self.places.state.join("runs"));
        let run = runs.into_iter().flatten().flatten().next();
        LedgerProbe::new(match run {
            Some(run) => run.path().join("ledger.jsonl"),
            None => self.places.ledger.clone(),
        })
    }

    /// Makes agents ready who must be so before the label.
    pub(crate) fn prepare(&mut self, rows: &[Row]) {
        for (index, row) in each(rows) {
            if row.way == Way::Early {
                let command = self.command(row, index, Phase::Enforced);
                let agents = self.crew(Phase::Enforced);
                agents.begin(row.technique, &command);
                agents.wait(row.technique, |account| account.is_ready);
            }
        }
    }

    /// Makes every attempt, and tells how each went and whether it arrived.
    pub(crate) fn attempt(&mut self, rows: &[Row], phase: Phase) -> Vec<Trial> {
        let mut trials = Vec::new();
        for (index, row) in each(rows).filter(|(_, row)| row.way != Way::Agent) {
            trials.push(self.attempt_alone(row, index, phase));
        }
        self.sandbox.world().forget().expect("a world");
        let plain = || each(rows).filter(|(_, row)| row.way == Way::Agent);
        let commands = plain().map(|(index, row)| {
            let tag = phase.tag(row.technique);
            (tag, self.command(row, index, phase))
        });
        let commands = commands.collect();
        self.crew(phase).run(commands);
        let packets = self.packets();
        for (index, row) in plain() {
            let account = self.crew(phase).account(&phase.tag(row.technique));
            trials.push(Trial::new(row, index, phase, account, &packets));
        }
        trials
    }

    /// What arrived in the world since it was told to forget.
    pub(crate) fn packets(&self) -> Vec<Packet> {
        self.sandbox.world().capture().expect("a capture").packets
    }

    /// One that needs somebody outside, or was made ready before.
    fn attempt_alone(&mut self, row: &Row, index: u8, phase: Phase) -> Trial {
        // Those from before the label are the same when the daemon is dead.
        let made = match (row.way, phase) {
            (Way::Early, Phase::Orphaned) => Phase::Enforced,
            _ => phase,
        };
        let tag = match (row.way, made) {
            (Way::Early, Phase::Enforced) => row.technique.to_owned(),
            _ => phase.tag(row.technique),
        };
        let command = self.command(row, index, made);
        let helper = format!("{tag} from outside");
        if row.way == Way::Handed {
            let give = self.words("hands_over", index, made, row.technique);
            self.outsiders.begin(&helper, &give);
            self.outsiders.wait(&helper, |account| account.is_ready);
        }
        let crew = self.crew_of(row, phase);
        if crew.account(&tag).pid.is_none() {
            crew.begin(&tag, &command);
        }
        if row.way != Way::Handed {
            crew.wait(&tag, |account| account.is_ready);
        }
        self.sandbox.world().forget().expect("a world");
        let before = self.crew_of(row, phase).account(&tag).outcomes.len();
        match row.way {
            Way::Handed => self.outsiders.go(&helper),
            Way::Agent | Way::Early | Way::Inbound | Way::Outsider => {
                self.crew_of(row, phase).go(&tag);
            }
        }
        self.visit(row, index, made);
        let crew = self.crew_of(row, phase);
        let account = crew.wait(&tag, |account| account.outcomes.len() > before);
        Trial::new(row, index, made, account, &self.packets())
    }

    /// Has somebody in the world connect to one who waits for it.
    fn visit(&self, row: &Row, index: u8, phase: Phase) {
        if matches!(row.technique, "listening_before" | "answer_to_inbound") {
            let own = IpAddr::V4(self.own());
            let to = SocketAddr::new(own, phase.inbound(index));
            let world = self.sandbox.world();
            // That nobody answers is what is hoped for.
            let _ = world.visit(phase.four(index), to).expect("a visitor");
        }
    }

    fn crew(&mut self, phase: Phase) -> &mut Crew {
        match phase {
            Phase::Free => self.strangers.as_mut().expect("nothing is labelled yet"),
            Phase::Enforced | Phase::Orphaned => self.agents.as_mut().expect("agents are there"),
        }
    }

    fn crew_of(&mut self, row: &Row, phase: Phase) -> &mut Crew {
        match row.way {
            Way::Outsider => &mut self.outsiders,
            Way::Agent | Way::Early | Way::Handed | Way::Inbound => self.crew(phase),
        }
    }

    /// The command of an attempt, made by whom it is made in this setting.
    fn command(&self, row: &Row, index: u8, phase: Phase) -> Vec<String> {
        let words = self.words(row.technique, index, phase, row.technique);
        let rights: &[&str] = match (phase, self.setting) {
            (Phase::Free, _) => &[],
            (_, Setting::Host) if row.as_user => &[
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--bounding-set=-all",
                "--inh-caps=-all",
            ],
            (_, Setting::Host | Setting::Run) => &[],
            (_, Setting::Own) => &[
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs none /sys/fs/bpf && mount -o remount,bind,ro \"$0\" && exec \"$@\"",
            ],
        };
        let mut command: Vec<String> = rights.iter().map(|word| (*word).to_owned()).collect();
        // One who becomes an agent is not in a container yet.
        if self.setting == Setting::Own && phase != Phase::Free {
            if row.way == Way::Outsider {
                return words;
            }
            command.push(cgroup::mount().expect("cgroup2").display().to_string());
            command.push("setpriv".to_owned());
            command.push(format!("--bounding-set={CONTAINER}"));
            command.push("--inh-caps=-all".to_owned());
        }
        command.extend(words);
        command
    }

    /// The words of a technique: where it is to arrive, and all that it may want to know.
    fn words(&self, technique: &str, index: u8, phase: Phase, of: &str) -> Vec<String> {
        let mut words = python(&self.techniques);
        words.push(technique.to_owned());
        words.push(phase.four(index).to_string());
        words.push(phase.six(index).to_string());
        let cgroup = match phase {
            Phase::Free => &self.outside,
            Phase::Enforced | Phase::Orphaned => &self.cgroup,
        };
        let meeting = self.sandbox.folder().join(phase.tag(of));
        words.push(format!("cgroup={}", cgroup.path().display()));
        words.push(format!("inbound={}", phase.inbound(index)));
        words.push(format!("meeting={}", meeting.display()));
        words.push(format!("name={}", phase.name(of)));
        let facts = self.facts.iter();
        words.extend(facts.map(|(key, value)| format!("{key}={value}")));
        words
    }

    fn own(&self) -> Ipv4Addr {
        match self.setting {
            Setting::Host | Setting::Run => HOST_V4,
            Setting::Own => OWN,
        }
    }

    /// Learns what attempts want to know, and puts outside whom they make use of.
    fn know(&mut self) {
        let (device, pins) = match self.setting {
            Setting::Host => ("up0", "/sys/fs/bpf/enforcer/daemon"),
            Setting::Own => ("eth0", "/sys/fs/bpf/enforcer/daemon"),
            Setting::Run => ("up0", "/sys/fs/bpf/enforcer/runs"),
        };
        let relay = self.sandbox.folder().join("relay").display().to_string();
        let outside = self.outside.path().display().to_string();
        let control = self.places.socket.display().to_string();
        let facts = [
            ("control", control),
            ("device", device.to_owned()),
            ("outside", outside),
            ("own", self.own().to_string()),
            ("pins", pins.to_owned()),
            ("relay", relay),
        ];
        self.facts.extend(facts);
        for helper in ["relays", "holds"] {
            let command = self.words(helper, 200, Phase::Free, helper);
            self.outsiders.begin(helper, &command);
            self.outsiders.wait(helper, |account| account.is_ready);
        }
        let (relay, holder) = (
            self.outsiders.account("relays"),
            self.outsiders.account("holds"),
        );
        let facts = [
            ("fd", holder.outcome().to_owned()),
            ("pid", holder.pid.unwrap_or_default().to_string()),
            ("relay_port", relay.outcome().to_owned()),
        ];
        self.facts.extend(facts);
    }
}

/// The crew as the command of `enforcer run`.
fn run(sandbox: &Sandbox, places: &Places, program: &Path) -> Command {
    let mut command = Command::new(&sandbox.binaries().enforcer);
    command.arg("run").arg("--config").arg(&places.config);
    command
        .arg("--policy")
        .arg(places.policies.join("test.yaml"));
    command.args(["--", "python3", "-B"]).arg(program);
    command
}

/// Rows with the numbers that their addresses end in.
pub(crate) fn each(rows: &[Row]) -> impl Iterator<Item = (u8, &Row)> {
    (1..100).zip(rows)
}

/// The port of the enforcer's TCP listener in the namespace of the caller, if there is one.
fn listener() -> Option<u16> {
    let table = fs::read_to_string("/proc/thread-self/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state) = (fields.get(1)?, fields.get(3)?);
        let port = u16::from_str_radix(local.rsplit(':').next()?, 16).ok()?;
        (*state == "0A" && (600..1024).contains(&port)).then_some(port)
    })
}
