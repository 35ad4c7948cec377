//! One connection of an agent, known by workload and process, from its opening entry to its closing one.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use enforcer_audit::{Entry, FlowAborted, FlowFacts};
use enforcer_flow::{ClientAddr, FlowId, OriginalDst, Process, Side, Workload};
use tokio::sync::Notify;

use crate::{Gate, Meter};

/// An attributed connection. Its exchanges share it; when the last of them and the connection itself are gone, its
/// ending is written.
pub struct Flow {
    id: FlowId,
    workload: Arc<Workload>,
    process: Process,
    client: ClientAddr,
    original: OriginalDst,
    opened: Instant,
    meter: Meter,
    fault: OnceLock<(Side, &'static str)>,
    /// More about the fault, for people.
    detail: OnceLock<String>,
    finished: AtomicBool,
    ending: OnceLock<&'static str>,
    ended: Notify,
    gate: Arc<Gate>,
}

impl Flow {
    /// Opens a flow and enters it into the ledger.
    #[must_use]
    pub fn open(
        gate: Arc<Gate>,
        workload: Arc<Workload>,
        process: Process,
        client: ClientAddr,
        original: OriginalDst,
    ) -> Arc<Self> {
        let flow = Self {
            id: FlowId::new(),
            workload,
            process,
            client,
            original,
            opened: Instant::now(),
            meter: Meter::default(),
            fault: OnceLock::new(),
            detail: OnceLock::new(),
            finished: AtomicBool::new(false),
            ending: OnceLock::new(),
            ended: Notify::new(),
            gate,
        };
        flow.gate.ledger().defer(&Entry::FlowOpened(&flow.facts()));
        let flow = Arc::new(flow);
        flow.gate.endings().enter(&flow);
        flow
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> FlowId {
        self.id
    }

    /// On whose behalf it runs.
    #[must_use]
    pub fn workload(&self) -> &Arc<Workload> {
        &self.workload
    }

    /// The process that opened it.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where the agent meant to go.
    #[must_use]
    pub fn original(&self) -> SocketAddr {
        self.original.addr()
    }

    /// Notes that the flow broke, and at whose end. The first fault counts; the ending in the ledger names it.
    pub fn fault(&self, side: Side, cause: &'static str) {
        self.fault.get_or_init(|| (side, cause));
    }

    /// Notes that the flow broke, at whose end, and what people want to know about it.
    pub fn fault_with(&self, side: Side, cause: &'static str, detail: String) {
        self.fault.get_or_init(|| {
            self.detail.get_or_init(|| detail);
            (side, cause)
        });
    }

    /// Notes that the flow came to its end; without it, its drop writes that it was aborted.
    pub fn finish(&self) {
        self.finished.store(true, Relaxed);
    }

    /// Ends it from outside: the first cause counts. Whoever serves it waits for this by [`Flow::ended`].
    pub fn end(&self, cause: &'static str) {
        self.ending.get_or_init(|| cause);
        self.fault(Side::Own, cause);
        self.ended.notify_waiters();
    }

    /// Why it was ended from outside, if it was.
    #[must_use]
    pub fn ending(&self) -> Option<&'static str> {
        self.ending.get().copied()
    }

    /// Returns once it has been ended from outside. Nothing is lost when the wait is.
    pub async fn ended(&self) {
        let ended = self.ended.notified();
        // What is notified after the future was made reaches it, polled or not.
        if self.ending().is_none() {
            ended.await;
        }
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn add(&self, exchange: &Meter) {
        self.meter.add(exchange);
    }

    fn facts(&self) -> FlowFacts<'_> {
        FlowFacts {
            flow: self.id,
            workload: Some(&self.workload),
            process: Some(&self.process),
            client: self.client,
            original_dst: Some(self.original),
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.gate.endings().leave(self);
        let traffic = self.meter.traffic(self.opened);
        let fault = match self.fault.get() {
            None if !self.finished.load(Relaxed) => Some((Side::Own, "stopped")),
            fault => fault.copied(),
        };
        let entry = match fault {
            None => Entry::FlowClosed {
                flow: self.id,
                traffic,
            },
            Some((side, cause)) => Entry::FlowAborted(FlowAborted {
                flow: self.id,
                side,
                cause,
                detail: self.detail.get().map(|detail| detail as &dyn Display),
                traffic,
            }),
        };
        self.gate.ledger().defer(&entry);
    }
}
