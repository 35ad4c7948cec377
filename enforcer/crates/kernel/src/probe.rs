//! Whether the programs work on this kernel: tried by having each of them fire in a cgroup and a namespace made for it.
//!
//! That a program loads and attaches does not say that it runs. So a child does, in a place of its own, what agents do, and
//! tells what came of it; here it is held against what the programs told and filed. Nothing leaves the place: its namespace
//! has a loopback and nothing else.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use enforcer_common::Hook;
use enforcer_flow::ClientAddr;
use rustix::process::{Pid, Signal, kill_process};

use crate::lsm::Need;
use crate::{
    KernelError, Listeners, Loopback, Netns, Origins as _, Placement, Programs, cgroup_id,
};

mod actor;
mod foreign;

pub use actor::{act, act_lsm};
pub use foreign::{Stranger, strangers};

/// How long the child may take for all it does.
const PATIENCE: Duration = Duration::from_secs(20);

/// One program, and whether it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The program.
    pub hook: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of trying a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it is for.
    Fired,
    /// It is attached, and there is nothing here that would make it run.
    NotTried,
    /// The kernel does not take it, and says this.
    Refused(String),
    /// It did not, or not that.
    Silent(String),
}

/// What the child saw, by the names of its acts.
pub(crate) struct Seen(Vec<(String, String)>);

/// Loads the programs, pinned at `pins`, hangs them on the cgroup that `dir` is, and has `actor` act there: a command that
/// calls [`act`]. Everything made is taken away again but the folder of the cgroup.
///
/// # Errors
/// When the programs cannot be loaded or attached, or the child cannot be run.
pub fn fire(pins: &Path, dir: &Path, actor: &mut Command) -> Result<Vec<Trial>, KernelError> {
    let programs = Programs::load(pins)?;
    let tried = try_all(&programs, dir, actor);
    let released = programs.release();
    let trials = tried?;
    released?;
    Ok(trials)
}

/// The same of the programs for the kernel's security modules, which nothing depends on: `actor` is a command that calls
/// [`act_lsm`] with the path that is its last argument.
///
/// # Errors
/// When they cannot be tried.
pub fn fire_lsm(pins: &Path, dir: &Path, actor: &mut Command) -> Result<Vec<Trial>, KernelError> {
    let mut programs = Programs::load(pins)?;
    let tried = programs.add_lsm(dir, actor, Need::Optional);
    let released = programs.release();
    let trials = tried?;
    released?;
    Ok(trials)
}

fn try_all(
    programs: &Programs,
    dir: &Path,
    actor: &mut Command,
) -> Result<Vec<Trial>, KernelError> {
    let netns = Netns::isolated()?;
    let listeners = netns.listen()?;
    let ports = listeners.ports(Loopback::Exempt)?;
    let id = cgroup_id(dir)?;
    if programs.see_unix_sockets() {
        programs.treat_unix_sockets(id, crate::unix::UnixSockets::Refused)?;
    }
    programs.attach(dir, id)?;
    programs.serve(netns.cookie(), ports)?;
    actor
        .arg(ports.tcp.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let _progress = Placement::new(dir, Some(&netns))?.apply(actor)?;
    let failed = |error| KernelError::call("running the child that tries the programs", error);
    let mut child = actor.spawn().map_err(failed)?;
    let over = AtomicBool::new(false);
    let pid = Pid::from_child(&child);
    let (seen, filed) = std::thread::scope(|scope| {
        scope.spawn(|| answer(&listeners, &over, pid));
        let watched = watch(&mut child, programs, &netns, &listeners);
        over.store(true, Ordering::Relaxed);
        watched
    });
    // Without its input it ends; if it hangs all the same, it is ended.
    let _ = child.kill();
    let _ = child.wait();
    let told = told(programs)?;
    Ok(programs
        .programs()
        .iter()
        .map(|(hook, _)| Trial {
            hook: hook.name,
            outcome: judge(hook.name, &seen, &told, filed),
        })
        .collect())
}

/// Answers lookups until it is over, and sees to it that it will be.
fn answer(listeners: &Listeners, over: &AtomicBool, child: Pid) {
    let until = Instant::now() + PATIENCE;
    let sockets: Vec<&UdpSocket> = [Some(&listeners.dns), listeners.dns6.as_ref()]
        .into_iter()
        .flatten()
        .collect();
    let mut buffer = [0; 64];
    while !over.load(Ordering::Relaxed) {
        for socket in &sockets {
            if let Ok((_, client)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(b"answer", client);
            }
        }
        if Instant::now() > until {
            // Nobody waited for it yet, so the number is still its own.
            let _ = kill_process(child, Signal::KILL);
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the child says it saw, and how many connections came with their origin.
fn watch(
    child: &mut Child,
    programs: &Programs,
    netns: &Netns,
    listeners: &Listeners,
) -> (Seen, usize) {
    let seen = child
        .stdout
        .take()
        .map_or_else(|| Seen(Vec::new()), Seen::read);
    let filed = filed(programs, netns, listeners);
    drop(child.stdin.take());
    (seen, filed)
}

/// Accepts what is there and asks for each connection's origin.
fn filed(programs: &Programs, netns: &Netns, listeners: &Listeners) -> usize {
    let Ok(origins) = programs.origins() else {
        return 0;
    };
    let mut filed = 0;
    while let Ok((_, client)) = listeners.tcp.accept() {
        let origin = origins.take(netns.cookie(), ClientAddr::new(client));
        let is_asked = |dst: std::net::SocketAddr| dst == actor::TARGET4 || dst == actor::TARGET6;
        filed += usize::from(origin.is_some_and(|origin| is_asked(origin.dst.addr())));
    }
    filed
}

/// The hooks that told of a refusal.
fn told(programs: &Programs) -> Result<HashSet<u8>, KernelError> {
    let refused = programs.drain_events()?;
    Ok(refused.iter().map(|refused| refused.hook as u8).collect())
}

fn judge(hook: &str, seen: &Seen, told: &HashSet<u8>, filed: usize) -> Outcome {
    let told = |hook: Hook| told.contains(&(hook as u8));
    let refused = |act: &str, by: Hook| seen.expect(act, "refused", told(by), "and told nobody");
    match hook {
        "sock_create" => refused("raw", Hook::SockCreate),
        "post_bind4" => refused("bind4", Hook::Bind),
        "post_bind6" => refused("bind6", Hook::Bind),
        "connect_unix" => seen.expect("unix_stream", "refused", true, ""),
        "sendmsg_unix" => seen.expect("unix_datagram", "refused", true, ""),
        "setsockopt" => refused("join", Hook::Setsockopt),
        "established" => match filed {
            2.. => Outcome::Fired,
            count => Outcome::Silent(format!("{count} of 2 connections came with their origin")),
        },
        "connect4" => seen.expect("tcp4", "connected", true, ""),
        "connect6" => seen.expect("tcp6", "connected", true, ""),
        "getpeername4" => seen.expect("peer4", "as_asked", true, ""),
        "getpeername6" => seen.expect("peer6", "as_asked", true, ""),
        "sendmsg4" => refused("udp4", Hook::Sendmsg4),
        "sendmsg6" => refused("udp6", Hook::Sendmsg6),
        "recvmsg4" => seen.expect("lookup4", "as_asked", true, ""),
        "recvmsg6" => seen.expect("lookup6", "as_asked", true, ""),
        "egress" => refused("packet", Hook::Egress),
        _ => Outcome::NotTried,
    }
}

// === impl Seen ===

impl Seen {
    /// What a child says, until it says that it is done.
    pub(crate) fn read(out: impl Read) -> Self {
        let mut seen = Vec::new();
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            match line.split_once(' ') {
                Some((name, what)) => seen.push((name.to_owned(), what.to_owned())),
                None if line == actor::DONE => break,
                None => {}
            }
        }
        Self(seen)
    }

    pub(crate) fn expect(&self, act: &str, wanted: &str, told: bool, otherwise: &str) -> Outcome {
        let found = self.0.iter().find(|(name, _)| name == act);
        match found {
            Some((_, what)) if what == wanted && told => Outcome::Fired,
            Some((_, what)) if what == wanted => Outcome::Silent(format!("{wanted}, {otherwise}")),
            Some((_, what)) => Outcome::Silent(format!("`{act}` came to `{what}`")),
            None => Outcome::Silent(format!("`{act}` was not done within {PATIENCE:?}")),
        }
    }
}
