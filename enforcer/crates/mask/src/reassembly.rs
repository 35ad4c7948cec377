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
        let (text, starts) = session.join(piece);
        let Some((border, starts)) = starts.split_last() else {
            return Ok(Vec::new());
        };
        let joined = Joined {
            lane,
            session,
            place,
        };
        let wanted = |kind: usize, confidence: Confidence| {
            let kind = &lane.kinds[kind];
            kind.canary || kind.family == Some(Family::Secret) && confidence == Confidence::High
        };
        // A secret begins with one of the pieces, a canary anywhere.
        let known = starts
            .iter()
            .filter(|start| text.len() - **start >= LEAST && lane.plan.begins(&text[**start..]));
        let secrets = known.map(|start| joined.secret(&text[*start..], border - start, wanted));
        let canary = std::iter::once_with(|| joined.canary(&text, *border, wanted));
        if let Some(mut finding) = secrets.chain(canary).flatten().next() {
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
    /// The pieces and the new one, joined, with the places where they begin; and keeps the new one.
    pub(crate) fn join(&mut self, piece: &[u8]) -> (Zeroizing<Vec<u8>>, Vec<usize>) {
        let bytes = self.0.iter().map(|piece| piece.len()).sum::<usize>() + piece.len();
        let mut text = Zeroizing::new(Vec::with_capacity(bytes));
        let mut starts = Vec::with_capacity(PIECES + 1);
        let before = self.0.iter().map(|piece| piece.as_slice());
        for piece in before.chain([piece]) {
            starts.push(text.len());
            text.extend_from_slice(piece);
        }
        if self.0.len() == PIECES {
            self.0.pop_front();
        }
        let tail = piece.len().saturating_sub(BYTES);
        self.0.push_back(Zeroizing::new(piece[tail..].to_vec()));
        (text, starts)
    }
}
