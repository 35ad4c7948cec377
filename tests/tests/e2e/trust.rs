//! Trust in containers that were never told of our CA: their own programs reach what is intercepted, and nothing of it stays.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use enforcer_tests::daemon::Daemon;
use enforcer_tests::docker::{Container, Docker, Machine, Settings};
use rustix::fs::{CWD, FileType, Mode};
use serde_json::Value;

use crate::stage::{PATIENCE, POLICY, Stage};

/// What the policy allows and the upstream answers.
const URL: &str = "https://good.allowed.example/test/echo";
/// An image whose programs are the machine's and whose stores are its own.
const IMAGE: &str = "trust";
const STORE: &str = "/etc/ssl/certs/ca-certificates.crt";
const CERTIFI: &str = "/app/venv/lib/python3.11/site-packages/certifi/cacert.pem";
const CACERTS: &str = "/etc/ssl/certs/java/cacerts";

/// The usual stage with an engine on it; nothing, and the reason on standard output, where there can be none.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn stage() -> Option<(Stage, Docker)> {
    if let Some(reason) = Docker::missing() {
        println!("skipped: {reason}");
        return None;
    }
    let stage = Stage::with(POLICY, |setup| setup)?;
    let docker = Docker::start(&stage.sandbox, &Settings::default()).unwrap();
    docker.import(IMAGE, fill).unwrap();
    Some((stage, docker))
}

/// The machine's own configuration of Java and OpenSSL, and a bundle that a package brought along.
fn fill(root: &Path) -> anyhow::Result<()> {
    Machine::fill(root)?;
    for path in ["/etc/java-17-openjdk", "/etc/ssl/openssl.cnf", CACERTS] {
        if Path::new(path).exists() {
            let target = root.join(&path[1..]);
            fs::create_dir_all(target.parent().unwrap())?;
            let copied = Command::new("cp")
                .arg("-rL")
                .arg(path)
                .arg(&target)
                .status()?;
            anyhow::ensure!(copied.success(), "cp {path}");
        }
    }
    let certifi = root.join(&CERTIFI[1..]);
    fs::create_dir_all(certifi.parent().unwrap())?;
    fs::copy(STORE, certifi)?;
    // What a hostile image might hold where trust is looked for.
    let traps = root.join("traps/certifi");
    fs::create_dir_all(&traps)?;
    let (fifo, mode) = (FileType::Fifo, Mode::RUSR | Mode::WUSR);
    rustix::fs::mknodat(CWD, traps.join("cacert.pem"), fifo, mode, 0)?;
    let traps = root.join("traps/botocore");
    fs::create_dir_all(&traps)?;
    symlink("../../../../../../etc/shadow", traps.join("cacert.pem"))?;
    let traps = root.join("traps/requests");
    fs::create_dir_all(&traps)?;
    fs::File::create(traps.join("cacert.pem"))?.set_len(16 << 20)?;
    Ok(())
}

fn start<'d>(docker: &'d Docker, more: &[&str]) -> Container<'d> {
    let command = [IMAGE, "sleep", "1000"];
    // Debian leads to Java by links in /etc, which is not the machine's here.
    let java = fs::canonicalize("/usr/bin/java").unwrap_or_default();
    let java = java.parent().unwrap_or(Path::new("/")).display();
    let path = format!("PATH=/usr/bin:/bin:{java}");
    let path = ["--env", path.as_str()];
    let arguments = [&Machine::ARGUMENTS[..], &path, more, &command].concat();
    docker.start_container(&arguments).unwrap()
}

fn label(stage: &Stage, container: &Container<'_>) -> Value {
    let cgroup = container.cgroup().display().to_string();
    let labelled = stage.daemon.cli(&["label", &cgroup]).unwrap();
    assert_eq!(labelled.code(), 0, "{}", labelled.stderr);
    let id = container.id();
    stage.recorded("trust_placed", |entry| entry.to_string().contains(id))
}

/// A program in the container, which must be there.
fn has(container: &Container<'_>, program: &str) -> bool {
    container.exec(&["which", program]).unwrap().code() == 0
}

/// Each program that this machine has fetches a page; what it says must hold what the page says.
fn assert_fetched(container: &Container<'_>, program: &str, command: &[&str]) {
    let finished = container.exec(command).unwrap();
    assert_eq!(finished.code(), 0, "{program}: {}", finished.stderr);
    assert!(
        finished.stdout.contains("/test/echo"),
        "{program}: {}{}",
        finished.stdout,
        finished.stderr
    );
}

fn python(body: &str) -> Vec<String> {
    let script = format!(
        "import ssl, urllib.request as u\n{body}\nprint(u.urlopen('{URL}', timeout=20, context=c).read().decode())"
    );
    ["/usr/bin/python3", "-c", &script]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn programs_of_a_running_container_trust_us_with_nothing_set() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let container = start(&docker, &[]);
    let placed = label(&stage, &container);
    for store in [STORE, CERTIFI] {
        assert!(
            placed["place"].as_str().unwrap().contains(store),
            "{placed}"
        );
    }
    assert_fetched(&container, "curl", &["curl", "-sS", "-m", "20", URL]);
    if has(&container, "wget") {
        assert_fetched(&container, "wget", &["wget", "-qO-", "-T", "20", URL]);
    }
    let system = python("c = ssl.create_default_context()");
    let certifi = python(&format!(
        "c = ssl.create_default_context(cafile='{CERTIFI}')"
    ));
    for command in [system, certifi] {
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        assert_fetched(&container, "python", &command);
    }
    if Path::new(CACERTS).exists() && has(&container, "javac") {
        let source = format!(
            "public class A {{ public static void main(String[] a) throws Exception {{ System.out.println(new String(new java.net.URL(\"{URL}\").openStream().readAllBytes())); }} }}"
        );
        let shell = format!("echo '{source}' > /tmp/A.java && exec java /tmp/A.java");
        assert_fetched(&container, "java", &["sh", "-c", &shell]);
    }
}

#[test]
fn node_trusts_us_by_the_variable_that_is_set_at_creation_alone() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let script = format!(
        "require('https').get('{URL}', r => r.pipe(process.stdout)).on('error', e => {{ console.error(e.code); process.exit(1) }})"
    );
    let fetch = ["node", "-e", script.as_str()];
    let bare = start(&docker, &[]);
    if !has(&bare, "node") {
        return;
    }
    label(&stage, &bare);
    let refused = bare.exec(&fetch).unwrap();
    assert_eq!(refused.code(), 1, "{}", refused.stdout);
    // A program that does not believe us is told of by name.
    let aborted = stage.recorded("flow_aborted", |entry| entry["cause"] == "ca_not_trusted");
    let detail = aborted["detail"].as_str().unwrap();
    assert!(detail.starts_with("good.allowed.example: "), "{aborted}");

    let folder = stage.daemon.places().runtime.join("trust");
    let volume = format!("{}:/.enforcer/trust:ro", folder.display());
    let told = start(
        &docker,
        &[
            "--volume",
            &volume,
            "--env",
            "NODE_EXTRA_CA_CERTS=/.enforcer/trust/ca.pem",
        ],
    );
    label(&stage, &told);
    assert_fetched(&told, "node", &fetch);
}

#[test]
fn nothing_stays_in_a_container_that_is_released() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let container = start(&docker, &[]);
    let read = |path: &str| container.exec(&["cat", path]).unwrap().stdout;
    let (store, certifi) = (read(STORE), read(CERTIFI));
    label(&stage, &container);
    let covered = read(STORE);
    assert!(covered.starts_with(&store) && covered.len() > store.len());
    let changed = container
        .exec(&["sh", "-c", &format!("echo x >> {STORE}")])
        .unwrap();
    assert_ne!(changed.code(), 0);
    let unmounted = container.exec(&["umount", STORE]).unwrap();
    assert_ne!(unmounted.code(), 0);

    let cgroup = container.cgroup().display().to_string();
    let unlabelled = stage.daemon.cli(&["unlabel", &cgroup]).unwrap();
    assert_eq!(unlabelled.code(), 0, "{}", unlabelled.stderr);
    let until = std::time::Instant::now() + PATIENCE;
    while read(STORE) != store {
        assert!(std::time::Instant::now() < until, "the store stays covered");
        std::thread::yield_now();
    }
    assert_eq!(read(CERTIFI), certifi);
    let mounts = read("/proc/self/mountinfo");
    assert!(!mounts.contains("covers"), "{mounts}");
    let written = docker.cli(&["diff", container.id()]).unwrap();
    assert_eq!(
        written.stdout.trim(),
        "",
        "what is written in the container's own layer"
    );
}

#[test]
fn the_key_of_the_ca_is_in_no_container() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let folder = stage.daemon.places().runtime.join("trust");
    let volume = format!("{}:/.enforcer/trust:ro", folder.display());
    let container = start(&docker, &["--volume", &volume]);
    label(&stage, &container);
    let key = fs::read_to_string(stage.daemon.places().ca.join("ca.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    // All that is not the machine's: the image's own files, what lies over them, and what was mounted for programs to read.
    let search = [
        "grep",
        "-rlaIs",
        secret,
        "/etc",
        "/app",
        "/.enforcer",
        "/tmp",
        "/root",
        "/var",
    ];
    let found = container.exec(&search).unwrap();
    assert_eq!(found.stdout, "");
    // The search itself finds what is there.
    let certificate = fs::read_to_string(stage.daemon.places().ca.join("ca.crt")).unwrap();
    let public = certificate.lines().nth(1).unwrap();
    let search = ["grep", "-rlaIs", public, "/etc", "/app", "/.enforcer"];
    let found = container.exec(&search).unwrap();
    for path in [STORE, CERTIFI, "/.enforcer/trust/ca.pem"] {
        assert!(found.stdout.contains(path), "{path}: {}", found.stdout);
    }
}

#[test]
fn a_check_says_who_trusts_us_and_what_to_do_about_who_does_not() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let container = start(&docker, &[]);
    let placed = label(&stage, &container);
    let name = placed["workload"]["name"].as_str().unwrap();
    let checked = stage
        .daemon
        .cli(&["trust", "check", "--json", "--workload", name])
        .unwrap();
    let report: Value = serde_json::from_str(&checked.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", checked.stdout, checked.stderr));
    let verdict = |runtime: &str| {
        let all = report["checked"].as_array().unwrap().iter();
        all.filter(|one| one["runtime"] == runtime)
            .map(|one| one["verdict"].as_str().unwrap().to_owned())
            .next()
    };
    assert_eq!(verdict("curl").as_deref(), Some("trusted"), "{report:#}");
    assert_eq!(
        verdict("Python ssl").as_deref(),
        Some("trusted"),
        "{report:#}"
    );
    if let Some(node) = verdict("Node") {
        assert_eq!(node, "not_trusted", "{report:#}");
        assert_eq!(checked.code(), 4);
        assert!(
            report["rule"].as_str().unwrap().contains("inspect: false"),
            "{report:#}"
        );
    }
    if let Some(java) = verdict("Java") {
        assert_eq!(java, "trusted", "{report:#}");
    }
    // A check is no exchange: nothing was asked for, and nothing left.
    stage.assert_nothing_got_out();
    let nobody = stage
        .daemon
        .cli(&["trust", "check", "--workload", "nobody"])
        .unwrap();
    assert_eq!(nobody.code(), 1);
    assert!(
        nobody.stderr.contains("no workload is called `nobody`"),
        "{}",
        nobody.stderr
    );
}

#[test]
fn a_rotated_ca_is_taken_over_while_everything_runs() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let container = start(&docker, &[]);
    label(&stage, &container);
    assert_fetched(&container, "curl", &["curl", "-sS", "-m", "20", URL]);
    let shown = |of: &[&str]| stage.daemon.cli(of).unwrap().stdout;
    let before = shown(&["ca", "show", "--pem"]);
    let rotated = stage.daemon.cli(&["ca", "rotate", "--json"]).unwrap();
    assert_eq!(rotated.code(), 0, "{}", rotated.stderr);
    stage.recorded("operator_action", |entry| entry["action"] == "ca_rotate");
    let both = shown(&["ca", "show", "--pem"]);
    assert_eq!(both.matches("BEGIN").count(), 2);
    assert!(both.contains(&before) && !both.starts_with(&before));
    let told: Value = serde_json::from_str(&rotated.stdout).unwrap();
    stage.recorded("trust_placed", |entry| {
        entry["authority"] == told["fingerprint_sha256"]
    });
    assert_fetched(&container, "curl", &["curl", "-sS", "-m", "20", URL]);
    let told: Value = serde_json::from_str(&rotated.stdout).unwrap();
    stage.recorded("trust_placed", |entry| {
        entry["authority"] == told["fingerprint_sha256"]
    });
    // Who knows the next CA alone, and who knows the one before alone.
    let covered = container.exec(&["cat", STORE]).unwrap().stdout;
    assert!(
        both.split_inclusive("-----END CERTIFICATE-----\n")
            .all(|one| covered.contains(one))
    );
    let next = stage
        .sandbox
        .write("next.pem", &both[..both.len() - before.len()])
        .unwrap();
    let answer = stage.curl(&["--cacert", &next.display().to_string(), URL]);
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn openssl_that_reads_no_bundle_is_led_to_it() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    // As in Debian before 12, and wherever the program `openssl` is not installed.
    let folder = stage.sandbox.folder().join("ssl");
    fs::create_dir_all(&folder).unwrap();
    symlink("/etc/ssl/certs", folder.join("certs")).unwrap();
    symlink("/etc/ssl/openssl.cnf", folder.join("openssl.cnf")).unwrap();
    let volume = format!("{}:/usr/lib/ssl:ro", folder.display());
    let container = start(&docker, &["--volume", &volume]);
    label(&stage, &container);
    let system = python("c = ssl.create_default_context()");
    let command: Vec<_> = system.iter().map(String::as_str).collect();
    assert_fetched(&container, "python", &command);
    assert!(!folder.join("cert.pem").exists());
}

#[test]
fn a_new_daemon_adopts_what_lies_and_lifts_what_nobody_needs() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let (kept, freed) = (start(&docker, &[]), start(&docker, &[]));
    let original = kept.exec(&["cat", STORE]).unwrap().stdout;
    label(&stage, &kept);
    label(&stage, &freed);
    stage.daemon.strike();
    // Without the daemon the label is taken off where it is kept.
    let unlabelled = stage
        .daemon
        .cli(&["unlabel", &freed.cgroup().display().to_string()]);
    assert_eq!(
        unlabelled.unwrap().code(),
        4,
        "done, and nobody there to honour it"
    );
    let places = stage.daemon.places().clone();
    let daemon = Daemon::start_at(&stage.sandbox, places).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    while freed.exec(&["cat", STORE]).unwrap().stdout != original {
        assert!(std::time::Instant::now() < until, "the store stays covered");
    }
    assert_fetched(&kept, "curl", &["curl", "-sS", "-m", "20", URL]);
    let mounts = kept.exec(&["cat", "/proc/self/mountinfo"]).unwrap().stdout;
    let lines = mounts.lines().filter(|line| line.contains(STORE)).count();
    assert_eq!(lines, 1, "covered once: {mounts}");
    drop(daemon);
}

#[test]
fn a_container_that_starts_again_is_served_again() {
    let Some((stage, docker)) = stage() else {
        return;
    };
    let container = start(&docker, &[]);
    label(&stage, &container);
    let restarted = docker
        .cli(&["restart", "--time", "0", container.id()])
        .unwrap();
    assert_eq!(restarted.code(), 0, "{}", restarted.stderr);
    // Its cgroup is a new one without a label; its mounts went with its processes.
    let cgroup = container.cgroup().display().to_string();
    assert_eq!(stage.daemon.cli(&["label", &cgroup]).unwrap().code(), 0);
    let fetch = ["curl", "-sS", "-m", "20", URL];
    let until = std::time::Instant::now() + PATIENCE;
    while container.exec(&fetch).unwrap().code() != 0 {
        assert!(
            std::time::Instant::now() < until,
            "trust is not placed again"
        );
    }
}
