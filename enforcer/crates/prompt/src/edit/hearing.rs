//! What a model says, piece by piece, for rules about its words. A phrase that two pieces share is heard with the second.

use std::collections::BTreeMap;

use super::desk::Bench;
use super::{Item, Ruling, Stop};
use crate::{Cause, Undecidable};

/// How much of what was said before is said again, in bytes.
const MEMORY: usize = 2 * 1024;

/// Whether anybody listens, and what was said last, in each place of an answer.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    pub(super) listens: bool,
    last: BTreeMap<u64, String>,
}

impl Bench<'_> {
    /// Counts a piece of what is said in a place, and lets it be heard.
    pub(super) fn said(&mut self, place: u64, piece: &str) -> Result<(), Stop> {
        self.tally.text += piece.len() as u64;
        if !self.hearing.listens || piece.is_empty() {
            return Ok(());
        }
        if self.hearing.last.len() > self.limits.parts {
            return Err(Undecidable::whole(Cause::TooMany).into());
        }
        let mut heard = self.hearing.last.remove(&place).unwrap_or_default();
        heard.push_str(piece);
        self.hear(&heard)?;
        let forgotten = heard.ceil_char_boundary(heard.len().saturating_sub(MEMORY));
        heard.drain(..forgotten);
        self.hearing.last.insert(place, heard);
        Ok(())
    }

    /// Lets all of a text be heard that was counted before, or is not.
    pub(super) fn hear(&mut self, text: &str) -> Result<(), Stop> {
        if !self.hearing.listens || text.is_empty() {
            return Ok(());
        }
        match self.judge.rule(&Item::Said(text)) {
            Ruling::Keep => Ok(()),
            // Words that have passed cannot be taken back; the rest can.
            Ruling::Block | Ruling::Strip => Err(Stop::Blocked),
        }
    }
}
