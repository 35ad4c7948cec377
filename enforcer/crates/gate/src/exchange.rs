//! One ask and its answer, from the grant to the ending.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use enforcer_audit::{Entry, ExchangeAborted, ExchangeClosed, Recording, RecordingFacts};
use enforcer_flow::{ExchangeId, Side};
use enforcer_prompt::Usage;

use crate::costs::Bill;
use crate::tab::Tab;
use crate::{Flow, Masking, Meter};

/// A granted exchange in progress. It writes its ending when finished; dropped without, it writes that it was aborted,
/// so that no exchange ends without evidence.
pub struct Exchange {
    id: ExchangeId,
    flow: Arc<Flow>,
    meter: Arc<Meter>,
    opened: Instant,
    status: Option<u16>,
    upstream: Option<SocketAddr>,
    ending: Ending,
    /// What its grant depends on, where it depends on anything: most have nothing of it, and all are moved about.
    owed: Option<Box<Owed>>,
}

/// What is counted and masked of an exchange.
struct Owed {
    /// What it has reserved, where limits count it.
    bill: Option<Bill>,
    /// The same of its messages, where it has any.
    tab: Tab,
    /// What it is masked with.
    masking: Option<Masking>,
    /// What is kept of it.
    recording: Option<Recording>,
}

enum Ending {
    Aborted {
        side: Side,
        cause: &'static str,
        detail: Option<Box<str>>,
    },
    Finished,
    Open,
}

impl Exchange {
    pub(crate) fn new(id: ExchangeId, flow: Arc<Flow>) -> Self {
        Self {
            id,
            flow,
            meter: Arc::default(),
            opened: Instant::now(),
            status: None,
            upstream: None,
            ending: Ending::Open,
            owed: None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> ExchangeId {
        self.id
    }

    /// The flow it runs in.
    #[must_use]
    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Its byte counts.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Takes over what it has reserved, is masked with and recorded in.
    pub(crate) fn owe(
        &mut self,
        bill: Option<Bill>,
        masking: Option<Masking>,
        recording: Option<Recording>,
    ) {
        self.owed = Some(Box::new(Owed {
            bill,
            tab: Tab::default(),
            masking,
            recording,
        }));
    }

    /// What it is masked with, if rules want that.
    #[must_use]
    pub fn masking(&self) -> Option<&Masking> {
        self.owed.as_ref()?.masking.as_ref()
    }

    /// What it is recorded in, if rules want that.
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        self.owed.as_ref()?.recording.as_ref()
    }

    /// Ends its recording, before its ending is written. One that is not whole ends it as broken.
    fn seal(&mut self) -> Option<RecordingFacts> {
        match self.recording()?.seal() {
            Ok(facts) => facts,
            Err(error) => {
                tracing::error!(%error, exchange.id = %self.id, "an exchange was not recorded whole");
                self.fault(Side::Own, "recording_failed");
                None
            }
        }
    }

    /// Whether limits count what it takes: then its answer says how much that is.
    #[must_use]
    pub fn is_billed(&self) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.bill.is_some())
    }

    /// Notes what the answer says it took.
    pub fn used(&mut self, model: Option<&str>, usage: &Usage) {
        let bill = self.owed.as_mut().and_then(|owed| owed.bill.as_mut());
        if let Some(bill) = bill {
            bill.used(model, usage);
        }
    }

    /// Notes what a message within it has reserved.
    pub(crate) fn defer(&self, bill: Bill) {
        match &self.owed {
            Some(owed) => owed.tab.add(bill),
            None => bill.settle(true),
        }
    }

    /// Notes what an answer to a message within it took, and says whether a limit is passed by what nobody had asked for.
    pub(crate) fn answered(&self, model: Option<&str>, usage: &Usage) -> bool {
        let Some(owed) = &self.owed else {
            return false;
        };
        let Some(bill) = &owed.bill else {
            return false;
        };
        !owed.tab.settle(model, usage) && bill.add(model, usage)
    }

    /// Notes the status the far side answered with.
    pub fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Notes the address that was really dialled.
    pub fn upstream(&mut self, addr: SocketAddr) {
        self.upstream = Some(addr);
    }

    /// Notes whose end broke it, for the ending that the drop writes.
    pub fn fault(&mut self, side: Side, cause: &'static str) {
        self.ending = Ending::Aborted {
            side,
            cause,
            detail: None,
        };
    }

    /// As [`Exchange::fault`], with more for people.
    pub fn fault_with(&mut self, side: Side, cause: &'static str, detail: &dyn Display) {
        self.ending = Ending::Aborted {
            side,
            cause,
            detail: Some(detail.to_string().into()),
        };
    }

    /// Ends it as it should end.
    pub fn finish(mut self) {
        self.ending = Ending::Finished;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.flow.add(&self.meter);
        let recording = self.seal();
        if let Some(owed) = self.owed.take() {
            owed.tab.close();
            if let Some(bill) = owed.bill {
                bill.settle(self.upstream.is_some());
            }
        }
        let traffic = self.meter.traffic(self.opened);
        let ledger = self.flow.gate().ledger();
        let (side, cause, detail) = match (&self.ending, self.flow.ending()) {
            // Its flow was ended from outside: what looks as if the agent had left was us.
            (
                Ending::Aborted {
                    side: Side::Agent, ..
                }
                | Ending::Open,
                Some(cause),
            ) => (Side::Own, cause, None),
            (
                Ending::Aborted {
                    side,
                    cause,
                    detail,
                },
                _,
            ) => (*side, *cause, detail.as_ref()),
            // Nobody said how it ended: we stop, or the agent left.
            (Ending::Open, None) if self.flow.gate().is_closing() => (Side::Own, "stopped", None),
            (Ending::Open, None) => (Side::Agent, "agent_gone", None),
            (Ending::Finished, _) => {
                ledger.defer(&Entry::ExchangeClosed(ExchangeClosed {
                    exchange: self.id,
                    flow: self.flow.id(),
                    status: self.status,
                    traffic,
                    upstream_addr: self.upstream,
                    recording,
                }));
                return;
            }
        };
        ledger.defer(&Entry::ExchangeAborted(ExchangeAborted {
            exchange: self.id,
            flow: self.flow.id(),
            side,
            cause,
            detail: detail.map(|detail| detail as &dyn Display),
            traffic,
            recording,
        }));
    }
}
