//! What the far side of a socket says: judged, edited, and counted.

use std::time::Duration;

use enforcer_gate::{Judge, Masking, Refusal};
use enforcer_mask::Direction;
use enforcer_policy::{Action, Part};
use enforcer_prompt::{AnswerEditor, Body, Item, Limits, Ruling, Shape, Stop};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Ear;
use crate::answer::{rule, text};
use crate::aside::LARGE;
use crate::masking::{Alarm, Texts, Waits};

/// What agents are told of messages that nobody can judge.
const UNJUDGED: &str = "a message cannot be judged";

/// Who rules on what the far side says, and how it is read.
pub(super) struct Far {
    /// None when it is only counted.
    judge: Option<Judge>,
    /// None when the socket speaks no interface that is known here, or what it says can be counted no more.
    editor: Option<AnswerEditor>,
    shape: Shape,
    limits: Limits,
    /// What it is masked with.
    masking: Option<Masking>,
    /// What is held of texts.
    waits: Waits,
    /// Bytes that have come.
    seen: u64,
}

// === impl Far ===

impl Far {
    /// `shape` is that of the answers.
    pub(super) fn new(
        (mut judge, masking): (Option<Judge>, Option<Masking>),
        shape: Shape,
        limits: &Limits,
    ) -> Self {
        let masking = masking.filter(Masking::edits_answers);
        let waits = Waits::default();
        let reads = judge.as_ref().is_some_and(|judge| judge.needs().content());
        let mut editor = AnswerEditor::new(&shape, limits);
        if let (Some(masking), Some(own)) = (&masking, &mut editor) {
            let texts = Texts::waiting(masking, Direction::Answer, &waits);
            match reads {
                true => own.mask(texts),
                false => *own = AnswerEditor::unjudged(&shape, limits, texts),
            }
        }
        if let Some(judge) = &mut judge {
            judge.head(101, None);
            if judge.needs().text
                && let Some(editor) = &mut editor
            {
                editor.hear();
            }
        }
        Self {
            judge,
            editor,
            shape,
            limits: *limits,
            masking,
            waits,
            seen: 0,
        }
    }

    /// Rings before text has been held for longer than so long.
    pub(super) fn alarm(&self, limit: Duration) -> Alarm {
        self.waits.at_most(limit)
    }

    /// What has been held of texts goes on as if they ended here, in messages that are made for it.
    pub(super) fn lapse(&mut self) -> Result<Vec<Utf8Bytes>, Refusal> {
        let (Some(editor), Some(judge)) = (&mut self.editor, &mut self.judge) else {
            return Ok(Vec::new());
        };
        let mut out = Vec::new();
        let lapsed = editor.lapse_in_messages(&mut out);
        given((lapsed, out), judge, self.masking.as_ref())
    }

    /// What of a message may go on, in messages. Large ones are read aside.
    pub(super) async fn take(
        &mut self,
        message: Utf8Bytes,
        ear: &Ear<'_>,
    ) -> Result<Vec<Utf8Bytes>, Refusal> {
        let passed = if message.len() < LARGE {
            self.judged(message)?
        } else {
            let mut taken = self.lend();
            let aside = &ear.connection.agent.judging.aside;
            let judged = aside.run(move || {
                let judged = taken.judged(message);
                (judged, taken)
            });
            let Some((judged, back)) = judged.await else {
                return Err(super::unready(ear.asked));
            };
            *self = back;
            judged?
        };
        let Some(editor) = &mut self.editor else {
            return Ok(passed);
        };
        if let Some(usage) = editor.take_usage() {
            ear.paid(editor.tally().model.as_deref(), &usage)?;
        }
        Ok(passed)
    }

    /// An error as the interface words it.
    pub(super) fn refusal(&self, code: &str, message: &str) -> Option<String> {
        let words = self.editor.as_ref()?.refusal(code, message);
        String::from_utf8(words).ok()
    }

    /// All of it, to be given back. A socket of which it does not come back has ended.
    fn lend(&mut self) -> Self {
        Self {
            judge: self.judge.take(),
            editor: self.editor.take(),
            shape: self.shape.clone(),
            limits: self.limits,
            masking: self.masking.clone(),
            waits: self.waits.clone(),
            seen: self.seen,
        }
    }

    fn judged(&mut self, message: Utf8Bytes) -> Result<Vec<Utf8Bytes>, Refusal> {
        self.seen += message.len() as u64;
        let Some(judge) = &mut self.judge else {
            self.counted(&message);
            return Ok(vec![message]);
        };
        let needs = judge.needs();
        let mut out = Vec::new();
        let mut passes = !needs.bytes || judge.rule_on_all(Part::Bytes(self.seen)) == Action::Keep;
        // Where nobody knows the interface a message is all that is said at once.
        if passes && (needs.rows || (needs.text && self.editor.is_none())) {
            let hears = needs.text && self.editor.is_none();
            passes = content(&message, (&self.shape, &self.limits), judge, hears);
        }
        if !passes {
            return Err(judge.refusal("answer_blocked", UNJUDGED));
        }
        let Some(editor) = &mut self.editor else {
            return match &self.masking {
                None => Ok(vec![message]),
                Some(masking) => {
                    super::message(masking, Direction::Answer, message).map(|message| vec![message])
                }
            };
        };
        let mut ruling = |item: &Item<'_>| rule(judge, item);
        let edited = editor.message(&message, &mut ruling, &mut out);
        given((edited, out), judge, self.masking.as_ref())
    }

    /// Reads a message for its cost alone. What cannot be read passes, and is counted no more.
    fn counted(&mut self, message: &str) {
        let mut keep = |_: &Item<'_>| Ruling::Keep;
        if let Some(editor) = &mut self.editor
            && editor.message(message, &mut keep, &mut Vec::new()).is_err()
        {
            self.editor = None;
        }
    }
}

/// What the editor lets go, in messages; or why the socket ends.
fn given(
    (edited, out): (Result<(), Stop>, Vec<String>),
    judge: &mut Judge,
    masking: Option<&Masking>,
) -> Result<Vec<Utf8Bytes>, Refusal> {
    let Err(stop) = edited else {
        return Ok(out.into_iter().map(Utf8Bytes::from).collect());
    };
    if let Some(refusal) = masking.and_then(Masking::refusal) {
        return Err(refusal.clone());
    }
    match stop {
        Stop::Blocked => {}
        Stop::Undecidable(undecidable) => {
            judge.rule(Part::Undecidable(undecidable.cause));
        }
    }
    Err(judge.refusal("answer_blocked", UNJUDGED))
}

/// Asks about a message's rows, and its texts if `hears`.
fn content(
    message: &str,
    (shape, limits): (&Shape, &Limits),
    judge: &mut Judge,
    hears: bool,
) -> bool {
    let needs = judge.needs();
    let body = Body::parse(shape, message.as_bytes(), limits);
    let mut passes = |part| judge.rule_on_all(part) == Action::Keep;
    match &body {
        Ok(body) => {
            let rows = body.answer(shape, limits).map(|answer| answer.rows);
            let few = match rows {
                Ok(rows) => !needs.rows || rows.is_none_or(|rows| passes(Part::Rows(rows))),
                Err(undecidable) => passes(Part::Undecidable(undecidable.cause)),
            };
            few && (!hears || passes(Part::Text(&text::of(body))))
        }
        // What is no JSON is text.
        Err(undecidable) if needs.rows => passes(Part::Undecidable(undecidable.cause)),
        Err(_) => passes(Part::Text(message)),
    }
}
