//! One ask and its answer, from the grant to the ending.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use enforcer_audit::{Entry, ExchangeAborted, ExchangeClosed};
use enforcer_flow::{ExchangeId, Side};

use crate::{Flow, Meter};

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
}

enum Ending {
    Aborted { side: Side, cause: &'static str },
    Finished,
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
            // Until somebody says otherwise, an exchange that goes away was left by the agent.
            ending: Ending::Aborted {
                side: Side::Agent,
                cause: "agent_gone",
            },
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
        self.ending = Ending::Aborted { side, cause };
    }

    /// Ends it as it should end.
    pub fn finish(mut self) {
        self.ending = Ending::Finished;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.flow.add(&self.meter);
        let traffic = self.meter.traffic(self.opened);
        let entry = match self.ending {
            Ending::Finished => Entry::ExchangeClosed(ExchangeClosed {
                exchange: self.id,
                flow: self.flow.id(),
                status: self.status,
                traffic,
                upstream_addr: self.upstream,
            }),
            Ending::Aborted { side, cause } => Entry::ExchangeAborted(ExchangeAborted {
                exchange: self.id,
                flow: self.flow.id(),
                side,
                cause,
                detail: None,
                traffic,
            }),
        };
        self.flow.ledger().defer(&entry);
    }
}
