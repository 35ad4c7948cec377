//! Secrets and canaries in pieces: over fields of a document, parameters, headers, and over requests of one workload.
//!
//! Only what could be a piece of one counts: short, and without blanks. Of those the last few are kept, and each new one is
//! looked at joined to them. What shows only then cannot be masked where it stands, since most of it is gone: it is blocked.

use std::collections::VecDeque;

use enforcer_recognize::{Confidence, Family};
use zeroize::Zeroizing;

use crate::masker::Joined;
use crate::{Action, Finding, Place, Ruleset, Session, Stop};

/// How many pieces are kept, and how many bytes of each.
const PIECES: usize = 4;
const BYTES: usize = 256;
/// Less than this is no value, however many pieces it has.
const LEAST: usize = 16;

/// The last pieces that one workload sent.
#[derive(Default)]
pub(crate) struct Window(VecDeque<Zeroizing<Vec<u8>>>);

impl Ruleset {
    /// Looks at a whole value of a request together with those that came before it. Call it for each value of a request, in
    /// their order, beside masking them.
    ///
    /// Answers what was found where rules only watch.
    ///
    /// # Errors
    /// A block, when pieces are a secret or a canary together.
    pub fn joined(
        &self,
        session: &Session,
        place: Place<'_>,
        piece: &[u8],
    ) -> Result<Vec<Finding>, Stop> {
        if piece.len() < 2 || piece.len() > 2 * BYTES || !piece.iter().all(u8::is_ascii_graphic) {
            return Ok(Vec::new());
        }
        let lane = self.lane(place.direction);
        if !lane.joins {
            return Ok(Vec::new());
        }
        let texts = session.join(piece);
        for (text, border) in texts.iter().filter(|(text, _)| text.len() >= LEAST) {
            let wanted = |kind: usize, confidence: Confidence| {
                let kind = &lane.kinds[kind];
                kind.canary || kind.family == Some(Family::Secret) && confidence == Confidence::High
            };
            let joined = Joined {
                lane,
                session,
                place,
            };
            let Some(mut finding) = joined.over(text, *border, wanted) else {
                continue;
            };
            if lane.watch {
                return Ok(vec![finding]);
            }
            finding.action = finding.action.max(Action::Block);
            let finding = Box::new(finding);
            return Err(match finding.action {
                Action::Terminate => Stop::Terminate(finding),
                Action::Partial
                | Action::Tokenize
                | Action::Hash
                | Action::Redact
                | Action::RequireApproval
                | Action::Block => Stop::Block(finding),
            });
        }
        Ok(Vec::new())
    }
}

impl Window {
    /// The new piece behind one, two, … of those before it, with the place where it begins; and keeps it.
    pub(crate) fn join(&mut self, piece: &[u8]) -> Vec<(Zeroizing<Vec<u8>>, usize)> {
        let mut texts = Vec::with_capacity(self.0.len());
        for first in 0..self.0.len() {
            let before = self.0.iter().skip(first);
            let mut text = Zeroizing::new(Vec::with_capacity((PIECES + 2) * BYTES));
            before.for_each(|piece| text.extend_from_slice(piece));
            let border = text.len();
            text.extend_from_slice(piece);
            texts.push((text, border));
        }
        if self.0.len() == PIECES {
            self.0.pop_front();
        }
        let tail = piece.len().saturating_sub(BYTES);
        self.0.push_back(Zeroizing::new(piece[tail..].to_vec()));
        texts
    }
}
