//! Names of members: looked at like any text, and known before their values.

use std::borrow::Cow;
use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;

use super::text::{Ahead, Reach, ahead, controls};
use super::{Cursor, Desk, Halt, Json, Reading, Sink, State};
use crate::Stop;
use crate::body::pieces::Pieces;
use crate::body::spelled::Spelled;

/// No name is longer.
const LONGEST: usize = 4096;

/// Names of objects that are open, all together.
const KEYS: usize = 16_384;

/// Up to this many are compared one by one.
const FEW: usize = 32;

impl Json {
    pub(super) fn key_text(
        &mut self,
        cursor: &mut Cursor<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let Ahead { piece, reach, .. } = ahead(cursor.rest(), self.escaped);
        if self.held.len() + piece.len() > LONGEST {
            return Err(Halt::Broken("a JSON key that is too long"));
        }
        if let Reach::On(escaped) = reach {
            self.escaped = escaped;
            self.held.extend_from_slice(piece);
            cursor.given(piece.len());
            return Ok(());
        }
        self.escaped = false;
        if self.held.is_empty() {
            self.key(piece, desk, sink)?;
        } else {
            self.held.extend_from_slice(piece);
            let mut held = std::mem::take(&mut self.held);
            let mut gone = self.gone;
            let read = gone.rest(desk, sink, |desk, sink| self.key(&held, desk, sink));
            self.gone = gone;
            if read.is_err() {
                held.truncate(held.len() - piece.len());
                self.held = held;
            }
            read?;
        }
        cursor.given(piece.len());
        cursor.at += 1;
        self.state = State::Colon;
        Ok(())
    }

    /// What has come of a name has waited long enough. An escape that came in part may not be read yet.
    pub(super) fn lapse_key(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let spelling = self.spelling();
        if self.held.is_empty() || spelling.wrong(&self.held) {
            return Ok(());
        }
        let name = spelling.read(&self.held, &mut Spelled::default());
        desk.trail.name();
        let lapsed = self.gone.lapse((&self.held, &name), desk, sink);
        desk.trail.leave();
        lapsed
    }

    /// A name, with its escapes and without its quotes.
    fn key(&mut self, raw: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Halt> {
        if self.reading != Reading::Loose && controls(raw) {
            return Err(Halt::Broken("a control character in a JSON key"));
        }
        let name = self.unescaped(raw)?;
        self.seen(&name)?;
        desk.trail.name();
        let looked = desk.judge(&name);
        desk.trail.leave();
        let name = match looked? {
            None => {
                sink.keep(raw);
                name
            }
            Some(pieces) => Cow::Owned(self.renamed(raw, &name, &pieces, sink)),
        };
        desk.trail.enter(&String::from_utf8_lossy(&name));
        Ok(())
    }

    /// Writes a name that was changed, so that it is nobody else's in this object.
    fn renamed(
        &mut self,
        raw: &[u8],
        name: &[u8],
        pieces: &Pieces,
        sink: &mut dyn Sink,
    ) -> Vec<u8> {
        let masked = pieces.text(name);
        let mut fresh = masked.clone();
        let mut count = 1;
        while self.note(&fresh) {
            count += 1;
            fresh.clone_from(&masked);
            fresh.extend_from_slice(format!("#{count}").as_bytes());
        }
        let mut written = Vec::with_capacity(fresh.len());
        self.spelling().write(&fresh, &mut written);
        sink.replace(raw.len(), &written);
        fresh
    }

    fn unescaped<'k>(&self, raw: &'k [u8]) -> Result<Cow<'k, [u8]>, Halt> {
        let spelling = self.spelling();
        if spelling.wrong(raw) {
            return Err(Halt::Broken("an escape that is none"));
        }
        Ok(spelling.read(raw, &mut Spelled::default()))
    }

    /// The same name twice can be read in two ways.
    fn seen(&mut self, name: &[u8]) -> Result<(), Halt> {
        let twice = self.note(name);
        if twice && self.reading != Reading::Loose {
            return Err(Halt::Broken("a JSON key that is there twice"));
        }
        if self.names > KEYS {
            return Err(Halt::Broken("JSON with too many keys"));
        }
        Ok(())
    }

    /// Notes a name of the object that is open, and says whether it had it already.
    fn note(&mut self, name: &[u8]) -> bool {
        let hash = FixedState::default().hash_one(name);
        let Some(open) = self.open.last_mut() else {
            return false;
        };
        if let Some(many) = &mut open.many {
            let fresh = many.insert(hash);
            self.names += usize::from(fresh);
            return !fresh;
        }
        if open.few.contains(&hash) {
            return true;
        }
        open.few.push(hash);
        self.names += 1;
        if open.few.len() > FEW {
            open.many = Some(open.few.iter().copied().collect());
        }
        false
    }
}
