//! Bodies: the shapes we answer with, and the watch that enters what really passed into the journal.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_lc_rs::digest;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

use crate::upstream::journal::{Half, Journal, State};

/// What every answer's body is boxed to.
pub(super) type Answer = UnsyncBoxBody<Bytes, io::Error>;

/// Progress is entered once in so many bytes, and at the end.
const ENTRY_EVERY: u64 = 1 << 20;
/// So much of a request's body is kept.
const KEPT: usize = 8 << 10;

/// Which half of an exchange a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// A body that enters its progress into the journal, also when it is dropped half-way.
pub(super) struct Watched<B: Body> {
    inner: B,
    journal: Journal,
    id: u64,
    direction: Direction,
    half: Half,
    entered: u64,
    digest: Option<digest::Context>,
}

/// A body of these bytes.
pub(super) fn full(bytes: impl Into<Bytes>) -> Answer {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body of nothing.
pub(super) fn empty() -> Answer {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Header fields as text, names in lower case.
pub(super) fn fields(map: &HeaderMap) -> Vec<(String, String)> {
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    map.iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

impl<B: Body> Watched<B> {
    pub(super) fn new(inner: B, journal: Journal, id: u64, direction: Direction) -> Self {
        Self {
            inner,
            journal,
            id,
            direction,
            half: Half::default(),
            entered: 0,
            digest: Some(digest::Context::new(&digest::SHA256)),
        }
    }

    fn enter(&mut self) {
        self.entered = self.half.bytes;
        let half = self.half.clone();
        match self.direction {
            Direction::Request => self.journal.request_progress(self.id, half),
            Direction::Response => self.journal.response_progress(self.id, half),
        }
    }

    fn end(&mut self, state: State) {
        if self.half.state != State::Open {
            return;
        }
        self.half.state = state;
        if let (State::Complete, Some(digest)) = (state, self.digest.take()) {
            self.half.sha256 = Some(hex(digest.finish().as_ref()));
        }
        self.enter();
    }

    fn note(&mut self, data: &[u8]) {
        self.half.bytes += data.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.update(data);
        }
        if self.direction == Direction::Request {
            let room = KEPT.saturating_sub(self.half.text.len()).min(data.len());
            let kept = String::from_utf8_lossy(&data[..room]);
            self.half.text.push_str(&kept);
        }
        if self.half.bytes - self.entered >= ENTRY_EVERY {
            self.enter();
        }
    }

    /// The length was announced and all of it has passed: hyper asks for nothing more.
    fn is_spent(&self) -> bool {
        self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0)
    }
}

impl<B> Body for Watched<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.end(State::Complete),
            Poll::Ready(Some(Err(_))) => this.end(State::Cut),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    this.note(data);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    this.half.trailers = fields(trailers);
                }
                if this.inner.is_end_stream() {
                    this.end(State::Complete);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Body> Drop for Watched<B> {
    fn drop(&mut self) {
        let state = if self.is_spent() {
            State::Complete
        } else {
            State::Cut
        };
        self.end(state);
    }
}
