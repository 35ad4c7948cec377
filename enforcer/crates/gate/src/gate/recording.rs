//! Recordings that rules ask for: opened before the grant, or there is none.

use enforcer_audit::{Recording, Wanted};
use enforcer_flow::ExchangeId;
use enforcer_policy::{Decision, Record};

use super::{Gate, Unmet};
use crate::Fault;

/// The cause of refusals because what rules want recorded cannot be.
const UNAVAILABLE: &str = "recording_unavailable";

impl Gate {
    /// Opens the recording of an allowed exchange; none when no rule wants one.
    pub(super) fn recording(
        &self,
        id: ExchangeId,
        decision: &Decision,
    ) -> Result<Option<Recording>, Unmet> {
        if !decision.is_allow() {
            return Ok(None);
        }
        let Some(record) = Record::of(&decision.obligations) else {
            return Ok(None);
        };
        let unmet = Unmet {
            cause: UNAVAILABLE,
            fault: Fault::Unavailable,
        };
        let recordings = self.recordings.as_ref().ok_or(unmet)?;
        let wanted = Wanted {
            request: record.request,
            answer: record.answer,
            limit: record.limit,
        };
        recordings.begin(id, wanted).map(Some).map_err(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, source, exchange.id = %id, "a recording cannot be opened; the exchange is refused");
            unmet
        })
    }
}
