//! An answer that passes as it comes, while what it says of its cost is read.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use enforcer_prompt::{AnswerEditor, Item, Ruling};
use http_body::{Frame, SizeHint};

use crate::body::{BodyError, UpstreamBody};

/// The answer, and who reads along. What cannot be read is passed on all the same: then the cost stays what was reserved.
pub struct WatchedBody {
    upstream: UpstreamBody,
    editor: Option<AnswerEditor>,
    /// What the reader gives out, which nobody wants.
    spill: Vec<u8>,
    over: bool,
}

// === impl WatchedBody ===

impl WatchedBody {
    pub(crate) fn new(upstream: UpstreamBody, editor: Option<AnswerEditor>) -> Self {
        Self {
            upstream,
            editor,
            spill: Vec::new(),
            over: false,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.upstream.size_hint()
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let polled = ready!(self.upstream.poll(cx));
        match &polled {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.read(|editor, spill| editor.push(data, &mut keep, spill));
                }
            }
            Some(Err(_)) => self.over = true,
            None => {
                self.read(|editor, spill| editor.finish(&mut keep, spill));
                self.finish();
            }
        }
        Poll::Ready(polled)
    }

    fn read<E>(&mut self, read: impl FnOnce(&mut AnswerEditor, &mut Vec<u8>) -> Result<(), E>) {
        if let Some(editor) = &mut self.editor
            && read(editor, &mut self.spill).is_err()
        {
            self.editor = None;
        }
        self.spill.clear();
    }

    fn finish(&mut self) {
        self.over = true;
        let Some(mut exchange) = self.upstream.take_exchange() else {
            return;
        };
        if let Some(editor) = &self.editor {
            let tally = editor.tally();
            exchange.used(tally.model.as_deref(), &tally.usage);
        }
        exchange.finish();
    }
}

fn keep(_: &Item<'_>) -> Ruling {
    Ruling::Keep
}
