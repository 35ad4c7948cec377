//! Where frames wait for rulings, in the order in which they came.

use std::collections::VecDeque;
use std::fmt::Debug;

use super::frame::{Data, Frame};
use super::hearing::Hearing;
use super::{Item, Judge, Ruling, Stop, sse};
use crate::json::{Document, Patch, Value};
use crate::{Cause, Finish, Limits, Tally, Undecidable, Usage};

/// Who understands the answers of one interface.
pub(super) trait Dialect: Debug + Send {
    /// Notes what a frame says, has ruled on what has become complete, and says what the frame has to wait for.
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop>;

    /// Nothing follows: has ruled on what was still incomplete.
    fn end(&mut self, bench: &mut Bench<'_>) -> Result<(), Stop>;

    /// The frame without what was taken out. Asked only when something was, and in the frames' order.
    fn render(&self, said: &Said<'_, '_>, rulings: &Rulings) -> Rendered;

    /// Whether an event of this name brings something else than a document.
    fn is_no_document(&self, _event: &[u8]) -> bool {
        false
    }

    /// Whether nothing of it is ruled on, when somebody listens to what is said or when nobody does.
    fn only_counts(&self, _listens: bool) -> bool {
        false
    }
}

/// What a frame says.
#[derive(Debug)]
pub(super) struct Said<'s, 'd> {
    pub(super) document: &'s Document<'d>,
}

/// A frame after the editing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Rendered {
    Dropped,
    Edited(String),
    #[default]
    Same,
}

/// One thing that is ruled on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(usize);

/// What was ruled so far.
#[derive(Debug, Default)]
pub(super) struct Rulings {
    /// How many were forgotten, the first ones.
    forgotten: usize,
    all: VecDeque<Option<bool>>,
    stripped: bool,
}

/// What a dialect works with.
pub(super) struct Bench<'j> {
    pub(super) judge: &'j mut dyn Judge,
    pub(super) hearing: &'j mut Hearing,
    pub(super) tally: &'j mut Tally,
    pub(super) rulings: &'j mut Rulings,
    pub(super) limits: &'j Limits,
}

/// Takes the frames that go on.
pub(super) type Emit<'e> = &'e mut dyn FnMut(&Frame<'_>) -> Result<(), Stop>;

/// A frame that waits.
#[derive(Debug)]
struct Held {
    raw: Vec<u8>,
    data: Data,
    waits: Vec<Id>,
}

#[derive(Debug)]
pub(super) struct Desk {
    dialect: Box<dyn Dialect>,
    limits: Limits,
    tally: Tally,
    rulings: Rulings,
    hearing: Hearing,
    held: VecDeque<Held>,
    bytes: usize,
    /// Whether anybody rules; otherwise frames are only counted.
    rules: bool,
}

// === impl Rendered ===

impl Rendered {
    /// What a patch leaves of a document.
    pub(super) fn patched(patch: Patch, document: &Document<'_>) -> Self {
        if patch.is_empty() {
            Self::Same
        } else {
            Self::Edited(patch.apply(document.text()))
        }
    }
}

// === impl Rulings ===

impl Rulings {
    /// Something that is not complete yet.
    pub(super) fn open(&mut self) -> Id {
        self.all.push_back(None);
        Id(self.forgotten + self.all.len() - 1)
    }

    /// Forgets what was ruled before `first`, of which nothing will be asked again; all, if there is none.
    pub(super) fn forget_before(&mut self, first: Option<Id>) {
        let end = self.forgotten + self.all.len();
        let first = first.map_or(end, |first| first.0.clamp(self.forgotten, end));
        self.all.drain(..first - self.forgotten);
        self.forgotten = first;
    }

    pub(super) fn is_stripped(&self, id: Id) -> bool {
        self.known(id).flatten() == Some(true)
    }

    /// It passes, because the same was ruled on under another name.
    pub(super) fn keep(&mut self, id: Id) {
        self.close(id, Ruling::Keep);
    }

    fn close(&mut self, id: Id, ruling: Ruling) {
        let stripped = ruling == Ruling::Strip;
        let slot = id.0.checked_sub(self.forgotten);
        if let Some(slot) = slot.and_then(|slot| self.all.get_mut(slot)) {
            *slot = Some(stripped);
        }
        self.stripped |= stripped;
    }

    fn are_made(&self, ids: &[Id]) -> bool {
        ids.iter()
            .all(|id| self.known(*id).is_some_and(|ruling| ruling.is_some()))
    }

    fn known(&self, id: Id) -> Option<Option<bool>> {
        let slot = id.0.checked_sub(self.forgotten)?;
        self.all.get(slot).copied()
    }
}

// === impl Bench ===

impl Bench<'_> {
    /// Has ruled on an item; never [`Ruling::Block`], which ends the answer.
    pub(super) fn rule(&mut self, item: &Item<'_>) -> Result<Ruling, Stop> {
        self.tally.judged += 1;
        match self.judge.rule(item) {
            Ruling::Block => Err(Stop::Blocked),
            Ruling::Keep => Ok(Ruling::Keep),
            Ruling::Strip => {
                self.tally.stripped += 1;
                Ok(Ruling::Strip)
            }
        }
    }

    /// Has ruled on what was opened before.
    pub(super) fn close(&mut self, id: Id, item: &Item<'_>) -> Result<(), Stop> {
        let ruling = self.rule(item)?;
        self.rulings.close(id, ruling);
        Ok(())
    }

    /// Says that something is taken out of frames, without an id of its own.
    pub(super) fn something_is_stripped(&mut self) {
        self.rulings.stripped = true;
    }

    /// What every interface says somewhere in its answers: the model and what it cost.
    pub(super) fn count(&mut self, value: &Value<'_>) {
        self.tally.count(value);
    }

    /// Why a choice ended.
    pub(super) fn finished(&mut self, choice: u64, reason: &str) {
        /// More choices than anybody asks for.
        const CHOICES: usize = 128;
        if self.tally.finish.len() < CHOICES {
            self.tally.finish.push(Finish {
                choice,
                reason: reason.to_owned(),
            });
        }
    }
}

// === impl Desk ===

impl Desk {
    pub(super) fn new(dialect: Box<dyn Dialect>, limits: &Limits) -> Self {
        Self {
            dialect,
            limits: *limits,
            tally: Tally::default(),
            rulings: Rulings::default(),
            hearing: Hearing::default(),
            held: VecDeque::new(),
            bytes: 0,
            rules: true,
        }
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn take_usage(&mut self) -> Usage {
        std::mem::take(&mut self.tally.usage)
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn only_counts(&self) -> bool {
        self.dialect.only_counts(self.hearing.listens)
    }

    pub(super) fn hear(&mut self) {
        self.hearing.listens = true;
    }

    /// Nobody rules on anything.
    pub(super) fn rules_on_nothing(&mut self) {
        self.rules = false;
    }

    /// Takes the next frame and gives out what waits for nothing.
    pub(super) fn take(
        &mut self,
        frame: &Frame<'_>,
        judge: &mut dyn Judge,
        emit: Emit<'_>,
    ) -> Result<(), Stop> {
        if !self.rules {
            self.count(frame);
            return emit(frame);
        }
        let waits = self.note(frame, judge)?;
        self.release(emit)?;
        if self.held.is_empty() && self.rulings.are_made(&waits) {
            return self.give(frame, emit);
        }
        self.bytes += frame.raw.len();
        if self.bytes > self.limits.held {
            return Err(Undecidable::whole(Cause::TooMany).into());
        }
        self.held.push_back(Held {
            raw: frame.raw.to_vec(),
            data: frame.data.clone(),
            waits,
        });
        self.release(emit)
    }

    pub(super) fn end(&mut self, judge: &mut dyn Judge, emit: Emit<'_>) -> Result<(), Stop> {
        let Self {
            dialect,
            limits,
            tally,
            rulings,
            hearing,
            ..
        } = self;
        dialect.end(&mut Bench {
            judge,
            hearing,
            tally,
            rulings,
            limits,
        })?;
        self.release(emit)?;
        if self.held.is_empty() {
            Ok(())
        } else {
            Err(Undecidable::whole(Cause::Truncated).into())
        }
    }

    /// Counts what a frame says of its cost.
    fn count(&mut self, frame: &Frame<'_>) {
        let Some(data) = frame.data() else {
            return;
        };
        let says = memchr::memmem::find(data, b"\"usage").is_some();
        if !says && self.tally.model.is_some() {
            return;
        }
        if let Ok(document) = Document::parse(data, &self.limits) {
            let root = document.root();
            let inner = ["message", "response"]
                .iter()
                .filter_map(|key| root.get(key));
            for value in std::iter::once(root).chain(inner) {
                self.tally.count(value);
            }
        }
    }

    fn note(&mut self, frame: &Frame<'_>, judge: &mut dyn Judge) -> Result<Vec<Id>, Stop> {
        let Self {
            dialect,
            limits,
            tally,
            rulings,
            hearing,
            ..
        } = self;
        let Some(data) = frame.data() else {
            return Ok(Vec::new());
        };
        if sse::name(frame.raw).is_some_and(|name| dialect.is_no_document(name)) {
            return Ok(Vec::new());
        }
        let hearing_listens = hearing.listens;
        let mut bench = Bench {
            judge,
            hearing,
            tally,
            rulings,
            limits,
        };
        if data == b"[DONE]" {
            dialect.end(&mut bench)?;
            return Ok(Vec::new());
        }
        let document = match Document::parse(data, limits) {
            Ok(document) => document,
            // Nobody rules on it, nobody has to understand it.
            Err(_) if dialect.only_counts(hearing_listens) => return Ok(Vec::new()),
            // An event without data is nothing to anybody.
            Err(error) if error.cause == Cause::Empty => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        agree(frame, &document)?;
        dialect.note(
            &Said {
                document: &document,
            },
            &mut bench,
        )
    }

    fn release(&mut self, emit: Emit<'_>) -> Result<(), Stop> {
        while let Some(held) = self
            .held
            .pop_front_if(|held| self.rulings.are_made(&held.waits))
        {
            self.bytes -= held.raw.len();
            let frame = Frame {
                raw: &held.raw,
                data: held.data,
            };
            self.give(&frame, emit)?;
        }
        Ok(())
    }

    fn give(&self, frame: &Frame<'_>, emit: Emit<'_>) -> Result<(), Stop> {
        let data = match frame.data() {
            Some(data) if self.rulings.stripped && !self.only_counts() && data != b"[DONE]" => data,
            Some(_) | None => {
                return emit(frame);
            }
        };
        let document = match Document::parse(data, &self.limits) {
            Ok(document) => document,
            Err(_)
                if sse::name(frame.raw).is_some_and(|name| self.dialect.is_no_document(name)) =>
            {
                return emit(frame);
            }
            Err(error) if error.cause == Cause::Empty => {
                return emit(frame);
            }
            Err(error) => return Err(error.into()),
        };
        let said = Said {
            document: &document,
        };
        match self.dialect.render(&said, &self.rulings) {
            Rendered::Dropped => Ok(()),
            Rendered::Edited(data) => emit(&frame.edited(&frame.with(&data), &data)),
            Rendered::Same => emit(frame),
        }
    }
}

/// An event's name and its data's type must not contradict each other; some clients go by one, some by the other.
fn agree(frame: &Frame<'_>, document: &Document<'_>) -> Result<(), Undecidable> {
    let Some(kind) = document.root().get("type").and_then(Value::as_str) else {
        return Ok(());
    };
    if frame.raw.len() == frame.data().map_or(0, <[u8]>::len) {
        return Ok(());
    }
    match sse::name(frame.raw) {
        Some(name) if name != kind.as_bytes() && !matches!(name, b"error" | b"message" | b"") => {
            Err(Undecidable::new(Cause::Inconsistent, "/type", 0))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rulings_that_nobody_asks_for_are_forgotten() {
        let mut rulings = Rulings::default();
        for _ in 0..10_000 {
            let (old, new) = (rulings.open(), rulings.open());
            rulings.close(old, Ruling::Keep);
            rulings.close(new, Ruling::Strip);
            rulings.forget_before(Some(new));
            assert!(rulings.is_stripped(new) && rulings.are_made(&[new]));
            assert!(rulings.all.len() <= 3);
        }
        rulings.forget_before(None);
        assert!(rulings.all.is_empty() && !rulings.are_made(&[Id(0)]));
    }
}
