//! How an answer is judged, as its head and its interface tell.

use enforcer_gate::{Exchange, Judge, Masking};
use enforcer_mask::Direction;
use enforcer_policy::{Action, Part};
use enforcer_prompt::{self as prompt, AnswerEditor, Events, Media, Shape};
use http::StatusCode;
use http::response::Parts as Head;

use crate::coding;
use crate::masking::{SHORT, Texts, Waits};

/// Why what is in an answer is not known.
const UNKNOWN: prompt::Cause = prompt::Cause::UnknownType;

/// An answer of which the head has come.
pub(super) struct Begun<'a> {
    pub(super) head: &'a Head,
    pub(super) shape: &'a Shape,
    /// Its length, where one is stated.
    pub(super) length: Option<u64>,
}

/// How an answer is judged.
pub(super) enum Plan {
    /// It cannot be, and a rule says that it must.
    Refuse,
    /// As it comes; without any reader only its bytes are counted.
    Stream(Option<AnswerEditor>, Option<Events>),
    /// When all of it is here.
    Whole(Option<AnswerEditor>),
}

// === impl Begun ===

impl Begun<'_> {
    /// How it is judged, and masked.
    pub(super) fn plan(
        &self,
        (judge, exchange): (&mut Judge, &Exchange),
        waits: &Waits,
        limits: &prompt::Limits,
    ) -> Plan {
        let plan = plan(self.head, self.shape, judge, limits);
        let masking = exchange.masking().filter(|masking| masking.edits_answers());
        match masking {
            None => plan,
            Some(masking) => {
                let counted =
                    exchange.is_billed() && AnswerEditor::new(self.shape, limits).is_some();
                self.masked(plan, (masking, counted, waits), limits)
            }
        }
    }

    /// The same, with the answer's texts masked.
    fn masked(
        &self,
        plan: Plan,
        (masking, counted, waits): (&Masking, bool, &Waits),
        limits: &prompt::Limits,
    ) -> Plan {
        let Self {
            head,
            shape,
            length,
        } = *self;
        let texts = || Texts::waiting(masking, Direction::Answer, waits);
        let coded = coding::is_coded(&head.headers);
        let streams = shape.media == Media::EventStream;
        match plan {
            Plan::Refuse => Plan::Refuse,
            Plan::Stream(Some(mut editor), events) => {
                editor.mask(texts());
                Plan::Stream(Some(editor), events)
            }
            // It was asked for without.
            Plan::Stream(None, _) if coded && streams => Plan::Refuse,
            Plan::Stream(None, _) if coded => Plan::Whole(None),
            // Where its cost is counted the interface's own editor reads it.
            Plan::Stream(None, events) if streams || counted => {
                let editor = AnswerEditor::unjudged(shape, limits, texts());
                Plan::Stream(Some(editor), events)
            }
            // Then it can be refused like a request.
            Plan::Stream(None, None) if length.is_some_and(|length| length <= SHORT) => {
                Plan::Whole(None)
            }
            Plan::Stream(None, events) => Plan::Stream(None, events),
            Plan::Whole(editor) => Plan::Whole(editor.map(|mut editor| {
                editor.mask(texts());
                editor
            })),
        }
    }
}

fn plan(head: &Head, shape: &Shape, judge: &mut Judge, limits: &prompt::Limits) -> Plan {
    let needs = judge.needs();
    if !needs.content() {
        return Plan::Stream(None, None);
    }
    let mut cannot = |cause| judge.rule(Part::Undecidable(cause)) != Action::Keep;
    if head.status == StatusCode::PARTIAL_CONTENT && cannot(prompt::Cause::Truncated) {
        return Plan::Refuse;
    }
    let mut editor = AnswerEditor::new(shape, limits);
    if needs.text
        && let Some(editor) = &mut editor
    {
        editor.hear();
    }
    let is_read = match shape.media {
        Media::EventStream => !coding::is_coded(&head.headers),
        Media::Json | Media::JsonLines => true,
        Media::Text => !needs.rows,
        Media::Form | Media::Multipart(_) | Media::None | Media::Other(_) | Media::Unreadable => {
            false
        }
    };
    let streams = shape.media == Media::EventStream;
    // What a stored file is shows when it is here.
    let may_be_results = shape.results(b"{").is_some();
    if (needs.rows || needs.text) && !(is_read || may_be_results) && cannot(UNKNOWN) {
        return Plan::Refuse;
    }
    // The interface's own reader hears texts, and counts no rows.
    let counts = streams && is_read && (needs.rows || (needs.text && editor.is_none()));
    let events = counts.then(|| Events::new(limits));
    match editor {
        Some(_) if streams && !is_read => {
            if cannot(prompt::Cause::UnknownEncoding) {
                return Plan::Refuse;
            }
            Plan::Stream(None, None)
        }
        Some(editor) if streams => Plan::Stream(Some(editor), events),
        // Whatever the content type says: clients read it as what they asked for.
        Some(editor) => Plan::Whole(Some(editor)),
        None if may_be_results => Plan::Whole(None),
        None if !streams && is_read && (needs.rows || needs.text) => Plan::Whole(None),
        None => Plan::Stream(None, events),
    }
}
