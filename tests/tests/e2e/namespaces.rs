//! Network namespaces as containers come and go, through the whole daemon: whatever serving them takes is given back.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use enforcer_tests::process::Process;

use crate::stage::Stage;

/// Namespaces at a time: fewer descriptors than a process may have by default.
const CROWD: usize = 200;
/// Rounds of a test that runs every time.
const ROUNDS: usize = 2;
/// Rounds that make ten thousand.
const MANY: usize = 50;
/// The daemon looks every second for where agents live.
const PATIENCE: Duration = Duration::from_secs(30);
/// Starts as many processes as it is told, each in a namespace of its own with its loopback up, and ends them when told so.
const PROGRAM: &str = r#"
import ctypes, fcntl, os, signal, socket, struct, sys
libc = ctypes.CDLL(None)
def live():
    libc.unshare(0x40000000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, 0x8914, struct.pack("16sh14x", b"lo", 1))
    signal.pause()
for line in sys.stdin:
    children = []
    for _ in range(int(line)):
        child = os.fork()
        if child == 0:
            live()
        children.append(child)
    print("there", flush=True)
    sys.stdin.readline()
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print("gone", flush=True)
"#;

#[test]
fn namespaces_that_come_and_go_leave_nothing_in_the_daemon() {
    come_and_go(ROUNDS);
}

#[test]
#[ignore = "minutes: `cargo test -p enforcer-tests --test e2e -- --ignored ten_thousand`"]
fn ten_thousand_namespaces_that_come_and_go_leave_nothing_in_the_daemon() {
    come_and_go(MANY);
}

fn come_and_go(rounds: usize) {
    let Some(stage) = Stage::new() else { return };
    let mut command = stage.agent.command("python3");
    command.args(["-c", PROGRAM]).stdin(Stdio::piped());
    let mut crowd = stage.agent.start(&mut command).expect("a crowd");
    let mut orders = crowd.stdin().expect("a pipe");
    let mut tell = |crowd: &Process, word: String, answer: &str| {
        writeln!(orders, "{word}").expect("the crowd listens");
        assert_eq!(crowd.line(PATIENCE).expect("an answer"), answer);
    };
    // What is made once is made by the first who comes.
    tell(&crowd, "1".to_owned(), "there");
    await_that("the first is served", || held(&stage).0 > 0);
    tell(&crowd, String::new(), "gone");
    let alone = settled(&stage);
    for round in 0..rounds {
        tell(&crowd, CROWD.to_string(), "there");
        // A namespace takes at least its own descriptor and two sockets.
        let served = || held(&stage).0 >= alone.0 + 3 * CROWD;
        await_that("all are served", served);
        tell(&crowd, String::new(), "gone");
        let until = Instant::now() + PATIENCE;
        // Threads that wait for work end after a while: it may be fewer, not more.
        while held(&stage).0 > alone.0 || held(&stage).1 > alone.1 {
            assert!(
                Instant::now() < until,
                "after round {round}: {:?}, not {alone:?}; {:#?}",
                held(&stage),
                open(&stage)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Descriptors and threads of the daemon.
fn held(stage: &Stage) -> (usize, usize) {
    let daemon = &stage.daemon;
    let threads = fs::read_dir(format!("/proc/{}/task", daemon.id())).expect("a process");
    (daemon.descriptors().expect("a process"), threads.count())
}

/// What the daemon's descriptors are, by kind.
fn open(stage: &Stage) -> BTreeMap<String, usize> {
    let folder = fs::read_dir(format!("/proc/{}/fd", stage.daemon.id())).expect("a process");
    let links = folder
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    let mut kinds = BTreeMap::new();
    for link in links {
        let name = link.display().to_string();
        let kind = name.split(['[', ' ']).next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

/// What the daemon holds at rest: the least that is seen while it looks around a few times, for which it takes threads that
/// end at once.
fn settled(stage: &Stage) -> (usize, usize) {
    let until = Instant::now() + Duration::from_secs(4);
    let mut least = held(stage);
    while Instant::now() < until {
        let now = held(stage);
        least = (least.0.min(now.0), least.1.min(now.1));
        std::thread::sleep(Duration::from_millis(20));
    }
    least
}

fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
