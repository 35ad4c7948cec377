//! What the kernel refused by itself becomes evidence.

use std::sync::Arc;
use std::time::Duration;

use enforcer_audit::{Entry, KernelRefused, Ledger, Suppressed};
use enforcer_flow::CgroupId;
use enforcer_identity::Workloads;
use enforcer_kernel::{Events, Hook, Lost, Reason, Refused, ipproto};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How often refusals that the kernel counted but did not send are looked for.
const COUNT: Duration = Duration::from_secs(1);

/// Writes every refusal that the kernel reports, and the number of those it could not report, until `stop` is raised or the
/// stream ends. What was reported until then is written before it returns.
pub(crate) async fn record(
    mut events: Events,
    ledger: Arc<Ledger>,
    workloads: Arc<Workloads>,
    mut stop: watch::Receiver<bool>,
) {
    let mut seen = events.lost().unwrap_or_default();
    let mut count = tokio::time::interval(COUNT);
    count.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            refused = events.next() => match refused {
                Ok(refused) => write(&refused, &ledger, &workloads),
                Err(error) => {
                    tracing::error!(%error, "the kernel's refusals are not recorded any more");
                    return;
                }
            },
            _ = count.tick() => seen = settle(&events, seen, &ledger),
            // Polled after the events: the ring is empty by then.
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    settle(&events, seen, &ledger);
}

fn write(refused: &Refused, ledger: &Ledger, workloads: &Workloads) {
    let workload = refused.cgroup.and_then(|cgroup| workloads.find(cgroup));
    let fact = KernelRefused {
        workload: workload.as_deref(),
        cgroup: refused.cgroup.unwrap_or(CgroupId(0)),
        process: &refused.process,
        hook: hook(refused.hook),
        cause: cause(refused.reason),
        protocol: protocol(refused.protocol),
        dst: refused.dst,
    };
    ledger.defer(&if refused.let_past {
        Entry::KernelObserved(fact)
    } else {
        Entry::KernelRefused(fact)
    });
}

/// Writes how many refusals were not sent since the last look.
fn settle(events: &Events, seen: Lost, ledger: &Ledger) -> Lost {
    let Ok(now) = events.lost() else {
        return seen;
    };
    let count = (now.full + now.suppressed).saturating_sub(seen.full + seen.suppressed);
    if count > 0 {
        ledger.defer(&Entry::Suppressed(Suppressed {
            workload: None,
            event: "kernel_refused",
            count,
        }));
    }
    now
}

fn hook(hook: Hook) -> &'static str {
    match hook {
        Hook::Connect4 => "connect4",
        Hook::Connect6 => "connect6",
        Hook::ConnectUnix => "connect_unix",
        Hook::Egress => "egress",
        Hook::Bind => "bind",
        Hook::LsmCgroup => "lsm_cgroup",
        Hook::LsmSocket => "lsm_socket",
        Hook::LsmUnix => "lsm_unix",
        Hook::Seal => "seal",
        Hook::Sendmsg4 => "sendmsg4",
        Hook::Sendmsg6 => "sendmsg6",
        Hook::SendmsgUnix => "sendmsg_unix",
        Hook::Setsockopt => "setsockopt",
        Hook::SockCreate => "sock_create",
        Hook::SockOps => "sock_ops",
    }
}

fn cause(reason: Reason) -> &'static str {
    match reason {
        Reason::Backstop => "no_listener_of_ours",
        Reason::Cgroup => "cgroup",
        Reason::Full => "table_full",
        Reason::NoListener => "namespace_not_served",
        Reason::Own => "loop",
        Reason::Protocol => "protocol",
        Reason::Quarantined => "quarantined",
        Reason::Socket => "socket",
        Reason::Unaccepted => "not_accepted",
        Reason::Unix => "unix_socket",
        Reason::Unlabelled => "no_workload",
    }
}

/// The names of the protocol numbers that agents try (IANA, and `IPPROTO_*` of `linux/in.h` above 255), and of our own.
fn protocol(number: u32) -> &'static str {
    match number {
        1 => "icmp",
        2 => "igmp",
        6 => "tcp",
        17 => "udp",
        58 => "icmp6",
        132 => "sctp",
        136 => "udplite",
        255 => "raw",
        262 => "mptcp",
        ipproto::UNIX => "unix",
        ipproto::CGROUP => "cgroup",
        _ if number & !0xff == ipproto::FAMILY => family(number & 0xff),
        _ => "other",
    }
}

/// The names of the address families that agents try (`AF_*` of `linux/socket.h`).
fn family(number: u32) -> &'static str {
    match number {
        9 => "x25",
        15 => "key",
        17 => "packet",
        21 => "rds",
        29 => "can",
        30 => "tipc",
        31 => "bluetooth",
        38 => "alg",
        40 => "vsock",
        42 => "qipcrtr",
        43 => "smc",
        44 => "xdp",
        _ => "other_family",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_protocols_are_not_taken_for_one_another() {
        assert_eq!(protocol(17), "udp");
        assert_eq!(protocol(ipproto::FAMILY + 17), "packet");
        assert_eq!(protocol(ipproto::FAMILY + 40), "vsock");
        assert_eq!(protocol(ipproto::UNIX), "unix");
        assert_eq!(protocol(ipproto::FAMILY + 200), "other_family");
        assert_eq!(protocol(ipproto::CGROUP), "cgroup");
    }
}
