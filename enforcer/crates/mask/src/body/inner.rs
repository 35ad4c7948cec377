//! A text that may be a document itself, such as the arguments of a tool call.
//!
//! What begins as a JSON object or array is read as one, so that names of fields count and what is replaced leaves it
//! valid. Where it turns out to be none, the rest is text.

use super::desk::Desk;
use super::json::Json;
use crate::Sink;
use crate::{Masker, Stop};

/// Blanks before a document.
const BLANKS: usize = 64;

/// A text, as far as it is known what it is.
#[derive(Debug, Default)]
pub(crate) enum Inner {
    /// Nothing of it was seen.
    #[default]
    Fresh,
    /// A document.
    Json(Box<Json>),
    /// The first bytes, which do not tell yet.
    Start(Vec<u8>),
    /// No document.
    Text(Box<Masker>),
}

/// What the first bytes of a text tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guess {
    Document,
    Text,
    Unknown,
}

/// Whether it is plain to see that a text is no document.
pub(crate) fn plain(text: &[u8]) -> bool {
    !matches!(
        text.first(),
        Some(b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n')
    )
}

impl Inner {
    /// A text that is none but itself.
    pub(crate) fn text(desk: &mut Desk) -> Self {
        Self::Text(desk.masker())
    }

    pub(crate) fn push(
        &mut self,
        text: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        match self {
            Self::Fresh => self.start(text, desk, sink),
            Self::Start(before) => {
                let mut before = std::mem::take(before);
                before.extend_from_slice(text);
                self.start(&before, desk, sink)
            }
            Self::Json(json) => {
                desk.nest();
                let broken = json.push(text, desk, sink);
                desk.unnest();
                let Some(at) = broken? else {
                    return Ok(());
                };
                let pending = json.give_up(desk);
                let mut masker = begun(&pending, desk, sink)?;
                desk.look(&mut masker, text.get(at..).unwrap_or_default(), sink)?;
                *self = Self::Text(masker);
                Ok(())
            }
            Self::Text(masker) => desk.look(masker, text, sink),
        }
    }

    /// What is held of it has waited long enough.
    pub(crate) fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match self {
            Self::Fresh | Self::Start(_) => Ok(()),
            Self::Json(json) => {
                desk.nest();
                let lapsed = json.lapse(desk, sink);
                desk.unnest();
                lapsed
            }
            Self::Text(masker) => desk.lapse(masker, sink),
        }
    }

    /// The text has ended.
    pub(crate) fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match std::mem::take(self) {
            Self::Fresh => Ok(()),
            Self::Start(before) => desk.whole(&before, sink),
            Self::Json(mut json) => {
                desk.nest();
                let ended = json.end_loosely(desk, sink);
                desk.unnest();
                let pending = ended?;
                if pending.0.is_empty() {
                    return Ok(());
                }
                let masker = begun(&pending, desk, sink)?;
                desk.done(masker, sink)
            }
            Self::Text(masker) => desk.done(masker, sink),
        }
    }

    fn start(&mut self, text: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let guess = match guess(text) {
            Guess::Document if desk.covered() || !desk.may_nest() => Guess::Text,
            guess => guess,
        };
        match guess {
            Guess::Document => *self = Self::Json(Box::new(Json::inner(desk))),
            Guess::Text => *self = Self::text(desk),
            Guess::Unknown => {
                *self = Self::Start(text.to_vec());
                return Ok(());
            }
        }
        self.push(text, desk, sink)
    }
}

/// A text that begins with this, of which so much went on.
fn begun(
    (text, gone): &(Vec<u8>, usize),
    desk: &mut Desk,
    sink: &mut dyn Sink,
) -> Result<Box<Masker>, Stop> {
    let mut masker = desk.masker();
    let (went, rest) = text.split_at((*gone).min(text.len()));
    desk.went(&mut masker, went)?;
    desk.look(&mut masker, rest, sink)?;
    Ok(masker)
}

/// An object, or an array that holds no bare numbers: prose begins with brackets too.
fn guess(text: &[u8]) -> Guess {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let mut solid = text.iter().enumerate().filter(|(_, byte)| !blank(byte));
    let unknown = match text.len() {
        0..BLANKS => Guess::Unknown,
        _ => Guess::Text,
    };
    let Some((_, first)) = solid.next() else {
        return unknown;
    };
    let Some((at, second)) = solid.next() else {
        return match first {
            b'{' | b'[' => unknown,
            _ => Guess::Text,
        };
    };
    match (first, second) {
        _ if at >= BLANKS => Guess::Text,
        (b'{', b'"' | b'}') | (b'[', b'{' | b'"' | b'[' | b']') => Guess::Document,
        _ => Guess::Text,
    }
}
