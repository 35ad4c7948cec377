//! An answer that is here whole: decoded, edited, and judged as what is left of it.

use bytes::Bytes;
use enforcer_gate::{Exchange, Judge};
use enforcer_mask::Direction;
use enforcer_policy::{Action, Part};
use enforcer_prompt::{self as prompt, AnswerEditor, Item, Ruling, Shape, Stop};
use http::HeaderMap;

use super::text;
use crate::gather::Gathered;
use crate::masking::{self, Rewriter};
use crate::{coding, shape};

/// An answer that is here whole, with all that judging it takes.
pub(super) struct Weighing {
    pub(super) headers: HeaderMap,
    pub(super) gathered: Gathered,
    pub(super) shape: Shape,
    pub(super) judge: Judge,
    pub(super) editor: Option<AnswerEditor>,
    pub(super) exchange: Exchange,
    /// The longest it may be when it is decoded.
    pub(super) limit: usize,
    pub(super) structure: prompt::Limits,
}

/// What came of it.
pub(super) struct Weighed {
    pub(super) gathered: Gathered,
    pub(super) judge: Judge,
    pub(super) exchange: Exchange,
    /// What may go on, or why none of it can be judged.
    pub(super) passed: Result<Bytes, prompt::Cause>,
}

// === impl Weighing ===

impl Weighing {
    /// Judges it, which takes long where it is large.
    pub(super) fn weigh(self) -> Weighed {
        let Self {
            headers,
            mut gathered,
            shape,
            mut judge,
            editor,
            mut exchange,
            limit,
            structure,
        } = self;
        let decoded = coding::decode(&headers, &gathered.bytes, limit).and_then(|bytes| {
            // What was decoded takes room too, for as long as it is here.
            match coding::is_coded(&headers) && !gathered.room.grow(bytes.len()) {
                true => Err(prompt::Cause::TooLarge),
                false => Ok(bytes),
            }
        });
        // What is left out is not judged again.
        let edited = editor.is_some();
        let passed = decoded.and_then(|bytes| {
            let bytes = edit(bytes, editor, (&mut judge, &mut exchange))?;
            content(&bytes, &shape, &mut judge, &structure)?;
            mask(bytes, edited, &headers, &exchange)
        });
        Weighed {
            gathered,
            judge,
            exchange,
            passed,
        }
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
