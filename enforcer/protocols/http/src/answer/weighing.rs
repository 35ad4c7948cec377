//! An answer that is here whole: decoded, edited, and judged as what is left of it.

use std::sync::Arc;

use bytes::Bytes;
use enforcer_audit::Way;
use enforcer_gate::{Exchange, Judge, Masking};
use enforcer_mask::Direction;
use enforcer_policy::{Action, Part};
use enforcer_prompt::{self as prompt, AnswerEditor, Item, Ruling, Shape, Stop};
use http::HeaderMap;

use super::text;
use crate::gather::{Bounds, Gathered, Ungathered};
use crate::kept::Kept;
use crate::masking::{self, Rewriter};
use crate::{Spilling, coding, recording, shape};

/// An answer that is here whole, with all that judging it takes.
pub(super) struct Weighing {
    pub(super) headers: HeaderMap,
    pub(super) kept: Kept,
    pub(super) shape: Shape,
    pub(super) judge: Judge,
    pub(super) editor: Option<AnswerEditor>,
    pub(super) exchange: Exchange,
    /// The longest it may be when it is decoded, and the room that it takes in memory.
    pub(super) bounds: Bounds,
    /// Where it waits while it is sent, if it is long.
    pub(super) spilling: Option<Arc<Spilling>>,
    pub(super) structure: prompt::Limits,
}

/// What came of it.
pub(super) struct Weighed {
    pub(super) judge: Judge,
    pub(super) exchange: Exchange,
    /// What goes on, or why nothing does.
    pub(super) passed: Result<Passed, Unpassed>,
}

/// What goes on.
pub(super) struct Passed {
    pub(super) body: Kept,
    /// It was read, and may be another than came.
    pub(super) read: bool,
}

/// Why nothing of an answer goes on.
pub(super) enum Unpassed {
    /// A rule says so.
    Blocked,
    /// It cannot wait on disk, or does not come back from there.
    Unkept(Ungathered),
    /// It cannot be masked.
    Unmasked(prompt::Cause),
    /// It cannot be recorded.
    Unrecorded,
}

// === impl Weighing ===

impl Weighing {
    /// Judges it, which takes long where it is large, and blocks where it is on disk or goes there.
    pub(super) fn weigh(self) -> Weighed {
        let Self {
            headers,
            kept,
            shape,
            mut judge,
            editor,
            mut exchange,
            bounds,
            spilling,
            structure,
        } = self;
        let here = kept.here(&bounds).map_err(Unpassed::Unkept);
        let passed = here.and_then(|mut gathered| {
            let asked = (&mut judge, &mut exchange, editor);
            let read = read(
                &mut gathered,
                (&headers, &shape),
                asked,
                (&bounds, &structure),
            );
            let (bytes, read) = settled(read, (&mut judge, &exchange), &gathered)?;
            gathered.bytes = bytes;
            gathered.trailers = None;
            let body = keep(gathered, &exchange, (spilling, &bounds))?;
            Ok(Passed { body, read })
        });
        Weighed {
            judge,
            exchange,
            passed,
        }
    }
}

/// Keeps what goes on where it waits, and in a recording where a rule wants one.
fn keep(
    gathered: Gathered,
    exchange: &Exchange,
    (spilling, bounds): (Option<Arc<Spilling>>, &Bounds),
) -> Result<Kept, Unpassed> {
    let track = recording::track(exchange, Way::Answer);
    if track.is_some_and(|track| track.push(&gathered.bytes).is_err()) {
        return Err(Unpassed::Unrecorded);
    }
    match spilling {
        None => Ok(Kept::Here(gathered)),
        Some(spilling) => spilling
            .settle(gathered, bounds.workload)
            .map_err(Unpassed::Unkept),
    }
}

/// Decodes, edits, judges and masks it; or says why that cannot be done.
fn read(
    gathered: &mut Gathered,
    (headers, shape): (&HeaderMap, &Shape),
    (judge, exchange, editor): (&mut Judge, &mut Exchange, Option<AnswerEditor>),
    (bounds, structure): (&Bounds, &prompt::Limits),
) -> Result<Bytes, prompt::Cause> {
    let decoded = coding::decode(headers, &gathered.bytes, bounds.limit)?;
    // What was decoded takes room too, for as long as it is here.
    if coding::is_coded(headers) && !gathered.room.grow(decoded.len()) {
        return Err(prompt::Cause::TooLarge);
    }
    // What is left out is not judged again.
    let edited = editor.is_some();
    let bytes = edit(decoded, editor, (judge, exchange))?;
    content(&bytes, shape, judge, structure)?;
    mask(bytes, edited, headers, exchange)
}

/// What goes on of an answer, and whether it was read: one that cannot be read passes as it came, if no rule minds.
fn settled(
    read: Result<Bytes, prompt::Cause>,
    (judge, exchange): (&mut Judge, &Exchange),
    gathered: &Gathered,
) -> Result<(Bytes, bool), Unpassed> {
    match read {
        Ok(bytes) => Ok((bytes, true)),
        // Blocked already, or unreadable, which is for rules to judge.
        Err(cause) if judge.rule(Part::Undecidable(cause)) != Action::Keep => {
            Err(Unpassed::Blocked)
        }
        Err(cause) if exchange.masking().is_some_and(Masking::edits_answers) => {
            Err(Unpassed::Unmasked(cause))
        }
        Err(_) => Ok((gathered.bytes.clone(), false)),
    }
}

/// Masks what no editor has masked. What stops it the masking remembers.
fn mask(
    bytes: Bytes,
    edited: bool,
    headers: &HeaderMap,
    exchange: &Exchange,
) -> Result<Bytes, prompt::Cause> {
    let masking = exchange.masking().filter(|masking| masking.edits_answers());
    match masking {
        Some(masking) if !edited => {
            let content_type = shape::content_type(headers);
            let rewriter = Rewriter::new(masking, content_type, Direction::Answer);
            masking::whole(rewriter, &bytes).map_err(|_| prompt::Cause::Malformed)
        }
        Some(_) | None => Ok(bytes),
    }
}

/// Asks about rows, texts, and what a batch's results ask for, where rules read them.
fn content(
    bytes: &[u8],
    shape: &Shape,
    judge: &mut Judge,
    limits: &prompt::Limits,
) -> Result<(), prompt::Cause> {
    let needs = judge.needs();
    let results = shape.results(bytes);
    let calls = needs.tool_calls && results.is_some();
    if !needs.rows && !needs.text && !calls {
        return Ok(());
    }
    let shape = results.as_ref().unwrap_or(shape);
    let body = prompt::Body::parse(shape, bytes, limits).map_err(|error| error.cause)?;
    if matches!(body, prompt::Body::Opaque(_)) {
        return Err(prompt::Cause::UnknownType);
    }
    let answer = body.answer(shape, limits).map_err(|error| error.cause)?;
    let text = needs.text.then(|| text::of(&body));
    let mut asked = |part| match judge.rule_on_all(part) {
        Action::Flag | Action::Keep => Ok(()),
        // Nothing can be left out of it. The judge remembers; the cause is not looked at.
        Action::Block | Action::Strip => Err(prompt::Cause::Schema),
    };
    if needs.rows
        && let Some(rows) = answer.rows
    {
        asked(Part::Rows(rows))?;
    }
    if let Some(text) = &text {
        asked(Part::Text(text))?;
    }
    if calls {
        answer
            .calls()
            .try_for_each(|call| asked(Part::ToolCall(call)))?;
    }
    Ok(())
}

fn edit(
    bytes: Bytes,
    editor: Option<AnswerEditor>,
    (judge, exchange): (&mut Judge, &mut Exchange),
) -> Result<Bytes, prompt::Cause> {
    let Some(mut editor) = editor else {
        return Ok(bytes);
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut ruling = |item: &Item<'_>| rule(judge, item);
    let edited = editor
        .push(&bytes, &mut ruling, &mut out)
        .and_then(|()| editor.finish(&mut ruling, &mut out));
    let tally = editor.tally();
    exchange.used(tally.model.as_deref(), &tally.usage);
    match edited {
        Ok(()) => Ok(out.into()),
        Err(Stop::Undecidable(undecidable)) => Err(undecidable.cause),
        // The judge remembers; whatever it is asked now, it says no.
        Err(Stop::Blocked) => Err(prompt::Cause::Malformed),
    }
}

/// Rules on something that the editor found.
pub(crate) fn rule(judge: &mut Judge, item: &Item<'_>) -> Ruling {
    let needs = judge.needs();
    let part = match item {
        Item::Call(call) if needs.tool_calls => Part::ToolCall(call),
        Item::Listed(tool) if needs.listed => Part::Listed(tool),
        Item::Result(text) | Item::Said(text) if needs.text => Part::Text(text),
        Item::Call(_) | Item::Listed(_) | Item::Result(_) | Item::Said(_) => return Ruling::Keep,
    };
    match judge.rule(part) {
        Action::Block => Ruling::Block,
        Action::Flag | Action::Keep => Ruling::Keep,
        Action::Strip => Ruling::Strip,
    }
}
