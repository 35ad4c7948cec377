//! An answer that is judged while it streams.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use enforcer_audit::Track;
use enforcer_flow::Side;
use enforcer_gate::{Exchange, Fault, Judge, Masking};
use enforcer_policy::{Action, Part};
use enforcer_prompt::{AnswerEditor, Event, Events, Item, Stop};
use http_body::Frame;

use super::rule;
use crate::body::{BodyError, UpstreamBody};
use crate::masking::{Alarm, Rewriter};
use crate::recording;
use crate::refuse::DENIED;

/// The cause of what ends for what was found in it.
const SENSITIVE: &str = "sensitive_data";

/// What comes is given out as soon as it was judged. What belongs to a tool call waits until the call is complete; the
/// editor bounds how much that is.
pub struct EditedBody {
    upstream: UpstreamBody,
    editor: Option<AnswerEditor>,
    /// Who counts rows, and hears texts where there is no editor.
    events: Option<Events>,
    /// Who masks what has no editor.
    rewriter: Option<Rewriter>,
    judge: Judge,
    /// Where it is kept as it goes on.
    track: Option<Track>,
    /// When something of texts has been held for as long as may be.
    alarm: Alarm,
    /// Bytes that have come.
    seen: u64,
    over: bool,
}

/// Who reads along: an interface's own editor, a reader of events, a masker of bodies.
type Readers = (Option<AnswerEditor>, Option<Events>, Option<Rewriter>);

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

// === impl EditedBody ===

impl EditedBody {
    pub(crate) fn new(
        mut upstream: UpstreamBody,
        (editor, events, rewriter): Readers,
        judge: Judge,
        alarm: Alarm,
    ) -> Self {
        Self {
            track: upstream.take_track(),
            upstream,
            editor,
            events,
            rewriter,
            judge,
            alarm,
            seen: 0,
            over: false,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        while !self.over {
            let next = match self.alarm.poll(cx).is_ready() {
                true => self.lapse(),
                false => ready!(self.poll_next(cx)),
            };
            // What is last was kept before its exchange ended.
            if let (Some(Ok(frame)), false) = (&next, self.over)
                && recording::keep(self.track.as_ref(), frame).is_err()
            {
                return Poll::Ready(Some(Err(self.unrecorded())));
            }
            if next.is_some() {
                return Poll::Ready(next);
            }
        }
        Poll::Ready(None)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Polled {
        Poll::Ready(match ready!(self.upstream.poll(cx)) {
            None => self.finish(),
            Some(Err(error)) => {
                self.over = true;
                Some(Err(error))
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.pass(data),
                // Trailers come last; what is still held goes before them, or they do not come.
                Err(_) => None,
            },
        })
    }

    /// What has been held long enough is judged as if it ended here.
    fn lapse(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        let lapsed = match (&mut self.rewriter, &mut self.editor) {
            (Some(rewriter), _) => match rewriter.lapse() {
                Ok(bytes) => self.give(Ok(()), bytes.into()),
                Err(_) => Some(self.end(Vec::new())),
            },
            (None, Some(editor)) => {
                let mut out = Vec::new();
                let lapsed = editor.lapse(&mut out);
                self.give(lapsed, out)
            }
            (None, None) => None,
        };
        self.alarm.again();
        lapsed
    }

    /// Judges what came; none when nothing of it may go on yet.
    fn pass(&mut self, data: Bytes) -> Option<Result<Frame<Bytes>, BodyError>> {
        self.seen += data.len() as u64;
        if self.judge.needs().bytes && self.judge.rule(Part::Bytes(self.seen)) != Action::Keep {
            return Some(self.end(Vec::new()));
        }
        let along = self.along(|events, tell| events.push(&data, tell));
        if along.is_err() {
            return self.give(along, Vec::new());
        }
        if let Some(rewriter) = &mut self.rewriter {
            return match rewriter.push(data) {
                Ok(bytes) if bytes.is_empty() => None,
                Ok(bytes) => Some(Ok(Frame::data(bytes))),
                Err(_) => Some(self.end(Vec::new())),
            };
        }
        let Some(editor) = &mut self.editor else {
            return Some(Ok(Frame::data(data)));
        };
        let mut out = Vec::new();
        let judge = &mut self.judge;
        let pushed = editor.push(&data, &mut |item: &Item<'_>| rule(judge, item), &mut out);
        self.give(pushed, out)
    }

    /// Has the reader of events read, and rules on what it tells.
    fn along(
        &mut self,
        read: impl FnOnce(&mut Events, &mut dyn FnMut(Event<'_>) -> bool) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let Some(events) = &mut self.events else {
            return Ok(());
        };
        let (judge, hears) = (&mut self.judge, self.editor.is_none());
        let needs = judge.needs();
        read(events, &mut |event| {
            let mut passes = |part| judge.rule_on_all(part) == Action::Keep;
            (!needs.rows || passes(Part::Rows(event.rows)))
                && (!(needs.text && hears) || passes(Part::Text(event.text)))
        })
    }

    /// The upstream's answer has come to its end.
    fn finish(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        let mut out = Vec::new();
        let along = self.along(Events::finish);
        if along.is_err() {
            return self.give(along, out);
        }
        if let Some(rewriter) = &mut self.rewriter {
            match rewriter.finish() {
                Ok(bytes) => out.extend_from_slice(&bytes),
                Err(_) => return Some(self.end(Vec::new())),
            }
        }
        if let Some(editor) = &mut self.editor {
            let judge = &mut self.judge;
            let finished = editor.finish(&mut |item: &Item<'_>| rule(judge, item), &mut out);
            if finished.is_err() {
                return self.give(finished, out);
            }
        }
        self.over = true;
        if !self.keeps(&out) {
            return Some(Err(self.unrecorded()));
        }
        if let Some(mut exchange) = self.upstream.take_exchange() {
            if let Some(editor) = &self.editor {
                let tally = editor.tally();
                exchange.used(tally.model.as_deref(), &tally.usage);
            }
            exchange.finish();
        }
        self.give(Ok(()), out)
    }

    fn give(
        &mut self,
        judged: Result<(), Stop>,
        out: Vec<u8>,
    ) -> Option<Result<Frame<Bytes>, BodyError>> {
        match judged {
            Ok(()) if out.is_empty() => None,
            Ok(()) => Some(Ok(Frame::data(out.into()))),
            Err(Stop::Blocked) => Some(self.end(out)),
            Err(Stop::Undecidable(undecidable)) => {
                tracing::debug!(%undecidable, "an answer cannot be judged");
                // Whether a rule minds or not: the editor cannot go on, and what it held is lost.
                self.judge.rule(Part::Undecidable(undecidable.cause));
                Some(self.end(out))
            }
        }
    }

    /// Keeps what goes on last; whether that was done.
    fn keeps(&self, out: &[u8]) -> bool {
        let track = self.track.as_ref();
        track.is_none_or(|track| track.push(out).is_ok())
    }

    fn unrecorded(&mut self) -> BodyError {
        self.over = true;
        recording::failed(self.upstream.take_exchange())
    }

    /// Ends the answer here, with an error where its shape has one.
    fn end(&mut self, mut out: Vec<u8>) -> Result<Frame<Bytes>, BodyError> {
        self.over = true;
        let exchange = self.upstream.take_exchange();
        let found = exchange.as_ref().and_then(Exchange::masking);
        let found = found.and_then(Masking::refusal).cloned();
        let refusal = found.unwrap_or_else(|| {
            self.judge
                .refusal("answer_blocked", "the answer cannot be judged")
        });
        let words = self
            .editor
            .as_ref()
            .map(|editor| editor.refusal(DENIED, &refusal.public))
            .unwrap_or_default();
        out.extend_from_slice(&words);
        let ends = !words.is_empty();
        if ends && !self.keeps(&out) {
            return Err(recording::failed(exchange));
        }
        if let Some(mut exchange) = exchange {
            let cause = match refusal.cause {
                SENSITIVE => SENSITIVE,
                _ => "answer_blocked",
            };
            exchange.fault(Side::Own, cause);
            if refusal.fault == Fault::Terminated {
                exchange.flow().end(cause);
            }
        }
        if !ends {
            return Err(BodyError::Blocked);
        }
        Ok(Frame::data(out.into()))
    }
}
