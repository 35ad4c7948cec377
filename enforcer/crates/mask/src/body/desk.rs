//! What all readers of one body share: the rules, where they are, what they found.

use std::sync::Arc;

use enforcer_recognize::Family;

use super::known::{Known, Short};
use super::pieces::Pieces;
use super::trail::Trail;
use super::value::Value;
use crate::Sink;
use crate::reassembly::Part;
use crate::{Direction, Finding, HOLD, Masker, Place, Ruleset, Session, Stop};

/// Documents within texts within documents.
const NESTED: usize = 4;

/// Buffers that are kept for values to come.
const SPARE: usize = 8;

/// Longer values are no pieces of one.
pub(crate) const PIECE: usize = 512;

/// How much of a body is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arrays, objects and elements within each other.
    pub depth: usize,
    /// Parts of a multipart body, one within another not counted.
    pub parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 128,
            parts: 1024,
        }
    }
}

/// What all readers of one body share.
#[derive(Debug)]
pub(crate) struct Desk {
    rules: Arc<Ruleset>,
    session: Arc<Session>,
    direction: Direction,
    pub(crate) limits: Limits,
    pub(crate) trail: Trail,
    /// The trail written out, where rules read it.
    path: String,
    #[expect(
        clippy::vec_box,
        reason = "they are large, and go in and out as they are"
    )]
    maskers: Vec<Box<Masker>>,
    #[expect(
        clippy::vec_box,
        reason = "they are large, and go in and out as they are"
    )]
    values: Vec<Box<Value>>,
    findings: Vec<Finding>,
    cover: Option<Cover>,
    nested: usize,
    spare: Option<Family>,
    known: Known,
}

/// A place of which all is masked, with what stands within it.
#[derive(Debug)]
struct Cover {
    depth: usize,
    field: Option<String>,
    path: String,
}

impl Desk {
    pub(crate) fn new(
        rules: &Arc<Ruleset>,
        session: &Arc<Session>,
        direction: Direction,
        trail: Trail,
    ) -> Self {
        Self {
            rules: Arc::clone(rules),
            session: Arc::clone(session),
            direction,
            limits: Limits::default(),
            trail,
            path: String::new(),
            maskers: Vec::new(),
            values: Vec::new(),
            findings: Vec::new(),
            cover: None,
            nested: 0,
            spare: None,
            known: Known::default(),
        }
    }

    pub(crate) const fn direction(&self) -> Direction {
        self.direction
    }

    pub(crate) fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// A masker for the text at the place where the trail is.
    pub(crate) fn masker(&mut self) -> Box<Masker> {
        self.follow();
        let place = place(self.direction, &self.trail, &self.path, self.cover.as_ref());
        match self.maskers.pop() {
            Some(mut masker) => {
                masker.restart(place);
                masker.spare(self.spare);
                masker
            }
            None => {
                let mut masker = Box::new(Masker::new(&self.rules, &self.session, place));
                masker.spare(self.spare);
                masker
            }
        }
    }

    /// Shows a masker more of its text.
    pub(crate) fn look(
        &mut self,
        masker: &mut Masker,
        text: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let looked = masker.push_to(text, sink);
        self.found(masker, looked)
    }

    /// What a masker holds has waited long enough.
    pub(crate) fn lapse(&mut self, masker: &mut Masker, sink: &mut dyn Sink) -> Result<(), Stop> {
        let looked = masker.lapse_to(sink);
        self.found(masker, looked)
    }

    /// A masker's text began with what went on already.
    pub(crate) fn went(&mut self, masker: &mut Masker, text: &[u8]) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        let before = self.count();
        let mut nowhere = Vec::new();
        self.look(masker, text, &mut nowhere)?;
        self.lapse(masker, &mut nowhere)?;
        self.irreplaceable(before)
    }

    /// Whether `text` begins as values do that begin in a known way.
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        self.rules.lane(self.direction).plan.begins(text)
    }

    /// The text of a masker has ended.
    pub(crate) fn done(
        &mut self,
        mut masker: Box<Masker>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let looked = masker.finish_to(sink);
        self.found(&mut masker, looked)?;
        self.put_away(masker);
        Ok(())
    }

    /// Looks at a whole text; says what changes, if anything.
    pub(crate) fn judge(&mut self, text: &[u8]) -> Result<Option<Pieces>, Stop> {
        if self.is_quiet(text) {
            self.join(text)?;
            return Ok(None);
        }
        let short = self.short(text);
        if short.is_none_or(|short| !self.known.holds(&short)) {
            let before = self.findings.len();
            let mut pieces = Pieces::default();
            self.whole(text, &mut pieces)?;
            if pieces.changed() {
                return Ok(Some(pieces));
            }
            if let (Some(short), true) = (short, before == self.findings.len()) {
                self.known.add(&short);
            }
        }
        self.join(text)?;
        Ok(None)
    }

    /// Nothing can be found in it, as one look tells.
    fn is_quiet(&self, text: &[u8]) -> bool {
        let named = || {
            (!self.trail.at_name())
                .then(|| self.trail.field())
                .flatten()
        };
        self.cover.is_none() && self.rules.is_quiet(self.direction, text, named)
    }

    /// A text of which all that counts is what it says and the name of its field.
    fn short(&self, text: &[u8]) -> Option<Short> {
        if self.trail.at_name() {
            return Short::of(text, None);
        }
        let plain = self.cover.is_none() && self.spare.is_none();
        if !plain || self.rules.names_places(self.direction) {
            return None;
        }
        Short::of(text, self.trail.field())
    }

    /// Looks at a whole value in which nothing was found together with those before it.
    pub(crate) fn join(&mut self, text: &[u8]) -> Result<(), Stop> {
        let joins = match self.direction {
            Direction::Answer => false,
            Direction::Request => !self.trail.at_name(),
        };
        if !joins || !piece(text) {
            return Ok(());
        }
        let part = Part {
            text,
            place: place(self.direction, &self.trail, self.trail.root(), None),
            // A credential in its own place is there on purpose.
            spared: self.spare.is_some(),
        };
        let joined = self.rules.rejoined(&self.session, part);
        let found = joined.map_err(|stop| self.placed(stop))?;
        self.note(found);
        Ok(())
    }

    /// Looks at a whole text; gives it as it is to become, if it changes.
    pub(crate) fn masked(&mut self, text: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let pieces = self.judge(text)?;
        Ok(pieces.map(|pieces| pieces.text(text)))
    }

    /// Looks at a whole text.
    pub(crate) fn whole(&mut self, text: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        self.follow();
        let place = place(self.direction, &self.trail, &self.path, self.cover.as_ref());
        let mut masker = match self.maskers.pop() {
            Some(masker) => masker,
            None => Box::new(Masker::new(&self.rules, &self.session, place)),
        };
        masker.spare(self.spare);
        let looked = masker.whole(place, text, sink);
        self.found(&mut masker, looked)?;
        self.put_away(masker);
        Ok(())
    }

    /// What detectors of this family see is no finding in the texts to come.
    pub(crate) fn spare(&mut self, family: Option<Family>) {
        self.spare = family;
    }

    /// Values that are no text are looked at as well.
    pub(crate) fn names_field(&self) -> bool {
        self.cover.is_some() || self.rules.names_places(self.direction)
    }

    /// All that stands here is masked, whatever it is.
    pub(crate) fn covered(&mut self) -> bool {
        if self.cover.is_some() || !self.rules.names_places(self.direction) {
            return self.cover.is_some();
        }
        self.follow();
        let place = place(self.direction, &self.trail, &self.path, None);
        self.rules.covers(&place)
    }

    /// An array, object or element begins here: if all that stands here is masked, all within it is.
    pub(crate) fn enter(&mut self) {
        if self.cover.is_some() || !self.rules.names_places(self.direction) {
            return;
        }
        self.follow();
        let place = place(self.direction, &self.trail, &self.path, None);
        if self.rules.covers(&place) {
            self.cover = Some(Cover {
                depth: self.trail.depth(),
                field: place.field.map(str::to_owned),
                path: self.path.clone(),
            });
        }
    }

    /// What stands here has ended.
    pub(crate) fn leave(&mut self) {
        let depth = self.trail.depth();
        self.cover.take_if(|cover| cover.depth >= depth);
    }

    /// What cannot be judged does not go on.
    pub(crate) fn undecidable(&self, cause: &'static str) -> Stop {
        Stop::Undecidable {
            path: self.written(),
            cause,
        }
    }

    /// No more than this is held back.
    pub(crate) fn bounded(&self, held: usize) -> Result<(), Stop> {
        if held <= HOLD {
            return Ok(());
        }
        Err(Stop::TooLong {
            path: self.written(),
            limit: HOLD,
        })
    }

    /// The last finding stands where nothing can be put in its place.
    pub(crate) fn irreplaceable(&self, before: usize) -> Result<(), Stop> {
        match self.findings.get(before..).and_then(<[_]>::first) {
            Some(finding) => Err(Stop::Block(Box::new(Finding {
                action: crate::Action::Block,
                ..finding.clone()
            }))),
            None => Ok(()),
        }
    }

    /// What was found since then is none.
    pub(crate) fn forget(&mut self, before: usize) {
        self.findings.truncate(before);
    }

    /// How much was found.
    pub(crate) fn count(&self) -> usize {
        self.findings.len()
    }

    pub(crate) fn may_nest(&self) -> bool {
        self.nested < NESTED
    }

    /// A document within a document begins to be read.
    pub(crate) fn nest(&mut self) {
        self.nested += 1;
    }

    pub(crate) fn unnest(&mut self) {
        self.nested = self.nested.saturating_sub(1);
    }

    pub(crate) fn spare_value(&mut self) -> Option<Box<Value>> {
        self.values.pop()
    }

    pub(crate) fn keep_value(&mut self, value: Box<Value>) {
        if self.values.len() < SPARE {
            self.values.push(value);
        }
    }

    fn put_away(&mut self, masker: Box<Masker>) {
        if self.maskers.len() < SPARE {
            self.maskers.push(masker);
        }
    }

    fn written(&self) -> String {
        let mut path = String::new();
        self.trail.write(&mut path);
        path
    }

    /// Writes the trail out, where rules read it.
    fn follow(&mut self) {
        let headers = self.trail.is_header() && self.rules.names_places(self.direction);
        if headers || self.rules.reads_paths(self.direction) {
            self.path.clear();
            self.trail.write(&mut self.path);
        }
    }

    /// Takes what was found, and says where.
    fn found(&mut self, masker: &mut Masker, looked: Result<(), Stop>) -> Result<(), Stop> {
        self.note(masker.take_findings());
        looked.map_err(|stop| self.placed(stop))
    }

    fn note(&mut self, found: Vec<Finding>) {
        if found.is_empty() {
            return;
        }
        let path: Arc<str> = self.written().into();
        self.findings.extend(found.into_iter().map(|mut finding| {
            finding.path = Arc::clone(&path);
            finding
        }));
    }

    fn placed(&self, mut stop: Stop) -> Stop {
        match &mut stop {
            Stop::Approval(finding) | Stop::Block(finding) | Stop::Terminate(finding) => {
                finding.path = self.written().into();
            }
            Stop::TooLong { path, .. } | Stop::Undecidable { path, .. } => *path = self.written(),
        }
        stop
    }
}

/// Whether a value may be a piece of a secret or of a planted value: short, without blanks, and no small number.
fn piece(text: &[u8]) -> bool {
    let number = || {
        text.len() < 8
            && text
                .iter()
                .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    (3..=PIECE).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic) && !number()
}

fn place<'a>(
    direction: Direction,
    trail: &'a Trail,
    path: &'a str,
    cover: Option<&'a Cover>,
) -> Place<'a> {
    match cover {
        _ if trail.at_name() => Place {
            direction,
            field: None,
            path: "",
        },
        Some(cover) => Place {
            direction,
            field: cover.field.as_deref(),
            path: &cover.path,
        },
        None => Place {
            direction,
            field: trail.field(),
            path,
        },
    }
}
