//! From an entry to the fields of its line, in their fixed order.

use std::fmt::Display;

use enforcer_flow::{FlowId, Process, Side, Stance, Workload};

use super::attributes::attributes;
use super::exchange::{
    exchange_aborted, exchange_closed, exchange_denied, exchange_granted, part_ruled,
};
use super::found::data_found;
use super::object::{CODE, Object};
use super::observed::{address_observed, hook_fault, kernel_refused, would};
use super::{
    EnforcerStarted, Entry, FlowAborted, FlowFacts, FlowRefused, Mode, NameFacts, OperatorAction,
    PolicyLoaded, PolicyRejected, SocketsHidden, Suppressed, Traffic, TrustPlaced,
};

/// The bound of texts for people.
pub(super) const DETAIL: usize = 512;
/// The bound of file and cgroup paths: `PATH_MAX`.
const FILE: usize = 4096;
/// The bound of the path of a program.
const EXE: usize = 1024;

/// Appends `,"event":"…"` and the entry's own fields to `out`.
pub(crate) fn render(entry: &Entry<'_>, out: &mut Vec<u8>) {
    let line = &mut Object::resume(out);
    line.code("event", entry.event());
    match entry {
        Entry::AddressObserved(observed) => address_observed(line, observed),
        Entry::AnswerBlocked(ruled)
        | Entry::AnswerEdited(ruled)
        | Entry::AnswerFlagged(ruled)
        | Entry::MessageDenied(ruled)
        | Entry::PartObserved(ruled) => part_ruled(line, ruled),
        Entry::DataFound(found) => data_found(line, found),
        Entry::Danger { what } => line.shown("what", what, DETAIL),
        Entry::EnforcerStarted(started) => enforcer_started(line, started),
        Entry::EnforcerStopped { reason } => line.code("reason", reason),
        Entry::ExchangeAborted(aborted) => exchange_aborted(line, aborted),
        Entry::ExchangeClosed(closed) => exchange_closed(line, closed),
        Entry::ExchangeDenied(denied) => exchange_denied(line, denied, None),
        Entry::ExchangeGranted { facts, rule } => exchange_granted(line, facts, rule),
        Entry::ExchangeObserved(denied) => exchange_denied(line, denied, Some("deny")),
        Entry::FlowAborted(aborted) => flow_aborted(line, aborted),
        Entry::FlowClosed { flow, traffic } => flow_closed(line, flow, traffic),
        Entry::FlowOpened(facts) => flow(line, facts),
        Entry::FlowRefused(refused) => flow_refused(line, refused),
        Entry::HookFault(fault) => hook_fault(line, fault),
        Entry::KernelObserved(refused) => kernel_refused(line, refused, Some("deny")),
        Entry::KernelRefused(refused) => kernel_refused(line, refused, None),
        Entry::NameAnswered { facts, address } => {
            name(line, facts);
            line.shown("address", address, CODE);
        }
        Entry::NameObserved { facts, cause } => {
            name(line, facts);
            would(line, Some("deny"));
            line.code("cause", cause);
        }
        Entry::NameRefused { facts, cause } => {
            name(line, facts);
            line.code("cause", cause);
        }
        Entry::OperatorAction(asked) => operator_action(line, asked),
        Entry::PolicyLoaded(loaded) => policy_loaded(line, loaded),
        Entry::PolicyRejected(rejected) => policy_rejected(line, rejected),
        Entry::Suppressed(suppressed) => self::suppressed(line, suppressed),
        Entry::SocketsHidden(hidden) => sockets_hidden(line, hidden),
        Entry::TrustPlaced(placed) => trust_placed(line, placed),
        Entry::WorkloadAttached { workload, via } => {
            self::workload(line, workload);
            attributes(line, &workload.attributes);
            line.code("via", via);
        }
        Entry::WorkloadDetached { workload, reason } => {
            self::workload(line, workload);
            line.code("reason", reason);
        }
    }
}

fn enforcer_started(line: &mut Object<'_>, started: &EnforcerStarted<'_>) {
    let EnforcerStarted {
        version,
        mode,
        policy_digest,
        rules,
        lsm,
    } = started;
    line.code("version", version);
    line.code("mode", mode.as_str());
    line.code("policy_digest", policy_digest);
    line.number("rules", *rules);
    line.shown("lsm", lsm, DETAIL);
}

fn flow(line: &mut Object<'_>, facts: &FlowFacts<'_>) {
    let FlowFacts {
        flow,
        workload,
        process,
        client,
        original_dst,
    } = facts;
    line.shown("flow", flow, CODE);
    known_workload(line, *workload);
    if let Some(workload) = workload {
        attributes(line, &workload.attributes);
    }
    if let Some(process) = process {
        identified(line, process);
    }
    line.shown("client", client, CODE);
    if let Some(dst) = original_dst {
        line.shown("original_dst", dst, CODE);
    }
}

fn flow_closed(line: &mut Object<'_>, flow: &FlowId, traffic: &Traffic) {
    line.shown("flow", flow, CODE);
    passed(line, traffic);
}

fn flow_refused(line: &mut Object<'_>, refused: &FlowRefused<'_>) {
    let FlowRefused {
        facts,
        cause,
        detail,
    } = refused;
    flow(line, facts);
    line.code("cause", cause);
    if let Some(detail) = detail {
        line.shown("detail", detail, DETAIL);
    }
}

fn flow_aborted(line: &mut Object<'_>, aborted: &FlowAborted<'_>) {
    let FlowAborted {
        flow,
        side,
        cause,
        detail,
        traffic,
    } = aborted;
    line.shown("flow", flow, CODE);
    broken(line, (*side, cause, *detail), traffic);
}

/// How a flow or an exchange was cut short: by whom, why, and what had passed.
pub(super) fn broken(
    line: &mut Object<'_>,
    (side, cause, detail): (Side, &str, Option<&dyn Display>),
    traffic: &Traffic,
) {
    line.shown("side", &side, CODE);
    line.code("cause", cause);
    if let Some(detail) = detail {
        line.shown("detail", detail, DETAIL);
    }
    passed(line, traffic);
}

fn name(line: &mut Object<'_>, facts: &NameFacts<'_>) {
    let NameFacts {
        workload,
        process,
        name,
        record,
    } = facts;
    known_workload(line, *workload);
    known_process(line, *process);
    line.text("name", name, CODE);
    line.code("type", record);
}

fn policy_loaded(line: &mut Object<'_>, loaded: &PolicyLoaded<'_>) {
    let PolicyLoaded {
        digest,
        files,
        rules,
    } = loaded;
    line.code("digest", digest);
    line.number("files", *files);
    line.number("rules", *rules);
}

fn policy_rejected(line: &mut Object<'_>, rejected: &PolicyRejected<'_>) {
    let PolicyRejected {
        file,
        line: row,
        column,
        message,
    } = rejected;
    line.shown("file", file, FILE);
    if let Some(row) = row {
        line.number("line", *row);
    }
    if let Some(column) = column {
        line.number("column", *column);
    }
    line.shown("message", message, DETAIL);
}

fn operator_action(line: &mut Object<'_>, asked: &OperatorAction<'_>) {
    let OperatorAction {
        action,
        detail,
        uid,
        pid,
    } = asked;
    line.code("action", action);
    line.shown("detail", detail, DETAIL);
    line.number("uid", u64::from(*uid));
    line.number("pid", u64::from(*pid));
}

fn suppressed(line: &mut Object<'_>, suppressed: &Suppressed<'_>) {
    let Suppressed {
        workload,
        event,
        count,
    } = suppressed;
    known_workload(line, *workload);
    line.code("of", event);
    line.number("count", *count);
}

fn sockets_hidden(line: &mut Object<'_>, hidden: &SocketsHidden<'_>) {
    let SocketsHidden {
        workload,
        sockets,
        problem,
    } = hidden;
    self::workload(line, workload);
    line.shown("sockets", sockets, FILE);
    if let Some(problem) = problem {
        line.shown("problem", problem, DETAIL);
    }
}

fn trust_placed(line: &mut Object<'_>, placed: &TrustPlaced<'_>) {
    let TrustPlaced {
        workload,
        place,
        authority,
        problem,
    } = placed;
    known_workload(line, *workload);
    line.shown("place", place, FILE);
    line.code("authority", authority);
    if let Some(problem) = problem {
        line.shown("problem", problem, DETAIL);
    }
}

pub(super) fn passed(line: &mut Object<'_>, traffic: &Traffic) {
    let Traffic {
        bytes_up,
        bytes_down,
        duration,
    } = traffic;
    line.number("bytes_up", *bytes_up);
    line.number("bytes_down", *bytes_down);
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    line.number("duration_us", micros);
}

pub(super) fn known_workload(line: &mut Object<'_>, known: Option<&Workload>) {
    if let Some(known) = known {
        workload(line, known);
    }
}

fn known_process(line: &mut Object<'_>, known: Option<&Process>) {
    if let Some(known) = known {
        process(line, known);
    }
}

pub(super) fn workload(line: &mut Object<'_>, workload: &Workload) {
    let Workload {
        name,
        policy,
        cgroup,
        path,
        stance,
        attributes,
    } = workload;
    line.object("workload", |fields| {
        fields.text("name", name, CODE);
        if let Some(policy) = policy {
            fields.code("policy", policy);
        }
        fields.number("cgroup", cgroup.0);
        fields.text("path", path, FILE);
        if let Some(principal) = &attributes.principal {
            fields.text("principal", principal.name(), CODE);
            if !principal.groups().is_empty() {
                fields.list("groups", principal.groups().iter());
            }
        }
        match stance {
            Stance::Enforce => {}
            Stance::Observe | Stance::Quarantine => fields.code("stance", stance.as_str()),
        }
    });
}

pub(super) fn process(line: &mut Object<'_>, process: &Process) {
    line.object("process", |fields| known_to_the_kernel(fields, process));
}

fn known_to_the_kernel(fields: &mut Object<'_>, process: &Process) {
    fields.number("pid", process.pid);
    fields.number("uid", process.uid);
    fields.text("comm", &process.comm, CODE);
}

/// A process with what `/proc` told of it; once for each connection, the other lines name the connection.
fn identified(line: &mut Object<'_>, process: &Process) {
    line.object("process", |fields| {
        known_to_the_kernel(fields, process);
        if let Some(started) = process.started {
            fields.number("started", started);
        }
        if let Some(exe) = &process.exe {
            fields.text("exe", exe, EXE);
        }
        if let Some(argv) = &process.argv {
            fields.code("argv", argv);
        }
    });
}

// === impl Mode ===

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Run => "run",
        }
    }
}
