//! Where the texts of an answer are edited, frame by frame, after the desk has let the frames go.
//!
//! A layout, one for each interface, says which strings of a frame are pieces of texts that go on with later frames; each
//! such text has one editor from its first piece to its end. A piece goes out with what is safe of it, which may be nothing.
//! What is held goes out with the text's next piece or, when the text ends, in an event that is made for it. All else that
//! a frame says is edited by itself. A frame in which nothing changes leaves as it came.

mod anthropic;
mod assistants;
mod beside;
mod channel;
mod chat;
mod gemini;
mod known;
mod layout;
mod lines;
mod parked;
mod responses;
mod rest;
mod sheet;
mod stencil;

pub(super) use layout::Layout;

use super::Stop;
use super::frame::Frame;
use super::sse;
use super::text::{Form, Text, Texts};
use crate::json::{Document, Patch, Value};
use crate::{Cause, Limits, Undecidable};
use channel::{Channels, Key, Which};
use parked::{Parked, Waiting};
use rest::Rest;
use sheet::{Piece, Sheet};
use stencil::{Stencil, quote};

/// How frames are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Elements of an array.
    Elements,
    Events,
    /// Each is one message.
    Messages,
    /// There is one.
    Whole,
}

/// Takes what goes on.
type Emit<'e> = &'e mut dyn FnMut(&[u8]);

#[derive(Debug)]
pub(super) struct Pen {
    cut: Cut,
    layout: Option<Layout>,
    limits: Limits,
    channels: Channels,
    /// Events that were added, by which later ones are renumbered.
    added: u64,
    /// The number that the next event would have.
    number: u64,
    /// A frame that may be the last one.
    parked: Option<Parked>,
    /// Whether what went out last was a whole event.
    is_between: bool,
    line: &'static str,
}

/// What changes in a frame.
#[derive(Debug, Default)]
struct Edits {
    patch: Patch,
    /// Pieces that wait for what follows.
    waiting: Vec<Waiting>,
    /// Whether words became others, here or with what follows.
    changed: bool,
}

// === impl Pen ===

impl Pen {
    pub(super) fn new(
        (layout, cut): (Option<Layout>, Cut),
        limits: &Limits,
        texts: Box<dyn Texts>,
    ) -> Self {
        Self {
            cut,
            layout,
            limits: *limits,
            channels: Channels::new(texts, limits),
            added: 0,
            number: 0,
            parked: None,
            is_between: true,
            line: "\n",
        }
    }

    /// It turns out how the answer is cut.
    pub(super) fn is_cut(&mut self, cut: Cut) {
        self.cut = cut;
    }

    /// Takes the next frame.
    pub(super) fn take(&mut self, frame: &Frame<'_>, emit: Emit<'_>) -> Result<(), Stop> {
        if frame.raw.ends_with(b"\r\n") {
            self.line = "\r\n";
        }
        let Some(data) = frame.data() else {
            if self.cut == Cut::Elements {
                self.end(emit)?;
            }
            return self.put(frame.raw, emit);
        };
        if let Some(parked) = self.parked.take() {
            let raw = parked.unfinished();
            self.put(&raw, emit)?;
        }
        if data.trim_ascii() == b"[DONE]" {
            self.end(emit)?;
            return self.put(frame.raw, emit);
        }
        match Document::parse(data, &self.limits) {
            Ok(document) => self.document(frame, &document, emit),
            Err(error) if error.cause == Cause::Empty => self.put(frame.raw, emit),
            // Of interfaces whose events need not be documents.
            Err(error) => match std::str::from_utf8(data) {
                Ok(text) if self.is_lax() => self.words(frame, text, emit),
                Ok(_) | Err(_) => Err(error.into()),
            },
        }
    }

    /// Texts that are held have waited long enough: what may go of them goes in events that are made for it.
    pub(super) fn lapse(&mut self, emit: Emit<'_>) -> Result<(), Stop> {
        match self.cut {
            Cut::Elements | Cut::Events | Cut::Messages => {}
            // What is whole comes at once.
            Cut::Whole => return Ok(()),
        }
        if let Some(parked) = self.parked.take() {
            let raw = parked.unfinished();
            self.put(&raw, emit)?;
        }
        for key in self.channels.ending(&Which::All) {
            if let Some((rest, stencil)) = self.channels.lapse(&key)? {
                self.add(&stencil, &rest, emit);
            }
        }
        Ok(())
    }

    /// The answer has ended.
    pub(super) fn end(&mut self, emit: Emit<'_>) -> Result<(), Stop> {
        if let Some(parked) = self.parked.take() {
            let keys: Vec<_> = parked.keys().collect();
            self.finish(&Which::All, &keys, emit)?;
            let raw = parked.finish(&mut self.channels)?;
            self.put(&raw, emit)?;
        }
        self.finish(&Which::All, &[], emit)
    }

    fn document(
        &mut self,
        frame: &Frame<'_>,
        document: &Document<'_>,
        emit: Emit<'_>,
    ) -> Result<(), Stop> {
        let root = document.root();
        let layout = self.layout.or_else(|| Layout::of(root));
        let sheet = self.sheet(layout, root)?;
        if let Some(number) = root.get("sequence_number").and_then(Value::as_u64) {
            self.number = number;
        }
        let keys: Vec<_> = sheet.pieces.iter().map(|piece| &piece.key).collect();
        for which in &sheet.ends {
            self.finish(which, &keys, emit)?;
        }
        let mut edits = Edits::default();
        for (position, piece) in sheet.pieces.iter().enumerate() {
            let is_last = !keys
                .get(position + 1..)
                .unwrap_or_default()
                .contains(&&piece.key);
            let is_held = self.piece(piece, (&sheet, is_last), &mut edits)?;
            if is_held && !self.channels.has_stencil(&piece.key) {
                self.stencil(layout, (root, piece), frame)?;
            }
        }
        let rest = Rest {
            document,
            channels: &mut self.channels,
            sheet: &sheet,
            patch: &mut edits.patch,
            beside: Vec::new(),
            changed: edits.changed,
        };
        rest.root()?;
        self.beside(&sheet, root, &mut edits.patch);
        self.send(frame, document.text(), (&sheet, edits), emit)
    }

    /// Notes what a frame says of texts.
    fn sheet<'v>(
        &self,
        layout: Option<Layout>,
        root: &'v Value<'v>,
    ) -> Result<Sheet<'v>, Undecidable> {
        let mut sheet = Sheet::default();
        if let Some(layout) = layout {
            layout.read(root, &mut sheet);
        }
        if self.cut == Cut::Whole {
            sheet.ends.push(Which::All);
            sheet.may_be_last = false;
        }
        sheet.settle(&self.limits)?;
        Ok(sheet)
    }

    /// Gives a frame out with what was changed in it, or has it wait.
    fn send(
        &mut self,
        frame: &Frame<'_>,
        text: &str,
        (sheet, edits): (&Sheet<'_>, Edits),
        emit: Emit<'_>,
    ) -> Result<(), Stop> {
        let Edits { patch, waiting, .. } = edits;
        for which in &sheet.forgets {
            self.channels.forget(which);
        }
        let points = sheet.points.as_ref();
        if points.is_some_and(|key| self.channels.is_changed(key)) {
            return Ok(());
        }
        if !waiting.is_empty() {
            self.parked = Some(Parked::new(frame, text, (patch, waiting)));
            return Ok(());
        }
        if patch.is_empty() {
            return self.put(frame.raw, emit);
        }
        self.put(&frame.with(&patch.apply(text)), emit)
    }

    /// Edits a piece of a text, and the rest of it where it ends; whether something of the text is held.
    fn piece(
        &mut self,
        piece: &Piece<'_>,
        (sheet, is_last): (&Sheet<'_>, bool),
        edits: &mut Edits,
    ) -> Result<bool, Stop> {
        let text = Text {
            form: piece.form,
            field: piece.path.field(),
            place: &piece.place,
            again: false,
        };
        let words = piece.value.as_str().unwrap_or_default();
        let mut said = self.channels.push(&piece.key, &text, words)?;
        if is_last && sheet.ends.iter().any(|which| which.includes(&piece.key)) {
            let (rest, _) = self.channels.end(&piece.key)?;
            said.push_str(&rest);
        }
        let is_same = said == words;
        edits.changed |= !is_same;
        let is_held = self.channels.holds(&piece.key);
        if is_held && is_last && sheet.may_be_last {
            let waiting = (piece.key.clone(), piece.value.span(), said);
            edits.waiting.push(waiting);
        } else if !is_same {
            edits.patch.replace(piece.value, quote(&said));
        }
        Ok(is_held)
    }

    fn stencil(
        &mut self,
        layout: Option<Layout>,
        (root, piece): (&Value<'_>, &Piece<'_>),
        frame: &Frame<'_>,
    ) -> Result<(), Stop> {
        let Some(layout) = layout else {
            return Ok(());
        };
        let name = match self.cut {
            Cut::Events => sse::name(frame.raw),
            Cut::Elements | Cut::Messages | Cut::Whole => None,
        };
        let is_numbered = root.get("sequence_number").is_some();
        let event = layout.event(root, piece);
        let name = name.map(|name| layout.name(name));
        self.channels
            .keep(&piece.key, Stencil::cut(&event, name, is_numbered))
    }

    /// Mends what points into texts that were changed, and numbers the event anew.
    fn beside(&mut self, sheet: &Sheet<'_>, root: &Value<'_>, patch: &mut Patch) {
        for (key, list) in &sheet.pointers {
            if !list.elements().is_empty() && self.channels.is_changed(key) {
                patch.replace(list, "[]");
            }
        }
        if let Some(value) = root.get("sequence_number")
            && self.added > 0
        {
            patch.replace(value, (self.number + self.added).to_string());
        }
        self.number += 1;
    }

    /// Ends texts, and gives out what was held of them. Those that have a piece in the frame that is read end with it.
    fn finish(&mut self, which: &Which, but: &[&Key], emit: Emit<'_>) -> Result<(), Stop> {
        for key in self.channels.ending(which) {
            if but.contains(&&key) {
                continue;
            }
            let (rest, stencil) = self.channels.end(&key)?;
            if rest.is_empty() {
                continue;
            }
            // Nothing of it can be said any more.
            let stencil = stencil.ok_or_else(|| Undecidable::whole(Cause::Inconsistent))?;
            self.add(&stencil, &rest, emit);
        }
        Ok(())
    }

    /// Gives out an event that nobody sent.
    fn add(&mut self, stencil: &Stencil, rest: &str, emit: Emit<'_>) {
        let document = stencil.fill(rest, self.number + self.added);
        self.added += u64::from(stencil.is_numbered());
        let end = self.line;
        match self.cut {
            Cut::Elements => emit(format!(",{end}{document}").as_bytes()),
            Cut::Events => {
                if !self.is_between {
                    emit(format!("{end}{end}").as_bytes());
                }
                let name = stencil
                    .name()
                    .map_or_else(String::new, |name| format!("event: {name}{end}"));
                emit(format!("{name}data: {document}{end}{end}").as_bytes());
                self.is_between = true;
            }
            Cut::Messages | Cut::Whole => emit(document.as_bytes()),
        }
    }

    /// Whether events need not be documents.
    fn is_lax(&self) -> bool {
        self.cut == Cut::Events && self.layout.is_none_or(Layout::is_lax)
    }

    /// An event whose data is no document.
    fn words(&mut self, frame: &Frame<'_>, text: &str, emit: Emit<'_>) -> Result<(), Stop> {
        match self.channels.whole((Form::Plain, None, ""), text)? {
            Some(edited) => self.put(&frame.with(&edited), emit),
            None => self.put(frame.raw, emit),
        }
    }

    fn put(&mut self, raw: &[u8], emit: Emit<'_>) -> Result<(), Stop> {
        if self.cut != Cut::Events {
            emit(raw);
            return Ok(());
        }
        self.is_between = raw.ends_with(b"\n\n") || raw.ends_with(b"\n\r\n");
        match lines::edit(raw, &mut self.channels)? {
            Some(edited) => emit(&edited),
            None => emit(raw),
        }
        Ok(())
    }
}
