//! Secrets and canaries in pieces: over fields of a document, parameters, headers, and over requests of one workload.
//!
//! Only what could be a piece of one counts: short, and without blanks. The last few of each kind of place are kept, and each
//! new one is looked at joined to them; likewise to those of other places. What comes again and again, as most headers do,
//! stands between no two pieces. What shows only joined cannot be masked where it stands, since most of it is gone: it is
//! blocked, and what was blocked is not kept, so that it is blocked again.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

use enforcer_recognize::{Confidence, Family};
use zeroize::Zeroizing;

use crate::masker::Joined;
use crate::rules::Lane;
use crate::{Action, Finding, Place, Ruleset, Session, Stop};

/// How many pieces are kept of each kind of place, and how many bytes of each.
const PIECES: usize = 8;
const BYTES: usize = 256;
/// A piece stands in one of its kind of place and in one of all.
const ROWS: usize = 2;
/// How many are known as having come before.
const KNOWN: usize = 128;
/// Less than this is no value, however many pieces it has.
const LEAST: usize = 16;
/// Kinds of places, by how they are called; bodies are the rest, and where credentials belong is one for itself.
const SITES: [&str; 3] = ["header:", "path", "query:"];
const BODY: usize = SITES.len();
const SPARED: usize = BODY + 1;

type Piece = Zeroizing<Vec<u8>>;

/// The last pieces that one workload sent.
#[derive(Default)]
pub(crate) struct Window {
    hasher: RandomState,
    /// What came before, the latest last, so that nothing of it is kept twice.
    known: VecDeque<u32>,
    sites: [VecDeque<Piece>; SPARED + 1],
    /// Those of every place, in their order.
    all: VecDeque<(usize, Piece)>,
    /// Rows that were gone through, to be filled again.
    spare: Vec<Row>,
}

/// Pieces one behind the other, and where each begins.
pub(crate) struct Row {
    text: Zeroizing<Vec<u8>>,
    starts: Vec<usize>,
}

/// A value that may be a piece of one.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) text: &'a [u8],
    /// Where it stands, at least the kind of place.
    pub(crate) place: Place<'a>,
    /// Secrets are there on purpose, so only planted values are looked for.
    pub(crate) spared: bool,
}

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
        let part = Part {
            text: piece,
            place,
            spared: false,
        };
        self.rejoined(session, part)
    }

    pub(crate) fn rejoined(&self, session: &Session, part: Part<'_>) -> Result<Vec<Finding>, Stop> {
        let Part { text, place, .. } = part;
        if text.len() < 2 || text.len() > 2 * BYTES || !text.iter().all(u8::is_ascii_graphic) {
            return Ok(Vec::new());
        }
        let lane = self.lane(place.direction);
        if !lane.joins {
            return Ok(Vec::new());
        }
        let Some((mark, rows)) = session.pieces(|window| window.rows(part, lane)) else {
            return Ok(Vec::new());
        };
        let found = rows.iter().find_map(|row| self.over(session, row, part));
        match found {
            Some(finding) if !lane.watch => Err(stop(finding)),
            found => {
                session.pieces(|window| {
                    window.keep(part, mark);
                    window.spare.extend(rows);
                    window.spare.truncate(ROWS);
                });
                Ok(found.into_iter().collect())
            }
        }
    }

    /// What lies over the border of the last piece of a row.
    fn over(&self, session: &Session, row: &Row, part: Part<'_>) -> Option<Finding> {
        let Row { text, starts } = row;
        let (border, starts) = starts.split_last()?;
        let Part { place, spared, .. } = part;
        let lane = self.lane(place.direction);
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
        let known = starts.iter().filter(|start| {
            !spared && text.len() - **start >= LEAST && lane.plan.begins(&text[**start..])
        });
        let mut secrets = known.map(|start| joined.secret(&text[*start..], border - start, wanted));
        let canary = || joined.canary(text, *border, wanted);
        secrets.find_map(|found| found).or_else(canary)
    }
}

impl Part<'_> {
    fn site(&self) -> usize {
        if self.spared {
            return SPARED;
        }
        let known = SITES
            .iter()
            .position(|site| self.place.path.starts_with(site));
        known.unwrap_or(BODY)
    }
}

impl Window {
    /// What the new piece is known by, and it behind those that came before it where they may be one value; none where it
    /// came before itself.
    fn rows(&mut self, part: Part<'_>, lane: &Lane) -> Option<(u32, Vec<Row>)> {
        let (piece, site) = (part.text, part.site());
        let mark = (self.hasher.hash_one(piece) >> 32) as u32;
        let (one, other) = self.known.as_slices();
        let behind = || position(other, mark).map(|at| one.len() + at);
        if let Some(at) = position(one, mark).or_else(behind) {
            self.known.remove(at);
            self.known.push_back(mark);
            return None;
        }
        // Most pieces begin nothing that is looked for.
        let begins = |piece: &Piece| !part.spared && lane.plan.may_begin(piece);
        let may = |piece: &Piece| !lane.customs.is_empty() || begins(piece);
        let mut rows = Vec::new();
        let same = &self.sites[site];
        if same.iter().any(may) {
            let row = self.spare.pop().unwrap_or_default();
            rows.push(row.filled(same.iter(), piece));
        }
        let all = || self.all.iter().map(|(_, piece)| piece);
        let elsewhere = self.all.iter().any(|(other, _)| *other != site);
        if !part.spared && elsewhere && all().any(may) {
            let row = self.spare.pop().unwrap_or_default();
            rows.push(row.filled(all(), piece));
        }
        Some((mark, rows))
    }

    fn keep(&mut self, part: Part<'_>, mark: u32) {
        let Part { text, spared, .. } = part;
        let site = part.site();
        let tail = &text[text.len().saturating_sub(BYTES)..];
        if self.known.len() == KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(mark);
        let own = &mut self.sites[site];
        let oldest = (own.len() == PIECES).then(|| own.pop_front()).flatten();
        own.push_back(filled(oldest, tail));
        if !spared {
            let all = &mut self.all;
            let oldest = (all.len() == PIECES).then(|| all.pop_front()).flatten();
            all.push_back((site, filled(oldest.map(|(_, piece)| piece), tail)));
        }
    }
}

/// Within what it has room for, so that it never leaves bytes behind where it was.
fn filled(oldest: Option<Piece>, text: &[u8]) -> Piece {
    let mut piece = oldest.unwrap_or_else(|| Zeroizing::new(Vec::with_capacity(BYTES)));
    piece.clear();
    piece.extend_from_slice(text);
    piece
}

impl Row {
    /// Within what it has room for, so that it never leaves bytes behind where it was.
    fn filled<'p>(mut self, before: impl Iterator<Item = &'p Piece>, piece: &[u8]) -> Self {
        let Self { text, starts } = &mut self;
        text.clear();
        starts.clear();
        for piece in before.map(|piece| piece.as_slice()).chain([piece]) {
            starts.push(text.len());
            text.extend_from_slice(piece);
        }
        self
    }
}

impl Default for Row {
    fn default() -> Self {
        Self {
            text: Zeroizing::new(Vec::with_capacity((PIECES + 2) * BYTES)),
            starts: Vec::with_capacity(PIECES + 1),
        }
    }
}

fn stop(mut finding: Finding) -> Stop {
    finding.action = finding.action.max(Action::Block);
    let finding = Box::new(finding);
    match finding.action {
        Action::Terminate => Stop::Terminate(finding),
        Action::Partial
        | Action::Tokenize
        | Action::Hash
        | Action::Redact
        | Action::RequireApproval
        | Action::Block => Stop::Block(finding),
    }
}

/// Where `mark` is, told in a way that compiles to vectors.
fn position(known: &[u32], mark: u32) -> Option<usize> {
    let mut blocks = known.chunks(16);
    let block =
        blocks.position(|block| block.iter().fold(false, |any, own| any | (*own == mark)))?;
    let from = block * 16;
    let within = known[from..].iter().position(|own| *own == mark)?;
    Some(from + within)
}
