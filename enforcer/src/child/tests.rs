use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::*;

/// What the helper is to run, by a shell.
const SCRIPT: &str = "ENFORCER_TEST_SCRIPT";

/// Not a test of its own: the process that others supervise from, because signals and job control are of whole processes.
#[test]
#[ignore = "started by the other tests"]
fn helper() {
    let script = std::env::var_os(SCRIPT).expect("started by a test, which sets the script");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).env_remove(SCRIPT);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let code = match runtime.block_on(supervise(command, None)).unwrap() {
        Ending::Exited(code) => i32::from(code),
        Ending::Killed(signal) => 128 + signal,
    };
    std::process::exit(code);
}

/// As above: says which signals would be passed on to a command of our process group, and to one apart from it.
#[test]
#[ignore = "started by the other tests"]
fn decider() {
    let mut sleep = Command::new("sleep");
    let together = sleep.arg("50").spawn().unwrap();
    let apart = sleep.process_group(0).spawn().unwrap();
    // Dropping them kills them.
    let [together, apart] = [together, apart].map(|child| Running::new(child.id()).unwrap());
    let decide = |what: &str, signal, running: &Running| {
        println!(
            "{what} {}",
            u8::from(is_ours_to_pass_on(signal, running.pid))
        );
    };
    decide("INT", Signal::INT, &together);
    decide("TSTP", Signal::TSTP, &together);
    decide("TERM", Signal::TERM, &together);
    decide("INT apart", Signal::INT, &apart);
}

/// The command line of a helper, for a shell.
fn helper_command(name: &str) -> String {
    let exe = std::env::current_exe().unwrap();
    // The crate's name is the first part of the path, and is not part of a test's name.
    let (_, module) = module_path!().split_once("::").unwrap();
    format!(
        "{} --exact {module}::{name} --ignored --nocapture --quiet",
        exe.display()
    )
}

/// A supervisor in a process of its own, without a terminal, and what its command prints.
struct Supervisor {
    process: Child,
    output: BufReader<ChildStdout>,
    input: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts one, away from whatever terminal the tests run on.
    fn start(script: &str) -> Self {
        let mut command = Command::new("timeout");
        command.args(["60", "setsid", "--wait", "sh", "-c"]);
        command.arg(format!("exec {}", helper_command("helper")));
        Self::spawn(command, script)
    }

    /// Starts what a shell line says on a terminal of its own, whose keyboard is our `input`. `$H` in it is the helper,
    /// `$D` the decider.
    fn on_terminal(line: &str, script: &str) -> Self {
        let mut command = Command::new("timeout");
        command.args(["--foreground", "60", "script", "--quiet", "--return"]);
        command.arg("--command").arg(line).arg("/dev/null");
        command.env("H", helper_command("helper"));
        command.env("D", helper_command("decider"));
        command.env("SHELL", "/bin/bash");
        Self::spawn(command, script)
    }

    fn spawn(mut command: Command, script: &str) -> Self {
        command.env(SCRIPT, script);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let input = process.stdin.take();
        Self {
            process,
            output,
            input,
        }
    }

    /// Reads until a line is `wanted`, and returns the number that may follow it.
    fn wait_for(&mut self, wanted: &str) -> Option<i32> {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.output.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "ended before {wanted:?} came");
            if let Some(rest) = line.trim().strip_prefix(wanted) {
                return rest.trim().parse().ok();
            }
        }
    }

    fn press(&mut self, keys: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(keys).unwrap();
        input.flush().unwrap();
    }

    /// The exit code, and everything that was printed since.
    fn finish(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (self.process.wait().unwrap().code(), rest)
    }
}

fn signal(pid: Option<i32>, signal: Signal) {
    let pid = Pid::from_raw(pid.unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Runs here, where no other test sends signals.
fn supervise_here(mut command: Command) -> Result<Ending, ChildError> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(supervise(command, None))
}

#[test]
fn the_commands_ending_is_ours() {
    let rows = [
        ("true", Ending::Exited(0)),
        ("exit 1", Ending::Exited(1)),
        ("exit 255", Ending::Exited(255)),
        ("exit 125", Ending::Exited(125)),
        ("kill -TERM $$", Ending::Killed(15)),
        ("kill -KILL $$", Ending::Killed(9)),
        ("kill -INT $$", Ending::Killed(2)),
        // Rust ignores it in the parent; the command must not inherit that.
        ("kill -PIPE $$", Ending::Killed(13)),
        ("sleep 0.1; exit 3", Ending::Exited(3)),
        // What it leaves behind is not waited for.
        ("sleep 5 & exit 4", Ending::Exited(4)),
    ];
    for (script, expected) in rows {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        assert_eq!(supervise_here(command).unwrap(), expected, "for {script:?}");
    }
}

#[test]
fn endings_become_the_codes_that_shells_use() {
    let rows = [
        (Ending::Exited(0), 0),
        (Ending::Exited(255), 255),
        (Ending::Killed(2), 130),
        (Ending::Killed(9), 137),
        (Ending::Killed(64), 192),
    ];
    for (ending, code) in rows {
        let expected = ExitCode::from(code);
        assert_eq!(
            format!("{:?}", ending.exit_code()),
            format!("{expected:?}"),
            "{ending:?}"
        );
    }
}

#[test]
fn commands_that_do_not_start_are_told_apart() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("plain", "#!/bin/sh\n", 0o644);
    write("no-interpreter", "#!/no/such/interpreter\n", 0o755);
    write("fine", "#!/bin/sh\nexit 6\n", 0o755);
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let rows = [
        ("no-such-command-anywhere", 127),
        ("./none", 127),
        ("/no/such/folder/command", 127),
        ("plain", 126),
        ("./plain", 126),
        ("./folder", 126),
        ("./plain/below", 126),
        ("no-interpreter", 126),
    ];
    let command = |program: &str| {
        let path = std::env::join_paths([folder.path(), Path::new("/bin")]).unwrap();
        let mut command = Command::new(program);
        command.env("PATH", path).current_dir(folder.path());
        command
    };
    for (program, code) in rows {
        let error = supervise_here(command(program)).unwrap_err();
        let expected = ExitCode::from(code);
        assert_eq!(
            format!("{:?}", error.exit_code()),
            format!("{expected:?}"),
            "{program}: {error}"
        );
        assert!(error.to_string().contains(program), "{error}");
    }
    assert_eq!(supervise_here(command("fine")).unwrap(), Ending::Exited(6));
}

#[test]
fn what_fails_before_the_command_is_not_its_fault() {
    let mut command = Command::new("/bin/sh");
    command.uid(1).gid(u32::MAX);
    let error = supervise_here(command).unwrap_err();
    assert!(matches!(error, ChildError::Start { .. }), "{error}");
    assert_eq!(
        format!("{:?}", error.exit_code()),
        format!("{:?}", ExitCode::from(125))
    );
}

#[test]
fn signals_that_only_we_got_are_passed_on() {
    for (name, number) in [
        ("TERM", 15),
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("USR1", 10),
        ("USR2", 12),
    ] {
        let script = format!(
            "trap 'echo got; exit 7' {name}; echo parent $PPID; while :; do sleep 0.02; done"
        );
        let mut supervisor = Supervisor::start(&script);
        let parent = supervisor.wait_for("parent");
        signal(parent, Signal::from_named_raw(number).unwrap());
        supervisor.wait_for("got");
        assert_eq!(supervisor.finish().0, Some(7), "for {name}");
    }
}

#[test]
fn the_supervisor_outlives_a_command_that_takes_its_time() {
    let script = "n=0; trap 'n=$((n+1)); echo got $n; [ $n = 1 ] || exit 8' TERM; echo parent $PPID; \
                  while :; do sleep 0.02; done";
    let mut supervisor = Supervisor::start(script);
    let parent = supervisor.wait_for("parent");
    for count in [1, 2] {
        signal(parent, Signal::TERM);
        assert_eq!(supervisor.wait_for("got"), Some(count));
    }
    assert_eq!(supervisor.finish().0, Some(8));
}

#[test]
fn without_a_terminal_a_stopped_command_goes_on_whoever_is_told_so() {
    let script = "echo parent $PPID; echo own $$; kill -STOP $$; exit 9";
    for tell_the_command in [true, false] {
        let mut supervisor = Supervisor::start(script);
        let parent = supervisor.wait_for("parent");
        let own = supervisor.wait_for("own");
        let stat = format!("/proc/{}/stat", own.unwrap());
        while !std::fs::read_to_string(&stat).unwrap().contains(") T ") {
            std::thread::yield_now();
        }
        signal(if tell_the_command { own } else { parent }, Signal::CONT);
        assert_eq!(
            supervisor.finish().0,
            Some(9),
            "command told: {tell_the_command}"
        );
    }
}

#[test]
fn what_the_terminal_sent_is_passed_on_only_to_other_groups() {
    // The shell that runs the helpers is the script's own, in the foreground group of its terminal.
    let mut supervisor = Supervisor::on_terminal("$D", "");
    let decided = |supervisor: &mut Supervisor| {
        ["INT", "TSTP", "TERM", "INT apart"].map(|what| supervisor.wait_for(what))
    };
    assert_eq!(
        decided(&mut supervisor),
        [Some(0), Some(0), Some(1), Some(1)]
    );
    supervisor.finish();
    // In the background of it nothing that comes is from the terminal.
    let mut supervisor = Supervisor::on_terminal("set -m; $D & wait", "");
    assert_eq!(decided(&mut supervisor), [Some(1); 4]);
    supervisor.finish();
}

#[test]
fn interrupting_at_the_terminal_reaches_the_command_once() {
    let script = "n=0; trap 'n=$((n+1)); echo got' INT; trap 'echo sum $n' USR1; echo parent $PPID; \
                  while :; do read line && [ \"$line\" = end ] && exit 7; done";
    let mut supervisor = Supervisor::on_terminal("$H", script);
    let parent = supervisor.wait_for("parent");
    supervisor.press(b"\x03");
    supervisor.wait_for("^Cgot");
    // Passed on after an interruption that was passed on too, and answered by the command after it.
    signal(parent, Signal::USR1);
    assert_eq!(supervisor.wait_for("sum"), Some(1));
    supervisor.press(b"end\n");
    assert_eq!(supervisor.finish().0, Some(7));
}

#[test]
fn a_command_that_is_interrupted_ends_and_so_do_we() {
    let mut supervisor = Supervisor::on_terminal("$H; echo code $?", "echo ready; exec sleep 50");
    supervisor.wait_for("ready");
    supervisor.press(b"\x03");
    assert_eq!(supervisor.wait_for("^Ccode"), Some(130));
    supervisor.finish();
}

#[test]
fn a_shell_sees_one_job_that_stops_and_goes_on() {
    let shell = "set -m; $H; echo stopped $?; fg >/dev/null; echo done $?";
    let script = "echo ready; read line; echo \"read $line\"; exit 5";
    let mut supervisor = Supervisor::on_terminal(shell, script);
    supervisor.wait_for("ready");
    supervisor.press(b"\x1a");
    // 128 and SIGSTOP, the signal that stopped us.
    assert_eq!(supervisor.wait_for("stopped"), Some(147));
    supervisor.press(b"12\n");
    assert_eq!(supervisor.wait_for("read"), Some(12));
    assert_eq!(supervisor.wait_for("done"), Some(5));
    supervisor.finish();
}

#[test]
fn a_command_does_not_outlive_its_supervision() {
    let mut child = Command::new("sleep").arg("50").spawn().unwrap();
    drop(Running::new(child.id()).unwrap());
    // Killed and reaped, so there is no such child any more.
    let errno = Errno::from_io_error(&child.try_wait().unwrap_err());
    assert_eq!(errno, Some(Errno::CHILD));
}
