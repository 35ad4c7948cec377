//! What was found in one exchange, as it was written down.

use std::sync::{Arc, Mutex, PoisonError};

use enforcer_audit::{DataFound, Entry, FINDINGS, Found};
use enforcer_flow::ExchangeId;
use enforcer_mask::{Confidence, Direction, Finding};

use crate::Flow;

/// Findings of one exchange that are written one by one; the rest are counted, as an agent may send any number.
const WRITTEN: usize = 64;

/// Writes lines about findings, and at its end how many were not written.
pub(super) struct Account {
    exchange: ExchangeId,
    flow: Arc<Flow>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    written: usize,
    /// Found and not written, of requests and answers.
    more: [u64; 2],
}

// === impl Account ===

impl Account {
    pub(super) fn new(exchange: ExchangeId, flow: &Arc<Flow>) -> Self {
        Self {
            exchange,
            flow: Arc::clone(flow),
            counts: Mutex::default(),
        }
    }

    pub(super) fn exchange(&self) -> ExchangeId {
        self.exchange
    }

    /// Writes findings down; `shown` gives a place as it may be written.
    pub(super) fn note(&self, findings: &[Finding], shown: impl Fn(&str) -> String) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for direction in [Direction::Request, Direction::Answer] {
            let alike = findings.iter().filter(|found| found.direction == direction);
            let told = tell(alike);
            let room = WRITTEN.saturating_sub(counts.written);
            let (written, more) = told.split_at(told.len().min(room));
            counts.written += written.len();
            let uncounted: u64 = more.iter().map(|(_, count)| count).sum();
            if let Some(count) = counts.more.get_mut(place(direction)) {
                *count += uncounted;
            }
            for some in written.chunks(FINDINGS) {
                self.write(direction, (some, 0), &shown);
            }
        }
    }

    fn write(
        &self,
        direction: Direction,
        (findings, more): (&[(&Finding, u64)], u64),
        shown: &dyn Fn(&str) -> String,
    ) {
        let texts: Vec<(String, String)> = findings
            .iter()
            .map(|(finding, _)| (finding.fingerprint.to_string(), shown(&finding.path)))
            .collect();
        let found: Vec<Found<'_>> = findings
            .iter()
            .zip(&texts)
            .map(|((finding, count), (fingerprint, place))| Found {
                detector: &finding.detector,
                place,
                offset: finding.offset,
                action: finding.action.name(),
                confidence: confidence(finding),
                count: *count,
                fingerprint,
            })
            .collect();
        let entry = Entry::DataFound(DataFound {
            exchange: self.exchange,
            flow: self.flow.id(),
            direction: direction.name(),
            findings: &found,
            more,
        });
        self.flow.gate().ledger().defer(&entry);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let counts = self
            .counts
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let more = counts.more;
        for direction in [Direction::Request, Direction::Answer] {
            match more.get(place(direction)) {
                Some(0) | None => {}
                Some(more) => self.write(direction, (&[], *more), &str::to_owned),
            }
        }
    }
}

/// The same value in the same place is told of once, with how often it was there.
fn tell<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<(&'f Finding, u64)> {
    let mut told: Vec<(&Finding, u64)> = Vec::new();
    for finding in findings {
        let same = told.iter_mut().find(|(other, _)| {
            (
                &other.detector,
                &other.path,
                other.action,
                other.fingerprint,
            ) == (
                &finding.detector,
                &finding.path,
                finding.action,
                finding.fingerprint,
            )
        });
        match same {
            Some((_, count)) => *count += 1,
            None => told.push((finding, 1)),
        }
    }
    told
}

fn place(direction: Direction) -> usize {
    match direction {
        Direction::Request => 0,
        Direction::Answer => 1,
    }
}

fn confidence(finding: &Finding) -> &'static str {
    match finding.confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}
