//! What the command of `enforcer run` is kept from, and that each part can be given up alone, with a line in the ledger.

use std::process::{Command, Stdio};

use enforcer_tests::cgroup;
use enforcer_tests::ledger::LedgerProbe;
use enforcer_tests::process::{Finished, Process};
use rustix::process::Signal;

use crate::run::{Bare, ECHO};
use crate::stage::{PATIENCE, POLICY, Stage};

const PYTHON: &str = "/usr/bin/python3";
/// "address family not supported", "not permitted", "read-only file system".
const EAFNOSUPPORT: &str = "97";
const EPERM: &str = "1";

impl Bare {
    /// Runs a script in Python, whose first words it gives back.
    #[track_caller]
    fn python(&self, options: &[&str], script: &str) -> String {
        let script = format!("import ctypes, os, socket, sys\n{script}");
        let finished = self.run_with(options, &[PYTHON, "-c", &script]);
        assert_eq!(finished.code(), 0, "{finished:?}");
        finished.stdout.trim().to_owned()
    }
}

/// What the ledger of a run says was given up.
fn dangers(finished: &Finished) -> Vec<String> {
    let ledger = finished.stderr.split_whitespace().last().expect("a word");
    let dangers = LedgerProbe::new(ledger).of("danger");
    let what = |entry: &serde_json::Value| entry["what"].as_str().map(str::to_owned);
    dangers.iter().filter_map(what).collect()
}

fn status_of(finished: &Finished, field: &str) -> u64 {
    let found = finished
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix(field));
    let value = found.expect("a field").trim_start_matches(':').trim();
    u64::from_str_radix(value, 16).expect("a number")
}

#[test]
fn a_command_has_few_capabilities_and_gets_no_more() {
    let Some(bare) = Bare::new() else { return };
    let status = ["cat", "/proc/self/status"];
    let usual = bare.run(&status);
    // NET_ADMIN, NET_RAW, SYS_MODULE, SYS_RAWIO, SYS_PTRACE, SYS_ADMIN, SYS_BOOT, PERFMON, BPF.
    let dangerous = [12, 13, 16, 17, 19, 21, 22, 38, 39];
    let dangerous: u64 = dangerous.iter().map(|bit| 1 << bit).sum();
    for field in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status_of(&usual, field) & dangerous, 0, "{field}");
    }
    assert_eq!(status_of(&usual, "CapEff") & 1, 1, "CHOWN stays");
    assert_eq!(status_of(&usual, "NoNewPrivs"), 1);
    assert_eq!(status_of(&usual, "Seccomp"), 2);
    assert_eq!(dangers(&usual), Vec::<String>::new());
    let more = bare.run_with(
        &["--cap-add", "net_raw", "--danger-allow", "new-privileges"],
        &status,
    );
    assert_eq!(status_of(&more, "CapEff") & dangerous, 1 << 13);
    assert_eq!(status_of(&more, "NoNewPrivs"), 0);
    assert_eq!(
        dangers(&more),
        ["cap_add NET_RAW", "danger_allow new-privileges"]
    );
    let unknown = bare.run_with(&["--cap-add", "NET_ROW"], &status);
    assert_eq!(unknown.code(), 2, "{unknown:?}");
    assert!(unknown.stderr.contains("NET_ROW"), "{unknown:?}");
    let held = std::fs::read_to_string("/proc/self/status").expect("a status");
    let held = held.lines().find_map(|line| line.strip_prefix("CapPrm:"));
    let held = u64::from_str_radix(held.expect("a field").trim(), 16).expect("a number");
    // SYS_RESOURCE, which not every machine's root has.
    if held >> 24 & 1 == 0 {
        let missing = bare.run_with(&["--cap-add", "SYS_RESOURCE"], &status);
        assert_eq!(missing.code(), 125, "{missing:?}");
        assert!(
            missing
                .stderr
                .contains("does not have this capability itself"),
            "{missing:?}"
        );
    }
}

#[test]
fn only_four_families_of_sockets_are_given_out() {
    let Some(bare) = Bare::new() else { return };
    let script = "
for family in range(1, 46):
    for make in (lambda: socket.socket(family, socket.SOCK_DGRAM), lambda: socket.socketpair(family, socket.SOCK_DGRAM)):
        try: make(); print(family, 0)
        except OSError as error: print(family, error.errno)
";
    let answers = bare.python(&[], script);
    for line in answers.lines() {
        let (family, answer) = line.split_once(' ').expect("two words");
        let may = ["1", "2", "10", "16"].contains(&family);
        assert!(may || answer == EAFNOSUPPORT, "{line}");
    }
    assert!(answers.starts_with("1 0\n1 0\n2 0\n"), "{answers}");
    // With every family allowed, those that the kernel has are asked of it again.
    let vsock = "
try: socket.socket(40, socket.SOCK_STREAM); print(0)
except OSError as error: print(error.errno)
";
    assert_eq!(bare.python(&[], vsock), EAFNOSUPPORT);
    if socket2::Socket::new(40.into(), socket2::Type::STREAM, None).is_ok() {
        assert_eq!(
            bare.python(&["--danger-allow", "socket-families"], vsock),
            "0"
        );
    }
}

#[test]
fn other_entries_into_the_kernel_lead_past_no_filter() {
    let Some(bare) = Bare::new() else { return };
    // x32: a vsock by the number of socket(2) with the bit of that entry.
    let x32 = "libc = ctypes.CDLL(None, use_errno=True)\nlibc.syscall(0x40000029, 40, 1, 0); print(ctypes.get_errno())";
    assert_eq!(bare.python(&[], x32), EAFNOSUPPORT);
    // i386: getpid(2) by the interrupt; `mov eax, 20; int 0x80; ret`.
    let i386 = "import mmap, ctypes\n\
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n\
        page.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))\n\
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))\n\
        print(ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0, flush=True)";
    let outside = Command::new(PYTHON)
        .args(["-c", i386])
        .output()
        .expect("python");
    if outside.stdout == b"True\n" {
        let finished = bare.run(&[PYTHON, "-c", i386]);
        // Ended by SIGSYS.
        assert_eq!(
            (finished.code(), finished.stdout.as_str()),
            (128 + 31, ""),
            "{finished:?}"
        );
    }
}

#[test]
fn io_uring_is_refused_unless_it_is_allowed() {
    let Some(bare) = Bare::new() else { return };
    let script = "libc = ctypes.CDLL(None, use_errno=True)\nlibc.syscall(425, 8, None); print(ctypes.get_errno())";
    assert_eq!(bare.python(&[], script), EPERM);
    // Reached, the call finds that its structure is missing.
    assert_eq!(bare.python(&["--danger-allow", "io-uring"], script), "14");
}

#[test]
fn nobody_types_at_the_callers_terminal() {
    let Some(bare) = Bare::new() else { return };
    let script = "
import fcntl, pty
_, terminal = pty.openpty()
for request in (0x5412, 0x541c, 0x100005412):
    try: fcntl.ioctl(terminal, request & 0xffffffff, b'x'); print(0)
    except OSError as error: print(error.errno)
fcntl.ioctl(terminal, 0x5413, b'12345678')
";
    assert_eq!(bare.python(&[], script), [EPERM; 3].join("\n"));
}

/// Tries to leave by every hierarchy of cgroups, and says which let it.
const LEAVE: &str = r#"
for place in $(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts); do
    mkdir "$place/enforcer-left-$$" 2>/dev/null && { rmdir "$place/enforcer-left-$$"; echo "made in $place"; }
    echo $$ 2>/dev/null > "$place/cgroup.procs" && echo "left by $place"
done
sed -n 's/^0:://p' /proc/self/cgroup
"#;

#[test]
fn a_command_cannot_leave_its_cgroup() {
    let Some(bare) = Bare::new() else { return };
    let finished = bare.run(&["sh", "-c", LEAVE]);
    assert!(finished.stdout.starts_with("/enforcer"), "{finished:?}");
    // Nor as root of a user namespace of its own, whatever it does to the mounts there.
    let remount = r#"for place in $(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts); do
        mount -o remount,bind,rw "$place" 2>/dev/null && echo "writable $place"; umount "$place" 2>/dev/null && echo "off $place"
    done"#;
    let nested = format!("{remount}\n{LEAVE}");
    let finished = bare.run(&["unshare", "-Urm", "sh", "-c", &nested]);
    assert!(finished.stdout.starts_with("/enforcer"), "{finished:?}");
    assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");
    // The same script leaves where the caller lets it.
    let finished = bare.run_with(&["--danger-allow", "system-writes"], &["sh", "-c", LEAVE]);
    assert!(finished.stdout.contains("left by"), "{finished:?}");
    assert_eq!(dangers(&finished), ["danger_allow system-writes"]);
}

#[test]
fn settings_of_the_kernel_and_what_is_ours_are_out_of_reach() {
    let Some(bare) = Bare::new() else { return };
    let state = bare.places.state.display().to_string();
    let socket = bare.places.socket.display().to_string();
    let script = format!(
        "ls -A /sys/fs/bpf {state}; cat {state}/ca/ca.key; \
         for file in /proc/sys/kernel/core_pattern /proc/sysrq-trigger; do test -w $file && echo writable $file; done; \
         test -S {socket} && echo a socket; mount -t tmpfs none /mnt && echo mounted; echo end"
    );
    let finished = bare.run(&["sh", "-c", &script]);
    let expected = format!("/sys/fs/bpf:\n\n{state}:\nend");
    assert_eq!(finished.stdout.trim(), expected, "{finished:?}");
    // Outside, they are there: the run's own ledger, the key.
    assert!(bare.places.ca.join("ca.key").exists());
}

#[test]
fn other_processes_are_out_of_reach_whoever_they_belong_to() {
    let Some(bare) = Bare::new() else { return };
    let mut sleeper = Command::new("setpriv");
    sleeper.args([
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        "sleep",
        "300",
    ]);
    let sleeper = Process::start(&mut sleeper, None).expect("a process");
    let script = format!(
        "
import subprocess
own = subprocess.Popen(['sleep', '300'])
for pid in (own.pid, {}):
    for reach in (lambda: os.kill(pid, 0), lambda: os.readlink(f'/proc/{{pid}}/root'), lambda: os.readlink(f'/proc/{{pid}}/fd/1')):
        try: reach(); print('reached', end=' ')
        except OSError as error: print(error.errno, end=' ')
own.kill()
",
        sleeper.id()
    );
    let own = "reached reached reached";
    for user in ["root", "nobody"] {
        let reached = bare.python(&["--user", user], &script);
        let (ours, others) = reached.split_at(own.len());
        assert_eq!(ours, own, "{reached}");
        assert!(!others.contains("reached"), "{user}: {reached}");
    }
    // The same user's processes are in reach where the caller lets them be.
    let options = ["--user", "nobody", "--danger-allow", "other-processes"];
    let reached = bare.python(&options, &script);
    assert_eq!(reached, [own; 2].join(" "));
    sleeper.signal(Signal::KILL);
}

#[test]
fn an_ordinary_user_is_served_like_root() {
    let Some(bare) = Bare::new() else { return };
    let script = format!(
        "id -u; id -G; echo $HOME; grep CapBnd /proc/self/status; curl -sS --max-time 15 {ECHO}"
    );
    let finished = bare.run_with(&["--user", "nobody"], &["sh", "-c", &script]);
    assert!(
        finished.stdout.starts_with("65534\n65534\n/nonexistent\n"),
        "{finished:?}"
    );
    assert!(
        finished.stdout.contains(r#""path":"/test/echo""#),
        "{finished:?}"
    );
    let unknown = bare.run_with(&["--user", "no-such-user"], &["true"]);
    assert_eq!(unknown.code(), 125, "{unknown:?}");
    assert!(unknown.stderr.contains("no-such-user"), "{unknown:?}");
}

#[test]
fn the_hosts_network_costs_a_line_and_is_recorded() {
    let Some(bare) = Bare::new() else { return };
    let isolated = bare.run(&["true"]);
    assert!(!isolated.stderr.contains("--net host"), "{isolated:?}");
    let finished = bare.run_with(
        &["--net", "host"],
        &["curl", "-sS", "--max-time", "15", ECHO],
    );
    assert!(
        finished.stdout.contains(r#""path":"/test/echo""#),
        "{finished:?}"
    );
    let warned = finished
        .stderr
        .lines()
        .filter(|line| line.contains("--net host"));
    assert_eq!(warned.count(), 1, "{finished:?}");
    assert_eq!(dangers(&finished), ["net host"]);
}

#[test]
fn abstract_sockets_of_the_host_are_out_of_reach_in_its_own_network_too() {
    let Some(bare) = Bare::new() else { return };
    let name = format!("\0enforcer-test-{}", std::process::id());
    let address = socket2::SockAddr::unix(&name).expect("an address");
    let listener = bare.sandbox.host().run(|| {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        socket.bind(&address)?;
        socket.listen(8)?;
        std::io::Result::Ok(socket)
    });
    let _listener = listener.expect("a namespace").expect("a listener");
    let script = format!(
        "
own = socket.socket(socket.AF_UNIX); own.bind('\\0enforcer-own'); own.listen()
for name in ('\\0enforcer-own', {name:?}):
    try: socket.socket(socket.AF_UNIX).connect(name); print(0)
    except OSError as error: print(error.errno)
"
    )
    .replace("\"\\0", "'\\0")
    .replace("\")", "')");
    assert_eq!(
        bare.python(&["--net", "host"], &script),
        format!("0\n{EPERM}")
    );
    let options = ["--net", "host", "--danger-allow", "other-processes"];
    assert_eq!(bare.python(&options, &script), "0\n0");
}

#[test]
fn the_hosts_store_has_our_authority_for_the_command_alone() {
    let Some(bare) = Bare::new() else { return };
    let store = "/etc/ssl/certs/ca-certificates.crt";
    let Ok(before) = std::fs::read(store) else {
        return;
    };
    // A program that reads no variable.
    let script = format!(
        "
import ssl, urllib.request
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.load_verify_locations('{store}')
print(urllib.request.urlopen('{ECHO}', context=context).status)
try: open('{store}', 'w'); print('written')
except OSError as error: print(error.errno)
"
    );
    assert_eq!(bare.python(&[], &script), "200\n30");
    let fetched = bare.run(&["wget", "-q", "-O", "-", "--timeout=15", "--tries=1", ECHO]);
    assert!(
        fetched.stdout.contains(r#""path":"/test/echo""#),
        "{fetched:?}"
    );
    assert_eq!(std::fs::read(store).expect("the store"), before);
}

#[test]
fn sockets_and_folders_of_the_caller_are_not_inherited() {
    let Some(bare) = Bare::new() else { return };
    let inherited = |options: &[&str]| {
        let command = bare.command_with(options, &["sh", "-c", "ls -l /proc/self/fd"]);
        let script = "import os, socket, subprocess, sys\n\
            a, b = socket.socketpair()\nfolder = os.open('/', os.O_RDONLY)\nfile = os.open('/etc/hostname', os.O_RDONLY)\n\
            sys.exit(subprocess.run(sys.argv[1:], pass_fds=[a.fileno(), folder, file]).returncode)";
        let mut caller = Command::new(PYTHON);
        caller
            .args(["-c", script])
            .arg(command.get_program())
            .args(command.get_args());
        let process = Process::start(caller.stdin(Stdio::null()), Some(bare.sandbox.host()))
            .expect("a process");
        let finished = process.finish(PATIENCE).expect("an end");
        assert!(
            finished.stdout.contains("/etc/hostname"),
            "files are passed on: {finished:?}"
        );
        finished.stdout
    };
    let usual = inherited(&[]);
    assert!(
        !usual.contains("socket:") && !usual.contains("-> /\n"),
        "{usual}"
    );
    let allowed = inherited(&["--danger-allow", "inherited-sockets"]);
    assert!(
        allowed.contains("socket:") && allowed.contains("-> /\n"),
        "{allowed}"
    );
}

#[test]
fn sockets_of_the_host_are_hidden_unless_they_are_allowed() {
    let Some(bare) = Bare::new() else { return };
    let folder = bare.sandbox.folder().canonicalize().expect("a folder");
    let path = folder.join("control.sock");
    let listen = || std::os::unix::net::UnixListener::bind(&path);
    let listener = bare.sandbox.host().run(listen).expect("a namespace");
    let _listener = listener.expect("a socket");
    let link = folder.join("link");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .expect("a mode");
    let script = format!(
        "
own = socket.socket(socket.AF_UNIX); own.bind('{}/own'); own.listen()
os.chdir('{}')
for path in ('own', '{}', 'control.sock', 'link', '../' + os.path.basename(os.getcwd()) + '/control.sock'):
    try: socket.socket(socket.AF_UNIX).connect(path); print(0, end=' ')
    except OSError as error: print(error.errno, end=' ')
os.unlink('own')
",
        folder.display(),
        folder.display(),
        path.display()
    );
    // Its own it reaches; of the host's it finds something that nobody listens at, by whatever name.
    assert_eq!(bare.python(&[], &script), "0 111 111 111 111");
    let allowed = path.display().to_string();
    let missing = bare.run_with(&["--allow-socket", "/no/such.sock"], &["true"]);
    assert_eq!(missing.code(), 125, "{missing:?}");
    assert_eq!(
        bare.python(&["--allow-socket", &allowed], &script),
        "0 0 0 0 0"
    );
}

#[test]
fn a_labelled_workload_connects_no_unix_socket_where_its_policy_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("service.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let script = format!(
        "
import socket
here, there = socket.socketpair(); here.send(b'x')
try: socket.socket(socket.AF_UNIX).connect('{}'); print(0)
except OSError as error: print(error.errno)
",
        path.display()
    );
    for (more, answer) in [("", "0"), ("unix_sockets: {refuse: ['*']}", EPERM)] {
        let Some(stage) = Stage::with(POLICY, |setup| setup.and(more)) else {
            return;
        };
        let finished = stage
            .agent
            .run("python3", &["-c", &script])
            .expect("an end");
        assert_eq!(finished.stdout.trim(), answer, "{finished:?}");
        let is_it = |entry: &serde_json::Value| entry["hook"] == "connect_unix";
        if answer == EPERM {
            let entry = stage.recorded("kernel_refused", is_it);
            assert_eq!(
                (&entry["cause"], &entry["protocol"]),
                (&"unix_socket".into(), &"unix".into())
            );
        } else {
            assert!(!stage.ledger().of("kernel_refused").iter().any(is_it));
        }
    }
}

#[test]
fn what_killed_runs_left_behind_is_cleared_away_by_the_next() {
    let Some(bare) = Bare::new() else { return };
    // Named by the time they began: long ago, and just now.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("a time").as_millis();
    let name = |at: u128| format!("run-{at:012x}700080000000{:08x}", std::process::id());
    let places = |at: u128| {
        let cgroup = cgroup::mount()
            .expect("a mount")
            .join("enforcer")
            .join(name(at));
        let files = bare.places.runtime.join(name(at));
        std::fs::create_dir_all(&cgroup).expect("a cgroup");
        std::fs::create_dir_all(files.join("trust")).expect("a folder");
        [cgroup, files]
    };
    let (old, young, inhabited) = (
        places(now - 3_600_000),
        places(now),
        places(now - 3_600_001),
    );
    let mut sleeper = Command::new("sleep");
    let sleeper = Process::start(sleeper.arg("300"), None).expect("a process");
    std::fs::write(inhabited[0].join("cgroup.procs"), sleeper.id().to_string()).expect("a move");
    assert_eq!(bare.run(&["true"]).code(), 0);
    let there = |places: &[std::path::PathBuf; 2]| places.each_ref().map(|place| place.exists());
    assert_eq!(there(&old), [false; 2]);
    assert_eq!(there(&young), [true; 2]);
    assert_eq!(there(&inhabited), [true; 2]);
    sleeper.signal(Signal::KILL);
    sleeper.await_end();
    drop(sleeper);
    for [cgroup, _] in [young, inhabited] {
        let _ = std::fs::remove_dir(cgroup);
    }
}
