//! The decision about one query: from its bytes to the answer's bytes and what the ledger is to learn of it.
//!
//! Nothing is asked of anybody: an answer is made of the query, the policy in force and the workload's names, so a lookup
//! carries nothing out of the machine. No I/O here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use enforcer_flow::{CHECK_NAME, Host, Workload};
use enforcer_policy::PolicySet;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, HINFO, PTR};
use hickory_proto::rr::{Name, RData, RecordType};

use crate::names::TTL;
use crate::question::{self, Subject, Unfit};
use crate::wire::{self, Fault, Question};
use crate::{Cause, Family, Names, Transport};

/// What an answer is made of, besides the query.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Who asks. None: nobody knows, and nothing is granted.
    pub workload: Option<&'a Workload>,
    /// The policy in force.
    pub policy: &'a PolicySet,
    /// What addresses stand for.
    pub names: &'a Names,
    /// How the query came.
    pub transport: Transport,
}

/// What comes of one query.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// The answer. None: silence.
    pub message: Option<Vec<u8>>,
    /// What is worth a line in the ledger.
    pub finding: Option<Finding>,
}

/// What the ledger is to learn of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name asked for, in lower case and with unusual bytes escaped; for a granted reverse lookup the name that was
    /// told. Empty if the query has none.
    pub name: String,
    /// The record type asked for. Empty if the query has none.
    pub record: String,
    /// What was said.
    pub outcome: Outcome,
}

/// What was said to a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This address, or the name behind it.
    Answered(IpAddr),
    /// No.
    Refused(Cause),
}

/// Answers one query. Total: whatever the bytes, there is an answer or a reason for silence.
#[must_use]
pub fn answer(query: &[u8], ground: &Ground<'_>) -> Reply {
    match Question::read(query) {
        Ok(question) => {
            let (message, finding) = ground.settle(&question);
            Reply {
                message: wire::write(&message, question.room(ground.transport)),
                finding,
            }
        }
        Err(Fault::Mute) => Reply {
            message: None,
            finding: Some(Finding::new(
                None,
                Outcome::Refused(ground.blame(Cause::Malformed)),
            )),
        },
        Err(Fault::Refused(echo, code, cause)) => Reply {
            message: wire::write(&echo.respond(code), echo.room(ground.transport)),
            finding: Some(Finding::new(
                echo.query(),
                Outcome::Refused(ground.blame(cause)),
            )),
        },
    }
}

// === impl Finding ===

impl Finding {
    fn new(query: Option<&Query>, outcome: Outcome) -> Self {
        Self {
            name: query
                .map(|query| question::name_text(query.name()))
                .unwrap_or_default(),
            record: query
                .map(|query| question::kind_text(query.query_type()))
                .unwrap_or_default(),
            outcome,
        }
    }
}

// === impl Ground ===

impl Ground<'_> {
    /// The answer to a well-formed question, and what the ledger is to learn.
    fn settle(&self, question: &Question) -> (Message, Option<Finding>) {
        let Some(workload) = self.workload else {
            return refuse(question, ResponseCode::Refused, Cause::UnknownClient);
        };
        match Subject::read(question.query()) {
            Err(Unfit { code, cause }) => refuse(question, code, cause),
            Ok(Subject::Localhost) => (localhost(question), None),
            Ok(Subject::Reverse(addr)) => self.name_behind(question, workload, addr),
            Ok(Subject::Name(name)) => self.records_of(question, workload, &name),
        }
    }

    fn records_of(
        &self,
        question: &Question,
        workload: &Workload,
        name: &Host,
    ) -> (Message, Option<Finding>) {
        let decision = self.policy.may_resolve(workload, name);
        // The name of a trust check leads to nothing but our own answer, so no rule has to allow it.
        if !decision.is_allow() && name.name() != Some(CHECK_NAME) {
            let cause = Cause::Policy(decision.cause);
            // "No such name" would be said of the names below it too, some of which there are.
            let code = if self.policy.may_resolve_below(workload, name) {
                ResponseCode::NoError
            } else {
                ResponseCode::NXDomain
            };
            return refuse(question, code, cause);
        }
        let family = match question.query().query_type() {
            RecordType::A => Family::V4,
            RecordType::AAAA => Family::V6,
            // <https://www.rfc-editor.org/rfc/rfc8482#section-4.2>: one small record instead of all there are.
            RecordType::ANY => {
                let data = HINFO::new("RFC8482".to_owned(), String::new());
                return (question.grant(TTL, RData::HINFO(data)), None);
            }
            // Among the others are HTTPS and SVCB: without them no client encrypts its ClientHello or tries HTTP/3.
            _ => return (question.deny(ResponseCode::NoError), None),
        };
        match self.names.assign(workload.cgroup, name, family) {
            Ok(addr) => (
                question.grant(TTL, record(addr)),
                Some(Finding::new(
                    Some(question.query()),
                    Outcome::Answered(addr),
                )),
            ),
            Err(crate::Exhausted) => refuse(question, ResponseCode::ServFail, Cause::Exhausted),
        }
    }

    /// The answer to a reverse lookup. It tells the asker only what it asked for itself, and only as long as it still may.
    fn name_behind(
        &self,
        question: &Question,
        workload: &Workload,
        addr: IpAddr,
    ) -> (Message, Option<Finding>) {
        if addr.is_loopback() {
            let data = RData::PTR(PTR(localhost_name()));
            return (question.grant(TTL, data), None);
        }
        let name = self.names.name_of(workload.cgroup, addr);
        let Some(name) = name else {
            return refuse(question, ResponseCode::NXDomain, Cause::Reverse);
        };
        let decision = self.policy.may_resolve(workload, &name);
        match Name::from_ascii(format!("{name}.")) {
            Ok(target) if decision.is_allow() => {
                let finding = Finding {
                    name: name.to_string(),
                    record: question::kind_text(RecordType::PTR),
                    outcome: Outcome::Answered(addr),
                };
                let message = question.grant(TTL, RData::PTR(PTR(target)));
                (message, Some(finding))
            }
            Ok(_) | Err(_) => {
                let cause = Cause::Policy(decision.cause);
                refuse(question, ResponseCode::NXDomain, cause)
            }
        }
    }

    /// That nobody knows the asker says more than what is wrong with the question.
    fn blame(&self, cause: Cause) -> Cause {
        self.workload.map_or(Cause::UnknownClient, |_| cause)
    }
}

fn refuse(question: &Question, code: ResponseCode, cause: Cause) -> (Message, Option<Finding>) {
    let message = match code {
        ResponseCode::NXDomain | ResponseCode::NoError => question.deny(code),
        _ => question.refuse(code),
    };
    let finding = Finding::new(Some(question.query()), Outcome::Refused(cause));
    (message, Some(finding))
}

/// The addresses of this machine, the same for every agent and therefore no matter of policy.
fn localhost(question: &Question) -> Message {
    match question.query().query_type() {
        RecordType::A => question.grant(TTL, record(Ipv4Addr::LOCALHOST.into())),
        RecordType::AAAA => question.grant(TTL, record(Ipv6Addr::LOCALHOST.into())),
        _ => question.deny(ResponseCode::NoError),
    }
}

fn localhost_name() -> Name {
    Name::from_labels([b"localhost".as_slice()]).unwrap_or_else(|_| Name::root())
}

fn record(addr: IpAddr) -> RData {
    match addr {
        IpAddr::V4(addr) => RData::A(A(addr)),
        IpAddr::V6(addr) => RData::AAAA(AAAA(addr)),
    }
}

#[cfg(test)]
mod tests;
