use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use enforcer_control::{
    Access, Action, AuthorityView, Chosen, Code, Controller, Enforcement, LedgerView, Newcomer,
    Peer, PolicyView, Problem, Quarantined, Rescanned, Server, Status, Target,
};

use super::*;

/// A daemon that honours every label but those of cgroups called `refused`.
struct Fake {
    hierarchy: Hierarchy,
    heard: Arc<Mutex<Vec<String>>>,
}

/// A cgroup and a folder with a configuration, both gone afterwards.
struct Stage {
    hierarchy: Hierarchy,
    cgroup: Cgroup,
    folder: tempfile::TempDir,
    heard: Arc<Mutex<Vec<String>>>,
}

// === impl Fake ===

impl Enforcement for Fake {
    fn record(&self, action: &Action, _peer: Peer) -> Result<(), Problem> {
        self.heard.lock().unwrap().push(action.to_string());
        Ok(())
    }

    fn label(&self, cgroup: &str, label: &Label) -> Result<WorkloadView, Problem> {
        if cgroup.ends_with("refused") {
            return Err(Problem::new(Code::Conflict, "not this one"));
        }
        let cgroup = self.hierarchy.open(Path::new(cgroup))?;
        self.hierarchy.label(&cgroup, label)?;
        Ok(WorkloadView {
            name: "a".to_owned(),
            cgroup: cgroup.path().to_string(),
            cgroup_id: cgroup.id().0,
            policy: label.policy().map(ToString::to_string),
            container: None,
            principal: None,
            stance: label.stance().as_str().to_owned(),
            flows_open: 0,
            flows_total: 0,
        })
    }

    fn quarantine(&self, _: &Target) -> Result<Quarantined, Problem> {
        Err(Problem::new(Code::Fault, "not asked here"))
    }

    fn lift(&self, _: &Target) -> Result<Quarantined, Problem> {
        Err(Problem::new(Code::Fault, "not asked here"))
    }

    fn unlabel(&self, cgroup: &str) -> Result<Unlabelled, Problem> {
        let cgroup = self.hierarchy.open(Path::new(cgroup))?;
        let label = self.hierarchy.unlabel(&cgroup)?;
        Ok(Unlabelled {
            cgroup: cgroup.path().to_string(),
            was_labelled: label.is_some(),
            workload: None,
        })
    }

    fn rotate_ca(&self) -> Result<AuthorityView, Problem> {
        unreachable!("nothing is rotated here")
    }

    fn admit(&self, newcomer: &Newcomer) -> Result<WorkloadView, Problem> {
        Err(Problem::new(Code::Conflict, &newcomer.id))
    }

    fn choose(&self, id: &str) -> Result<Chosen, Problem> {
        Err(Problem::new(Code::Unknown, id))
    }

    fn rescan(&self) -> Result<Rescanned, Problem> {
        Err(Problem::new(Code::Fault, "the CLI does not ask for this"))
    }

    fn status(&self) -> Status {
        Status {
            version: String::new(),
            pid: 0,
            uptime_seconds: 0,
            policy: PolicyView {
                source: PathBuf::new(),
                digest: String::new(),
                rules: 0,
                problem: None,
            },
            workloads: Vec::new(),
            ledger: LedgerView {
                path: PathBuf::new(),
                sequence: 0,
                head: String::new(),
                problem: None,
            },
            authority: AuthorityView {
                fingerprint: String::new(),
                certificate: PathBuf::new(),
                ..AuthorityView::default()
            },
            dangers: Vec::new(),
            quarantines: Vec::new(),
            watchdog: None,
            trust: Vec::new(),
        }
    }
}

// === impl Stage ===

impl Stage {
    /// None, with the reason printed, where cgroups cannot be made.
    fn new(name: &str) -> Option<Self> {
        let make = || {
            let hierarchy = Hierarchy::discover()?;
            let path = format!("/enforcer-cli-{}-{name}", std::process::id());
            let cgroup = hierarchy.create(&path)?;
            Ok::<_, enforcer_identity::CgroupError>((hierarchy, cgroup))
        };
        let made = make().inspect_err(|error| {
            eprintln!("skipped, no cgroup can be made here: {error}");
        });
        let (hierarchy, cgroup) = made.ok()?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("enforcer.yaml"), "runtime_dir: run\n").unwrap();
        Some(Self {
            hierarchy,
            cgroup,
            folder,
            heard: Arc::default(),
        })
    }

    fn daemon(&self) -> Server {
        let fake = Fake {
            hierarchy: self.hierarchy.clone(),
            heard: self.heard.clone(),
        };
        let socket = self.folder.path().join("run/control.sock");
        let access = Access::operators(|_| false);
        Server::start(&socket, access, Controller::new(fake)).unwrap()
    }

    fn address(&self) -> Address {
        Address::of(self.folder.path().join("enforcer.yaml"))
    }

    fn label(&self, policy: Option<&str>) -> anyhow::Result<String> {
        let code = run(LabelArgs {
            daemon: self.address(),
            policy: policy.map(str::to_owned),
            observe: false,
            person: PersonArgs::default(),
            cgroup: self.cgroup.dir().to_owned(),
        });
        code.map(|code| format!("{code:?}"))
    }

    fn unlabel(&self) -> anyhow::Result<String> {
        let code = unlabel(UnlabelArgs {
            daemon: self.address(),
            cgroup: self.cgroup.dir().to_owned(),
        });
        code.map(|code| format!("{code:?}"))
    }

    fn policy(&self) -> Option<String> {
        let label = self.cgroup.read_label().unwrap();
        label.map(|label| label.to_string())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let removed = self.cgroup.remove(Duration::from_secs(10));
        if !std::thread::panicking() {
            removed.unwrap();
        }
    }
}

fn code(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

#[test]
fn a_daemon_honours_the_label() {
    let Some(stage) = Stage::new("honour") else {
        return;
    };
    let _daemon = stage.daemon();
    assert_eq!(stage.label(Some("openai")).unwrap(), code(0));
    assert_eq!(stage.policy().as_deref(), Some("openai"));
    assert_eq!(stage.label(None).unwrap(), code(0));
    assert_eq!(stage.policy().as_deref(), Some("*"));
    assert_eq!(stage.unlabel().unwrap(), code(0));
    assert_eq!(stage.policy(), None);
    assert_eq!(stage.unlabel().unwrap(), code(0));
    let path = stage.cgroup.path();
    let expected = [
        format!("label {path} openai"),
        format!("label {path} *"),
        format!("unlabel {path}"),
        format!("unlabel {path}"),
    ];
    assert_eq!(*stage.heard.lock().unwrap(), expected);
}

#[test]
fn without_a_daemon_the_label_is_a_wish() {
    let Some(stage) = Stage::new("wish") else {
        return;
    };
    assert_eq!(stage.label(Some("openai")).unwrap(), code(4));
    assert_eq!(stage.policy().as_deref(), Some("openai"));
    assert_eq!(stage.unlabel().unwrap(), code(4));
    assert_eq!(stage.policy(), None);
}

#[test]
fn what_the_daemon_refuses_is_not_labelled() {
    let Some(stage) = Stage::new("refused") else {
        return;
    };
    let _daemon = stage.daemon();
    let error = stage.label(None).unwrap_err();
    assert_eq!(error.to_string(), "not this one");
    assert_eq!(stage.policy(), None);
}

#[test]
fn what_cannot_be_labelled_is_said_at_once() {
    let Some(stage) = Stage::new("said") else {
        return;
    };
    let error = stage.label(Some("two words")).unwrap_err();
    assert!(
        error.to_string().contains("cannot name a policy"),
        "{error}"
    );
    let missing = LabelArgs {
        daemon: stage.address(),
        policy: None,
        observe: false,
        person: PersonArgs::default(),
        cgroup: "/no/such/cgroup".into(),
    };
    let error = run(missing).unwrap_err();
    assert!(
        error.to_string().contains("no cgroup v2 directory"),
        "{error}"
    );
    let root = LabelArgs {
        daemon: stage.address(),
        policy: None,
        observe: false,
        person: PersonArgs::default(),
        cgroup: "/".into(),
    };
    let error = run(root).unwrap_err();
    assert!(error.to_string().contains("root"), "{error}");
}
