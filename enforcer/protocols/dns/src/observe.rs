//! Lookups of workloads that are only observed: what would be refused is asked of the host's name servers, once its line is
//! in the ledger, and answered with what they say.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use enforcer_audit::Receipt;
use enforcer_flow::{Host, Stance};
use enforcer_gate::{Known, Lookups};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, RecordType};

use crate::wire::{self, Question};
use crate::{Asker, Cause, Finding, Names, Outcome, Transport};

#[cfg(test)]
mod tests;

/// How many lookups are asked for real in one second, of all workloads together.
const PER_SECOND: u32 = 200;
/// How long the name servers may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is to be said to a query.
#[derive(Debug)]
pub(crate) enum Said {
    /// This, once somebody else was asked.
    Later(Box<Errand>),
    /// This. None: silence.
    Now(Option<Vec<u8>>),
}

/// A lookup to be asked for real.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) asker: Asker,
    pub(crate) finding: Finding,
    pub(crate) cause: Cause,
    question: Question,
    transport: Transport,
}

/// The name servers, and how much of them may be used.
pub(crate) struct Real {
    lookups: Lookups,
    /// The second that runs, and how many lookups it has seen.
    spent: Mutex<(Option<Instant>, u32)>,
}

// === impl Said ===

#[cfg(test)]
impl Said {
    /// What needs nobody else to be asked.
    pub(crate) fn now(self) -> Option<Vec<u8>> {
        match self {
            Self::Later(errand) => panic!("{errand:?} is to be asked for real"),
            Self::Now(message) => message,
        }
    }
}

// === impl Errand ===

impl Errand {
    /// The errand of a refused query, if its workload is only observed and the refusal is policy's: what is malformed gets no
    /// better by being asked elsewhere.
    pub(crate) fn of(
        query: &[u8],
        asker: &Asker,
        transport: Transport,
        finding: Finding,
    ) -> Result<Self, Finding> {
        let (Stance::Observe, Outcome::Refused(cause @ (Cause::Policy(_) | Cause::Reverse))) =
            (asker.workload.stance, finding.outcome)
        else {
            return Err(finding);
        };
        let Ok(question) = Question::read(query) else {
            return Err(finding);
        };
        Ok(Self {
            asker: asker.clone(),
            finding,
            cause,
            question,
            transport,
        })
    }

    /// That it could not be asked.
    pub(crate) fn fail(&self) -> Option<Vec<u8>> {
        self.write(&self.question.refuse(ResponseCode::ServFail))
    }

    /// What the name servers said, with the addresses noted, so that a flow to one can be judged by its name.
    pub(crate) fn answer(self, known: Known, names: &Names) -> Option<Vec<u8>> {
        let records = match known {
            Known::Failed => return self.fail(),
            Known::NoName => return self.write(&self.question.deny(ResponseCode::NXDomain)),
            Known::Records(records) if records.is_empty() => {
                return self.write(&self.question.deny(ResponseCode::NoError));
            }
            Known::Records(records) => records,
        };
        if let Ok(name) = Host::parse(&self.finding.name) {
            for record in &records {
                let addr = match record.data {
                    RData::A(addr) => addr.0.into(),
                    RData::AAAA(addr) => addr.0.into(),
                    _ => continue,
                };
                names.note_real(self.asker.workload.cgroup, addr, &name);
            }
        }
        self.write(&self.question.pass_on(records))
    }

    fn write(&self, message: &Message) -> Option<Vec<u8>> {
        wire::write(message, self.question.room(self.transport))
    }
}

// === impl Real ===

impl Real {
    pub(crate) fn new(lookups: Lookups) -> Self {
        Self {
            lookups,
            spent: Mutex::default(),
        }
    }

    /// Whether one more may be asked in this second.
    pub(crate) fn has_room(&self) -> bool {
        let now = tokio::time::Instant::now().into_std();
        // Two numbers, each whole between statements.
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, count) = &mut *spent;
        if second.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1)) {
            (*second, *count) = (Some(now), 0);
        }
        *count = count.saturating_add(1);
        *count <= PER_SECOND
    }

    /// What the name servers know. Records that would lead round us (HTTP/3, encrypted handshakes) stay withheld: there being
    /// none breaks nobody.
    pub(crate) async fn ask(&self, receipt: &Receipt, errand: &Errand) -> Known {
        let query = errand.question.query();
        let kind = query.query_type();
        if matches!(kind, RecordType::HTTPS | RecordType::SVCB | RecordType::ANY) {
            return Known::Records(Vec::new());
        }
        let asked = self.lookups.ask(receipt, query.name().clone(), kind);
        let known = tokio::time::timeout(PATIENCE, asked).await;
        known.unwrap_or(Known::Failed)
    }
}
