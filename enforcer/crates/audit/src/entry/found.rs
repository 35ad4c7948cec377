//! What was found of sensitive data: what kind, where, and what became of it. There is no field for the value.

use enforcer_flow::{ExchangeId, FlowId};

use super::exchange::identified;
use super::object::Object;

/// How many findings one line names; a line is bounded.
pub const FINDINGS: usize = 8;
/// The bound of a place, which agents choose names in.
const PLACE: usize = 512;

/// Sensitive data in an exchange.
#[derive(Clone, Copy, Debug)]
pub struct DataFound<'a> {
    /// Which exchange.
    pub exchange: ExchangeId,
    /// Its connection.
    pub flow: FlowId,
    /// `request` or `answer`.
    pub direction: &'a str,
    /// What was found; the first [`FINDINGS`] are written.
    pub findings: &'a [Found<'a>],
    /// How many more there were.
    pub more: u64,
}

/// One value, or several alike in one place.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The detector's name.
    pub detector: &'a str,
    /// Where it stood: a JSON path, `header:NAME`, `query:NAME`, …
    pub place: &'a str,
    /// Where in the text at that place the first one begins, in bytes.
    pub offset: u64,
    /// What became of it.
    pub action: &'a str,
    /// How sure it is.
    pub confidence: &'a str,
    /// How many of the same value.
    pub count: u64,
    /// The value's keyed fingerprint.
    pub fingerprint: &'a str,
}

pub(super) fn data_found(line: &mut Object<'_>, found: &DataFound<'_>) {
    let DataFound {
        exchange,
        flow,
        direction,
        findings,
        more,
    } = found;
    identified(line, *exchange, *flow);
    line.code("direction", direction);
    line.objects("findings", findings.iter().take(FINDINGS), finding);
    let left = findings.len().saturating_sub(FINDINGS) as u64;
    let more = more.saturating_add(left);
    if more > 0 {
        line.number("more", more);
    }
}

fn finding(line: &mut Object<'_>, found: &Found<'_>) {
    let Found {
        detector,
        place,
        offset,
        action,
        confidence,
        count,
        fingerprint,
    } = found;
    line.code("detector", detector);
    line.text("place", place, PLACE);
    line.number("offset", *offset);
    line.code("action", action);
    line.code("confidence", confidence);
    if *count > 1 {
        line.number("count", *count);
    }
    line.code("fingerprint", fingerprint);
}
