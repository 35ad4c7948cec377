//! The documents keep their word: what they show is typed here as they show it, and what they name exists.
//!
//! Blocks marked `sh` are typed by one shell, as root, on a machine that exists only for it: a namespace of mounts with
//! fresh folders where the enforcer keeps its things and cgroup v2 where most machines have it, and a watched network in
//! which the enforcer finds `api.openai.com` at our upstream. A block marked `sh background` stays running beside what
//! follows. Chores of cargo are left out: `xtask/src/docs.rs` looks after those.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use enforcer_tests::binaries::{Binaries, workspace};
use enforcer_tests::cgroup::{self, Cgroup};
use enforcer_tests::process::{Finished, Process};
use enforcer_tests::sandbox::Sandbox;
use enforcer_tests::turn::Turn;
use enforcer_tests::upstream::{Face, Options, Upstream};

const DOCUMENTS: [&str; 6] = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "policies/LANGUAGE.md",
    "policies/README.md",
];
/// Stand for the real far side, so they must be addresses that a name may lead to: public ones. They are ours in the test's
/// network only.
const FAR_SIDE: [&str; 2] = ["104.18.7.192", "2606:4700::6812:7c0"];
const PATIENCE: Duration = Duration::from_secs(120);

/// A code block: what stands behind its fence, and its lines.
#[derive(Debug)]
struct Block {
    kind: String,
    text: String,
}

/// A machine on which nobody has installed an enforcer. Dropped in the order of the fields.
struct Machine {
    shell: Cgroup,
    _agents: Agents,
    upstream: Upstream,
    sandbox: Arc<Sandbox>,
    _turn: Turn,
}

/// The cgroup that the README makes, removed unless it was there before.
struct Agents(Option<PathBuf>);

#[test]
fn what_the_readme_types_works_as_it_says() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let finished = machine.types(&blocks("README.md"));
    let said = format!("{}\n{}", finished.stdout, finished.stderr);
    assert_eq!(finished.code(), 0, "{said}");
    for expected in [
        "enforcer: 1 granted, 0 denied",
        "enforcer: 0 granted, 1 denied",
        "/agents/one is enforced as workload one, policy *",
        "GET https://api.openai.com:443/v1/files",
        ": intact",
        "/agents/one is not enforced any more, it was workload one",
    ] {
        assert!(said.contains(expected), "`{expected}` is not in\n{said}");
    }
    let shown = refusal_in(&document("README.md"));
    let refusals = finished.stdout.matches(&shown).count();
    assert_eq!(refusals, 2, "`{shown}` in\n{said}");
    let arrived = machine.upstream.journal().arrivals();
    let arrived: Vec<&str> = arrived.iter().map(|arrival| &*arrival.path).collect();
    assert_eq!(arrived, ["/v1/models", "/v1/models"], "{said}");
    let leaked = machine.sandbox.world().capture().expect("a capture");
    assert_eq!(leaked.packets, []);
}

#[test]
fn other_documents_type_nothing_that_is_not_run() {
    for name in DOCUMENTS.iter().filter(|name| **name != "README.md") {
        let shells = blocks(name)
            .into_iter()
            .filter(|block| block.kind.starts_with("sh"));
        let typed: String = shells.map(|block| without_chores(&block.text)).collect();
        assert_eq!(typed.trim(), "", "{name}: move it to README.md");
    }
}

#[test]
fn every_subcommand_and_flag_that_is_named_exists() {
    let Some(binaries) = binaries() else { return };
    for name in DOCUMENTS {
        for command in named_commands(&document(name)) {
            let words: Vec<&str> = command.split_whitespace().skip(1).collect();
            let is_verb = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
            let verbs: Vec<&str> = words.iter().take_while(is_verb).copied().collect();
            let mut help = Command::new(&binaries.enforcer);
            let shown = help.args(&verbs).arg("--help").output().expect("help");
            assert!(shown.status.success(), "{name}: `{command}`");
            let shown = String::from_utf8_lossy(&shown.stdout);
            let ours = words.iter().take_while(|word| **word != "--");
            for flag in ours.filter(|word| word.starts_with('-')) {
                assert!(shown.contains(flag), "{name}: `{command}`: {flag}");
            }
        }
    }
}

#[test]
fn the_policy_that_the_readme_shows_is_one() {
    let Some(binaries) = binaries() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut shown = blocks("README.md");
    shown.retain(|block| block.kind == "yaml");
    assert!(!shown.is_empty());
    for Block { text, .. } in shown {
        let policy = folder.path().join("shown.yaml");
        fs::write(&policy, text).expect("a policy");
        let mut check = Command::new(&binaries.enforcer);
        check.args(["policy", "check"]).arg(policy);
        let checked = check.output().expect("a check");
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success(), "{said}");
        assert!(!said.contains("warning"), "{said}");
    }
}

#[test]
fn links_lead_somewhere() {
    for name in DOCUMENTS {
        let text = document(name);
        let path = workspace().join(name);
        let folder = path.parent().expect("a folder");
        for link in text.split("](").skip(1).filter_map(|rest| {
            let (link, _) = rest.split_once(')')?;
            (!link.starts_with("http")).then_some(link)
        }) {
            match link.split_once('#') {
                Some(("", heading)) => assert!(has_heading(&text, heading), "{name}: {link}"),
                Some((file, _)) => assert!(folder.join(file).exists(), "{name}: {link}"),
                None => assert!(folder.join(link).exists(), "{name}: {link}"),
            }
        }
    }
}

// === impl Machine ===

impl Machine {
    fn new() -> Option<Self> {
        let binaries = binaries()?;
        let turn = Turn::take().expect("a turn");
        let sandbox = Arc::new(Sandbox::new(binaries).expect("a sandbox"));
        let listeners = FAR_SIDE.map(|address| {
            let added = sandbox
                .host()
                .ip(&["addr", "add", address, "dev", "lo", "nodad"]);
            added.expect("an address");
            let address: IpAddr = address.parse().expect("an address");
            (Face::Tls, (address, 443).into())
        });
        let upstream = Upstream::start(Options {
            listeners: listeners.to_vec(),
            namespace: Some(Arc::clone(sandbox.host())),
            log: None,
        });
        Some(Self {
            shell: sandbox.cgroup().expect("a cgroup"),
            _agents: Agents::absent(),
            upstream: upstream.expect("an upstream"),
            sandbox,
            _turn: turn,
        })
    }

    /// Has one shell type all blocks that are for a shell.
    fn types(&self, blocks: &[Block]) -> Finished {
        let (shell, upstream, sandbox) = (&self.shell, &self.upstream, &self.sandbox);
        let root = sandbox.write("upstream-ca.pem", upstream.ca_pem());
        let script = sandbox.write("typed.sh", &self.script(blocks));
        let folder = self.clone_folder();
        let mut command = Command::new(&sandbox.binaries().probe);
        command.args(["in", "--cgroup"]).arg(shell.path());
        command.args(["--", "unshare", "--mount", "--", "sh", "-eu"]);
        command.arg(script.expect("a script")).current_dir(folder);
        // The host's public roots: how an operator would name those of a company.
        command.env("SSL_CERT_FILE", root.expect("a file"));
        let process = Process::start(&mut command, Some(sandbox.host())).expect("a shell");
        process.finish(PATIENCE).expect("an end")
    }

    /// What a fresh clone has after the build.
    fn clone_folder(&self) -> PathBuf {
        let folder = self.sandbox.folder().join("clone");
        if !folder.exists() {
            let built = folder.join("target/release");
            fs::create_dir_all(&built).expect("a folder");
            let enforcer = &self.sandbox.binaries().enforcer;
            symlink(enforcer, built.join("enforcer")).expect("a link");
            for name in ["enforcer", "policies"] {
                symlink(workspace().join(name), folder.join(name)).expect("a link");
            }
        }
        folder
    }

    fn script(&self, blocks: &[Block]) -> String {
        let fresh = self.sandbox.folder().join("fresh");
        let mut script = prelude(&fresh, &self.sandbox.binaries().enforcer);
        for Block { kind, text } in blocks {
            let typed = without_chores(text);
            match kind.as_str() {
                "sh" => script.push_str(&typed),
                "sh background" => {
                    let _ = write!(script, "{{ {typed} }} &\nDAEMON=$!\n");
                    script.push_str("until enforcer status >/dev/null 2>&1; do kill -0 $DAEMON; sleep 0.1; done\n");
                }
                _ => {}
            }
        }
        // A shell types faster than deferred lines are written; once the daemon has stopped, all are.
        script.push_str(
            "test -z \"$DAEMON\" || { kill $DAEMON; wait $DAEMON; enforcer audit tail; }\n",
        );
        script
    }
}

/// Makes the machine that the shell believes to be on, from its own namespace of mounts.
fn prelude(fresh: &Path, enforcer: &Path) -> String {
    let (fresh, enforcer) = (fresh.display(), enforcer.display());
    let [four, six] = FAR_SIDE;
    format!(
        "mkdir -p {fresh}; mount -t tmpfs none {fresh}\n\
         for place in etc var/lib run usr; do\n\
         \x20 mkdir -p {fresh}/$place/upper {fresh}/$place/work\n\
         \x20 mount -t overlay none -o lowerdir=/$place,upperdir={fresh}/$place/upper,workdir={fresh}/$place/work /$place\n\
         done\n\
         rm -rf /etc/enforcer /var/lib/enforcer /run/enforcer\n\
         test \"$(stat -f -c %T /sys/fs/cgroup)\" = cgroup2fs || {{ umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; }}\n\
         printf '127.0.0.1 localhost\\n{four} api.openai.com\\n{six} api.openai.com\\n' > /etc/hosts\n\
         echo nameserver 127.0.0.1 > /etc/resolv.conf\n\
         ln -sf {enforcer} /usr/local/bin/enforcer\n\
         PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
         DAEMON=\n"
    )
}

// === impl Agents ===

impl Agents {
    fn absent() -> Self {
        let path = cgroup::mount().expect("a mount").join("agents");
        Self((!path.exists()).then_some(path))
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_dir(path.join("one"));
            let _ = fs::remove_dir(path);
        }
    }
}

#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn binaries() -> Option<Binaries> {
    let found = Binaries::find(env!("CARGO_BIN_EXE_probe"));
    found
        .inspect_err(|reason| println!("skipped: {reason}"))
        .ok()
}

fn document(name: &str) -> String {
    let path = workspace().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn blocks(name: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in document(name).lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(kind) => {
                inside = true;
                blocks.push(Block {
                    kind: kind.to_owned(),
                    text: String::new(),
                });
            }
            None if inside => {
                let block = blocks.last_mut().expect("an open block");
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!inside, "{name}: a block is not closed");
    blocks
}

fn without_chores(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("cargo "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Code in running text that begins with our command.
fn named_commands(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    let spans = outside.flat_map(|part| part.split('`').skip(1).step_by(2));
    let ours = |span: &&str| {
        let mut words = span.split_whitespace();
        words.next() == Some("enforcer") && words.next().is_some()
    };
    spans.filter(ours).collect()
}

/// The refusal that a document shows, up to what differs each time.
fn refusal_in(text: &str) -> String {
    let (_, shown) = text.split_once(r#""message": ""#).expect("a refusal");
    let (message, _) = shown.split_once("(exchange ").expect("an exchange");
    format!(r#""message":"{message}(exchange "#)
}

fn has_heading(text: &str, anchor: &str) -> bool {
    let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings.any(|heading| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.collect::<String>().replace(' ', "-") == anchor
    })
}
