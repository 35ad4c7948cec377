//! Facts as the ledger takes them: borrowed, filled by the room that knows them, written once.
//!
//! Each variant names its event; the order of the fields in a line is that of `line.rs` and is part of the format. Text that an
//! agent chose is bounded and escaped there. There is no field for a header, a query or a body, and credentials come as
//! fingerprints; a path is written as it is, so a secret in a path (as webhooks have) is for its caller to mask.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use enforcer_flow::{CgroupId, ExchangeId, FlowId, Process, Side, Workload};

use crate::RecordingFacts;

mod attributes;
mod exchange;
mod facts;
mod found;
pub(crate) mod line;
mod object;
mod observed;
#[cfg(test)]
mod tests;

pub use facts::{ContentFacts, ExchangeFacts, FlowFacts, Mode, NameFacts, Traffic};
pub use found::{DataFound, FINDINGS, Found};
pub(crate) use object::Object;
pub use observed::{AddressObserved, HookFault};

/// One thing that happened.
///
/// Codes (`cause`, `how`, `reason`, `hook`) are short, stable words; `detail` and `message` are for people and are cut at
/// 512 bytes.
#[derive(Clone, Copy)]
pub enum Entry<'a> {
    /// `address_observed`: a name of an observed workload's led to an address that no rule names, and was dialled.
    AddressObserved(AddressObserved<'a>),
    /// `answer_blocked`: an answer ended where a rule said so.
    AnswerBlocked(PartRuled<'a>),
    /// `answer_edited`: a part of an answer was left out.
    AnswerEdited(PartRuled<'a>),
    /// `answer_flagged`: a part of an answer passed that a rule wants written down.
    AnswerFlagged(PartRuled<'a>),
    /// `data_found`: sensitive data in a granted exchange, or in one that is refused for it. Written before what it was found in goes on.
    DataFound(DataFound<'a>),
    /// `danger`: a setting that weakens security is in use.
    Danger {
        /// The setting, as the operator wrote it.
        what: &'a dyn Display,
    },
    /// `enforcer_started`.
    EnforcerStarted(EnforcerStarted<'a>),
    /// `enforcer_stopped`.
    EnforcerStopped {
        /// Why: `signal`, `command_ended`, …
        reason: &'a str,
    },
    /// `exchange_aborted`: a granted exchange ended before its time.
    ExchangeAborted(ExchangeAborted<'a>),
    /// `exchange_closed`: a granted exchange came to its end.
    ExchangeClosed(ExchangeClosed),
    /// `exchange_denied`.
    ExchangeDenied(ExchangeDenied<'a>),
    /// `exchange_granted`: its [`Receipt`](crate::Receipt) lets it out.
    ExchangeGranted {
        /// What was asked.
        facts: &'a ExchangeFacts<'a>,
        /// The rule that said yes.
        rule: &'a str,
    },
    /// `exchange_observed`: an exchange that would have been denied, let out because its workload is only observed. Beside
    /// `exchange_granted` the only entry whose [`Receipt`](crate::Receipt) lets anything out.
    ExchangeObserved(ExchangeDenied<'a>),
    /// `flow_aborted`: a connection ended by a fault.
    FlowAborted(FlowAborted<'a>),
    /// `flow_closed`: a connection came to its end.
    FlowClosed {
        /// Which connection.
        flow: FlowId,
        /// What went through it.
        traffic: Traffic,
    },
    /// `flow_opened`: a redirected connection was accepted and its workload is known.
    FlowOpened(&'a FlowFacts<'a>),
    /// `flow_refused`: a connection was ended before any exchange.
    FlowRefused(FlowRefused<'a>),
    /// `hook_fault`: a program was not where it must be.
    HookFault(HookFault<'a>),
    /// `kernel_observed`: a hook would have said no, and let past what an observed workload does.
    KernelObserved(KernelRefused<'a>),
    /// `kernel_refused`: a hook said no without asking the enforcer.
    KernelRefused(KernelRefused<'a>),
    /// `message_denied`: something said on a WebSocket was not passed on.
    MessageDenied(PartRuled<'a>),
    /// `name_answered`.
    NameAnswered {
        /// Who asked what.
        facts: &'a NameFacts<'a>,
        /// The (synthetic) address in the answer.
        address: IpAddr,
    },
    /// `name_observed`: a lookup that would have been refused, asked for real because its workload is only observed. Written
    /// before the question leaves.
    NameObserved {
        /// Who asked what.
        facts: &'a NameFacts<'a>,
        /// The code of the refusal.
        cause: &'a str,
    },
    /// `name_refused`.
    NameRefused {
        /// Who asked what.
        facts: &'a NameFacts<'a>,
        /// The code of the refusal.
        cause: &'a str,
    },
    /// `operator_action`: an operator asks for a change; written before the change is made.
    OperatorAction(OperatorAction<'a>),
    /// `part_observed`: a part of an answer or a message that would not have been passed on, of an observed workload.
    PartObserved(PartRuled<'a>),
    /// `policy_loaded`.
    PolicyLoaded(PolicyLoaded<'a>),
    /// `policy_rejected`: the last good set stays in force.
    PolicyRejected(PolicyRejected<'a>),
    /// `suppressed`: that many lines of one kind were not written, because an agent caused too many.
    Suppressed(Suppressed<'a>),
    /// `sockets_hidden`: sockets of the host that showed in a container were covered.
    SocketsHidden(SocketsHidden<'a>),
    /// `trust_placed`: trust in our CA was put where a workload finds it.
    TrustPlaced(TrustPlaced<'a>),
    /// `workload_attached`: the hooks are in place on its cgroup.
    WorkloadAttached {
        /// Which.
        workload: &'a Workload,
        /// Which way it came: `label`, `pattern`, `runtime`, …
        via: &'a str,
    },
    /// `workload_detached`.
    WorkloadDetached {
        /// Which.
        workload: &'a Workload,
        /// Why: `unlabelled`, `gone`, `stopping`, …
        reason: &'a str,
    },
}

/// The enforcer's start.
#[derive(Clone, Copy, Debug)]
pub struct EnforcerStarted<'a> {
    /// The version of the binary.
    pub version: &'a str,
    /// Whether it serves labelled cgroups or one command.
    pub mode: Mode,
    /// The digest of the policy set in force.
    pub policy_digest: &'a str,
    /// How many rules that set has.
    pub rules: u64,
    /// What came of the programs for the kernel's security modules, in words.
    pub lsm: &'a str,
}

/// A part of an answer, or of what an agent says on a WebSocket, that was not passed on.
#[derive(Clone, Copy)]
pub struct PartRuled<'a> {
    /// Which exchange.
    pub exchange: ExchangeId,
    /// Its connection.
    pub flow: FlowId,
    /// What kind of part: `tool_call`, `listed_tool`, `rows`, …
    pub part: &'a str,
    /// Its name, where it has one.
    pub name: Option<&'a str>,
    /// How much of it there is, where that is what the rule is about.
    pub count: Option<u64>,
    /// The code of the ruling.
    pub cause: &'a str,
    /// The rule that said so.
    pub rule: Option<&'a str>,
    /// The rule's reason, or more for people.
    pub reason: Option<&'a dyn Display>,
}

/// A refused exchange.
#[derive(Clone, Copy)]
pub struct ExchangeDenied<'a> {
    /// What was asked.
    pub facts: &'a ExchangeFacts<'a>,
    /// The code of the refusal.
    pub cause: &'a str,
    /// The rule that said no; none when no rule said yes.
    pub rule: Option<&'a str>,
    /// The rule's reason, or more for people.
    pub reason: Option<&'a dyn Display>,
}

/// The end of a granted exchange.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeClosed {
    /// Which exchange.
    pub exchange: ExchangeId,
    /// Its connection.
    pub flow: FlowId,
    /// The protocol's own status, for HTTP the status code.
    pub status: Option<u16>,
    /// What went through it.
    pub traffic: Traffic,
    /// The address that was dialled.
    pub upstream_addr: Option<SocketAddr>,
    /// What was kept of it.
    pub recording: Option<RecordingFacts>,
}

/// The early end of a granted exchange.
#[derive(Clone, Copy)]
pub struct ExchangeAborted<'a> {
    /// Which exchange.
    pub exchange: ExchangeId,
    /// Its connection.
    pub flow: FlowId,
    /// Whose end failed.
    pub side: Side,
    /// The code of the fault.
    pub cause: &'a str,
    /// More, for people.
    pub detail: Option<&'a dyn Display>,
    /// What went through it until then.
    pub traffic: Traffic,
    /// What was kept of it.
    pub recording: Option<RecordingFacts>,
}

/// A connection that was ended before any exchange.
#[derive(Clone, Copy)]
pub struct FlowRefused<'a> {
    /// What is known of it.
    pub facts: &'a FlowFacts<'a>,
    /// The code of the refusal.
    pub cause: &'a str,
    /// More, for people.
    pub detail: Option<&'a dyn Display>,
}

/// A connection that ended by a fault.
#[derive(Clone, Copy)]
pub struct FlowAborted<'a> {
    /// Which connection.
    pub flow: FlowId,
    /// Whose end failed.
    pub side: Side,
    /// The code of the fault.
    pub cause: &'a str,
    /// More, for people.
    pub detail: Option<&'a dyn Display>,
    /// What went through it until then.
    pub traffic: Traffic,
}

/// A refusal by a kernel hook.
#[derive(Clone, Copy, Debug)]
pub struct KernelRefused<'a> {
    /// Whose, if its cgroup is labelled still.
    pub workload: Option<&'a Workload>,
    /// The cgroup the kernel saw.
    pub cgroup: CgroupId,
    /// The process the kernel saw.
    pub process: &'a Process,
    /// The hook: `connect4`, `sendmsg6`, …
    pub hook: &'a str,
    /// The code of the refusal.
    pub cause: &'a str,
    /// The transport: `tcp`, `udp`, `raw`, …
    pub protocol: &'a str,
    /// Where it wanted to go, if the hook knows.
    pub dst: Option<SocketAddr>,
}

/// A change that an operator asks for.
#[derive(Clone, Copy)]
pub struct OperatorAction<'a> {
    /// The verb: `label`, `unlabel`, …
    pub action: &'a str,
    /// The whole of it, for people.
    pub detail: &'a dyn Display,
    /// The operator's user id, as the kernel saw it.
    pub uid: u32,
    /// The operator's process id, as the kernel saw it.
    pub pid: u32,
}

/// A policy set that came into force.
#[derive(Clone, Copy, Debug)]
pub struct PolicyLoaded<'a> {
    /// The set's digest.
    pub digest: &'a str,
    /// How many files it came from.
    pub files: u64,
    /// How many rules it has.
    pub rules: u64,
}

/// A policy that was not taken.
#[derive(Clone, Copy)]
pub struct PolicyRejected<'a> {
    /// The file, or the folder when it could not be read.
    pub file: &'a dyn Display,
    /// The line, counted from one.
    pub line: Option<u64>,
    /// The column, counted from one.
    pub column: Option<u64>,
    /// What is wrong.
    pub message: &'a dyn Display,
}

/// Lines that were not written.
#[derive(Clone, Copy, Debug)]
pub struct Suppressed<'a> {
    /// Whose they were.
    pub workload: Option<&'a Workload>,
    /// The event name they would have had.
    pub event: &'a str,
    /// How many.
    pub count: u64,
}

/// Sockets of the host that showed in a container.
#[derive(Clone, Copy)]
pub struct SocketsHidden<'a> {
    /// Whose container.
    pub workload: &'a Workload,
    /// Where they were, in the container.
    pub sockets: &'a dyn Display,
    /// What still shows, for people.
    pub problem: Option<&'a dyn Display>,
}

/// Trust in our CA, put where a workload finds it.
#[derive(Clone, Copy)]
pub struct TrustPlaced<'a> {
    /// For whom; none when it is for the whole host.
    pub workload: Option<&'a Workload>,
    /// Where.
    pub place: &'a dyn Display,
    /// The CA certificate's fingerprint.
    pub authority: &'a str,
    /// What could not be done, for people.
    pub problem: Option<&'a dyn Display>,
}

// === impl Entry ===

impl Entry<'_> {
    /// The name in the `event` field.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self {
            Self::AddressObserved(_) => "address_observed",
            Self::AnswerBlocked(_) => "answer_blocked",
            Self::AnswerEdited(_) => "answer_edited",
            Self::AnswerFlagged(_) => "answer_flagged",
            Self::DataFound(_) => "data_found",
            Self::Danger { .. } => "danger",
            Self::EnforcerStarted(_) => "enforcer_started",
            Self::EnforcerStopped { .. } => "enforcer_stopped",
            Self::ExchangeAborted(_) => "exchange_aborted",
            Self::ExchangeClosed(_) => "exchange_closed",
            Self::ExchangeDenied(_) => "exchange_denied",
            Self::ExchangeGranted { .. } => "exchange_granted",
            Self::ExchangeObserved(_) => "exchange_observed",
            Self::FlowAborted(_) => "flow_aborted",
            Self::FlowClosed { .. } => "flow_closed",
            Self::FlowOpened(_) => "flow_opened",
            Self::FlowRefused(_) => "flow_refused",
            Self::HookFault(_) => "hook_fault",
            Self::KernelObserved(_) => "kernel_observed",
            Self::KernelRefused(_) => "kernel_refused",
            Self::MessageDenied(_) => "message_denied",
            Self::NameAnswered { .. } => "name_answered",
            Self::NameObserved { .. } => "name_observed",
            Self::NameRefused { .. } => "name_refused",
            Self::OperatorAction(_) => "operator_action",
            Self::PartObserved(_) => "part_observed",
            Self::PolicyLoaded(_) => "policy_loaded",
            Self::PolicyRejected(_) => "policy_rejected",
            Self::Suppressed(_) => "suppressed",
            Self::SocketsHidden(_) => "sockets_hidden",
            Self::TrustPlaced(_) => "trust_placed",
            Self::WorkloadAttached { .. } => "workload_attached",
            Self::WorkloadDetached { .. } => "workload_detached",
        }
    }

    /// The exchange this entry lets out, if it lets one out.
    pub(crate) fn grants(&self) -> Option<ExchangeId> {
        match self {
            Self::ExchangeGranted { facts, .. } => Some(facts.exchange),
            Self::ExchangeObserved(observed) => Some(observed.facts.exchange),
            Self::AddressObserved(_)
            | Self::AnswerBlocked(_)
            | Self::AnswerEdited(_)
            | Self::AnswerFlagged(_)
            | Self::DataFound(_)
            | Self::Danger { .. }
            | Self::EnforcerStarted(_)
            | Self::EnforcerStopped { .. }
            | Self::ExchangeAborted(_)
            | Self::ExchangeClosed(_)
            | Self::ExchangeDenied(_)
            | Self::FlowAborted(_)
            | Self::FlowClosed { .. }
            | Self::FlowOpened(_)
            | Self::FlowRefused(_)
            | Self::HookFault(_)
            | Self::KernelObserved(_)
            | Self::KernelRefused(_)
            | Self::MessageDenied(_)
            | Self::NameAnswered { .. }
            | Self::NameObserved { .. }
            | Self::NameRefused { .. }
            | Self::OperatorAction(_)
            | Self::PartObserved(_)
            | Self::PolicyLoaded(_)
            | Self::PolicyRejected(_)
            | Self::Suppressed(_)
            | Self::SocketsHidden(_)
            | Self::TrustPlaced(_)
            | Self::WorkloadAttached { .. }
            | Self::WorkloadDetached { .. } => None,
        }
    }
}
